// Gradients: who needs them, the backward pass, and the switch.
#include <ATen/core/grad_mode.h>

#include "guard.h"

using namespace ft;

FT_EXPORT int32_t ft_require_grad(ft_tensor t) {
  return done([&] {
    TORCH_CHECK(get(t).is_leaf(), "only a leaf can be made to require gradients");
    get(t).set_requires_grad(true);
  });
}

FT_EXPORT int32_t ft_freeze(ft_tensor t) {
  return done([&] {
    TORCH_CHECK(get(t).is_leaf(), "only a leaf can be frozen");
    get(t).set_requires_grad(false);
  });
}

FT_EXPORT int32_t ft_requires_grad(ft_tensor t) {
  return guard([&] { return get(t).requires_grad() ? 1 : 0; });
}

FT_EXPORT ft_tensor ft_detach(ft_tensor t) {
  return tensor([&] { return get(t).detach(); });
}

FT_EXPORT int32_t ft_backward(ft_tensor t, ft_tensor gradient) {
  return done([&] { get(t).backward(get_optional(gradient)); });
}

FT_EXPORT int32_t ft_has_grad(ft_tensor t) {
  return guard([&] { return get(t).grad().defined() ? 1 : 0; });
}

FT_EXPORT ft_tensor ft_grad(ft_tensor t) {
  return tensor([&] {
    TORCH_CHECK(get(t).grad().defined(), "the tensor has no gradient");
    return get(t).grad();
  });
}

FT_EXPORT int32_t ft_clear_grads(const ft_tensor *tensors, int32_t count) {
  return done([&] {
    for (int32_t i = 0; i < count; i++) get(tensors[i]).mutable_grad().reset();
  });
}

FT_EXPORT int32_t ft_set_grad_enabled(int32_t enabled) {
  const int32_t was = at::GradMode::is_enabled() ? 1 : 0;
  at::GradMode::set_enabled(enabled != 0);
  return was;
}
