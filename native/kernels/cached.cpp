// The kernels of cached.h, with the compiler's vector types: compiled once for each instruction set.
#include "cached.h"

#include <algorithm>
#include <cstring>

#include "exponential.h"
#include "multiply_add.h"

#ifndef CACHED_ISA
#define CACHED_ISA portable
#endif

namespace ft::CACHED_ISA {
namespace {

#ifdef __AVX512F__
typedef float vec __attribute__((vector_size(64), aligned(4), may_alias));
typedef int32_t ivec __attribute__((vector_size(64), aligned(4), may_alias));
#else
typedef float vec __attribute__((vector_size(32), aligned(4), may_alias));
typedef int32_t ivec __attribute__((vector_size(32), aligned(4), may_alias));
#endif
constexpr int64_t LANES = sizeof(vec) / sizeof(float);
constexpr int PIECES = KEY_BLOCK / LANES; // vectors of one block of positions

inline vec load(const float *p) { return *reinterpret_cast<const vec *>(p); }
inline void store(float *p, vec v) { *reinterpret_cast<vec *>(p) = v; }

inline float largest_of(vec v) {
  float lanes[LANES], most;
  std::memcpy(lanes, &v, sizeof v);
  most = lanes[0];
  for (int i = 1; i < LANES; i++) most = lanes[i] > most ? lanes[i] : most;
  return most;
}

/// Halves upon halves, in one fixed order.
inline float sum_of(vec v) {
  float lanes[LANES];
  std::memcpy(lanes, &v, sizeof v);
  for (int n = LANES / 2; n > 0; n /= 2)
    for (int i = 0; i < n; i++) lanes[i] += lanes[i + n];
  return lanes[0];
}

/// The scores of Q queries for B blocks of positions.
template <int Q, int B>
inline void score(const float *const *queries, const float *keys, int64_t width, float scale, float *scores,
                  int64_t stride) {
  vec sums[Q][B][PIECES] = {};
  for (int64_t w = 0; w < width; w++)
    for (int b = 0; b < B; b++)
      for (int p = 0; p < PIECES; p++) {
        const vec key = load(keys + b * width * KEY_BLOCK + w * KEY_BLOCK + p * LANES);
        for (int q = 0; q < Q; q++) sums[q][b][p] = multiply_add(in_all<vec>(queries[q][w]), key, sums[q][b][p]);
      }
  for (int q = 0; q < Q; q++)
    for (int b = 0; b < B; b++)
      for (int p = 0; p < PIECES; p++)
        store(scores + q * stride + b * KEY_BLOCK + p * LANES, sums[q][b][p] * scale);
}

/// Turns the first `count` scores into e^(score - largest), all others up to `end` into 0; returns their sum. One body for
/// any number of queries, so that all get the same bits.
[[gnu::noinline]] float exponentials(float *scores, int64_t count, int64_t end) {
  float most = scores[0];
  int64_t t = 0;
  if (count >= LANES) {
    vec best = load(scores);
    for (t = LANES; t + LANES <= count; t += LANES) {
      const vec here = load(scores + t);
      best = here > best ? here : best;
    }
    most = largest_of(best);
  }
  for (; t < count; t++) most = scores[t] > most ? scores[t] : most;
  for (t = 0; t < count; t += LANES) store(scores + t, exponential_of<vec, ivec>(load(scores + t) - most));
  std::fill(scores + count, scores + end, 0.0f);
  vec total = {};
  for (t = 0; t < count; t += LANES) total += load(scores + t);
  return sum_of(total);
}

/// What one query sees behind the slots that it shares with the others: its branch, root first.
struct Branch {
  int count = 0;
  int32_t slots[32];

