// The optimizer's step over all parameters at once: norm, clip, AdamW, Muon, and a running mean of the weights.
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <map>

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

namespace {

/// Rows of a parameter that are one matrix of their own, and what it will move by.
struct Part {
  at::Tensor weight, update;
};

/// Brings the singular values of matrices (N, R, C) with R <= C near 1: five steps of the quintic Newton-Schulz
/// iteration with the coefficients of Jordan et al. (2024), on matrices of norm 1.
at::Tensor orthogonal(at::Tensor x) {
  x = x / x.flatten(1).norm(2, 1).clamp_min(1e-7).view({-1, 1, 1});
  for (int step = 0; step < 5; step++) {
    const auto gram = x.bmm(x.mT());
    x = at::baddbmm(x, at::baddbmm(gram, gram, gram, -4.7750, 2.0315), x, 3.4445, 1);
  }
  return x;
}

/// Moves all parts of one shape. The factor makes the root mean square of an update what AdamW's usually is, so that
/// both share learning rate and decay (Liu et al. 2025, "Muon is Scalable", eq. 4).
void move_orthogonally(const std::vector<Part> &parts, double lr, double decay, const at::Tensor &finite) {
  const int64_t rows = parts[0].weight.size(0), columns = parts[0].weight.size(1);
  std::vector<at::Tensor> updates;
  for (const auto &part : parts) updates.push_back(rows > columns ? part.update.t() : part.update);
  // What bfloat16 rounds off does not matter to a direction; on the CPU it would only be slower.
  const auto stacked = at::stack(updates);
  auto directions = orthogonal(stacked.is_cpu() ? stacked : stacked.to(at::kBFloat16)).to(stacked.scalar_type());
  if (rows > columns) directions = directions.mT();
  directions = directions * (finite * (lr * 0.2 * std::sqrt((double)std::max(rows, columns))));
  const auto kept = 1 - finite * (lr * decay);
  for (size_t i = 0; i < parts.size(); i++) {
    const auto &weight = parts[i].weight;
    weight.mul_(kept).sub_(directions[i]);
  }
}

} // namespace

FT_EXPORT int32_t ft_muon(const ft_tensor *parameters, const ft_tensor *momenta, const ft_tensor *steps, int32_t count,
                          const int32_t *parts, const double *rows, double lr, double momentum, double decay,
                          ft_tensor norm) {
  return done([&] {
    at::NoGradGuard no_grad;
    const auto p = get_all(parameters, count), means = get_all(momenta, count), counters = get_all(steps, count);
    const auto grads = gradients(p);
    // As in AdamW: a norm that is not finite leaves everything as it was, without waiting for the device.
    const auto is_finite = at::isfinite(get(norm));
    const auto finite = is_finite.to(at::kFloat);
    std::map<std::pair<int64_t, int64_t>, std::vector<Part>> by_shape;
    for (int32_t i = 0; i < count; i++) {
      const auto grad = at::where(is_finite, grads[i], means[i]); // a mean that meets itself stays
      means[i].lerp_(grad, 1 - momentum);
      counters[i].add_(finite);
      const auto update = grad.lerp(means[i], momentum); // Nesterov's look ahead
      int64_t row = 0;
      for (int32_t n = 0; n < parts[i]; n++) {
        const int64_t height = (int64_t)*rows++;
        by_shape[{height, update.size(1)}].push_back({p[i].narrow(0, row, height), update.narrow(0, row, height)});
        row += height;
      }
      TORCH_CHECK(row == update.size(0), "parts of ", row, " rows of ", update.size(0));
    }
    for (const auto &[shape, same] : by_shape) move_orthogonally(same, lr, decay, finite);
  });
}

FT_EXPORT int32_t ft_lerp(const ft_tensor *means, const ft_tensor *values, int32_t count, double weight) {
  return done([&] {
    at::NoGradGuard no_grad;
    at::_foreach_lerp_(get_all(means, count), get_all(values, count), weight);
  });
}

FT_EXPORT int32_t ft_swap(const ft_tensor *some, const ft_tensor *others, int32_t count) {
  return done([&] {
    for (int32_t i = 0; i < count; i++) {
      const auto &a = get(some[i]), &b = get(others[i]);
      TORCH_CHECK(a.sizes() == b.sizes() && a.options().type_equal(b.options()), "cannot swap ", a.sizes(), " and ",
                  b.sizes());
      const auto held = a.detach();
      a.set_data(b.detach());
      b.set_data(held);
    }
  });
}
