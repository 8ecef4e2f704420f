// The kernel tables of the per-ISA targets. Each is filled in by a function that the optimizer
// cannot inline across modules, so code for one instruction set never mixes with code for another.
#ifndef VDSQ_KERNELS_H
#define VDSQ_KERNELS_H

// `table` is an uninitialized VDSQKernels.KernelTable.
void vdsq_kernels_baseline(void *_Nonnull table);
void vdsq_kernels_avx2(void *_Nonnull table);
void vdsq_kernels_avx512(void *_Nonnull table);
void vdsq_kernels_dotprod(void *_Nonnull table);
void vdsq_kernels_i8mm(void *_Nonnull table);

#endif
