#include "attention.h"

#include <algorithm>
#include <cmath>

#include "rows.h"
#include "up.h"

namespace ft {
namespace {

constexpr int64_t QUERIES = 48; // of a block: whole tiles of every build

/// Numbers from one row of scores to the next: no power of two, so that rows do not push each other out of the cache.
int64_t score_stride(int64_t length) { return up(length, 16) + 16; }

/// A matrix packed in scratch memory, of which products may take the first rows.
struct Packed {
  const GemmKernels &kernels;
  float *data;
  int64_t depth, columns;

  static int64_t room(const GemmKernels &kernels, int64_t depth, int64_t columns) {
    return depth * up(columns, kernels.panel);
  }
  Packed(const GemmKernels &kernels, float *&memory, Strided b, int64_t depth, int64_t columns)
      : kernels(kernels), data(memory), depth(depth), columns(columns) {
    kernels.pack(b, depth, columns, data);
    memory += room(kernels, depth, columns);
  }
  /// c = a (rows, `deep`) times the first `deep` rows and `wide` columns.
  void multiply(Strided a, float *c, int64_t ldc, int64_t rows, int64_t wide, int64_t deep, bool add = false) const {
    kernels.multiply(a, data, depth * kernels.panel, c, ldc, rows, wide, deep, add);
  }
};

/// Where the vectors with index n of all positions lie.
Strided vectors(const float *qkv, const AttentionSizes &s, int64_t n) { return {qkv + n * s.width, s.row(), 1}; }

} // namespace

int64_t attention_room(const GemmKernels &kernels, const AttentionSizes &s) {
  const int64_t keys = Packed::room(kernels, s.width, s.length) * 2 + Packed::room(kernels, s.length, s.width);
  return keys + 2 * Packed::room(kernels, QUERIES, s.width) + 2 * QUERIES * score_stride(s.length);
}

void attend_causal(const GemmKernels &kernels, const AttentionSizes &s, int64_t g, const float *qkv, float *out,
                   float *shifts, float *scratch) {
  const int64_t T = s.length, W = s.width, stride = score_stride(T), group = s.heads / s.kv_heads;
  const float scale = 1 / std::sqrt((float)W);
  const Packed keys(kernels, scratch, vectors(qkv, s, s.heads + g).transposed(), W, T);
  const Packed values(kernels, scratch, vectors(qkv, s, s.heads + s.kv_heads + g), T, W);
  float *scores = scratch;
  for (int64_t h = g * group; h < (g + 1) * group; h++) {
    const Strided queries = vectors(qkv, s, h);
    for (int64_t first = 0; first < T; first += QUERIES) {
      const int64_t last = std::min(first + QUERIES, T), count = last - first;
      keys.multiply(queries.at(first, 0), scores, stride, count, last, W);
      float *rows = out + first * s.out_row() + h * W;
      float sums[QUERIES];
      for (int64_t i = 0; i < count; i++)
        sums[i] = row_kernels().softmax(scores + i * stride, first + i + 1, last, scale, shifts + h * T + first + i);
      values.multiply({scores, stride, 1}, rows, s.out_row(), count, W, last);
      for (int64_t i = 0; i < count; i++)
        for (int64_t w = 0; w < W; w++) rows[i * s.out_row() + w] /= sums[i];
    }
  }
}

/// With P = softmax(S), S = scale Q K^T and out = P V: dV = P^T dout, dP = dout V^T, dS = P * (dP - rowsum(dout * out)),
/// dQ = scale dS K, dK = scale dS^T Q.
void attend_causal_backward(const GemmKernels &kernels, const AttentionSizes &s, int64_t g, const float *qkv,
                            const float *out, const float *shifts, const float *dout, float *dqkv, float *scratch) {
  const int64_t T = s.length, W = s.width, stride = score_stride(T), group = s.heads / s.kv_heads;
  const int64_t key = s.heads + g, value = s.heads + s.kv_heads + g;
  const float scale = 1 / std::sqrt((float)W);
  const Packed keys_across(kernels, scratch, vectors(qkv, s, key).transposed(), W, T);
  const Packed values_across(kernels, scratch, vectors(qkv, s, value).transposed(), W, T);
  const Packed keys(kernels, scratch, vectors(qkv, s, key), T, W);
  float *dkeys = dqkv + key * W, *dvalues = dqkv + value * W;
  for (int64_t t = 0; t < T; t++) {
    std::fill_n(dkeys + t * s.row(), W, 0.0f);
    std::fill_n(dvalues + t * s.row(), W, 0.0f);
  }
  for (int64_t h = g * group; h < (g + 1) * group; h++) {
    for (int64_t first = 0; first < T; first += QUERIES) {
      const int64_t last = std::min(first + QUERIES, T), count = last - first;
      const Strided q = vectors(qkv, s, h).at(first, 0);
      const Strided dy = {dout + first * s.out_row() + h * W, s.out_row(), 1};
      const float *y = out + first * s.out_row() + h * W;
      float *memory = scratch;
      const Packed queries(kernels, memory, q, count, W), dresults(kernels, memory, dy, count, W);
      float *p = memory, *ds = memory + QUERIES * stride;
      keys_across.multiply(q, p, stride, count, last, W);
      values_across.multiply(dy, ds, stride, count, last, W);
      for (int64_t i = 0; i < count; i++) {
        const float mean = row_kernels().dot(y + i * s.out_row(), dy.at(i, 0).data, W);
        row_kernels().softmax_backward(p + i * stride, ds + i * stride, first + i + 1, last, scale,
                                       shifts[h * T + first + i], mean);
      }
      keys.multiply({ds, stride, 1}, dqkv + first * s.row() + h * W, s.row(), count, W, last);
      queries.multiply({ds, 1, stride}, dkeys, s.row(), last, W, count, /*add=*/true);
      dresults.multiply({p, 1, stride}, dvalues, s.row(), last, W, count, /*add=*/true);
    }
  }
}

} // namespace ft
