// Chooses among the builds of the kernels, once.
#include "cached.h"
#include "gemm.h"
#include "rows.h"

namespace ft {

#ifdef FT_X86
static bool has_avx2() {
  static const bool has = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return has;
}

static bool has_avx512() {
  static const bool has = has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                          __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
  return has;
}
#endif

const RowKernels &row_kernels() {
#ifdef FT_X86
  if (has_avx2()) return avx2::kernels;
#endif
  return portable::kernels;
}

const GemmKernels *gemm_kernels() {
#ifdef FT_X86
  if (has_avx512()) return &avx512::gemm;
  if (has_avx2()) return &avx2::gemm;
#endif
  return nullptr;
}

const GemmKernels &panel_kernels() {
  const auto *kernels = gemm_kernels();
  return kernels ? *kernels : portable::gemm;
}

const CachedKernels &cached_kernels() {
#ifdef FT_X86
  if (has_avx512()) return avx512::cached;
  if (has_avx2()) return avx2::cached;
#endif
  return portable::cached;
}

} // namespace ft
