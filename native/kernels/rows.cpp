// The row kernels of rows.h, written with the compiler's vector types: the build compiles this file once for each
// instruction set, with ROWS_ISA naming the set. Tails run through the same vector code on padded copies, so that no
// result depends on where a row or a chunk ends.
#include "rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>

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

/// sum() of each of four, in the same order, for less than two of them cost one by one.
inline f4 sums(f8 a, f8 b, f8 c, f8 d) {
  const f4 ha = halves(a), hb = halves(b), hc = halves(c), hd = halves(d);
  const f4 ab = __builtin_shuffle(ha, hb, i4{0, 4, 1, 5}) + __builtin_shuffle(ha, hb, i4{2, 6, 3, 7});
  const f4 cd = __builtin_shuffle(hc, hd, i4{0, 4, 1, 5}) + __builtin_shuffle(hc, hd, i4{2, 6, 3, 7});
  return __builtin_shuffle(ab, cd, i4{0, 1, 4, 5}) + __builtin_shuffle(ab, cd, i4{2, 3, 6, 7});
}

inline f8 select(i8 mask, f8 yes, f8 no) { return (f8)(((i8)yes & mask) | ((i8)no & ~mask)); }

/// e^x to about 1 unit in the last place: x = n ln 2 + r, a polynomial in r, n in the exponent.
inline f8 exponential(f8 x) {
  x = select(x < all(-87.3f), all(-87.3f), x);
  x = select(x > all(88.7f), all(88.7f), x);
  const f8 magic = all(12582912.0f); // 1.5 * 2^23: adding it rounds to a whole number
  const f8 n = (x * all(1.44269504f) + magic) - magic;
  f8 r = x - n * all(0.693359375f); // ln 2 in two parts, the first exact
  r = r - n * all(-2.12194440e-4f);
  f8 p = all(1.9875691500e-4f);
  p = p * r + all(1.3981999507e-3f);
  p = p * r + all(8.3334519073e-3f);
  p = p * r + all(4.1665795894e-2f);
  p = p * r + all(1.6666665459e-1f);
  p = p * r + all(5.0000001201e-1f);
  p = p * (r * r) + r + all(1.0f);
  const i8 exponent = (__builtin_convertvector(n, i8) + 127) << 23;
  return p * (f8)exponent;
}

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

/// R rows against O outputs: every (row, output) is one chain of products in the order of k, whatever R and O are.
template <int R, int O>
inline void linear_tile(const float *x, const float *w, float *y, int64_t inner, int64_t outputs) {
  f8 total[R][O];
  for (int r = 0; r < R; r++)
    for (int o = 0; o < O; o++) total[r][o] = all(0);
  for_groups(inner, [&](int64_t k, auto get, auto) {
    f8 weight[O];
    for (int o = 0; o < O; o++) weight[o] = get(w + o * inner + k);
    for (int r = 0; r < R; r++) {
      const f8 value = get(x + r * inner + k);
      for (int o = 0; o < O; o++) total[r][o] += value * weight[o];
    }
  });
  for (int o = 0; o < O; o++) {
    if constexpr (R == 4) {
      const f4 four = sums(total[0][o], total[1][o], total[2][o], total[3][o]);
      for (int r = 0; r < R; r++) y[r * outputs + o] = four[r];
    } else {
      for (int r = 0; r < R; r++) y[r * outputs + o] = sum(total[r][o]);
    }
  }
}

template <int R, int O>
void linear_rows(const float *x, const float *w, float *y, int64_t inner, int64_t outputs, int64_t first,
                 int64_t last) {
  int64_t o = first;
  for (; o + O <= last; o += O) linear_tile<R, O>(x, w + o * inner, y + o, inner, outputs);
  for (; o < last; o++) linear_tile<R, 1>(x, w + o * inner, y + o, inner, outputs);
}

/// Four rows at a time share each load of the weights; the numbers of outputs fill 16 vector registers.
void linear(const float *x, const float *w, float *y, int64_t rows, int64_t inner, int64_t outputs, int64_t first,
            int64_t last) {
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4)
    linear_rows<4, 3>(x + r * inner, w, y + r * outputs, inner, outputs, first, last);
  x += r * inner;
  y += r * outputs;
  switch (rows - r) {
  case 3:
    return linear_rows<3, 4>(x, w, y, inner, outputs, first, last);
  case 2:
    return linear_rows<2, 6>(x, w, y, inner, outputs, first, last);
  case 1:
    return linear_rows<1, 8>(x, w, y, inner, outputs, first, last);
  }
}

float dot(const float *a, const float *b, int64_t width) {
  f8 total = all(0);
  for_groups(width, [&](int64_t j, auto get, auto) { total += get(a + j) * get(b + j); });
  return sum(total);
}

/// dot() with each of four consecutive rows of b, bit for bit.
inline f4 dots(const float *a, const float *b, int64_t width) {
  f8 total[4] = {all(0), all(0), all(0), all(0)};
  for_groups(width, [&](int64_t j, auto get, auto) {
    const f8 value = get(a + j);
    for (int row = 0; row < 4; row++) total[row] += value * get(b + row * width + j);
  });
  return sums(total[0], total[1], total[2], total[3]);
}

float largest(const float *x, int64_t width) {
  f8 best = all(x[0]);
  int64_t j = 0;
  for (; j + 8 <= width; j += 8) {
    const f8 v = load(x + j);
    best = select(v > best, v, best);
  }
  float most = best[0];
  for (int lane = 1; lane < 8; lane++) most = best[lane] > most ? best[lane] : most;
  for (; j < width; j++) most = x[j] > most ? x[j] : most;
  return most;
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

/// Eight columns of the weighted values at a time, G times over: G chains of sums keep the processor busy.
template <int G>
inline void mix(const float *scores, const float *values, float *out, int64_t length, int64_t width, float total) {
  f8 mixed[G];
  for (int g = 0; g < G; g++) mixed[g] = all(0);
  for (int64_t t = 0; t < length; t++)
    for (int g = 0; g < G; g++) mixed[g] += all(scores[t]) * load(values + t * width + 8 * g);
  for (int g = 0; g < G; g++) store(out + 8 * g, mixed[g] / all(total));
}

void attend(const float *q, const float *keys, const float *values, float *out, int64_t length, int64_t width,
            float scale, float *scores) {
  int64_t t = 0;
  for (; t + 4 <= length; t += 4) {
    const f4 four = dots(q, keys + t * width, width) * scale;
    std::memcpy(scores + t, &four, sizeof four);
  }
  for (; t < length; t++) scores[t] = dot(q, keys + t * width, width) * scale;
  const float total = exponentials(scores, length, largest(scores, length));
  int64_t j = 0;
  for (; j + 32 <= width; j += 32) mix<4>(scores, values + j, out + j, length, width, total);
  for (; j + 8 <= width; j += 8) mix<1>(scores, values + j, out + j, length, width, total);
  if (j < width) {
    f8 mixed = all(0);
    for (int64_t t = 0; t < length; t++) mixed += all(scores[t]) * load_part(values + t * width + j, width - j);
    store_part(out + j, mixed / all(total), width - j);
  }
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
    .linear = linear,
    .attend = attend,
    .rms_norm = rms_norm,
    .rms_norm_backward = rms_norm_backward,
    .swiglu = swiglu,
    .swiglu_backward = swiglu_backward,
    .rotate = rotate,
    .softmax = softmax,
    .softmax_backward = softmax_backward,
    .dot = dot,
    .cross_entropy = cross_entropy,
};

} // namespace ft::ROWS_ISA
