// Mixed precision: parameters are float32 masters, activations may be bfloat16.
#pragma once
#include <ATen/ATen.h>

namespace ft {

/// A weight as x meets it: a float32 master is rounded for bfloat16 activations. Autograd follows, so that its gradient
/// lands in float32. Any other mixture is left to libtorch, which refuses it.
inline at::Tensor weight_for(const at::Tensor &x, const at::Tensor &weight) {
  const bool rounded = x.scalar_type() == at::kBFloat16 && weight.scalar_type() == at::kFloat;
  return rounded ? weight.to(at::kBFloat16) : weight;
}

} // namespace ft
