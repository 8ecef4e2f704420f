// aarch64 NEON. Four 128-bit registers make a sixteen-lane vector.
#ifndef VDSQ_NEON_H
#define VDSQ_NEON_H

#include "vectors.h"

#if defined(__aarch64__)
#include <arm_neon.h>

typedef int32_t vdsq_i32x4 __attribute__((ext_vector_type(4)));

VDSQ_INLINE vdsq_f32x16 vdsq_neon_fma(vdsq_f32x16 a, vdsq_f32x16 b, vdsq_f32x16 c) {
  return __builtin_elementwise_fma(a, b, c);
}
VDSQ_INLINE vdsq_f32x16 vdsq_neon_load_f16(const void *p) {
  typedef __fp16 half16 __attribute__((ext_vector_type(16)));
  half16 h;
  __builtin_memcpy(&h, p, sizeof h);
  return __builtin_convertvector(h, vdsq_f32x16);
}
VDSQ_INLINE vdsq_i32x4 vdsq_neon_load(const void *p) {
  return (vdsq_i32x4)vld1q_s32((const int32_t *)p);
}
VDSQ_INLINE vdsq_i32x4 vdsq_neon_splat(uint32_t a) {
  return (vdsq_i32x4)vdupq_n_s32((int32_t)a);
}
// acc[i] += sum over j < 4 of s8 a[4i+j] * s8 b[4i+j], by widening multiplications. Exact if one
// side is in -127...127.
VDSQ_INLINE vdsq_i32x4 vdsq_neon_widening_dot(vdsq_i32x4 acc, vdsq_i32x4 a, vdsq_i32x4 b) {
  int16x8_t low = vmull_s8(vget_low_s8((int8x16_t)a), vget_low_s8((int8x16_t)b));
  int16x8_t high = vmull_high_s8((int8x16_t)a, (int8x16_t)b);
  return (vdsq_i32x4)vaddq_s32(
      (int32x4_t)acc, vpaddq_s32(vpaddlq_s16(low), vpaddlq_s16(high)));
}
// Lane i is the sum of the i-th argument's lanes.
VDSQ_INLINE vdsq_i32x4 vdsq_neon_sums(vdsq_i32x4 a, vdsq_i32x4 b, vdsq_i32x4 c, vdsq_i32x4 d) {
  return (vdsq_i32x4)vpaddq_s32(vpaddq_s32((int32x4_t)a, (int32x4_t)b),
                                vpaddq_s32((int32x4_t)c, (int32x4_t)d));
}
// table[i] for each of sixteen bytes, which must be below 16.
VDSQ_INLINE vdsq_u8x16 vdsq_neon_lookup(const void *table, vdsq_u8x16 indices) {
  return (vdsq_u8x16)vqtbl1q_u8(vld1q_u8((const uint8_t *)table), (uint8x16_t)indices);
}

#if defined(__ARM_FEATURE_DOTPROD)
// acc[i] += sum over j < 4 of s8 a[4i+j] * s8 b[4i+j].
VDSQ_INLINE vdsq_i32x4 vdsq_neon_sdot(vdsq_i32x4 acc, vdsq_i32x4 a, vdsq_i32x4 b) {
  return (vdsq_i32x4)vdotq_s32((int32x4_t)acc, (int8x16_t)a, (int8x16_t)b);
}
#endif

#if defined(__ARM_FEATURE_MATMUL_INT8)
// acc[2r+c] += sum over j < 8 of u8 a[8r+j] * s8 b[8c+j], for r and c below 2.
VDSQ_INLINE vdsq_i32x4 vdsq_neon_usmmla(vdsq_i32x4 acc, vdsq_i32x4 a, vdsq_i32x4 b) {
  return (vdsq_i32x4)vusmmlaq_s32((int32x4_t)acc, (uint8x16_t)a, (int8x16_t)b);
}
// [a0 a1 | b0 b1] from eight bytes at `a` and eight at `b`.
VDSQ_INLINE vdsq_i32x4 vdsq_neon_load_pair(const void *a, const void *b) {
  return (vdsq_i32x4)vcombine_s32(vld1_s32((const int32_t *)a), vld1_s32((const int32_t *)b));
}
VDSQ_INLINE vdsq_i32x4 vdsq_neon_zip_low(vdsq_i32x4 a, vdsq_i32x4 b) {
  return (vdsq_i32x4)vzip1q_s32((int32x4_t)a, (int32x4_t)b);
}
VDSQ_INLINE vdsq_i32x4 vdsq_neon_zip_high(vdsq_i32x4 a, vdsq_i32x4 b) {
  return (vdsq_i32x4)vzip2q_s32((int32x4_t)a, (int32x4_t)b);
}
#endif
#endif

#endif
