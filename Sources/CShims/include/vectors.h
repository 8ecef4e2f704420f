// Sixteen-lane vectors and operations on them that the compiler lowers well on every target.
#ifndef VDSQ_VECTORS_H
#define VDSQ_VECTORS_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__AVX2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

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

#if defined(__aarch64__) && __has_builtin(__builtin_elementwise_maximum)
// One instruction per register. NaN in either argument is the result.
VDSQ_INLINE vdsq_f32x16 vdsq_max(vdsq_f32x16 a, vdsq_f32x16 b) {
  return __builtin_elementwise_maximum(a, b);
}
VDSQ_INLINE vdsq_f32x16 vdsq_min(vdsq_f32x16 a, vdsq_f32x16 b) {
  return __builtin_elementwise_minimum(a, b);
}
#elif defined(__aarch64__)
// The same instructions for compilers before Clang 21.
#define VDSQ_QUARTERS(operation, a, b)                                       \
  vdsq_f32x16 r;                                                             \
  r.lo.lo = operation((float32x4_t)(a).lo.lo, (float32x4_t)(b).lo.lo);       \
  r.lo.hi = operation((float32x4_t)(a).lo.hi, (float32x4_t)(b).lo.hi);       \
  r.hi.lo = operation((float32x4_t)(a).hi.lo, (float32x4_t)(b).hi.lo);       \
  r.hi.hi = operation((float32x4_t)(a).hi.hi, (float32x4_t)(b).hi.hi);       \
  return r
VDSQ_INLINE vdsq_f32x16 vdsq_max(vdsq_f32x16 a, vdsq_f32x16 b) { VDSQ_QUARTERS(vmaxq_f32, a, b); }
VDSQ_INLINE vdsq_f32x16 vdsq_min(vdsq_f32x16 a, vdsq_f32x16 b) { VDSQ_QUARTERS(vminq_f32, a, b); }
#undef VDSQ_QUARTERS
#else
VDSQ_INLINE vdsq_f32x16 vdsq_max(vdsq_f32x16 a, vdsq_f32x16 b) { return a > b ? a : b; }
VDSQ_INLINE vdsq_f32x16 vdsq_min(vdsq_f32x16 a, vdsq_f32x16 b) { return a < b ? a : b; }
#endif
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
// Converts to 0...255 with saturation.
VDSQ_INLINE vdsq_u8x16 vdsq_saturate_u8(vdsq_i32x16 a) {
#if defined(__aarch64__)
  int16x8_t low = vqmovn_high_s32(vqmovn_s32((int32x4_t)a.lo.lo), (int32x4_t)a.lo.hi);
  int16x8_t high = vqmovn_high_s32(vqmovn_s32((int32x4_t)a.hi.lo), (int32x4_t)a.hi.hi);
  return (vdsq_u8x16)vqmovun_high_s16(vqmovun_s16(low), high);
#else
  a = a < 0 ? 0 : a;
  a = a > 255 ? 255 : a;
  return __builtin_convertvector(a, vdsq_u8x16);
#endif
}
// The halves of 64 bytes, and the addition of their even and odd bytes to sixteen-bit sums.
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

// Swift's own comparisons of sixteen lanes compile to code that works lane by lane, through memory.

// `a` in the first `count` lanes, `fill` in the others.
VDSQ_INLINE vdsq_f32x16 vdsq_keep(vdsq_f32x16 a, int32_t count, float fill) {
  const vdsq_i32x16 lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return lane < count ? a : (vdsq_f32x16)fill;
}
// Whether a lane is at least the limit, or above it.
VDSQ_INLINE bool vdsq_any_at_least(vdsq_f32x16 a, float limit) {
  return __builtin_reduce_or(a >= limit) != 0;
}
VDSQ_INLINE bool vdsq_any_above(vdsq_f32x16 a, float limit) {
  return __builtin_reduce_or(a > limit) != 0;
}

// The largest and the smallest lane, by repeated halving.
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

