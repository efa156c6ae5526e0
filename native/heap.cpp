// How the C library keeps memory. By itself it gives blocks of some megabytes back to the system when they are freed, and
// moves the size from which it does with what the program happened to free before: a training step then takes thousands
// of pages anew, and its peak differs from run to run.
#include <cstdlib>

#ifdef __GLIBC__
#include <malloc.h>

namespace {

constexpr int LARGEST_KEPT = 32 << 20; // bytes; all that glibc allows
constexpr int KEPT_AT_THE_END = 1 << 30;

/// When the shim is loaded, unless the environment says otherwise.
__attribute__((constructor)) void keep_large_blocks() {
  if (std::getenv("MALLOC_MMAP_THRESHOLD_") || std::getenv("MALLOC_TRIM_THRESHOLD_") || std::getenv("GLIBC_TUNABLES"))
    return;
  mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT);
  mallopt(M_TRIM_THRESHOLD, KEPT_AT_THE_END);
}

} // namespace
#endif
