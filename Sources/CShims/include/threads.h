// POSIX threads behind one small monitor, because Embedded Swift has no module for them.
#ifndef VDSQ_THREADS_H
#define VDSQ_THREADS_H

// For the affinity mask.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <unistd.h>

typedef struct vdsq_monitor {
  pthread_mutex_t mutex;
  pthread_cond_t work, done;
  // Barrier state: the number of threads that have arrived, and the number of completed barriers.
  int arrived, phase;
} vdsq_monitor;

static inline void vdsq_monitor_init(vdsq_monitor *m) {
  pthread_mutex_init(&m->mutex, NULL);
  pthread_cond_init(&m->work, NULL);
  pthread_cond_init(&m->done, NULL);
  m->arrived = m->phase = 0;
}
static inline void vdsq_monitor_destroy(vdsq_monitor *m) {
  pthread_cond_destroy(&m->done);
  pthread_cond_destroy(&m->work);
  pthread_mutex_destroy(&m->mutex);
}
static inline void vdsq_lock(vdsq_monitor *m) { pthread_mutex_lock(&m->mutex); }
static inline void vdsq_unlock(vdsq_monitor *m) { pthread_mutex_unlock(&m->mutex); }
static inline void vdsq_wait_for_work(vdsq_monitor *m) { pthread_cond_wait(&m->work, &m->mutex); }
static inline void vdsq_wait_until_done(vdsq_monitor *m) { pthread_cond_wait(&m->done, &m->mutex); }
static inline void vdsq_announce_work(vdsq_monitor *m) { pthread_cond_broadcast(&m->work); }
static inline void vdsq_announce_done(vdsq_monitor *m) { pthread_cond_broadcast(&m->done); }

static inline int vdsq_atomic_load(const int *p) { return __atomic_load_n(p, __ATOMIC_ACQUIRE); }
static inline void vdsq_atomic_store(int *p, int n) { __atomic_store_n(p, n, __ATOMIC_RELEASE); }
// Returns the sum.
static inline int vdsq_atomic_add(int *p, int n) {
  return __atomic_add_fetch(p, n, __ATOMIC_ACQ_REL);
}
// Tells the CPU that this thread is waiting for another.
static inline void vdsq_relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// A small stack (256 KiB) suffices, because kernels keep their scratch in the arena.
static inline bool vdsq_start_thread(unsigned long *thread, void *(*body)(void *), void *argument) {
  pthread_attr_t attributes;
  pthread_t t;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 256 * 1024);
  int failed = pthread_create(&t, &attributes, body, argument);
  pthread_attr_destroy(&attributes);
  *thread = (unsigned long)t;
  return failed == 0;
}
// The number of processors in the process's affinity mask.
static inline int vdsq_allowed_processors(void) {
  // The kernel refuses masks that are smaller than its own.
  for (int most = 1024; most <= 1 << 16; most *= 4) {
    cpu_set_t *set = CPU_ALLOC(most);
    if (!set) break;
    size_t size = CPU_ALLOC_SIZE(most);
    int count = sched_getaffinity(0, size, set) == 0 ? CPU_COUNT_S(size, set) : 0;
    bool isTooSmall = count == 0 && errno == EINVAL;
    CPU_FREE(set);
    if (count > 0) return count;
    if (!isTooSmall) break;
  }
  return (int)sysconf(_SC_NPROCESSORS_ONLN);
}
static inline void vdsq_join_thread(unsigned long thread) { pthread_join((pthread_t)thread, NULL); }

#endif
