// The only state of the C interface: the message of each thread's last error.
#include "message.h"

static _Thread_local char message[VDSQ_MESSAGE_CAPACITY];

char *vdsq_message_of_thread(void) { return message; }
