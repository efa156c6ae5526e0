// The optimizer's step over all parameters at once: norm, clip, AdamW.
#include <ATen/core/grad_mode.h>

#include "guard.h"

using namespace ft;

static std::vector<at::Tensor> gradients(const std::vector<at::Tensor> &parameters) {
  std::vector<at::Tensor> grads;
  grads.reserve(parameters.size());
  for (const auto &p : parameters) {
    TORCH_CHECK(p.grad().defined(), "a parameter of shape ", p.sizes(), " has no gradient");
    grads.push_back(p.grad());
  }
  return grads;
}

FT_EXPORT ft_tensor ft_grad_norm(const ft_tensor *parameters, int32_t count) {
  return tensor([&] {
    at::NoGradGuard no_grad;
    return at::stack(at::_foreach_norm(gradients(get_all(parameters, count)))).norm();
  });
}

FT_EXPORT int32_t ft_clip_grads(const ft_tensor *parameters, int32_t count, ft_tensor norm, double limit) {
  return done([&] {
    at::NoGradGuard no_grad;
    const auto &total = get(norm);
    // Reading the norm waits for a GPU; on the CPU it is free and saves a pass over the gradients.
    if (total.is_cpu() && !(total.item<double>() > limit)) return;
    at::_foreach_mul_(gradients(get_all(parameters, count)), (limit / (total + 1e-6)).clamp_max(1.0));
  });
}

FT_EXPORT int32_t ft_adamw(const ft_tensor *parameters, const ft_tensor *means, const ft_tensor *squares,
                           const ft_tensor *steps, int32_t count, double lr, double beta1, double beta2, double decay,
                           double eps, ft_tensor norm) {
  return done([&] {
    at::NoGradGuard no_grad;
    const auto p = get_all(parameters, count), grads = gradients(p);
    // A norm that is not finite makes the kernel leave everything as it was, on the device, without waiting for it.
    const auto found_inf = at::isfinite(get(norm)).logical_not().to(at::kFloat);
    const auto counters = get_all(steps, count);
    at::_foreach_add_(counters, at::rsub(found_inf, 1));
    at::_fused_adamw_(p, grads, get_all(means, count), get_all(squares, count), {}, counters, lr, beta1, beta2, decay,
                      eps, /*amsgrad=*/false, /*maximize=*/false, {}, found_inf);
  });
}
