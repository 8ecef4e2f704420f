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
// Bytes 0 and 2 of every lane, sign-extended to int16.
VDSQ_INLINE vdsq_i32x8 vdsq_avx2_even_i8(vdsq_i32x8 a) {
  return (vdsq_i32x8)_mm256_srai_epi16(_mm256_slli_epi16((__m256i)a, 8), 8);
}
// Bytes 1 and 3 of every lane, sign-extended to int16.
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

// acc[i] += sum over j < 4 of a[4i+j] * b[4i+j]. Exact for a in -128...127 and b in -127...127:
// products of the magnitudes of a with b, signed like a, keep pairs below 2^15.
VDSQ_INLINE vdsq_i32x8 vdsq_avx2_dot_s8(vdsq_i32x8 acc, vdsq_i32x8 a, vdsq_i32x8 b) {
  __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8((__m256i)a),
                                       _mm256_sign_epi8((__m256i)b, (__m256i)a));
  return (vdsq_i32x8)_mm256_add_epi32((__m256i)acc,
                                      _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}
// Lane i is the sum of the i-th argument's lanes.
typedef int32_t vdsq_avx2_i32x4 __attribute__((ext_vector_type(4)));
VDSQ_INLINE vdsq_avx2_i32x4 vdsq_avx2_sums(vdsq_i32x8 a, vdsq_i32x8 b, vdsq_i32x8 c, vdsq_i32x8 d) {
  __m256i t = _mm256_hadd_epi32(_mm256_hadd_epi32((__m256i)a, (__m256i)b),
                                _mm256_hadd_epi32((__m256i)c, (__m256i)d));
  return (vdsq_avx2_i32x4)_mm_add_epi32(_mm256_castsi256_si128(t), _mm256_extracti128_si256(t, 1));
}

typedef uint8_t vdsq_u8x32 __attribute__((ext_vector_type(32)));
// table[i % 16] for each of 32 bytes, which must be below 16.
VDSQ_INLINE vdsq_u8x32 vdsq_avx2_lookup(const void *table, vdsq_u8x32 indices) {
  __m256i t = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table));
  return (vdsq_u8x32)_mm256_shuffle_epi8(t, (__m256i)indices);
}
#endif

#endif
