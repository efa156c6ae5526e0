// The machine and the process: versions, devices, threads, memory, random numbers, and the lock on exec.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/DeviceAccelerator.h>
#include <ATen/Parallel.h>
#include <torch/csrc/inductor/aoti_torch/c/shim.h>
#include <torch/headeronly/version.h>

#include <dlfcn.h>

#include <cstring>
#include <fstream>
#include <mutex>
#include <sstream>

#include "gemm.h"
#include "guard.h"
#include "kernels/rows.h"
#include "refuse_exec.h"
#include "tensor.h"

using namespace ft;

/// "2.13" of the running libtorch, which packs major, minor and patch into the top bytes.
static std::string running_version() {
  const uint64_t packed = aoti_torch_abi_version();
  std::ostringstream text;
  text << (packed >> 56) << '.' << (packed >> 48 & 0xff) << '.' << (packed >> 40 & 0xff);
  return text.str();
}

FT_EXPORT int32_t ft_versions(char *out, int32_t capacity) {
  return guard([&] {
    std::ostringstream json;
    json << "{\"built\":\"" << TORCH_VERSION_MAJOR << '.' << TORCH_VERSION_MINOR << '.' << TORCH_VERSION_PATCH
         << "\",\"running\":\"" << running_version() << "\",\"rows\":\"" << row_kernels().isa
         << "\",\"products\":\"" << products_by() << "\",\"cudaBuild\":" << (at::globalContext().hasCUDART() ? "true" : "false") << '}';
    return copy_out(json.str(), out, capacity);
  });
}

FT_EXPORT int32_t ft_cuda_devices(void) {
  return guard([&] { return at::globalContext().hasCUDA() ? (int32_t)at::accelerator::deviceCount() : 0; });
}

/// A function of the CUDA driver, whose ABI is stable: no CUDA header is needed.
template <class Function> static Function driver(const char *name) {
  static void *library = ::dlopen("libcuda.so.1", RTLD_NOW);
  void *found = library ? ::dlsym(library, name) : nullptr;
  TORCH_CHECK(found, "the CUDA driver has no ", name);
  return (Function)found;
}

constexpr int COMPUTE_CAPABILITY_MAJOR = 75, COMPUTE_CAPABILITY_MINOR = 76; // of CUdevice_attribute

FT_EXPORT int32_t ft_cuda_device(int32_t device, char *out, int32_t capacity) {
  return guard([&] {
    TORCH_CHECK(device > 0, "not a CUDA device: ", device);
    int handle = 0, major = 0, minor = 0;
    char name[256] = "";
    const auto attribute = driver<int (*)(int *, int, int)>("cuDeviceGetAttribute");
    const bool known = driver<int (*)(unsigned)>("cuInit")(0) == 0 &&
                       driver<int (*)(int *, int)>("cuDeviceGet")(&handle, device - 1) == 0 &&
                       driver<int (*)(char *, int, int)>("cuDeviceGetName")(name, sizeof name, handle) == 0 &&
                       attribute(&major, COMPUTE_CAPABILITY_MAJOR, handle) == 0 &&
                       attribute(&minor, COMPUTE_CAPABILITY_MINOR, handle) == 0;
    TORCH_CHECK(known, "the CUDA driver does not describe ", device_of(device).str());
    std::ostringstream json;
    json << "{\"name\":\"" << name << "\",\"major\":" << major << ",\"minor\":" << minor << '}';
    return copy_out(json.str(), out, capacity);
  });
}

FT_EXPORT int32_t ft_synchronize(int32_t device) {
  return done([&] {
    if (device > 0) at::accelerator::synchronizeDevice(device_of(device).index());
  });
}

FT_EXPORT int32_t ft_threads(void) {
  return guard([&] { return at::get_num_threads(); });
}

FT_EXPORT int32_t ft_set_threads(int32_t threads) {
  return done([&] {
    TORCH_CHECK(threads > 0, threads, " threads");
    at::set_num_threads(threads);
  });
}

/// Kilobytes of a line such as "VmRSS:     1234 kB" in /proc/self/status, as bytes.
static double status_bytes(const std::string &key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.rfind(key, 0) == 0) return std::stod(line.substr(key.size())) * 1024;
  return 0;
}

FT_EXPORT int32_t ft_memory(int32_t device, double *out) {
  return done([&] {
    if (device == 0) {
      out[0] = status_bytes("VmRSS:");
      out[1] = status_bytes("VmHWM:");
      return;
    }
    const auto stats = at::accelerator::getDeviceStats(device_of(device).index());
    const auto &allocated = stats.allocated_bytes[0]; // 0: over all pools
    out[0] = (double)allocated.current;
    out[1] = (double)allocated.peak;
  });
}

FT_EXPORT int32_t ft_seed(double seed) {
  return done([&] { at::manual_seed((uint64_t)seed); });
}

FT_EXPORT int32_t ft_rng_state(uint8_t *out, int32_t capacity) {
  return guard([&] {
    auto generator = at::detail::getDefaultCPUGenerator();
    const std::lock_guard<std::mutex> lock(generator.mutex());
    const auto state = generator.get_state();
    TORCH_CHECK(state.numel() <= capacity, "the state takes ", state.numel(), " bytes");
    std::memcpy(out, state.data_ptr(), state.numel());
    return (int32_t)state.numel();
  });
}

FT_EXPORT int32_t ft_set_rng_state(const uint8_t *state, int32_t bytes) {
  return done([&] {
    auto generator = at::detail::getDefaultCPUGenerator();
    const std::lock_guard<std::mutex> lock(generator.mutex());
    auto copy = at::empty({bytes}, at::kByte);
    std::memcpy(copy.data_ptr(), state, bytes);
    generator.set_state(copy);
  });
}

FT_EXPORT int32_t ft_refuse_exec(void) {
  return done([] { refuse_exec(); });
}
