// Few new rows against a cache of keys and values, without gradients. Each function has two ways: ATen, whose rounding
// depends on the number of rows, and the row kernels, whose rounding does not.
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "guard.h"
#include "kernels/rows.h"

namespace ft {
namespace {

// Multiplications that are worth waking a second thread for: about 50 microseconds of one thread's work.
constexpr int64_t A_THREAD = 1 << 20;

void check_rows(const at::Tensor &t) {
  TORCH_CHECK(t.is_cpu() && t.scalar_type() == at::kFloat, "the row kernels take float32 on the CPU, not ",
              c10::toString(t.scalar_type()), " on ", t.device().str());
}

at::Tensor linear_by_rows(const at::Tensor &input, const at::Tensor &weight) {
  check_rows(input);
  check_rows(weight);
  const auto x = input.contiguous();
  TORCH_CHECK(x.dim() > 0 && x.numel() > 0 && weight.dim() == 2 && weight.is_contiguous() &&
                  weight.size(1) == x.size(-1),
              "cannot multiply ", x.sizes(), " by a weight of ", weight.sizes());
  const int64_t inner = x.size(-1), outputs = weight.size(0), rows = x.numel() / inner;
  auto sizes = x.sizes().vec();
  sizes.back() = outputs;
  auto y = at::empty(sizes, x.options());
  const auto *xs = x.const_data_ptr<float>(), *ws = weight.const_data_ptr<float>();
  auto *ys = y.data_ptr<float>();
  const int64_t grain = std::max<int64_t>(A_THREAD / (rows * inner), 1);
  at::parallel_for(0, outputs, grain, [&](int64_t first, int64_t last) {
    row_kernels().linear(xs, ws, ys, rows, inner, outputs, first, last);
  });
  return y;
}

at::Tensor attend_by_rows(const at::Tensor &query, const at::Tensor &keys, const at::Tensor &values, int64_t start) {
  check_rows(query);
  check_rows(keys);
  check_rows(values);
  const auto q = query.contiguous();
  const int64_t rows = q.size(0), heads = q.size(1), width = q.size(2), stride = keys.size(1) * width;
  const int64_t group = heads / keys.size(0), longest = start + rows;
  auto out = at::empty({rows, heads * width}, q.options());
  const auto *qs = q.const_data_ptr<float>(), *ks = keys.const_data_ptr<float>(), *vs = values.const_data_ptr<float>();
  auto *os = out.data_ptr<float>();
  const float scale = 1.0f / std::sqrt((float)width);
  const int64_t grain = std::max<int64_t>(A_THREAD / (2 * longest * width), 1);
  at::parallel_for(0, rows * heads, grain, [&](int64_t first, int64_t last) {
    std::vector<float> scores(longest + 8);
    for (int64_t i = first; i < last; i++) {
      const int64_t row = i / heads, kv = i % heads / group * stride;
      row_kernels().attend(qs + i * width, ks + kv, vs + kv, os + i * width, start + row + 1, width, scale,
                           scores.data());
    }
  });
  return out;
}

at::Tensor attend_by_ops(const at::Tensor &query, const at::Tensor &keys, const at::Tensor &values, int64_t start) {
  const int64_t rows = query.size(0), length = start + rows;
  const auto q = query.transpose(0, 1).unsqueeze(0);
  const auto k = keys.slice(1, 0, length).unsqueeze(0), v = values.slice(1, 0, length).unsqueeze(0);
  std::optional<at::Tensor> mask;
  if (rows > 1 && start > 0) mask = at::ones({rows, length}, q.options().dtype(at::kBool)).tril(start);
  const auto mixed = at::scaled_dot_product_attention(q, k, v, mask, 0, rows > 1 && start == 0, std::nullopt,
                                                      query.size(1) != keys.size(0));
  return mixed.squeeze(0).transpose(0, 1).reshape({rows, -1});
}

/// values (rows, heads, width) into cache (heads, capacity, width). By hand where it can be: a strided copy_ of a few
/// rows costs libtorch ten times more in bookkeeping than in copying.
void write_rows(const at::Tensor &cache, const at::Tensor &values, int64_t start) {
  const int64_t rows = values.size(0), heads = values.size(1), width = values.size(2);
  const bool plain = cache.is_cpu() && values.is_cpu() && cache.scalar_type() == at::kFloat &&
                     values.scalar_type() == at::kFloat && cache.is_contiguous() && values.stride(2) == 1;
  if (!plain) {
    cache.narrow(1, start, rows).copy_(values.transpose(0, 1));
    return;
  }
  auto *into = cache.data_ptr<float>() + start * width;
  const auto *from = values.const_data_ptr<float>();
  for (int64_t h = 0; h < heads; h++)
    for (int64_t r = 0; r < rows; r++)
      std::copy_n(from + r * values.stride(0) + h * values.stride(1), width, into + (h * cache.size(1) + r) * width);
}

} // namespace
} // namespace ft

