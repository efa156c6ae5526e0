// Differentiable ops, one a function: guard and expression. The fused ones are in fused.cpp.
#include <ATen/core/grad_mode.h>

#include <cmath>

#include "gemm.h"
#include "guard.h"
#include "precision.h"
#include "tensor.h"

using namespace ft;

FT_EXPORT ft_tensor ft_add(ft_tensor a, ft_tensor b) {
  return tensor([&] { return at::add(get(a), get(b)); });
}

FT_EXPORT ft_tensor ft_sub(ft_tensor a, ft_tensor b) {
  return tensor([&] { return at::sub(get(a), get(b)); });
}

FT_EXPORT ft_tensor ft_mul(ft_tensor a, ft_tensor b) {
  return tensor([&] { return at::mul(get(a), get(b)); });
}

FT_EXPORT ft_tensor ft_scale(ft_tensor a, double factor) {
  return tensor([&] { return at::mul(get(a), factor); });
}

FT_EXPORT ft_tensor ft_sum(ft_tensor a) {
  return tensor([&] { return at::sum(get(a)); });
}

FT_EXPORT ft_tensor ft_matmul(ft_tensor a, ft_tensor b) {
  return tensor([&] { return at::matmul(get(a), get(b)); });
}

FT_EXPORT ft_tensor ft_linear(ft_tensor x, ft_tensor weight) {
  return tensor([&] { return linear_map(get(x), weight_for(get(x), get(weight))); });
}

FT_EXPORT ft_tensor ft_embedding(ft_tensor ids, ft_tensor weight) {
  return tensor([&] { return at::embedding(get(weight), get(ids)); });
}

FT_EXPORT ft_tensor ft_reshape(ft_tensor a, const double *shape, int32_t dims) {
  return tensor([&] { return at::reshape(get(a), shape_of(shape, dims)); });
}

FT_EXPORT ft_tensor ft_transpose(ft_tensor a, int32_t dim0, int32_t dim1) {
  return tensor([&] { return at::transpose(get(a), dim0, dim1); });
}

FT_EXPORT ft_tensor ft_slice(ft_tensor a, int32_t dim, double start, double end) {
  return tensor([&] {
    const auto &t = get(a);
    // at::slice would clamp in silence.
    TORCH_CHECK(dim >= 0 && dim < t.dim() && start >= 0 && start <= end && end <= (double)t.size(dim), "cannot take ",
                start, " to ", end, " of dimension ", dim, " of ", t.sizes());
    return at::slice(t, dim, (int64_t)start, (int64_t)end);
  });
}

FT_EXPORT ft_tensor ft_cat(const ft_tensor *tensors, int32_t count, int32_t dim) {
  return tensor([&] { return at::cat(get_all(tensors, count), dim); });
}

/// x / (1 + exp(-x)), one element at a time: its bits do not depend on what lies beside it, as those of ATen's do.
static at::Tensor silu_by_element(const at::Tensor &x) {
  auto out = at::empty_like(x);
  const auto *in = x.const_data_ptr<float>();
  auto *values = out.data_ptr<float>();
  for (int64_t i = 0; i < x.numel(); i++) values[i] = in[i] / (1 + std::exp(-in[i]));
  return out;
}

FT_EXPORT ft_tensor ft_silu(ft_tensor a) {
  return tensor([&] {
    const auto &x = get(a);
    const bool decodes = !at::GradMode::is_enabled() && x.is_cpu() && x.scalar_type() == at::kFloat;
    return decodes && x.is_contiguous() ? silu_by_element(x) : at::silu(x);
  });
}

FT_EXPORT ft_tensor ft_attention(ft_tensor q, ft_tensor k, ft_tensor v, int32_t causal) {
  return tensor([&] {
    const bool grouped = get(q).size(1) != get(k).size(1);
    return at::scaled_dot_product_attention(get(q), get(k), get(v), {}, 0, causal != 0, std::nullopt, grouped);
  });
}

FT_EXPORT ft_tensor ft_cross_entropy(ft_tensor logits, ft_tensor targets) {
  return tensor([&] {
    const auto target = get(targets).clamp_min(-1); // libtorch ignores one number only
    return at::cross_entropy_loss(get(logits), target, {}, at::Reduction::Sum, /*ignore_index=*/-1);
  });
}

FT_EXPORT ft_tensor ft_argmax(ft_tensor a, int32_t dim) {
  return tensor([&] { return at::argmax(get(a), dim); });
}

FT_EXPORT ft_tensor ft_top2_gap(ft_tensor logits) {
  return tensor([&] {
    const auto best = std::get<0>(at::topk(get(logits), 2));
    return best.select(-1, 0) - best.select(-1, 1);
  });
}

FT_EXPORT ft_tensor ft_equal(ft_tensor a, ft_tensor b) {
  return tensor([&] { return at::eq(get(a), get(b)); });
}
