// The few functions that keep a state. Everything else is in the headers.
#include "CShims.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>

static int argument_count;
static char **arguments;

__attribute__((constructor)) static void keep_arguments(int count, char **texts) {
  argument_count = count;
  arguments = texts;
}

int vdsq_argument_count(void) { return argument_count; }
const char *vdsq_argument(int index) { return arguments[index]; }
long vdsq_argument_length(int index) { return (long)strlen(arguments[index]); }

void vdsq_open_standard_descriptors(void) {
  for (int fd = 0; fd <= 2; fd++) {
    if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest closed descriptor is the one that is given out. Without /dev/null, as in a bare
    // chroot, a folder takes its place: reading from it and writing to it fail.
    if (open("/dev/null", O_RDWR) < 0) open("/", O_RDONLY);
  }
}

#define REMOVED_FILES 8
static struct {
  int used;
  char path[PATH_MAX];
} removed_files[REMOVED_FILES];
static const int ending_signals[] = {SIGHUP, SIGINT, SIGPIPE, SIGTERM};

static void unlink_files(void) {
  for (int i = 0; i < REMOVED_FILES; i++)
    if (__atomic_load_n(&removed_files[i].used, __ATOMIC_ACQUIRE) == 1) unlink(removed_files[i].path);
}

static void remove_files(int number) {
  unlink_files();
  // The handler was reset, so the signal ends the process when this function returns.
  raise(number);
}

bool vdsq_remove_on_signal(const char *path) {
  size_t length = strlen(path);
  if (length >= PATH_MAX) return false;
  for (int i = 0; i < REMOVED_FILES; i++) {
    int unused = 0;
    // 2: reserved, and not to be removed yet.
    if (!__atomic_compare_exchange_n(&removed_files[i].used, &unused, 2, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED))
      continue;
    memcpy(removed_files[i].path, path, length + 1);
    __atomic_store_n(&removed_files[i].used, 1, __ATOMIC_RELEASE);
    for (size_t k = 0; k < sizeof ending_signals / sizeof *ending_signals; k++) {
      // Signals that are ignored stay so, and a program's own handlers too.
      struct sigaction now, ours = {.sa_handler = remove_files, .sa_flags = SA_RESETHAND};
      sigemptyset(&ours.sa_mask);
      if (sigaction(ending_signals[k], NULL, &now) == 0 && now.sa_handler == SIG_DFL)
        sigaction(ending_signals[k], &ours, NULL);
    }
    return true;
  }
  return false;
}

void vdsq_keep_on_signal(const char *path) {
  for (int i = 0; i < REMOVED_FILES; i++)
    if (__atomic_load_n(&removed_files[i].used, __ATOMIC_ACQUIRE) == 1 &&
        strcmp(removed_files[i].path, path) == 0)
      __atomic_store_n(&removed_files[i].used, 0, __ATOMIC_RELEASE);
}

#define NAMED_MAPS 16
static struct {
  // 0: free, 1: in use, 2: reserved.
  int used;
  const char *start;
  int64_t length;
  char *path;
} named_maps[NAMED_MAPS];
static char watching_program[16];
static int watching_code;

void vdsq_name_map(const void *start, int64_t length, const char *path) {
  for (int i = 0; i < NAMED_MAPS; i++) {
    int unused = 0;
    if (!__atomic_compare_exchange_n(&named_maps[i].used, &unused, 2, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED))
      continue;
    named_maps[i].start = start;
    named_maps[i].length = length;
    named_maps[i].path = strdup(path);
    __atomic_store_n(&named_maps[i].used, named_maps[i].path ? 1 : 0, __ATOMIC_RELEASE);
    return;
  }
}

void vdsq_forget_map(const void *start) {
  for (int i = 0; i < NAMED_MAPS; i++) {
    if (__atomic_load_n(&named_maps[i].used, __ATOMIC_ACQUIRE) != 1 || named_maps[i].start != start)
      continue;
    free(named_maps[i].path);
    __atomic_store_n(&named_maps[i].used, 0, __ATOMIC_RELEASE);
  }
}

