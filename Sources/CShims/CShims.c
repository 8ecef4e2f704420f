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

static void remove_files(int number) {
  for (int i = 0; i < REMOVED_FILES; i++)
    if (__atomic_load_n(&removed_files[i].used, __ATOMIC_ACQUIRE) == 1) unlink(removed_files[i].path);
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
