// libc calls that Swift cannot import (variadic functions, macros) or for which Embedded Swift has
// no module.
#ifndef VDSQ_LIBC_H
#define VDSQ_LIBC_H

// For dl_iterate_phdr.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

static inline int vdsq_errno(void) { return errno; }
// Not strerror, because it would link translations into a static program.
static inline const char *vdsq_error_text(int code) {
  const char *text = strerrordesc_np(code);
  return text ? text : "unknown error";
}

static inline int vdsq_open_for_reading(const char *path) { return open(path, O_RDONLY | O_CLOEXEC); }
// Opens a file that should be a regular one: does not wait for the writer of a pipe.
static inline int vdsq_open_regular(const char *path) {
  return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}
static inline void vdsq_close(int fd) { close(fd); }
// Whether everything that was written to the descriptor has been accepted.
static inline bool vdsq_close_written(int fd) { return close(fd) == 0; }
// The same of standard output and what the C library has buffered for it.
static inline bool vdsq_close_standard_output(void) {
  bool failed = ferror(stdout) != 0;
  return fclose(stdout) == 0 && !failed;
}

// The length of a regular file in bytes; -1 if fstat fails, -2 if it is not a regular file.
static inline int64_t vdsq_file_length(int fd) {
  struct stat s;
  if (fstat(fd, &s) != 0) return -1;
  return S_ISREG(s.st_mode) ? (int64_t)s.st_size : S_ISDIR(s.st_mode) ? -3 : -2;
}

typedef struct vdsq_file_stamp {
  uint64_t device, inode;
  int64_t length, seconds, nanoseconds;
} vdsq_file_stamp;

static inline bool vdsq_stamp_file(const char *path, vdsq_file_stamp *stamp) {
  struct stat s;
  if (stat(path, &s) != 0) return false;
  *stamp = (vdsq_file_stamp){
      .device = (uint64_t)s.st_dev,
      .inode = (uint64_t)s.st_ino,
      .length = (int64_t)s.st_size,
      .seconds = (int64_t)s.st_mtim.tv_sec,
      .nanoseconds = (int64_t)s.st_mtim.tv_nsec,
  };
  return true;
}

// Whether two descriptors are the same regular file.
static inline bool vdsq_is_same_file(int a, int b) {
  struct stat x, y;
  return fstat(a, &x) == 0 && fstat(b, &y) == 0 && S_ISREG(x.st_mode) && x.st_dev == y.st_dev &&
         x.st_ino == y.st_ino;
}

// Whether a path leads to the same regular file as a descriptor.
static inline bool vdsq_is_same_file_at(const char *path, int fd) {
  struct stat x, y;
  return stat(path, &x) == 0 && fstat(fd, &y) == 0 && S_ISREG(x.st_mode) && x.st_dev == y.st_dev &&
         x.st_ino == y.st_ino;
}

// Gives an open file the owner, the extended attributes (access control lists among them) and the
// mode of the file at a path, as far as the process is allowed to. Returns 0, or errno if the mode
// cannot be set.
static inline int vdsq_copy_attributes(const char *from, int to) {
  struct stat s, own;
  if (stat(from, &s) != 0) return errno;
  mode_t mode = s.st_mode & 07777;
  if (fchown(to, s.st_uid, s.st_gid) != 0 && fchown(to, (uid_t)-1, s.st_gid) != 0) {
    // What the file's group may do is not for the process's group.
    mode = (mode & ~070) | (mode & (mode << 3) & 070);
  }
  if (fstat(to, &own) == 0 && own.st_uid != s.st_uid) mode &= ~06000;
  char names[4096], value[65536];
  ssize_t length = listxattr(from, names, sizeof names);
  for (char *name = names; length > 0 && name < names + length; name += strlen(name) + 1) {
    ssize_t size = getxattr(from, name, value, sizeof value);
    if (size >= 0) fsetxattr(to, name, value, (size_t)size, 0);
  }
  return fchmod(to, mode) == 0 ? 0 : errno;
}

static inline const void *vdsq_map_file(int fd, int64_t length) {
  void *p = mmap(NULL, (size_t)length, PROT_READ, MAP_SHARED, fd, 0);
  return p == MAP_FAILED ? NULL : p;
}
// Zeroed pages that take no memory until they are touched.
static inline void *vdsq_map_memory(int64_t length) {
  void *p = mmap(NULL, (size_t)length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return p == MAP_FAILED ? NULL : p;
}
// A hint that the system may ignore.
static inline void vdsq_want_large_pages(void *p, int64_t length) {
  madvise(p, (size_t)length, MADV_HUGEPAGE);
}
static inline void vdsq_unmap(const void *p, int64_t length) { munmap((void *)p, (size_t)length); }

// Reads exactly the requested bytes, or returns false.
static inline bool vdsq_read_at(int fd, void *into, int64_t count, int64_t offset) {
  char *p = (char *)into;
  while (count > 0) {
    ssize_t n = pread(fd, p, (size_t)count, offset);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    p += n, count -= n, offset += n;
  }
  return true;
}
// Bytes read, 0 at the end, -1 on an error.
static inline int64_t vdsq_read(int fd, void *into, int64_t count) {
  ssize_t n;
  do n = read(fd, into, (size_t)count);
  while (n < 0 && errno == EINTR);
  return n;
}
// Whether a path names a regular file, or a link to one.
static inline bool vdsq_is_regular(const char *path) {
  struct stat s;
  return stat(path, &s) == 0 && S_ISREG(s.st_mode);
}

// A checksum (FNV-1a) of a file's contents, without memory of its own; 0 if it cannot be read.
static inline uint32_t vdsq_file_checksum(const char *path) {
  int fd = vdsq_open_regular(path);
  if (fd < 0) return 0;
  unsigned char bytes[4096];
  uint32_t sum = 2166136261u;
  int64_t n;
  while ((n = vdsq_read(fd, bytes, sizeof bytes)) > 0)
    for (int64_t i = 0; i < n; i++) sum = (sum ^ bytes[i]) * 16777619u;
  close(fd);
  return sum;
}
// Nanoseconds of a clock that only runs forwards.
static inline int64_t vdsq_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}
static inline bool vdsq_write_all(int fd, const void *from, int64_t count) {
  const char *p = (const char *)from;
  while (count > 0) {
    ssize_t n = write(fd, p, (size_t)count);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    p += n, count -= n;
  }
  return true;
}

