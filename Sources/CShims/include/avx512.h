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
VDSQ_INLINE vdsq_i32x16 vdsq_avx512_load(const void *p) {
  return (vdsq_i32x16)_mm512_loadu_si512(p);
}
VDSQ_INLINE vdsq_i32x16 vdsq_avx512_splat(uint32_t a) {
  return (vdsq_i32x16)_mm512_set1_epi32((int)a);
}
#endif

#endif
