// Meters of energy: the processor's packages (RAPL, as Linux shows it) and NVIDIA's GPUs (NVML). Many machines show
// neither, or to root alone: that is no error.
#include <dlfcn.h>

#include <fstream>
#include <string>

#include "guard.h"

using namespace ft;

/// The first number or word of a file; false where it cannot be read.
template <class Value> static bool read_first(const std::string &path, Value &into) {
  std::ifstream file(path);
  return (bool)(file >> into);
}

FT_EXPORT int32_t ft_cpu_energy(const char *folder, double *out, int32_t capacity) {
  return guard([&]() -> int32_t {
    int32_t packages = 0;
    for (int zone = 0;; zone++) {
      const std::string path = std::string(folder) + "/intel-rapl:" + std::to_string(zone) + "/";
      std::string name;
      if (!read_first(path + "name", name)) return packages;
      if (name.rfind("package", 0) != 0) continue; // psys, say, which has the packages in it
      TORCH_CHECK(2 * packages + 2 <= capacity, "more packages than room");
      double *energy = out + 2 * packages++;
      if (!read_first(path + "energy_uj", energy[0])) return 0; // a part would pass for the whole
      if (!read_first(path + "max_energy_range_uj", energy[1])) return 0;
    }
  });
}

/// A function of a library that is there with the driver.
template <class Function> static bool find(void *library, const char *name, Function &into) {
  into = library ? (Function)::dlsym(library, name) : nullptr;
  return into != nullptr;
}

FT_EXPORT int32_t ft_gpu_energy(int32_t device, double *out) {
  return guard([&]() -> int32_t {
    static void *const cuda = ::dlopen("libcuda.so.1", RTLD_NOW), *const nvml = ::dlopen("libnvidia-ml.so.1", RTLD_NOW);
    int (*start)(void), (*by_bus)(const char *, void **), (*consumed)(void *, unsigned long long *);
    int (*init)(unsigned), (*handle_of)(int *, int), (*bus_of)(char *, int, int);
    const bool there = find(nvml, "nvmlInit_v2", start) && find(nvml, "nvmlDeviceGetHandleByPciBusId_v2", by_bus) &&
                       find(nvml, "nvmlDeviceGetTotalEnergyConsumption", consumed) && find(cuda, "cuInit", init) &&
                       find(cuda, "cuDeviceGet", handle_of) && find(cuda, "cuDeviceGetPCIBusId", bus_of);
    if (device < 1 || !there) return 0;
    static const bool started = init(0) == 0 && start() == 0; // never shut down: it lives as long as the process
    char bus[32];
    int handle;
    void *gpu;
    unsigned long long millijoules;
    const bool known = started && handle_of(&handle, device - 1) == 0 && bus_of(bus, sizeof bus, handle) == 0 &&
                       by_bus(bus, &gpu) == 0 && consumed(gpu, &millijoules) == 0;
    if (known) *out = (double)millijoules / 1e3;
    return known;
  });
}
