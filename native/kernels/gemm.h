// Tiles of a matrix product: what native/gemm.cpp builds whole products from, and attention its small ones.
// No libtorch in here. Every element of a product is one chain of fused multiply-adds in the order of the inner index,
// whatever the sizes, blocks and threads: the same bits for a row alone or among others.
#pragma once
#include <cstdint>

namespace ft {

/// A matrix as it lies: element (i, j) is data[i * row + j * column].
struct Strided {
  const float *data;
  int64_t row, column;

  Strided at(int64_t i, int64_t j) const { return {data + i * row + j * column, row, column}; }
  Strided transposed() const { return {data, column, row}; }
};

struct GemmKernels {
  const char *isa;
  /// Rows and columns of a tile: the sizes that leave nothing over.
  int64_t tile_rows, panel;

  /// Lays b (depth, columns) out in panels of `panel` columns, the last one padded with zeros: out holds
  /// depth * (columns rounded up to whole panels), aligned to 64 bytes.
  void (*pack)(Strided b, int64_t depth, int64_t columns, float *out);

  /// c (rows, columns; row stride ldc) = a (rows, depth) times packed b, or += where `add`. One stride of a is 1. A panel
  /// of b begins `stride` numbers after the one before it: of b that was packed deeper, this takes the first rows.
  void (*multiply)(Strided a, const float *packed, int64_t stride, float *c, int64_t ldc, int64_t rows, int64_t columns,
                   int64_t depth, bool add);
};

/// The best build that this processor runs; nullptr where there is only the portable instruction set.
const GemmKernels *gemm_kernels();

/// The same with the portable build in its place: for weights that are packed once and multiplied by few rows many times.
const GemmKernels &panel_kernels();

namespace portable {
extern const GemmKernels gemm;
}
namespace avx2 {
extern const GemmKernels gemm;
}
namespace avx512 {
extern const GemmKernels gemm;
}

} // namespace ft
