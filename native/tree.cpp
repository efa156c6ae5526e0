// Attention over a tree of tokens: many sequences, what they have in common at their beginnings once. The tokens stand in
// preorder, and their depths make the tree: the parent of a token is the last one before it of one depth less. A token
// sees itself and its ancestors, and its position is its depth, so that it comes out as in a sequence of its own.
//
//     the cat sat, the cat ran, the dog ran        token   the cat sat ran dog ran
//                                                  depth   0   1   2   2   1   2
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include "kernels/cached.h"
#include "kernels/rows.h"
#include "kernels/up.h"

#include "guard.h"
#include "rotary.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace ft {
namespace {

/// Tokens that one thread takes at a time: what it has to look up of their ancestors first is little against them.
constexpr int64_t STRETCH = 256;

/// Throws unless the depths are those of trees in preorder; returns the number of levels.
int64_t levels_of(const at::Tensor &depths) {
  const auto *depth = depths.const_data_ptr<int64_t>();
  int64_t deepest = -1;
  for (int64_t i = 0; i < depths.numel(); i++) {
    TORCH_CHECK(depth[i] >= 0 && depth[i] <= (i == 0 ? 0 : depth[i - 1] + 1), "token ", i, " of depth ", depth[i],
                " has no parent");
    deepest = std::max(deepest, depth[i]);
  }
  return deepest + 1;
}

/// A token's ancestors and itself lie in keys and values by their depth, as in a cache that is rewound at each branch.
at::Tensor attend_by_rows(const at::Tensor &qkv, const at::Tensor &cos, const at::Tensor &sin, int64_t heads,
                          const at::Tensor &depths, int64_t levels) {
  const int64_t tokens = qkv.size(0), vectors = qkv.size(1), width = qkv.size(2), row = up(width, KEY_BLOCK);
  const int64_t groups = (vectors - heads) / 2, queries = heads / groups, stride = up(levels, 64);
  const float scale = 1.0f / std::sqrt((float)width);
  auto out = at::empty({tokens, heads * width}, qkv.options());
  const auto *in = qkv.const_data_ptr<float>(), *c = cos.const_data_ptr<float>(), *s = sin.const_data_ptr<float>();
  const auto *depth = depths.const_data_ptr<int64_t>();
  auto *mixed = out.data_ptr<float>();
  const int64_t stretches = (tokens + STRETCH - 1) / STRETCH;
  at::parallel_for(0, stretches * groups, 1, [&](int64_t first, int64_t last) {
    std::vector<float> keys(up(levels, KEY_BLOCK) * width), values(levels * row), scores(QUERIES_TOGETHER * stride);
    std::vector<float> key(width), query(QUERIES_TOGETHER * width);
    const auto rotated = [&](int64_t token, int64_t vector, float *to) {
      const int64_t angles = depth[token] * (width / 2);
      row_kernels().rotate(in + (token * vectors + vector) * width, to, c + angles, s + angles, 1, width, 1);
    };
    for (int64_t item = first; item < last; item++) {
      const int64_t g = item % groups, start = item / groups * STRETCH, end = std::min(start + STRETCH, tokens);
      const auto enter = [&](int64_t token) {
        rotated(token, heads + g, key.data());
        auto *block = keys.data() + depth[token] / KEY_BLOCK * width * KEY_BLOCK + depth[token] % KEY_BLOCK;
        for (int64_t w = 0; w < width; w++) block[w * KEY_BLOCK] = key[w];
        std::copy_n(in + (token * vectors + heads + groups + g) * width, width, values.data() + depth[token] * row);
      };
      for (int64_t i = start - 1, wanted = depth[start] - 1; wanted >= 0; i--)
        if (depth[i] == wanted) {
          enter(i);
          wanted--;
        }
      for (int64_t i = start; i < end; i++) {
        enter(i);
        const Place place = {0, (int32_t)depth[i], (int32_t)depth[i], (int32_t)depth[i] + 1, 0};
        for (int64_t h = g * queries; h < (g + 1) * queries; h += QUERIES_TOGETHER) {
          const int count = (int)std::min<int64_t>(QUERIES_TOGETHER, (g + 1) * queries - h);
          const float *of[QUERIES_TOGETHER];
          const Place *places[QUERIES_TOGETHER];
          float *outs[QUERIES_TOGETHER];
          for (int n = 0; n < count; n++) {
            rotated(i, h + n, query.data() + n * width);
            of[n] = query.data() + n * width;
            places[n] = &place;
            outs[n] = mixed + (i * heads + h + n) * width;
          }
          cached_kernels().attend(of, places, count, keys.data(), values.data(), outs, width, row, scale, scores.data(),
                                  stride);
        }
      }
    }
  });
  return out;
}

/// Which token sees which, (T, T).
at::Tensor mask_of(const at::Tensor &depths) {
  const int64_t tokens = depths.numel();
  const auto *depth = depths.const_data_ptr<int64_t>();
  auto mask = at::zeros({tokens, tokens}, at::kBool);
  auto *seen = mask.data_ptr<bool>();
  std::vector<int64_t> path;
  for (int64_t i = 0; i < tokens; i++) {
    path.resize(depth[i]);
    path.push_back(i);
    for (const int64_t ancestor : path) seen[i * tokens + ancestor] = true;
  }
  return mask;
}

at::Tensor attend_by_ops(const at::Tensor &qkv, const at::Tensor &cos, const at::Tensor &sin, int64_t heads,
                         const at::Tensor &depths) {
  const int64_t groups = (qkv.size(1) - heads) / 2;
  const auto rows = depths.to(qkv.device());
  const auto parts = rotate(qkv, cos.index_select(0, rows), sin.index_select(0, rows), heads + groups, 0)
                         .transpose(0, 1)
                         .unsqueeze(0)
                         .split_with_sizes({heads, groups, groups}, 1);
  const auto mixed = at::scaled_dot_product_attention(parts[0], parts[1], parts[2], mask_of(depths).to(qkv.device()),
                                                      0, false, std::nullopt, heads != groups);
  return mixed.squeeze(0).transpose(0, 1).reshape({qkv.size(0), heads * qkv.size(2)});
}

} // namespace
} // namespace ft

using namespace ft;

FT_EXPORT ft_tensor ft_tree_attention(ft_tensor qkv, ft_tensor cos, ft_tensor sin, int32_t heads, ft_tensor depths) {
  return tensor([&] {
    at::NoGradGuard no_grad;
    const auto &projected = get(qkv), &c = get(cos), &s = get(sin), &depth = get(depths);
    TORCH_CHECK(projected.dim() == 3 && heads > 0 && projected.size(1) > heads &&
                    (projected.size(1) - heads) % 2 == 0 && heads % ((projected.size(1) - heads) / 2) == 0,
                "cannot attend with ", heads, " heads of queries in ", projected.sizes());
    TORCH_CHECK(depth.dim() == 1 && depth.is_cpu() && depth.is_contiguous() && depth.scalar_type() == at::kLong &&
                    depth.size(0) == projected.size(0) && depth.size(0) > 0,
                "expected a depth for each of ", projected.size(0), " tokens, found ", depth.sizes());
    const int64_t levels = levels_of(depth), groups = (projected.size(1) - heads) / 2;
    check_rotary(projected.slice(0, 0, levels), c, s, heads + groups, 0);
    const bool by_rows = projected.is_cpu() && projected.scalar_type() == at::kFloat && c.scalar_type() == at::kFloat;
    return by_rows ? attend_by_rows(projected.contiguous(), c.contiguous(), s.contiguous(), heads, depth, levels)
                   : attend_by_ops(projected, c, s, heads, depth);
  });
}
