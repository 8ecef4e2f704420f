// Where the message of a thread's last error is. Swift has no thread-local variables.
#ifndef VDSQ_MESSAGE_H
#define VDSQ_MESSAGE_H

#define VDSQ_MESSAGE_CAPACITY 4096

char *vdsq_message_of_thread(void);

#endif
