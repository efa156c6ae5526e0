// e^x for a vector of floats, for every kernel that needs it.
#pragma once

namespace ft {

/// e^x to about 1 unit in the last place, between the smallest normal number and the largest: x = n ln 2 + r, a polynomial
/// in r, n in the exponent. Vec and Int: vectors of as many floats and 32-bit integers. Static: each instruction set has its own.
template <class Vec, class Int> static inline Vec exponential_of(Vec x) {
  const Vec zero = {};
  const auto select = [](Int mask, Vec yes, Vec no) { return (Vec)(((Int)yes & mask) | ((Int)no & ~mask)); };
  x = select(x < zero - 87.3f, zero - 87.3f, x);
  x = select(x > zero + 88.7f, zero + 88.7f, x);
  const Vec magic = zero + 12582912.0f; // 1.5 * 2^23: adding it rounds to a whole number
  const Vec n = (x * 1.44269504f + magic) - magic;
  Vec r = x - n * 0.693359375f; // ln 2 in two parts, the first exact
  r = r - n * -2.12194440e-4f;
  Vec p = zero + 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  const Int exponent = (__builtin_convertvector(n, Int) + 127) << 23;
  return p * (Vec)exponent;
}

} // namespace ft
