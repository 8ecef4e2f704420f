// What a process is given when it starts, and what it takes away when it is ended. Defined in
// CShims.c, because there is one state for all modules.
#ifndef VDSQ_PROCESS_H
#define VDSQ_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

// The arguments that the system passed, the program's name among them. The C library hands them to
// constructors, so that /proc is not needed.
int vdsq_argument_count(void);
const char *vdsq_argument(int index);
// The length of an argument in bytes.
long vdsq_argument_length(int index);

// Opens those of the descriptors 0, 1 and 2 that are closed on /dev/null. Otherwise the next files
// that are opened would be taken for standard input and output.
void vdsq_open_standard_descriptors(void);

// From now on a signal that ends the process also removes the file. False if too many files are
// registered, or the path is too long.
bool vdsq_remove_on_signal(const char *path);
// The file is kept.
void vdsq_keep_on_signal(const char *path);

// From now on a fault in a mapped file that became shorter ends the process with one line on standard
// error, which names the program and the file, and with the exit code.
void vdsq_watch_maps(const char *program, int code);
// Names the file of a map for that line. Maps beyond the first sixteen have no name.
void vdsq_name_map(const void *start, int64_t length, const char *path);
// The map is about to be removed.
void vdsq_forget_map(const void *start);

#endif