static inline void vdsq_trim_memory(void) { malloc_trim(0); }

// Lets all threads share one heap. Otherwise each has one that keeps what it once needed.
static inline void vdsq_share_heap(void) { mallopt(M_ARENA_MAX, 1); }

// Releases pages of a file map from this process's memory. They come back when they are touched.
static inline void vdsq_release_pages(const void *p, int64_t length) {
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  uintptr_t start = (uintptr_t)p & ~(page - 1), end = (uintptr_t)p + (uintptr_t)length;
  madvise((void *)start, end - start, MADV_DONTNEED);
}

// Asks the system to read pages of a file map that will soon be touched.
static inline void vdsq_expect_pages(const void *p, int64_t length) {
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  uintptr_t start = (uintptr_t)p & ~(page - 1), end = (uintptr_t)p + (uintptr_t)length;
  madvise((void *)start, end - start, MADV_WILLNEED);
}

// Makes the whole pages of a range a map of its own. The advice has no other effect, because core
// dumps leave file maps out anyway.
static inline void vdsq_isolate_pages(const void *p, int64_t length) {
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  uintptr_t start = ((uintptr_t)p + page - 1) & ~(page - 1);
  uintptr_t end = ((uintptr_t)p + (uintptr_t)length) & ~(page - 1);
  if (end > start) madvise((void *)start, end - start, MADV_DONTDUMP);
}

// The number of bytes of a range that are resident in this process, or -1 if the system does not
// report it.
static inline int64_t vdsq_present_bytes(const void *p, int64_t length) {
  int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  int64_t page = sysconf(_SC_PAGESIZE), sum = 0;
  uint64_t entries[256];
  int64_t end = ((int64_t)(uintptr_t)p + length + page - 1) / page;
  for (int64_t i = (int64_t)(uintptr_t)p / page; i < end && sum >= 0; i += 256) {
    int64_t count = end - i < 256 ? end - i : 256;
    if (!vdsq_read_at(fd, entries, count * (int64_t)sizeof *entries, i * (int64_t)sizeof *entries)) sum = -1;
    for (int64_t k = 0; sum >= 0 && k < count; k++)
      if (entries[k] >> 63) sum += page;
  }
  close(fd);
  return sum;
}

static inline int vdsq_release_segments(struct dl_phdr_info *info, size_t size, void *piece) {
  (void)size;
  uintptr_t chunk = *(const uint32_t *)piece;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *p = &info->dlpi_phdr[i];
    if (p->p_type != PT_LOAD || (p->p_flags & PF_W)) continue;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t start = (info->dlpi_addr + p->p_vaddr) & ~(page - 1);
    uintptr_t end = info->dlpi_addr + p->p_vaddr + p->p_memsz;
    if (start == 0 || end <= start) continue;
    // When a page is touched, the kernel also maps its cached neighbours, but none beyond the end
    // of the map. A range with advice of its own is a map of its own. The advice has no other
    // effect, because core dumps leave file maps out anyway.
    for (uintptr_t at = start; at + 2 * chunk <= end; at += 2 * chunk) madvise((void *)at, chunk, MADV_DONTDUMP);
    madvise((void *)start, end - start, MADV_DONTNEED);
  }
  return 0;
}
// Releases the code and constants of the program and its libraries from this process's memory. What
// is used comes back in pieces of `piece` bytes, a multiple of the page size.
static inline void vdsq_release_code(uint32_t piece) {
  if (piece > 0) dl_iterate_phdr(vdsq_release_segments, &piece);
}

static inline const char *vdsq_environment(const char *name) { return getenv(name); }
static inline float vdsq_sqrtf(float x) { return sqrtf(x); }
static inline float vdsq_expf(float x) { return expf(x); }
static inline float vdsq_tanhf(float x) { return tanhf(x); }
static inline float vdsq_cosf(float x) { return cosf(x); }
static inline float vdsq_sinf(float x) { return sinf(x); }
static inline float vdsq_logf(float x) { return logf(x); }
static inline double vdsq_exp(double x) { return exp(x); }
static inline double vdsq_erf(double x) { return erf(x); }
static inline double vdsq_tanh(double x) { return tanh(x); }

#endif
