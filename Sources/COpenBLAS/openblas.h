// OpenBLAS, loaded late: no program links it, and its types are those of Debian's headers.
#include <dlfcn.h>
#include <lapack.h>
#include <openblas-pthread/cblas.h>
#include <stddef.h>

/// The routines that vdsq calls. LAPACK's take, behind their other arguments, the length of each
/// string, as Fortran's compilers pass it.
struct OpenBLAS {
  __typeof__(&openblas_set_num_threads) set_num_threads;
  __typeof__(&cblas_dsyrk) dsyrk;
  __typeof__(&cblas_dgemm) dgemm;
  __typeof__(&dpotrf_) dpotrf;
  __typeof__(&dpotri_) dpotri;
  __typeof__(&dsyevd_) dsyevd;
  __typeof__(&dgesdd_) dgesdd;
};

/// Finds the routines in a library that dlopen returned. A pointer's type and the name that is looked
/// up are made of the same word, so that they cannot differ.
///
/// Returns the name of a routine that the library does not have, or NULL where it has all.
static inline const char *openblas_find(void *library, struct OpenBLAS *found) {
#define FIND(member, name)                                                  \
  if (!(found->member = (__typeof__(&name))dlsym(library, #name))) return #name
  FIND(set_num_threads, openblas_set_num_threads);
  FIND(dsyrk, cblas_dsyrk);
  FIND(dgemm, cblas_dgemm);
  FIND(dpotrf, dpotrf_);
  FIND(dpotri, dpotri_);
  FIND(dsyevd, dsyevd_);
  FIND(dgesdd, dgesdd_);
#undef FIND
  return NULL;
}
