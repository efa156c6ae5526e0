// The machine and the process: versions, devices, threads, memory, random numbers, and the lock on exec.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/DeviceAccelerator.h>
#include <ATen/Parallel.h>
#include <torch/csrc/inductor/aoti_torch/c/shim.h>
#include <torch/headeronly/version.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <mutex>
#include <sstream>

#include "guard.h"
#include "kernels/rows.h"
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
         << "\",\"running\":\"" << running_version() << "\",\"rows\":\"" << row_kernels().isa << "\",\"cudaBuild\":"
         << (at::globalContext().hasCUDART() ? "true" : "false") << '}';
    return copy_out(json.str(), out, capacity);
  });
}

FT_EXPORT int32_t ft_cuda_devices(void) {
  return guard([&] { return at::globalContext().hasCUDA() ? (int32_t)at::accelerator::deviceCount() : 0; });
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

constexpr uint32_t X32_CALLS = 0x40000000;

/// A seccomp filter over all threads of the process: execve and execveat fail with EPERM from now on, for good.
FT_EXPORT int32_t ft_refuse_exec(void) {
  return done([&] {
#if defined(__x86_64__)
    const uint32_t machine = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
    const uint32_t machine = AUDIT_ARCH_AARCH64;
#endif
    sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, machine, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_CALLS, 2, 0), // the same calls under other numbers
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execve, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execveat, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog program = {(unsigned short)std::size(filter), filter};
    TORCH_CHECK(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "cannot lock the process: ", std::strerror(errno));
    const long result =
        ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
    TORCH_CHECK(result == 0, "cannot refuse exec: ",
                result > 0 ? "a thread could not follow" : std::strerror(errno));
  });
}
