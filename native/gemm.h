// Matrix products in float32 on the CPU, and on everything else through libtorch.
#pragma once
#include <ATen/ATen.h>

#include "kernels/gemm.h"

namespace ft {

/// Memory of this thread for packed panels, 64-byte aligned, valid until its next call. Any size from `floats` up.
float *scratch(int64_t floats);

/// Who multiplies float32 matrices on the CPU: the instruction set of our own tiles, or "libtorch".
const char *products_by();

/// into = a b for matrices; `add`: into += a b.
void product_into(const at::Tensor &into, const at::Tensor &a, const at::Tensor &b, bool add = false);

/// a b for matrices.
at::Tensor product(const at::Tensor &a, const at::Tensor &b);

/// x (..., in) times the transpose of weight (out, in): (..., out), with gradients.
at::Tensor linear_map(const at::Tensor &x, const at::Tensor &weight);

} // namespace ft
