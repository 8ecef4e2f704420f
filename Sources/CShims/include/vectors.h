// Sixteen-lane vectors and the operations on them that every target lowers well by itself.
#ifndef VDSQ_VECTORS_H
#define VDSQ_VECTORS_H

#include <stdint.h>

#define VDSQ_INLINE static inline __attribute__((always_inline))

typedef float vdsq_f32x16 __attribute__((ext_vector_type(16)));
typedef float vdsq_f32x8 __attribute__((ext_vector_type(8)));
typedef float vdsq_f32x4 __attribute__((ext_vector_type(4)));
typedef int32_t vdsq_i32x16 __attribute__((ext_vector_type(16)));
typedef int16_t vdsq_i16x16 __attribute__((ext_vector_type(16)));
typedef int8_t vdsq_i8x16 __attribute__((ext_vector_type(16)));
typedef uint8_t vdsq_u8x16 __attribute__((ext_vector_type(16)));
typedef uint8_t vdsq_u8x64 __attribute__((ext_vector_type(64)));
typedef uint16_t vdsq_u16x32 __attribute__((ext_vector_type(32)));
typedef uint16_t vdsq_u16x16 __attribute__((ext_vector_type(16)));

VDSQ_INLINE vdsq_f32x16 vdsq_max(vdsq_f32x16 a, vdsq_f32x16 b) { return a > b ? a : b; }
VDSQ_INLINE vdsq_f32x16 vdsq_min(vdsq_f32x16 a, vdsq_f32x16 b) { return a < b ? a : b; }
VDSQ_INLINE vdsq_f32x16 vdsq_to_float(vdsq_i32x16 a) {
  return __builtin_convertvector(a, vdsq_f32x16);
}
VDSQ_INLINE vdsq_i32x16 vdsq_widen_i8(vdsq_i8x16 a) {
  return __builtin_convertvector(a, vdsq_i32x16);
}
VDSQ_INLINE vdsq_i32x16 vdsq_widen_u16(vdsq_u16x16 a) {
  return __builtin_convertvector(a, vdsq_i32x16);
}
// The low sixteen bits of each lane.
VDSQ_INLINE vdsq_i16x16 vdsq_narrow_i16(vdsq_i32x16 a) {
  return __builtin_convertvector(a, vdsq_i16x16);
}
VDSQ_INLINE vdsq_i32x16 vdsq_max_i32(vdsq_i32x16 a, vdsq_i32x16 b) { return a > b ? a : b; }
VDSQ_INLINE int32_t vdsq_max_lane_i32(vdsq_i32x16 a) { return __builtin_reduce_max(a); }
VDSQ_INLINE vdsq_i32x16 vdsq_at_most(vdsq_i32x16 a, int32_t limit) {
  return a > limit ? (vdsq_i32x16)limit : a;
}
// To 0...255; what is beyond goes to the nearer end.
VDSQ_INLINE vdsq_u8x16 vdsq_saturate_u8(vdsq_i32x16 a) {
  a = a < 0 ? 0 : a;
  a = a > 255 ? 255 : a;
  return __builtin_convertvector(a, vdsq_u8x16);
}
// The halves of 64 bytes, and what they add to sixteen-bit sums: even bytes and odd ones.
VDSQ_INLINE vdsq_u8x64 vdsq_low_nibbles(vdsq_u8x64 a) { return a & 15; }
VDSQ_INLINE vdsq_u8x64 vdsq_high_nibbles(vdsq_u8x64 a) { return a >> 4; }
VDSQ_INLINE vdsq_u8x64 vdsq_add_u8(vdsq_u8x64 a, vdsq_u8x64 b) { return a + b; }
VDSQ_INLINE vdsq_u16x32 vdsq_add_even(vdsq_u16x32 sums, vdsq_u8x64 a) {
  return sums + ((vdsq_u16x32)a & 0xff);
}
VDSQ_INLINE vdsq_u16x32 vdsq_add_odd(vdsq_u16x32 sums, vdsq_u8x64 a) {
  return sums + ((vdsq_u16x32)a >> 8);
}
VDSQ_INLINE vdsq_i32x16 vdsq_shift_left(vdsq_i32x16 a, int32_t bits) { return a << bits; }
VDSQ_INLINE vdsq_i32x16 vdsq_shift_right(vdsq_i32x16 a, int32_t bits) { return a >> bits; }
VDSQ_INLINE vdsq_f32x16 vdsq_sqrt(vdsq_f32x16 a) { return __builtin_elementwise_sqrt(a); }

// The largest and the smallest lane, over halves of what is left.
VDSQ_INLINE float vdsq_max_lane(vdsq_f32x16 a) {
  vdsq_f32x8 b = a.lo > a.hi ? a.lo : a.hi;
  vdsq_f32x4 c = b.lo > b.hi ? b.lo : b.hi;
  vdsq_f32x4 d = c > c.zwxy ? c : c.zwxy;
  return d.x > d.y ? d.x : d.y;
}
VDSQ_INLINE float vdsq_min_lane(vdsq_f32x16 a) {
  vdsq_f32x8 b = a.lo < a.hi ? a.lo : a.hi;
  vdsq_f32x4 c = b.lo < b.hi ? b.lo : b.hi;
  vdsq_f32x4 d = c < c.zwxy ? c : c.zwxy;
  return d.x < d.y ? d.x : d.y;
}

// [a0 b0 a1 b1 ... a7 b7] and [a8 b8 ... a15 b15].
VDSQ_INLINE vdsq_f32x16 vdsq_zip_low(vdsq_f32x16 a, vdsq_f32x16 b) {
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
VDSQ_INLINE vdsq_f32x16 vdsq_zip_high(vdsq_f32x16 a, vdsq_f32x16 b) {
  return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

// Brings the cache line at `p`, which need not be mapped, nearer.
VDSQ_INLINE void vdsq_prefetch(const void *p) { __builtin_prefetch(p, 0, 3); }
// The same for what is wanted later: not as near.
VDSQ_INLINE void vdsq_prefetch_later(const void *p) { __builtin_prefetch(p, 0, 2); }

#endif
