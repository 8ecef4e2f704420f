// Sixteen-lane vectors and the operations on them that every target lowers well by itself.
#ifndef VDSQ_VECTORS_H
#define VDSQ_VECTORS_H

#include <stdint.h>

#define VDSQ_INLINE static inline __attribute__((always_inline))

typedef float vdsq_f32x16 __attribute__((ext_vector_type(16)));
typedef int32_t vdsq_i32x16 __attribute__((ext_vector_type(16)));

VDSQ_INLINE vdsq_f32x16 vdsq_max(vdsq_f32x16 a, vdsq_f32x16 b) { return a > b ? a : b; }
VDSQ_INLINE vdsq_f32x16 vdsq_min(vdsq_f32x16 a, vdsq_f32x16 b) { return a < b ? a : b; }
VDSQ_INLINE vdsq_f32x16 vdsq_to_float(vdsq_i32x16 a) {
  return __builtin_convertvector(a, vdsq_f32x16);
}
VDSQ_INLINE vdsq_i32x16 vdsq_shift_left(vdsq_i32x16 a, int32_t bits) { return a << bits; }
VDSQ_INLINE vdsq_i32x16 vdsq_shift_right(vdsq_i32x16 a, int32_t bits) { return a >> bits; }
VDSQ_INLINE vdsq_f32x16 vdsq_sqrt(vdsq_f32x16 a) { return __builtin_elementwise_sqrt(a); }

// sums[i] += the four products of the signed bytes of w[i] with the unsigned bytes of a, in plain
// 32-bit arithmetic.
VDSQ_INLINE vdsq_i32x16 vdsq_baseline_dot(vdsq_i32x16 sums, uint32_t a, vdsq_i32x16 w) {
  for (int j = 0; j < 4; j++)
    sums += ((w << (24 - 8 * j)) >> 24) * (int32_t)((a >> (8 * j)) & 0xff);
  return sums;
}

#endif
