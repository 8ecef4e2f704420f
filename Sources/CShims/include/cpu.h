// CPU features, read at run time.
#ifndef VDSQ_CPU_H
#define VDSQ_CPU_H

#include <stdbool.h>

#if defined(__x86_64__)
#include <cpuid.h>

// XCR0: the register files that the operating system saves. CPUID alone only reports what the CPU
// has.
static inline unsigned long long vdsq_xcr0(void) {
  unsigned eax, ebx, ecx, edx;
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & bit_OSXSAVE)) return 0;
  __asm__ volatile("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
  return ((unsigned long long)edx << 32) | eax;
}

static inline bool vdsq_cpu_has_avx2(void) {
  unsigned eax, ebx, ecx, edx;
  if ((vdsq_xcr0() & 0x6) != 0x6) return false;
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & bit_FMA) || !(ecx & bit_F16C)) return false;
  if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) return false;
  return (ebx & bit_AVX2) && (ebx & bit_BMI) && (ebx & bit_BMI2);
}

static inline bool vdsq_cpu_has_avx512_vnni(void) {
  unsigned eax, ebx, ecx, edx;
  if (!vdsq_cpu_has_avx2() || (vdsq_xcr0() & 0xe6) != 0xe6) return false;
  if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) return false;
  return (ebx & bit_AVX512F) && (ebx & bit_AVX512BW) && (ebx & bit_AVX512DQ) &&
         (ebx & bit_AVX512VL) && (ebx & bit_AVX512CD) && (ecx & bit_AVX512VNNI);
}

#elif defined(__aarch64__)
#include <sys/auxv.h>

static inline bool vdsq_cpu_has_dotprod(void) {
  return (getauxval(16 /* AT_HWCAP */) & (1UL << 20 /* HWCAP_ASIMDDP */)) != 0;
}
static inline bool vdsq_cpu_has_i8mm(void) {
  return vdsq_cpu_has_dotprod() &&
         (getauxval(26 /* AT_HWCAP2 */) & (1UL << 13 /* HWCAP2_I8MM */)) != 0;
}
#endif

#endif
