// a * b + c in one rounding, where the processor has it. Said outright: whether a compiler joins the two by itself depends
// on its version and on the code around (GCC 13 does not in a lone chain of sums), and a row would get other bits among
// others than alone.
#pragma once
#ifdef __FMA__
#include <immintrin.h>
#endif

namespace ft {

#ifdef __AVX512F__
typedef float f16 __attribute__((vector_size(64), aligned(4), may_alias));
static inline f16 multiply_add(f16 a, f16 b, f16 c) { return (f16)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c); }
#elif defined(__FMA__)
typedef float f8 __attribute__((vector_size(32), aligned(4), may_alias));
static inline f8 multiply_add(f8 a, f8 b, f8 c) { return (f8)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c); }
#else
/// Two roundings, in every place alike: this build has no instruction to join them.
template <class Vec> static inline Vec multiply_add(Vec a, Vec b, Vec c) { return a * b + c; }
#endif

/// `value` in every lane. Less nothing, which a compiler may leave out: 0 plus it would be another number for -0.
template <class Vec> static inline Vec in_all(float value) { return value - Vec{}; }

} // namespace ft
