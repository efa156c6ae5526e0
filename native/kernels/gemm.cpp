// The tiles of gemm.h, after Goto & van de Geijn (2008): a tile of c stays in registers while it runs along the inner
// index, reading one panel of b that lies in the first cache. Compiled once for each instruction set.
#include "gemm.h"

#include <algorithm>
#include <cstring>

#include "multiply_add.h"

namespace ft::GEMM_ISA {
namespace {

typedef float f4 __attribute__((vector_size(16), aligned(4), may_alias));
typedef int32_t i4 __attribute__((vector_size(16)));

// Tiles fill the registers: ROWS x 2 sums, two vectors of b and one number of a.
#ifdef __AVX512F__
typedef float vec __attribute__((vector_size(64), aligned(4), may_alias));
constexpr int ROWS = 12;
#else
typedef float vec __attribute__((vector_size(32), aligned(4), may_alias));
constexpr int ROWS = 6;
#endif
constexpr int64_t LANES = sizeof(vec) / sizeof(float), PANEL = 2 * LANES;

inline vec load(const float *p) { return *reinterpret_cast<const vec *>(p); }
inline void store(float *p, vec v) { *reinterpret_cast<vec *>(p) = v; }

/// Adds or writes the first `columns` lanes.
inline void put(float *c, vec v, int64_t columns, bool add) {
  if (columns >= LANES) {
    store(c, add ? load(c) + v : v);
    return;
  }
  float lanes[LANES];
  std::memcpy(lanes, &v, sizeof v);
  for (int64_t j = 0; j < columns; j++) c[j] = add ? c[j] + lanes[j] : lanes[j];
}

/// Numbers of a panel that are asked for before their turn, 4 kB: the processor itself looks ahead within a page only, and
/// of weights that lie in memory few rows' worth of multiplications does not hide the rest of the way. Of whole tiles the
/// first one asks, and leaves the panel in the cache for the others.
constexpr int64_t AHEAD = 1024, LINE = 16;

/// R rows by P panels of V vectors, each `stride` numbers behind the one before. Along: a's rows lie in one piece; else
/// its columns do. Ask: for the panels ahead.
template <int R, int P, int V, bool Along, bool Ask>
inline void tile(const float *a, int64_t row, const float *b, int64_t stride, float *c, int64_t ldc, int64_t columns,
                 int64_t depth, bool add) {
  vec sums[R][P][V] = {};
  for (int64_t k = 0; k < depth; k++, b += PANEL) {
    if constexpr (Ask)
      for (int p = 0; p < P; p++)
        for (int64_t v = 0; v < PANEL; v += LINE) __builtin_prefetch(b + p * stride + AHEAD + v);
    vec right[P][V];
    for (int p = 0; p < P; p++)
      for (int v = 0; v < V; v++) right[p][v] = load(b + p * stride + v * LANES);
    for (int r = 0; r < R; r++) {
      const vec left = in_all<vec>(Along ? a[r * row + k] : a[k * row + r]);
      for (int p = 0; p < P; p++)
        for (int v = 0; v < V; v++) sums[r][p][v] = multiply_add(left, right[p][v], sums[r][p][v]);
    }
  }
  for (int r = 0; r < R; r++)
    for (int p = 0; p < P; p++)
      for (int v = 0; v < V; v++) {
        const int64_t j = p * PANEL + v * LANES;
        put(c + r * ldc + j, sums[r][p][v], columns - j, add);
      }
}

/// Where few rows leave registers free, several panels at a time: a sum waits for its last product, and memory has more on
/// its way. A row alone uses each number of b once, straight from memory.
constexpr int panels_for(int rows) {
  constexpr int REGISTERS = LANES == 16 ? 32 : 16;
  return std::clamp((REGISTERS - 1) / (2 * rows + (rows == 1 ? 0 : 2)), 1, 4);
}

/// R rows against all columns.
template <int R, bool Along, bool Ask = true>
void rows_of(Strided a, const float *packed, int64_t stride, float *c, int64_t ldc, int64_t columns, int64_t depth,
             bool add) {
  constexpr int P = panels_for(R);
  const int64_t row = Along ? a.row : a.column;
  int64_t j = 0;
  if (P > 1)
    for (; j + P * PANEL <= columns; j += P * PANEL, packed += P * stride)
      tile<R, P, 2, Along, Ask>(a.data, row, packed, stride, c + j, ldc, P * PANEL, depth, add);
  for (; j < columns; j += PANEL, packed += stride) {
    const int64_t here = std::min(PANEL, columns - j);
    if (here > LANES) tile<R, 1, 2, Along, Ask>(a.data, row, packed, stride, c + j, ldc, here, depth, add);
    else tile<R, 1, 1, Along, Ask>(a.data, row, packed, stride, c + j, ldc, here, depth, add);
  }
}

/// The rows of the last tile: fewer than ROWS.
template <int R, bool Along>
void rest_of(int64_t rows, Strided a, const float *packed, int64_t stride, float *c, int64_t ldc, int64_t columns,
             int64_t depth, bool add) {
  if constexpr (R > 0) {
    if (rows == R) return rows_of<R, Along>(a, packed, stride, c, ldc, columns, depth, add);
    rest_of<R - 1, Along>(rows, a, packed, stride, c, ldc, columns, depth, add);
  }
}

/// Panels outside, so that each is read from memory once however many rows there are.
template <bool Along>
void multiply_along(Strided a, const float *packed, int64_t stride, float *c, int64_t ldc, int64_t rows,
                    int64_t columns, int64_t depth, bool add) {
  if (rows < ROWS) return rest_of<ROWS - 1, Along>(rows, a, packed, stride, c, ldc, columns, depth, add);
  for (int64_t j = 0; j < columns; j += PANEL, packed += stride) {
    const int64_t here = std::min(PANEL, columns - j);
    rows_of<ROWS, Along>(a, packed, stride, c + j, ldc, here, depth, add);
    int64_t i = ROWS;
    for (; i + ROWS <= rows; i += ROWS)
      rows_of<ROWS, Along, false>(a.at(i, 0), packed, stride, c + i * ldc + j, ldc, here, depth, add);
    rest_of<ROWS - 1, Along>(rows - i, a.at(i, 0), packed, stride, c + i * ldc + j, ldc, here, depth, add);
  }
}

void multiply(Strided a, const float *packed, int64_t stride, float *c, int64_t ldc, int64_t rows, int64_t columns,
              int64_t depth, bool add) {
  if (a.column == 1) multiply_along<true>(a, packed, stride, c, ldc, rows, columns, depth, add);
  else multiply_along<false>(a, packed, stride, c, ldc, rows, columns, depth, add);
}

/// Four rows of four become columns.
inline void transpose(const float *from, int64_t stride, float *to) {
  f4 r[4];
  for (int i = 0; i < 4; i++) r[i] = *reinterpret_cast<const f4 *>(from + i * stride);
  const f4 a = __builtin_shuffle(r[0], r[1], i4{0, 4, 1, 5}), b = __builtin_shuffle(r[2], r[3], i4{0, 4, 1, 5});
  const f4 c = __builtin_shuffle(r[0], r[1], i4{2, 6, 3, 7}), d = __builtin_shuffle(r[2], r[3], i4{2, 6, 3, 7});
  const f4 columns[4] = {__builtin_shuffle(a, b, i4{0, 1, 4, 5}), __builtin_shuffle(a, b, i4{2, 3, 6, 7}),
                         __builtin_shuffle(c, d, i4{0, 1, 4, 5}), __builtin_shuffle(c, d, i4{2, 3, 6, 7})};
  for (int i = 0; i < 4; i++) *reinterpret_cast<f4 *>(to + i * PANEL) = columns[i];
}

/// A whole panel whose columns lie in one piece each.
void pack_across(Strided b, int64_t depth, float *out) {
  int64_t k = 0;
  for (; k + 4 <= depth; k += 4)
    for (int64_t j = 0; j < PANEL; j += 4) transpose(b.data + j * b.column + k, b.column, out + k * PANEL + j);
  for (; k < depth; k++)
    for (int64_t j = 0; j < PANEL; j++) out[k * PANEL + j] = b.data[j * b.column + k];
}

void pack(Strided b, int64_t depth, int64_t columns, float *out) {
  for (int64_t j = 0; j < columns; j += PANEL, out += depth * PANEL) {
    const int64_t here = std::min(PANEL, columns - j);
    const Strided from = b.at(0, j);
    if (here == PANEL && b.row == 1) {
      pack_across(from, depth, out);
    } else if (here == PANEL && b.column == 1) {
      for (int64_t k = 0; k < depth; k++) std::memcpy(out + k * PANEL, from.data + k * b.row, PANEL * sizeof(float));
    } else {
      std::memset(out, 0, depth * PANEL * sizeof(float));
      for (int64_t k = 0; k < depth; k++)
        for (int64_t n = 0; n < here; n++) out[k * PANEL + n] = *from.at(k, n).data;
    }
  }
}

#define TEXT_OF(name) #name
#define TEXT(name) TEXT_OF(name)

} // namespace

const GemmKernels gemm = {TEXT(GEMM_ISA), ROWS, PANEL, pack, multiply};

} // namespace ft::GEMM_ISA
