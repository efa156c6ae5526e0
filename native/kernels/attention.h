// Causal self-attention of one sequence, block by block of queries. The probabilities are never kept: the backward pass
// makes them again from the scores (the idea of FlashAttention, Dao 2023). No libtorch in here.
#pragma once
#include "gemm.h"

namespace ft {

/// Positions hold H query vectors, then G keys, then G values, each of W numbers; H is a multiple of G.
struct AttentionSizes {
  int64_t length, heads, kv_heads, width;

  /// Numbers from one position to the next, of queries, keys and values together and of the result.
  int64_t row() const { return (heads + 2 * kv_heads) * width; }
  int64_t out_row() const { return heads * width; }
};

/// Numbers of scratch memory that the functions below need, aligned to 64 bytes.
int64_t attention_room(const GemmKernels &kernels, const AttentionSizes &sizes);

/// The query heads that read key and value head g: out (T, H * W), and for the backward pass `shifts` (H, T), the
/// logarithm of what each softmax divided by.
void attend_causal(const GemmKernels &kernels, const AttentionSizes &sizes, int64_t g, const float *qkv, float *out,
                   float *shifts, float *scratch);

/// Writes the gradients of those heads' queries and of key and value head g into dqkv, which lies like qkv.
void attend_causal_backward(const GemmKernels &kernels, const AttentionSizes &sizes, int64_t g, const float *qkv,
                            const float *out, const float *shifts, const float *dout, float *dqkv, float *scratch);

} // namespace ft
