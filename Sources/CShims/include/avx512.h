// AVX-512 F/BW/DQ/VL with VNNI. One 512-bit register is a sixteen-lane vector.
#ifndef VDSQ_AVX512_H
#define VDSQ_AVX512_H

#include "vectors.h"

#if defined(__AVX512F__) && defined(__AVX512VNNI__)
#include <immintrin.h>

VDSQ_INLINE vdsq_f32x16 vdsq_avx512_fma(vdsq_f32x16 a, vdsq_f32x16 b, vdsq_f32x16 c) {
  return (vdsq_f32x16)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}
VDSQ_INLINE vdsq_f32x16 vdsq_avx512_load_f16(const void *p) {
  return (vdsq_f32x16)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
}
// acc[i] += sum over j < 4 of u8 a[4i+j] * s8 b[4i+j].
VDSQ_INLINE vdsq_i32x16 vdsq_avx512_dpbusd(vdsq_i32x16 acc, vdsq_i32x16 a, vdsq_i32x16 b) {
  return (vdsq_i32x16)_mm512_dpbusd_epi32((__m512i)acc, (__m512i)a, (__m512i)b);
}
// acc[i] += a[2i] * b[2i] + a[2i+1] * b[2i+1], over int16 pairs.
VDSQ_INLINE vdsq_i32x16 vdsq_avx512_dpwssd(vdsq_i32x16 acc, vdsq_i32x16 a, vdsq_i32x16 b) {
  return (vdsq_i32x16)_mm512_dpwssd_epi32((__m512i)acc, (__m512i)a, (__m512i)b);
}
VDSQ_INLINE vdsq_i32x16 vdsq_avx512_load(const void *p) {
  return (vdsq_i32x16)_mm512_loadu_si512(p);
}
VDSQ_INLINE vdsq_i32x16 vdsq_avx512_splat(uint32_t a) {
  return (vdsq_i32x16)_mm512_set1_epi32((int)a);
}
// The bytes of `a` with 128 added to each: s8 to u8.
VDSQ_INLINE vdsq_i32x16 vdsq_avx512_add128(vdsq_i32x16 a) {
  return (vdsq_i32x16)_mm512_xor_si512((__m512i)a, _mm512_set1_epi8((char)0x80));
}
// [a0+a1, a2+a3, ... a14+a15, b0+b1, ... b14+b15].
VDSQ_INLINE vdsq_i32x16 vdsq_avx512_pairs(vdsq_i32x16 a, vdsq_i32x16 b) {
  return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30) +
         __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
}

// table[i % 16] for each of 64 bytes, which must be below 16.
VDSQ_INLINE vdsq_u8x64 vdsq_avx512_lookup(const void *table, vdsq_u8x64 indices) {
  __m512i t = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)table));
  return (vdsq_u8x64)_mm512_shuffle_epi8(t, (__m512i)indices);
}
#endif

#endif
