// SSE2, the baseline of x86-64. Four 128-bit registers make a sixteen-lane vector.
#ifndef VDSQ_SSE2_H
#define VDSQ_SSE2_H

#include "vectors.h"

#if defined(__SSE2__)
#include <emmintrin.h>

typedef int32_t vdsq_i32x4 __attribute__((ext_vector_type(4)));

// acc[i] += a[2i] * b[2i] + a[2i+1] * b[2i+1], over int16 pairs.
VDSQ_INLINE vdsq_i32x4 vdsq_sse2_madd(vdsq_i32x4 acc, vdsq_i32x4 a, vdsq_i32x4 b) {
  return (vdsq_i32x4)_mm_add_epi32((__m128i)acc, _mm_madd_epi16((__m128i)a, (__m128i)b));
}
// Bytes 0 and 2 of every lane, sign-extended to int16.
VDSQ_INLINE vdsq_i32x4 vdsq_sse2_even_i8(vdsq_i32x4 a) {
  return (vdsq_i32x4)_mm_srai_epi16(_mm_slli_epi16((__m128i)a, 8), 8);
}
// Bytes 1 and 3 of every lane, sign-extended to int16.
VDSQ_INLINE vdsq_i32x4 vdsq_sse2_odd_i8(vdsq_i32x4 a) {
  return (vdsq_i32x4)_mm_srai_epi16((__m128i)a, 8);
}
VDSQ_INLINE vdsq_i32x4 vdsq_sse2_load(const void *p) {
  return (vdsq_i32x4)_mm_loadu_si128((const __m128i *)p);
}
VDSQ_INLINE vdsq_i32x4 vdsq_sse2_splat(uint32_t a) { return (vdsq_i32x4)_mm_set1_epi32((int)a); }
// Converts half to float by rebiasing the exponent. Infinities and NaNs keep theirs.
VDSQ_INLINE vdsq_f32x16 vdsq_sse2_load_f16(const void *p) {
  vdsq_u16x16 halves;
  __builtin_memcpy(&halves, p, sizeof halves);
  vdsq_i32x16 h = __builtin_convertvector(halves, vdsq_i32x16);
  vdsq_i32x16 magnitude = (h & 0x7fff) << 13, sign = (h & 0x8000) << 16;
  vdsq_i32x16 value = (vdsq_i32x16)((vdsq_f32x16)magnitude * 0x1p112f);
  return (vdsq_f32x16)((magnitude >= 0x0f800000 ? magnitude | 0x7f800000 : value) | sign);
}
#endif

#endif
