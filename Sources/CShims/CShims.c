// The few functions that keep a state. Everything else is in the headers.
#include "CShims.h"

#include <limits.h>
#include <signal.h>

static int argument_count;
static char **arguments;

__attribute__((constructor)) static void keep_arguments(int count, char **texts) {
  argument_count = count;
  arguments = texts;
}

int vdsq_argument_count(void) { return argument_count; }
const char *vdsq_argument(int index) { return arguments[index]; }

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
