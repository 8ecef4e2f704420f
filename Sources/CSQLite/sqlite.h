// SQLite's interface for loadable extensions. Functions are reached through sqlite3_api_routines, which
// SQLite passes to an extension; nothing is linked.
#include <sqlite3ext.h>
