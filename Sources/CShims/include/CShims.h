// C glue: what Swift cannot import or express by itself. There are no kernels here.
#ifndef VDSQ_CSHIMS_H
#define VDSQ_CSHIMS_H

// Before the first header of the system, which would settle what the others declare.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "cpu.h"
#include "kernels.h"
#include "libc.h"
#include "process.h"
#include "signals.h"
#include "threads.h"
#include "vectors.h"

#include "sse2.h"

#include "avx2.h"
#include "avx512.h"
#include "neon.h"

#endif
