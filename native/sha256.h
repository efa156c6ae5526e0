// SHA-256 (FIPS 180-4), for files that are hashed while they are written.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace ft {

using Digest = std::array<uint8_t, 32>;

/// A running hash. Uses the processor's own instructions where it has them (about 4 times faster).
class Sha256 {
public:
  void update(const uint8_t *data, size_t bytes);
  /// The digest of all that was given; the hash is at its end.
  Digest finish();

private:
  std::array<uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<uint8_t, 64> block_; // what does not fill a block yet
  size_t held_ = 0;
  uint64_t bytes_ = 0;
};

} // namespace ft
