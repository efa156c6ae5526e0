// CPU kernels that work row by row. Each result depends on its own row alone and is summed in one fixed order, so
// that a row gives the same bits whether it comes alone or among others: what exact speculative decoding needs.
// No libtorch in here: raw pointers, and the caller divides the rows (or the outputs) among threads.
#pragma once
#include <cstdint>

namespace ft {

/// One build of the kernels: rows.cpp is compiled once for each instruction set.
struct RowKernels {
  const char *isa;

  /// out = x / rms(x) * weight; inverse[r] keeps 1 / rms for the backward pass.
  void (*rms_norm)(const float *x, const float *weight, float *out, float *inverse, int64_t rows, int64_t width,
                   float eps);
  /// dx of the same, and dweight added up over these rows.
  void (*rms_norm_backward)(const float *x, const float *weight, const float *inverse, const float *dout, float *dx,
                            float *dweight, int64_t rows, int64_t width);

  /// gate_up holds [gate | up] in each row of 2 * width; out = silu(gate) * up.
  void (*swiglu)(const float *gate_up, float *out, int64_t rows, int64_t width);
  void (*swiglu_backward)(const float *gate_up, const float *dout, float *dgate_up, int64_t rows, int64_t width);

  /// Rotates pairs (j, j + width/2) of each vector; sign -1 turns back. cos and sin hold width/2 numbers.
  void (*rotate)(const float *x, float *out, const float *cos, const float *sin, int64_t vectors, int64_t width,
                 float sign);

  /// Turns the first `count` of `length` scores into e^(scale * (score - largest)) in place and the others into 0; returns
  /// the sum, and in `shift` the logarithm of what softmax divides by, for the backward pass.
  float (*softmax)(float *scores, int64_t count, int64_t length, float scale, float *shift);
  /// From the same scores and the gradients of the probabilities: scores become the probabilities, gradients those of the
  /// scores. `mean` is the probabilities' mean gradient.
  void (*softmax_backward)(float *scores, float *gradients, int64_t count, int64_t length, float scale, float shift,
                           float mean);

  float (*dot)(const float *a, const float *b, int64_t width);

  /// The first index of the largest of x; `width` where one of them is not finite.
  int64_t (*argmax)(const float *x, int64_t width);

  /// Turns one row of logits into the gradient of scale * (NLL + z * logsumexp^2) in place, and returns the NLL.
  float (*cross_entropy)(float *logits, int64_t width, int64_t target, float scale, float z);
};

/// The best build that this processor runs.
const RowKernels &row_kernels();

namespace portable {
extern const RowKernels kernels;
}
namespace avx2 {
extern const RowKernels kernels;
}

} // namespace ft
