// Attention of few new rows over cached keys and values. No libtorch in here. What a row gets does not depend on the
// rows beside it, bit for bit: each score and each mixed value is a chain of multiply-adds in the order in which a plain
// sequence would have them, also in a tree of drafts, and what a row does not see adds an exact zero.
#pragma once
#include <cstdint>

namespace ft {

/// Positions that lie together in the cache of keys: for each of W dimensions 16 positions in a row.
constexpr int64_t KEY_BLOCK = 16;

/// Where a row of a decoding step stands, and which slots of its sequence's cache it sees: the first `prefix`, and slot
/// prefix + b for each bit b of `branch`. With plain sequences slot is position, prefix is slot + 1 and branch is 0; in a
/// tree of drafts several rows share a position, and each sees the ones before it on its own branch.
struct Place {
  int32_t sequence, slot, position, prefix, branch;

  /// One more than the last slot that it sees.
  int64_t limit() const { return (int64_t)prefix + (branch ? 32 - __builtin_clz((uint32_t)branch) : 0); }
  bool sees(int64_t slot) const { return slot < prefix || (slot - prefix < 32 && (uint32_t)branch >> (slot - prefix) & 1); }
};

/// Queries that are worked on together: they share each read of the cache.
constexpr int QUERIES_TOGETHER = 4;

struct CachedKernels {
  /// `count` queries of one key and value head, each `width` numbers. keys: blocks of (width, 16) positions; values: rows
  /// of `row` numbers, a multiple of 16 and at least `width`, the rest zeros. scores: room for QUERIES_TOGETHER rows of
  /// `stride` numbers, a multiple of 64 that no limit exceeds.
  void (*attend)(const float *const *queries, const Place *const *places, int count, const float *keys,
                 const float *values, float *const *out, int64_t width, int64_t row, float scale, float *scores,
                 int64_t stride);
};

/// The best build that this processor runs.
const CachedKernels &cached_kernels();

namespace portable {
extern const CachedKernels cached;
}
namespace avx2 {
extern const CachedKernels cached;
}
namespace avx512 {
extern const CachedKernels cached;
}

} // namespace ft
