// aarch64 NEON. Four 128-bit registers make a sixteen-lane vector.
#ifndef VDSQ_NEON_H
#define VDSQ_NEON_H

#include "vectors.h"

#if defined(__aarch64__)
#include <arm_neon.h>

typedef int32_t vdsq_i32x4 __attribute__((ext_vector_type(4)));
typedef int16_t vdsq_i16x8 __attribute__((ext_vector_type(8)));

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
// Four bytes in every lane. The compiler must not know that the halves are equal, because it would
// split every operand that meets one of them: the value passes through `vdsq_neon_opaque` or
// `vdsq_neon_loaded`.
VDSQ_INLINE vdsq_i32x4 vdsq_neon_load_splat(const void *p) {
  return (vdsq_i32x4)vld1q_dup_s32((const int32_t *)p);
}
VDSQ_INLINE vdsq_i32x4 vdsq_neon_opaque(vdsq_i32x4 a) {
  __asm__("" : "+w"(a));
  return a;
}
// Ends a group of loads, so that they are issued together: in-order CPUs wait at the first use of
// a load.
VDSQ_INLINE void vdsq_neon_loaded(
    vdsq_i32x4 *a, vdsq_i32x4 *b, vdsq_i32x4 *c, vdsq_i32x4 *d) {
  __asm__ volatile("" : "+w"(*a), "+w"(*b), "+w"(*c), "+w"(*d));
}
// acc[i] += sum over j < 4 of s8 a[4i+j] * s8 b[4i+j], by widening multiplications. Exact if one
// side is in -127...127.
VDSQ_INLINE vdsq_i32x4 vdsq_neon_widening_dot(vdsq_i32x4 acc, vdsq_i32x4 a, vdsq_i32x4 b) {
  int16x8_t low = vmull_s8(vget_low_s8((int8x16_t)a), vget_low_s8((int8x16_t)b));
  int16x8_t high = vmull_high_s8((int8x16_t)a, (int8x16_t)b);
  return (vdsq_i32x4)vpadalq_s16((int32x4_t)acc, vpaddq_s16(low, high));
}
// Products of the low, or high, halves of a with b.
VDSQ_INLINE vdsq_i16x8 vdsq_neon_mul_low(vdsq_i32x4 a, vdsq_i32x4 b) {
  return (vdsq_i16x8)vmull_s8(vget_low_s8((int8x16_t)a), vget_low_s8((int8x16_t)b));
}
VDSQ_INLINE vdsq_i16x8 vdsq_neon_mul_high(vdsq_i32x4 a, vdsq_i32x4 b) {
  return (vdsq_i16x8)vmull_high_s8((int8x16_t)a, (int8x16_t)b);
}
// The same, added to sixteen-bit sums. Two products are exact if one side is in -127...127.
VDSQ_INLINE vdsq_i16x8 vdsq_neon_add_low(vdsq_i16x8 sums, vdsq_i32x4 a, vdsq_i32x4 b) {
  return (vdsq_i16x8)vmlal_s8(
      (int16x8_t)sums, vget_low_s8((int8x16_t)a), vget_low_s8((int8x16_t)b));
}
VDSQ_INLINE vdsq_i16x8 vdsq_neon_add_high(vdsq_i16x8 sums, vdsq_i32x4 a, vdsq_i32x4 b) {
  return (vdsq_i16x8)vmlal_high_s8((int16x8_t)sums, (int8x16_t)a, (int8x16_t)b);
}
// acc[i] += a[2i] + a[2i+1].
VDSQ_INLINE vdsq_i32x4 vdsq_neon_add_pairs_i16(vdsq_i32x4 acc, vdsq_i16x8 a) {
  return (vdsq_i32x4)vpadalq_s16((int32x4_t)acc, (int16x8_t)a);
}
// [a0+a1 a2+a3 b0+b1 b2+b3].
VDSQ_INLINE vdsq_i32x4 vdsq_neon_pairs(vdsq_i32x4 a, vdsq_i32x4 b) {
  return (vdsq_i32x4)vpaddq_s32((int32x4_t)a, (int32x4_t)b);
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
// The same with four bytes of `b` for all lanes.
#define VDSQ_NEON_SDOT_LANE(lane)                                                    \
  VDSQ_INLINE vdsq_i32x4 vdsq_neon_sdot_lane##lane(                                  \
      vdsq_i32x4 acc, vdsq_i32x4 a, vdsq_i32x4 b) {                                  \
    return (vdsq_i32x4)vdotq_laneq_s32(                                              \
        (int32x4_t)acc, (int8x16_t)a, (int8x16_t)b, lane);                           \
  }
VDSQ_NEON_SDOT_LANE(0)
VDSQ_NEON_SDOT_LANE(1)
VDSQ_NEON_SDOT_LANE(2)
VDSQ_NEON_SDOT_LANE(3)
#undef VDSQ_NEON_SDOT_LANE
#endif

#if defined(__ARM_FEATURE_MATMUL_INT8)
// acc[2r+c] += sum over j < 8 of s8 a[8r+j] * s8 b[8c+j], for r and c below 2.
VDSQ_INLINE vdsq_i32x4 vdsq_neon_smmla(vdsq_i32x4 acc, vdsq_i32x4 a, vdsq_i32x4 b) {
  return (vdsq_i32x4)vmmlaq_s32((int32x4_t)acc, (int8x16_t)a, (int8x16_t)b);
}
// [a0 b0 a1 b1] and [a2 b2 a3 b3].
VDSQ_INLINE vdsq_i32x4 vdsq_neon_zip_low(vdsq_i32x4 a, vdsq_i32x4 b) {
  return (vdsq_i32x4)vzip1q_s32((int32x4_t)a, (int32x4_t)b);
}
VDSQ_INLINE vdsq_i32x4 vdsq_neon_zip_high(vdsq_i32x4 a, vdsq_i32x4 b) {
  return (vdsq_i32x4)vzip2q_s32((int32x4_t)a, (int32x4_t)b);
}
// [a0 a1 b0 b1] and [a2 a3 b2 b3].
VDSQ_INLINE vdsq_i32x4 vdsq_neon_join_low(vdsq_i32x4 a, vdsq_i32x4 b) {
  return (vdsq_i32x4)vzip1q_s64((int64x2_t)a, (int64x2_t)b);
}
VDSQ_INLINE vdsq_i32x4 vdsq_neon_join_high(vdsq_i32x4 a, vdsq_i32x4 b) {
  return (vdsq_i32x4)vzip2q_s64((int64x2_t)a, (int64x2_t)b);
}
#endif
#endif

#endif
