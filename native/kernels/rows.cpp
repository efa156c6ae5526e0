// The row kernels of rows.h, written with the compiler's vector types: the build compiles this file once for each
// instruction set, with ROWS_ISA naming the set. Tails run through the same vector code on padded copies, so that no
// result depends on where a row or a chunk ends.
#include "rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "exponential.h"

#ifndef ROWS_ISA
#define ROWS_ISA portable
#endif
#define ROWS_TEXT_OF(name) #name
#define ROWS_TEXT(name) ROWS_TEXT_OF(name)

namespace ft::ROWS_ISA {
namespace {

typedef float f8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef int32_t i8 __attribute__((vector_size(32), aligned(4), may_alias));

inline f8 load(const float *p) { return *reinterpret_cast<const f8 *>(p); }
inline void store(float *p, f8 v) { *reinterpret_cast<f8 *>(p) = v; }
inline f8 all(float v) { return f8{v, v, v, v, v, v, v, v}; }

inline f8 load_part(const float *p, int64_t count) {
  f8 v = all(0);
  std::memcpy(&v, p, count * sizeof(float));
  return v;
}
inline void store_part(float *p, f8 v, int64_t count) { std::memcpy(p, &v, count * sizeof(float)); }

typedef float f4 __attribute__((vector_size(16)));
typedef int32_t i4 __attribute__((vector_size(16)));

/// Lane j plus lane j + 4.
inline f4 halves(f8 v) {
  f4 half[2];
  std::memcpy(half, &v, sizeof half);
  return half[0] + half[1];
}

/// The eight lanes in one fixed order: ((0+4) + (2+6)) + ((1+5) + (3+7)).
inline float sum(f8 v) {
  const f4 h = halves(v);
  const f4 quarters = h + __builtin_shuffle(h, i4{2, 3, 0, 1});
  return quarters[0] + quarters[1];
}

inline f8 exponential(f8 x) { return exponential_of<f8, i8>(x); }

/// Calls body(offset, load, store) for each group of eight, the last one padded.
template <class Body> inline void for_groups(int64_t width, Body &&body) {
  int64_t j = 0;
  for (; j + 8 <= width; j += 8) body(j, load, store);
  if (j < width) {
    const int64_t rest = width - j;
    body(
        j, [rest](const float *p) { return load_part(p, rest); },
        [rest](float *p, f8 v) { store_part(p, v, rest); });
  }
}

float dot(const float *a, const float *b, int64_t width) {
  f8 total = all(0);
  for_groups(width, [&](int64_t j, auto get, auto) { total += get(a + j) * get(b + j); });
  return sum(total);
}

float largest(const float *x, int64_t width) {
  f8 best = all(x[0]);
  int64_t j = 0;
  for (; j + 8 <= width; j += 8) {
    const f8 v = load(x + j);
    best = v > best ? v : best;
  }
  float most = best[0];
  for (int lane = 1; lane < 8; lane++) most = best[lane] > most ? best[lane] : most;
  for (; j < width; j++) most = x[j] > most ? x[j] : most;
  return most;
}

int64_t argmax(const float *x, int64_t width) {
  const float most = largest(x, width);
  f8 wrong = all(0); // 0 times any number is 0, times NaN or infinity it is NaN
  for_groups(width, [&](int64_t j, auto get, auto) { wrong += get(x + j) * all(0); });
  return sum(wrong) == 0 ? std::find(x, x + width, most) - x : width;
}

/// x[j] = e^(x[j] - shift); returns the sum.
float exponentials(float *x, int64_t width, float shift) {
  f8 total = all(0);
  int64_t j = 0;
  for (; j + 8 <= width; j += 8) {
    const f8 e = exponential(load(x + j) - all(shift));
    store(x + j, e);
    total += e;
  }
  if (j < width) {
    f8 e = exponential(load_part(x + j, width - j) - all(shift));
    store_part(x + j, e, width - j);
    for (int64_t i = width - j; i < 8; i++) e[i] = 0;
    total += e;
  }
  return sum(total);
}

void rms_norm(const float *x, const float *weight, float *out, float *inverse, int64_t rows, int64_t width,
              float eps) {
  for (int64_t r = 0; r < rows; r++, x += width, out += width) {
    const float scale = 1.0f / std::sqrt(dot(x, x, width) / (float)width + eps);
    inverse[r] = scale;
    for_groups(width, [&](int64_t j, auto get, auto put) { put(out + j, get(x + j) * all(scale) * get(weight + j)); });
  }
}

/// With n = x * inverse and g = dout * weight: dx = inverse * (g - n * mean(g n)), dweight = sum over rows of dout n.
void rms_norm_backward(const float *x, const float *weight, const float *inverse, const float *dout, float *dx,
                       float *dweight, int64_t rows, int64_t width) {
  for (int64_t r = 0; r < rows; r++, x += width, dout += width, dx += width) {
    const f8 scale = all(inverse[r]);
    f8 total = all(0);
    for_groups(width, [&](int64_t j, auto get, auto put) {
      const f8 product = get(dout + j) * get(x + j) * scale;
      put(dweight + j, get(dweight + j) + product);
      total += product * get(weight + j);
    });
    const f8 mean = all(sum(total) / (float)width);
    for_groups(width, [&](int64_t j, auto get, auto put) {
      put(dx + j, scale * (get(dout + j) * get(weight + j) - get(x + j) * scale * mean));
    });
  }
}

inline f8 sigmoid(f8 x) { return all(1) / (all(1) + exponential(-x)); }

void swiglu(const float *gate_up, float *out, int64_t rows, int64_t width) {
  for (int64_t r = 0; r < rows; r++, gate_up += 2 * width, out += width)
    for_groups(width, [&](int64_t j, auto get, auto put) {
      const f8 gate = get(gate_up + j);
      put(out + j, gate * sigmoid(gate) * get(gate_up + width + j));
    });
}

void swiglu_backward(const float *gate_up, const float *dout, float *dgate_up, int64_t rows, int64_t width) {
  for (int64_t r = 0; r < rows; r++, gate_up += 2 * width, dgate_up += 2 * width, dout += width)
    for_groups(width, [&](int64_t j, auto get, auto put) {
      const f8 gate = get(gate_up + j), up = get(gate_up + width + j), d = get(dout + j);
      const f8 s = sigmoid(gate);
      put(dgate_up + j, d * up * s * (all(1) + gate * (all(1) - s)));
      put(dgate_up + width + j, d * gate * s);
    });
}

void rotate(const float *x, float *out, const float *cos, const float *sin, int64_t vectors, int64_t width,
            float sign) {
  const int64_t half = width / 2;
  for (int64_t v = 0; v < vectors; v++, x += width, out += width)
    for_groups(half, [&](int64_t j, auto get, auto put) {
      const f8 a = get(x + j), b = get(x + half + j);
      const f8 c = get(cos + j), s = get(sin + j) * all(sign);
      put(out + j, a * c - b * s);
      put(out + half + j, b * c + a * s);
    });
}

float softmax(float *scores, int64_t count, int64_t length, float scale, float *shift) {
  const float best = scale * largest(scores, count);
  for_groups(count, [&](int64_t j, auto get, auto put) { put(scores + j, get(scores + j) * all(scale)); });
  const float sum = exponentials(scores, count, best);
  std::fill(scores + count, scores + length, 0.0f);
  *shift = best + std::log(sum);
  return sum;
}

void softmax_backward(float *scores, float *gradients, int64_t count, int64_t length, float scale, float shift,
                      float mean) {
  for_groups(count, [&](int64_t j, auto get, auto put) {
    const f8 probability = exponential(get(scores + j) * all(scale) - all(shift));
    put(scores + j, probability);
    put(gradients + j, probability * (get(gradients + j) - all(mean)) * all(scale));
  });
  std::fill(scores + count, scores + length, 0.0f);
  std::fill(gradients + count, gradients + length, 0.0f);
}

float cross_entropy(float *logits, int64_t width, int64_t target, float scale, float z) {
  const float best = largest(logits, width), chosen = logits[target];
  const float total = exponentials(logits, width, best);
  const float log_sum = std::log(total) + best;
  const f8 factor = all(scale * (1 + 2 * z * log_sum) / total);
  for_groups(width, [&](int64_t j, auto get, auto put) { put(logits + j, get(logits + j) * factor); });
  logits[target] -= scale;
  return log_sum - chosen;
}

} // namespace

const RowKernels kernels = {
    .isa = ROWS_TEXT(ROWS_ISA),
    .rms_norm = rms_norm,
    .rms_norm_backward = rms_norm_backward,
    .swiglu = swiglu,
    .swiglu_backward = swiglu_backward,
    .rotate = rotate,
    .softmax = softmax,
    .softmax_backward = softmax_backward,
    .dot = dot,
    .argmax = argmax,
    .cross_entropy = cross_entropy,
};

} // namespace ft::ROWS_ISA
