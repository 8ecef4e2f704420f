// Signals that end or reload a stream of texts. The state is in CShims.c: one for the program.
#ifndef VDSQ_SIGNALS_H
#define VDSQ_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>

// From now on SIGTERM and SIGINT ask for the end of the input, and SIGHUP for reading files again,
// or for the end too if `reloads` is false. A signal that is ignored stays ignored, and a second
// SIGTERM or SIGINT has its usual effect.
void vdsq_watch_signals(bool reloads);
// The signal that asked for the end; 0 if none did.
int vdsq_stop_signal(void);
// The number of requests to read files again so far.
int vdsq_reload_count(void);
// Ends the process by a signal's usual effect, so that the parent process sees what ended it.
void vdsq_end_by_signal(int signal);

// Reads like read(2), but returns 0 if a signal asks for the end, also while it waits for input.
int64_t vdsq_read_input(int fd, void *into, int64_t count);

#endif
