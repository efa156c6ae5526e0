// Rotary positions, as fused.cpp turns them for itself and for attention.cpp. x is (..., T, N, W); the first `rotated` of
// the N vectors of each position turn by the angles of row `start` + t of cos and sin (positions, W / 2).
#pragma once
#include <ATen/ATen.h>

namespace ft {

/// Throws where the sizes do not fit.
void check_rotary(const at::Tensor &x, const at::Tensor &cos, const at::Tensor &sin, int64_t rotated, int64_t start);

/// On any device, with gradients.
at::Tensor rotate(const at::Tensor &x, const at::Tensor &cos, const at::Tensor &sin, int64_t rotated, int64_t start);

/// For contiguous float32 on the CPU, without gradients; sign -1 turns back.
at::Tensor rotate_rows(const at::Tensor &x, const at::Tensor &cos, const at::Tensor &sin, int64_t rotated,
                       int64_t start, float sign);

/// The same in place.
void rotate_rows_(const at::Tensor &x, const at::Tensor &cos, const at::Tensor &sin, int64_t rotated, int64_t start,
                  float sign);

} // namespace ft