  Branch() = default;
  explicit Branch(const Place &place) {
    for (uint32_t bits = (uint32_t)place.branch; bits; bits &= bits - 1)
      slots[count++] = place.prefix + __builtin_ctz(bits);
  }
};

/// V vectors of the values, weighted for Q queries: of the first `shared` slots for all, then of each query's own branch.
/// Two chains for each sum, of even and of odd places: one alone would wait for its last product.
template <int Q, int V>
inline void mix(const float *scores, int64_t stride, const float *values, int64_t row, int64_t shared,
                const Branch *branches, const float *totals, float *const *out, int64_t from, int64_t width) {
  vec sums[2][Q][V] = {};
  int64_t t = 0;
  for (; t + 2 <= shared; t += 2)
    for (int odd = 0; odd < 2; odd++) {
      vec value[V];
      for (int v = 0; v < V; v++) value[v] = load(values + (t + odd) * row + v * LANES);
      for (int q = 0; q < Q; q++)
        for (int v = 0; v < V; v++)
          sums[odd][q][v] = multiply_add(in_all<vec>(scores[q * stride + t + odd]), value[v], sums[odd][q][v]);
    }
  if (t < shared)
    for (int q = 0; q < Q; q++)
      for (int v = 0; v < V; v++)
        sums[0][q][v] =
            multiply_add(in_all<vec>(scores[q * stride + t]), load(values + t * row + v * LANES), sums[0][q][v]);
  for (int q = 0; q < Q; q++)
    for (int i = 0; i < branches[q].count; i++)
      for (int v = 0; v < V; v++) {
        vec &sum = sums[(shared + i) & 1][q][v];
        sum = multiply_add(in_all<vec>(scores[q * stride + shared + i]),
                           load(values + branches[q].slots[i] * row + v * LANES), sum);
      }
  for (int q = 0; q < Q; q++)
    for (int v = 0; v < V; v++) {
      const vec mixed = (sums[0][q][v] + sums[1][q][v]) / totals[q];
      const int64_t at = from + v * LANES, here = std::min(LANES, width - at);
      if (here > 0) std::memcpy(out[q] + at, &mixed, here * sizeof(float));
    }
}

template <int Q>
void attend_together(const float *const *queries, const Place *const *places, const float *keys, const float *values,
                     float *const *out, int64_t width, int64_t row, float scale, float *scores, int64_t stride) {
  int64_t limit = 0, shared = 0;
  for (int q = 0; q < Q; q++) {
    limit = std::max(limit, places[q]->limit());
    shared = std::max<int64_t>(shared, places[q]->prefix);
  }
  if constexpr (Q > 1)
    for (int q = 0; q < Q; q++)
      if (places[q]->branch != 0 && places[q]->prefix != shared) { // trees on different trunks share nothing
        for (int alone = 0; alone < Q; alone++)
          attend_together<1>(queries + alone, places + alone, keys, values, out + alone, width, row, scale, scores,
                             stride);
        return;
      }
  const int64_t blocks = (limit + KEY_BLOCK - 1) / KEY_BLOCK;
  constexpr int B = Q > 2 ? 4 / PIECES : 4;
  int64_t b = 0;
  for (; b + B <= blocks; b += B)
    score<Q, B>(queries, keys + b * width * KEY_BLOCK, width, scale, scores + b * KEY_BLOCK, stride);
  for (; b < blocks; b++)
    score<Q, 1>(queries, keys + b * width * KEY_BLOCK, width, scale, scores + b * KEY_BLOCK, stride);
  float totals[Q];
  Branch branches[Q];
  for (int q = 0; q < Q; q++) {
    float *own = scores + q * stride;
    auto &branch = branches[q] = Branch(*places[q]);
    for (int i = 0; i < branch.count; i++) own[shared + i] = own[branch.slots[i]]; // as if it were a plain sequence
    totals[q] = exponentials(own, places[q]->prefix + branch.count, blocks * KEY_BLOCK);
  }
  constexpr int64_t STEP = 2 * LANES;
  int64_t w = 0;
  for (; w + STEP <= row; w += STEP) mix<Q, 2>(scores, stride, values + w, row, shared, branches, totals, out, w, width);
  if (w < row) mix<Q, 1>(scores, stride, values + w, row, shared, branches, totals, out, w, width);
}

void attend(const float *const *queries, const Place *const *places, int count, const float *keys, const float *values,
            float *const *out, int64_t width, int64_t row, float scale, float *scores, int64_t stride) {
  switch (count) {
  case 4:
    return attend_together<4>(queries, places, keys, values, out, width, row, scale, scores, stride);
  case 3:
    return attend_together<3>(queries, places, keys, values, out, width, row, scale, scores, stride);
  case 2:
    return attend_together<2>(queries, places, keys, values, out, width, row, scale, scores, stride);
  case 1:
    return attend_together<1>(queries, places, keys, values, out, width, row, scale, scores, stride);
  }
}

} // namespace

const CachedKernels cached = {attend};

} // namespace ft::CACHED_ISA
