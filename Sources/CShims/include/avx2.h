// AVX2 + FMA + F16C. Two 256-bit halves make a sixteen-lane vector.
#ifndef VDSQ_AVX2_H
#define VDSQ_AVX2_H

#include "vectors.h"

#if defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
#include <immintrin.h>

typedef int32_t vdsq_i32x8 __attribute__((ext_vector_type(8)));

VDSQ_INLINE vdsq_f32x16 vdsq_avx2_fma(vdsq_f32x16 a, vdsq_f32x16 b, vdsq_f32x16 c) {
  return __builtin_elementwise_fma(a, b, c);
}

VDSQ_INLINE vdsq_f32x16 vdsq_avx2_load_f16(const void *p) {
  const __m128i *h = (const __m128i *)p;
  __m256 lo = _mm256_cvtph_ps(_mm_loadu_si128(h));
  __m256 hi = _mm256_cvtph_ps(_mm_loadu_si128(h + 1));
  return __builtin_shufflevector(lo, hi, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

// acc[i] += a[2i] * b[2i] + a[2i+1] * b[2i+1], over int16 pairs.
VDSQ_INLINE vdsq_i32x8 vdsq_avx2_madd(vdsq_i32x8 acc, vdsq_i32x8 a, vdsq_i32x8 b) {
  return (vdsq_i32x8)_mm256_add_epi32((__m256i)acc, _mm256_madd_epi16((__m256i)a, (__m256i)b));
}
// The bytes 0 and 2 of every lane, sign-extended to int16.
VDSQ_INLINE vdsq_i32x8 vdsq_avx2_even_i8(vdsq_i32x8 a) {
  return (vdsq_i32x8)_mm256_srai_epi16(_mm256_slli_epi16((__m256i)a, 8), 8);
}
// The bytes 1 and 3 of every lane, sign-extended to int16.
VDSQ_INLINE vdsq_i32x8 vdsq_avx2_odd_i8(vdsq_i32x8 a) {
  return (vdsq_i32x8)_mm256_srai_epi16((__m256i)a, 8);
}
VDSQ_INLINE vdsq_i32x8 vdsq_avx2_load(const void *p) {
  return (vdsq_i32x8)_mm256_loadu_si256((const __m256i *)p);
}
VDSQ_INLINE vdsq_i32x8 vdsq_avx2_splat(uint32_t a) { return (vdsq_i32x8)_mm256_set1_epi32((int)a); }
VDSQ_INLINE vdsq_i32x16 vdsq_avx2_join(vdsq_i32x8 lo, vdsq_i32x8 hi) {
  return __builtin_shufflevector(lo, hi, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
#endif

#endif
