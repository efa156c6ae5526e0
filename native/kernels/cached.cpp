// The kernels of cached.h, with the compiler's vector types: compiled once for each instruction set.
#include "cached.h"

#include <algorithm>
#include <cstring>

#include "exponential.h"

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
        for (int q = 0; q < Q; q++) sums[q][b][p] += queries[q][w] * key;
      }
  for (int q = 0; q < Q; q++)
    for (int b = 0; b < B; b++)
      for (int p = 0; p < PIECES; p++)
        store(scores + q * stride + b * KEY_BLOCK + p * LANES, sums[q][b][p] * scale);
}

/// Turns the scores of what a row sees into e^(score - largest), all others up to `end` into 0; returns their sum.
inline float exponentials(float *scores, const Place &place, int64_t end) {
  const int64_t limit = place.limit();
  float most = -__builtin_inff();
  if (place.branch == 0) {
    int64_t t = 0;
    if (limit >= LANES) {
      vec best = load(scores);
      for (t = LANES; t + LANES <= limit; t += LANES) {
        const vec here = load(scores + t);
        best = here > best ? here : best;
      }
      most = largest_of(best);
    }
    for (; t < limit; t++) most = scores[t] > most ? scores[t] : most;
  } else {
    for (int64_t t = 0; t < limit; t++)
      if (place.sees(t)) most = scores[t] > most ? scores[t] : most;
  }
  for (int64_t t = 0; t < limit; t += LANES) store(scores + t, exponential_of<vec, ivec>(load(scores + t) - most));
  if (place.branch != 0)
    for (int64_t t = place.prefix; t < limit; t++)
      if (!place.sees(t)) scores[t] = 0;
  std::fill(scores + limit, scores + end, 0.0f);
  vec total = {};
  for (int64_t t = 0; t < limit; t += LANES) total += load(scores + t);
  return sum_of(total);
}

/// V vectors of the values, weighted for Q queries. Two chains for each sum, of even and of odd slots: one alone would
/// wait for its last product.
template <int Q, int V>
inline void mix(const float *scores, int64_t stride, const float *values, int64_t row, int64_t limit,
                const float *totals, float *const *out, int64_t from, int64_t width) {
  vec sums[2][Q][V] = {};
  int64_t t = 0;
  for (; t + 2 <= limit; t += 2)
    for (int odd = 0; odd < 2; odd++) {
      vec value[V];
      for (int v = 0; v < V; v++) value[v] = load(values + (t + odd) * row + v * LANES);
      for (int q = 0; q < Q; q++)
        for (int v = 0; v < V; v++) sums[odd][q][v] += scores[q * stride + t + odd] * value[v];
    }
  if (t < limit)
    for (int q = 0; q < Q; q++)
      for (int v = 0; v < V; v++) sums[0][q][v] += scores[q * stride + t] * load(values + t * row + v * LANES);
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
  int64_t limit = 0;
  for (int q = 0; q < Q; q++) limit = std::max(limit, places[q]->limit());
  const int64_t blocks = (limit + KEY_BLOCK - 1) / KEY_BLOCK;
  constexpr int B = Q > 2 ? 4 / PIECES : 4;
  int64_t b = 0;
  for (; b + B <= blocks; b += B)
    score<Q, B>(queries, keys + b * width * KEY_BLOCK, width, scale, scores + b * KEY_BLOCK, stride);
  for (; b < blocks; b++)
    score<Q, 1>(queries, keys + b * width * KEY_BLOCK, width, scale, scores + b * KEY_BLOCK, stride);
  float totals[Q];
  for (int q = 0; q < Q; q++) totals[q] = exponentials(scores + q * stride, *places[q], blocks * KEY_BLOCK);
  constexpr int64_t STEP = 2 * LANES;
  int64_t w = 0;
  for (; w + STEP <= row; w += STEP) mix<Q, 2>(scores, stride, values + w, row, limit, totals, out, w, width);
  if (w < row) mix<Q, 1>(scores, stride, values + w, row, limit, totals, out, w, width);
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