using namespace ft;

FT_EXPORT ft_tensor ft_decode_linear(ft_tensor x, ft_tensor weight, int32_t rows) {
  return tensor([&] {
    at::NoGradGuard no_grad;
    return rows ? linear_by_rows(get(x), get(weight)) : at::linear(get(x), get(weight));
  });
}

FT_EXPORT int32_t ft_cache_write(ft_tensor cache, ft_tensor values, double start) {
  return done([&] {
    at::NoGradGuard no_grad;
    const auto &into = get(cache), &from = get(values); // (heads, capacity, width) and (rows, heads, width)
    TORCH_CHECK(into.dim() == 3 && from.dim() == 3 && into.size(0) == from.size(1) && into.size(2) == from.size(2),
                "cannot write ", from.sizes(), " into a cache of ", into.sizes());
    TORCH_CHECK(start >= 0 && (int64_t)start + from.size(0) <= into.size(1), "a cache of ", into.size(1),
                " positions has no room for ", from.size(0), " at ", start);
    write_rows(into, from, (int64_t)start);
  });
}

FT_EXPORT int32_t ft_choices(ft_tensor logits, double *out, int32_t capacity) {
  return guard([&] {
    const auto &l = get(logits);
    TORCH_CHECK(l.dim() == 2 && l.size(0) <= capacity && l.size(1) > 0, "cannot choose from ", l.sizes());
    const int32_t rows = (int32_t)l.size(0);
    if (l.is_cpu() && l.scalar_type() == at::kFloat && l.is_contiguous()) {
      const auto *row = l.const_data_ptr<float>();
      for (int32_t r = 0; r < rows; r++, row += l.size(1)) out[r] = (double)(std::max_element(row, row + l.size(1)) - row);
    } else {
      const auto best = l.argmax(1).to(at::kCPU);
      std::copy_n(best.const_data_ptr<int64_t>(), rows, out);
    }
    return rows;
  });
}

FT_EXPORT ft_tensor ft_cached_attention(ft_tensor q, ft_tensor keys, ft_tensor values, double start, int32_t rows) {
  return tensor([&] {
    at::NoGradGuard no_grad;
    const auto &query = get(q), &k = get(keys), &v = get(values);
    TORCH_CHECK(query.dim() == 3 && k.dim() == 3 && k.sizes() == v.sizes() && k.is_contiguous() &&
                    v.is_contiguous() && query.numel() > 0 && k.numel() > 0 && query.size(2) == k.size(2) &&
                    query.size(1) % k.size(0) == 0 && start >= 0 && (int64_t)start + query.size(0) <= k.size(1),
                "cannot attend with queries of ", query.sizes(), " at position ", start, " to a cache of ", k.sizes());
    return rows ? attend_by_rows(query, k, v, (int64_t)start) : attend_by_ops(query, k, v, (int64_t)start);
  });
}