// Only calls what is safe in a handler of signals (signal-safety(7)).
static void end_by_shorter_file(int number, siginfo_t *fault, void *context) {
  (void)context;
  static int told;
  const char *address = fault->si_addr;
  for (int i = 0; i < NAMED_MAPS; i++) {
    if (__atomic_load_n(&named_maps[i].used, __ATOMIC_ACQUIRE) != 1) continue;
    if (address < named_maps[i].start || address >= named_maps[i].start + named_maps[i].length)
      continue;
    // Several threads may fault at once.
    if (__atomic_exchange_n(&told, 1, __ATOMIC_ACQ_REL)) pause();
    char line[PATH_MAX + 128];
    size_t length = 0;
    const char *parts[] = {watching_program, ": ", named_maps[i].path,
                           ": the file became shorter while it was in use\n"};
    for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
      size_t part = strlen(parts[k]);
      if (length + part > sizeof line) continue;
      memcpy(line + length, parts[k], part);
      length += part;
    }
    if (write(2, line, length) < 0) {
      // There is no way to report that standard error cannot be written to.
    }
    unlink_files();
    _exit(watching_code);
  }
  // Of another map: the fault comes again, and has its usual effect.
  signal(number, SIG_DFL);
}

void vdsq_watch_maps(const char *program, int code) {
  strncpy(watching_program, program, sizeof watching_program - 1);
  watching_code = code;
  struct sigaction ours = {.sa_sigaction = end_by_shorter_file, .sa_flags = SA_SIGINFO};
  sigemptyset(&ours.sa_mask);
  sigaction(SIGBUS, &ours, NULL);
}

static volatile sig_atomic_t stop_signal, reloads;
// Wakes the reader of the input. A signal may arrive in any thread, and between a check of the
// flags and the wait for input; a descriptor stays readable.
static int wake = -1;

static void notify(void) {
  int code = errno;
  uint64_t one = 1;
  if (write(wake, &one, sizeof one) < 0) {
    // The counter is full, so that the reader is awake.
  }
  errno = code;
}

static void stop(int signal) {
  stop_signal = signal;
  notify();
}

static void reload(int signal) {
  (void)signal;
  reloads = (reloads + 1) & 0x3FFFFFFF;
}

static void watch(int signal, void (*handler)(int), int flags) {
  struct sigaction old, new = {.sa_handler = handler, .sa_flags = SA_RESTART | flags};
  if (sigaction(signal, NULL, &old) != 0 || old.sa_handler == SIG_IGN) return;
  sigaction(signal, &new, NULL);
}

void vdsq_watch_signals(bool files) {
  if (wake < 0) wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake < 0) return;
  watch(SIGTERM, stop, SA_RESETHAND);
  watch(SIGINT, stop, SA_RESETHAND);
  watch(SIGHUP, files ? reload : stop, files ? 0 : SA_RESETHAND);
  // The parent process may have blocked them, as thread pools do.
  sigset_t watched;
  sigemptyset(&watched);
  sigaddset(&watched, SIGTERM);
  sigaddset(&watched, SIGINT);
  sigaddset(&watched, SIGHUP);
  pthread_sigmask(SIG_UNBLOCK, &watched, NULL);
}

int vdsq_stop_signal(void) { return stop_signal; }
int vdsq_reload_count(void) { return reloads; }

void vdsq_end_by_signal(int number) {
  signal(number, SIG_DFL);
  raise(number);
}

int64_t vdsq_read_input(int fd, void *into, int64_t count) {
  for (;;) {
    if (stop_signal) return 0;
    struct pollfd both[2] = {{.fd = fd, .events = POLLIN}, {.fd = wake, .events = POLLIN}};
    // Without signals to watch, the second entry is negative, which poll ignores.
    if (poll(both, 2, -1) < 0 && errno != EINTR && errno != EAGAIN) return -1;
    if (stop_signal) return 0;
    if (!both[0].revents) continue;
    ssize_t n = read(fd, into, (size_t)count);
    if (n >= 0 || (errno != EINTR && errno != EAGAIN)) return n;
  }
}