// Ends a group of loads of sixteen vectors of 128 bits, so that they are issued together: in-order
// CPUs wait at the first use of a load.
VDSQ_INLINE void vdsq_loaded(void *vectors) {
#if defined(__aarch64__)
  float32x4_t *v = vectors;
  __asm__ volatile("" : "+w"(v[0]), "+w"(v[1]), "+w"(v[2]), "+w"(v[3]), "+w"(v[4]), "+w"(v[5]),
                        "+w"(v[6]), "+w"(v[7]));
  __asm__ volatile("" : "+w"(v[8]), "+w"(v[9]), "+w"(v[10]), "+w"(v[11]), "+w"(v[12]), "+w"(v[13]),
                        "+w"(v[14]), "+w"(v[15]));
#endif
}

// The transposed matrix of four rows.
VDSQ_INLINE void vdsq_transpose4(vdsq_f32x4 *a, vdsq_f32x4 *b, vdsq_f32x4 *c, vdsq_f32x4 *d) {
  vdsq_f32x4 low = __builtin_shufflevector(*a, *c, 0, 4, 1, 5);
  vdsq_f32x4 high = __builtin_shufflevector(*a, *c, 2, 6, 3, 7);
  vdsq_f32x4 low2 = __builtin_shufflevector(*b, *d, 0, 4, 1, 5);
  vdsq_f32x4 high2 = __builtin_shufflevector(*b, *d, 2, 6, 3, 7);
  *a = __builtin_shufflevector(low, low2, 0, 4, 1, 5);
  *b = __builtin_shufflevector(low, low2, 2, 6, 3, 7);
  *c = __builtin_shufflevector(high, high2, 0, 4, 1, 5);
  *d = __builtin_shufflevector(high, high2, 2, 6, 3, 7);
}

// Loads the first `count` lanes, 0...15, from unaligned memory, with `fill` in the others, and
// stores those lanes. Without mask instructions the functions are not inlined, to keep the
// surrounding code small.
#if defined(__AVX512F__)
VDSQ_INLINE void vdsq_load_part(const float *p, intptr_t count, float fill, void *v) {
  __mmask16 lanes = (__mmask16)((1u << count) - 1);
  *(vdsq_f32x16 *)v = (vdsq_f32x16)_mm512_mask_loadu_ps(_mm512_set1_ps(fill), lanes, p);
}
VDSQ_INLINE void vdsq_store_part(const void *v, intptr_t count, float *p) {
  _mm512_mask_storeu_ps(p, (__mmask16)((1u << count) - 1), (__m512)*(const vdsq_f32x16 *)v);
}
#elif defined(__AVX2__)
VDSQ_INLINE __m256i vdsq_lanes_below(intptr_t count) {
  return _mm256_cmpgt_epi32(
      _mm256_set1_epi32((int32_t)count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
VDSQ_INLINE void vdsq_load_part(const float *p, intptr_t count, float fill, void *v) {
  __m256i low = vdsq_lanes_below(count), high = vdsq_lanes_below(count - 8);
  __m256 others = _mm256_set1_ps(fill);
  __m256 *halves = v;
  halves[0] = _mm256_blendv_ps(others, _mm256_maskload_ps(p, low), (__m256)low);
  halves[1] = _mm256_blendv_ps(others, _mm256_maskload_ps(p + 8, high), (__m256)high);
}
VDSQ_INLINE void vdsq_store_part(const void *v, intptr_t count, float *p) {
  const __m256 *halves = v;
  _mm256_maskstore_ps(p, vdsq_lanes_below(count), halves[0]);
  _mm256_maskstore_ps(p + 8, vdsq_lanes_below(count - 8), halves[1]);
}
#else
static __attribute__((noinline, unused)) void vdsq_load_part(
    const float *p, intptr_t count, float fill, void *v) {
  *(vdsq_f32x16 *)v = fill;
  for (intptr_t i = 0; i < count; i++) ((float *)v)[i] = p[i];
}
static __attribute__((noinline, unused)) void vdsq_store_part(
    const void *v, intptr_t count, float *p) {
  for (intptr_t i = 0; i < count; i++) p[i] = ((const float *)v)[i];
}
#endif

// Prefetches the cache line at `p`, which need not be mapped.
VDSQ_INLINE void vdsq_prefetch(const void *p) { __builtin_prefetch(p, 0, 3); }
// The same for data that is needed later: into an outer cache.
VDSQ_INLINE void vdsq_prefetch_later(const void *p) { __builtin_prefetch(p, 0, 2); }

#endif
