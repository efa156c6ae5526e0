// SHA-256 with and without the x86 SHA instructions; which one runs is chosen at load time.
#include "sha256.h"

#include <algorithm>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace ft {
namespace {

constexpr size_t BLOCK = 64;

alignas(16) constexpr uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

using Compress = void (*)(uint32_t *state, const uint8_t *data, size_t blocks);

uint32_t rotr(uint32_t x, int n) { return x >> n | x << (32 - n); }

void compress_portable(uint32_t *state, const uint8_t *data, size_t blocks) {
  for (; blocks > 0; blocks--, data += BLOCK) {
    uint32_t w[64];
    for (int t = 0; t < 16; t++) {
      uint32_t word;
      std::memcpy(&word, data + 4 * t, 4);
      w[t] = __builtin_bswap32(word); // every machine that libtorch runs on is little-endian
    }
    for (int t = 16; t < 64; t++) {
      const uint32_t s0 = rotr(w[t - 15], 7) ^ rotr(w[t - 15], 18) ^ w[t - 15] >> 3;
      const uint32_t s1 = rotr(w[t - 2], 17) ^ rotr(w[t - 2], 19) ^ w[t - 2] >> 10;
      w[t] = w[t - 16] + s0 + w[t - 7] + s1;
    }
    auto [a, b, c, d, e, f, g, h] = std::array{state[0], state[1], state[2], state[3],
                                               state[4], state[5], state[6], state[7]};
    for (int t = 0; t < 64; t++) {
      const uint32_t t1 = h + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + ((e & f) ^ (~e & g)) + K[t] + w[t];
      const uint32_t t2 = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
      h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
    }
    const uint32_t add[8] = {a, b, c, d, e, f, g, h};
    for (int i = 0; i < 8; i++) state[i] += add[i];
  }
}

#if defined(__x86_64__)
/// The instructions take the state as (A B E F) and (C D G H), and do two rounds at a time.
__attribute__((target("sha,sse4.1"))) void compress_sha(uint32_t *state, const uint8_t *data, size_t blocks) {
  const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  auto *words = reinterpret_cast<__m128i *>(state);
  __m128i low = _mm_shuffle_epi32(_mm_loadu_si128(words), 0xb1);      // C D A B
  __m128i high = _mm_shuffle_epi32(_mm_loadu_si128(words + 1), 0x1b); // E F G H
  __m128i abef = _mm_alignr_epi8(low, high, 8), cdgh = _mm_blend_epi16(high, low, 0xf0);
  for (; blocks > 0; blocks--, data += BLOCK) {
    const __m128i abef_before = abef, cdgh_before = cdgh;
    __m128i w[4]; // the last 16 words of the message schedule
    for (int i = 0; i < 4; i++)
      w[i] = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i *>(data) + i), swap);
    for (int i = 0; i < 16; i++) { // four rounds each
      const __m128i now = w[i % 4];
      const __m128i sum = _mm_add_epi32(now, _mm_load_si128(reinterpret_cast<const __m128i *>(K) + i));
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
      // In place of the words just used come those of sixteen rounds later.
      const __m128i last = w[(i + 3) % 4], middle = _mm_alignr_epi8(last, w[(i + 2) % 4], 4);
      w[i % 4] = _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(now, w[(i + 1) % 4]), middle), last);
    }
    abef = _mm_add_epi32(abef, abef_before);
    cdgh = _mm_add_epi32(cdgh, cdgh_before);
  }
  low = _mm_shuffle_epi32(abef, 0x1b);  // F E B A
  high = _mm_shuffle_epi32(cdgh, 0xb1); // D C H G
  _mm_storeu_si128(words, _mm_blend_epi16(low, high, 0xf0));
  _mm_storeu_si128(words + 1, _mm_alignr_epi8(high, low, 8));
}

bool has_sha_instructions() {
  unsigned a, b, c, d;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b >> 29 & 1);
}
#endif

Compress choose() {
#if defined(__x86_64__)
  if (has_sha_instructions()) return compress_sha;
#endif
  return compress_portable;
}

const Compress compress = choose();

} // namespace

void Sha256::update(const uint8_t *data, size_t bytes) {
  bytes_ += bytes;
  if (held_ > 0) {
    const size_t taken = std::min(bytes, BLOCK - held_);
    std::memcpy(block_.data() + held_, data, taken);
    held_ += taken, data += taken, bytes -= taken;
    if (held_ < BLOCK) return;
    compress(state_.data(), block_.data(), 1);
  }
  compress(state_.data(), data, bytes / BLOCK);
  held_ = bytes % BLOCK;
  std::memcpy(block_.data(), data + bytes - held_, held_);
}

Digest Sha256::finish() {
  const uint64_t bits = __builtin_bswap64(bytes_ * 8);
  const uint8_t padding[BLOCK] = {0x80};
  update(padding, (BLOCK + 55 - held_) % BLOCK + 1); // up to 8 bytes before a block's end
  update(reinterpret_cast<const uint8_t *>(&bits), sizeof bits);
  Digest digest;
  for (int i = 0; i < 8; i++) {
    const uint32_t word = __builtin_bswap32(state_[i]);
    std::memcpy(digest.data() + 4 * i, &word, 4);
  }
  return digest;
}

} // namespace ft
