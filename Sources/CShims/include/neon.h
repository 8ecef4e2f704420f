// aarch64 NEON with the dot product extension. Four 128-bit registers make a sixteen-lane vector.
#ifndef VDSQ_NEON_H
#define VDSQ_NEON_H

#include "vectors.h"

#if defined(__aarch64__) && defined(__ARM_FEATURE_DOTPROD)
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
// acc[i] += sum over j < 4 of s8 a[4i+j] * s8 b[4i+j].
VDSQ_INLINE vdsq_i32x4 vdsq_neon_sdot(vdsq_i32x4 acc, vdsq_i32x4 a, vdsq_i32x4 b) {
  return (vdsq_i32x4)vdotq_s32((int32x4_t)acc, (int8x16_t)a, (int8x16_t)b);
}
VDSQ_INLINE vdsq_i32x4 vdsq_neon_load(const void *p) {
  return (vdsq_i32x4)vld1q_s32((const int32_t *)p);
}
VDSQ_INLINE vdsq_i32x4 vdsq_neon_splat(uint32_t a) {
  return (vdsq_i32x4)vdupq_n_s32((int32_t)a);
}
#endif

#endif
