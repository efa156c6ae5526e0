// Chooses among the builds of the row kernels, once.
#include "rows.h"

namespace ft {

const RowKernels &row_kernels() {
#ifdef FT_AVX2
  static const bool wide = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (wide) return avx2::kernels;
#endif
  return portable::kernels;
}

} // namespace ft
