#include <sqlite3.h>

/* Variadic functions can't be called from Swift. */
static inline int dtm_sqlite_leave_log_at_close(sqlite3 *connection) {
  return sqlite3_db_config(connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)0);
}
