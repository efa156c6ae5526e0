// Causal self-attention of whole sequences with rotary positions, from one projection of queries, keys and values:
// (B, T, N, W), N = H + 2G, to (B, T, H * W). float32 on the CPU runs kernels/attention.h, and the backward pass fills
// one gradient of the whole projection. Everything else runs the same formula in ATen ops.
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include "kernels/attention.h"

#include "gemm.h"
#include "guard.h"
#include "rotary.h"

namespace ft {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

AttentionSizes sizes_of(const at::Tensor &qkv, int64_t heads) {
  return {qkv.size(1), heads, (qkv.size(2) - heads) / 2, qkv.size(3)};
}

/// Calls body(sequence, key and value head, scratch) for all of them, on all threads.
template <class Body> void for_heads(int64_t batch, const AttentionSizes &sizes, Body &&body) {
  at::parallel_for(0, batch * sizes.kv_heads, 1, [&](int64_t first, int64_t last) {
    auto *memory = scratch(attention_room(*gemm_kernels(), sizes));
    for (int64_t i = first; i < last; i++) body(i / sizes.kv_heads, i % sizes.kv_heads, memory);
  });
}

struct Attended {
  at::Tensor out, shifts;
};

/// From queries and keys that are rotated.
Attended attend(const at::Tensor &qkv, int64_t heads) {
  const auto sizes = sizes_of(qkv, heads);
  const int64_t batch = qkv.size(0);
  auto out = at::empty({batch, sizes.length, sizes.out_row()}, qkv.options());
  auto shifts = at::empty({batch, heads, sizes.length}, qkv.options());
  const auto *in = qkv.const_data_ptr<float>();
  auto *os = out.data_ptr<float>(), *ss = shifts.data_ptr<float>();
  for_heads(batch, sizes, [&](int64_t b, int64_t g, float *memory) {
    attend_causal(*gemm_kernels(), sizes, g, in + b * sizes.length * sizes.row(),
                  os + b * sizes.length * sizes.out_row(), ss + b * heads * sizes.length, memory);
  });
  return {out, shifts};
}

at::Tensor attend_backward(const at::Tensor &qkv, const Attended &forward, const at::Tensor &dout, int64_t heads) {
  const auto sizes = sizes_of(qkv, heads);
  auto dqkv = at::empty_like(qkv);
  const auto *in = qkv.const_data_ptr<float>(), *os = forward.out.const_data_ptr<float>(),
             *ss = forward.shifts.const_data_ptr<float>(), *ds = dout.const_data_ptr<float>();
  auto *din = dqkv.data_ptr<float>();
  for_heads(qkv.size(0), sizes, [&](int64_t b, int64_t g, float *memory) {
    const int64_t at_in = b * sizes.length * sizes.row(), at_out = b * sizes.length * sizes.out_row();
    attend_causal_backward(*gemm_kernels(), sizes, g, in + at_in, os + at_out, ss + b * heads * sizes.length,
                           ds + at_out, din + at_in, memory);
  });
  return dqkv;
}

struct SelfAttention : Function<SelfAttention> {
  static at::Tensor forward(AutogradContext *context, const at::Tensor &projected, const at::Tensor &cos,
                            const at::Tensor &sin, int64_t heads) {
    const auto sizes = sizes_of(projected, heads);
    const auto qkv = rotate_rows(projected.contiguous(), cos, sin, heads + sizes.kv_heads, 0, 1);
    const auto attended = attend(qkv, heads);
    context->save_for_backward({qkv, cos, sin, attended.out, attended.shifts});
    context->saved_data["heads"] = heads;
    return attended.out;
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto &qkv = saved[0];
    const int64_t heads = context->saved_data["heads"].toInt();
    auto dqkv = attend_backward(qkv, {saved[3], saved[4]}, gradients[0].contiguous(), heads);
    rotate_rows_(dqkv, saved[1], saved[2], heads + sizes_of(qkv, heads).kv_heads, 0, -1);
    return {dqkv, at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

at::Tensor attend_by_ops(const at::Tensor &projected, const at::Tensor &cos, const at::Tensor &sin, int64_t heads) {
  const auto sizes = sizes_of(projected, heads);
  const auto parts = rotate(projected, cos, sin, heads + sizes.kv_heads, 0)
                         .transpose(1, 2)
                         .split_with_sizes({heads, sizes.kv_heads, sizes.kv_heads}, 1);
  const auto mixed = at::scaled_dot_product_attention(parts[0], parts[1], parts[2], {}, 0, /*is_causal=*/true,
                                                      std::nullopt, heads != sizes.kv_heads);
  return mixed.transpose(1, 2).reshape({projected.size(0), sizes.length, sizes.out_row()});
}

} // namespace
} // namespace ft

using namespace ft;

FT_EXPORT ft_tensor ft_self_attention(ft_tensor qkv, ft_tensor cos, ft_tensor sin, int32_t heads) {
  return tensor([&] {
    const auto &projected = get(qkv), &c = get(cos), &s = get(sin);
    TORCH_CHECK(projected.dim() == 4 && heads > 0 && projected.size(2) > heads &&
                    (projected.size(2) - heads) % 2 == 0 && heads % ((projected.size(2) - heads) / 2) == 0,
                "cannot attend with ", heads, " heads of queries in ", projected.sizes());
    check_rotary(projected, c, s, heads, 0);
    const bool in_kernels = gemm_kernels() && projected.is_cpu() && projected.scalar_type() == at::kFloat &&
                            projected.numel() > 0;
    if (!in_kernels) return attend_by_ops(projected, c, s, heads);
    if (at::GradMode::is_enabled()) return SelfAttention::apply(projected, c, s, (int64_t)heads);
    const auto rotated = heads + sizes_of(projected, heads).kv_heads;
    return attend(rotate_rows(projected.contiguous(), c, s, rotated, 0, 1), heads).out;
  });
}
