#include "clinux_notify.h"

#include <sched.h>
#include <string.h>
#include <sys/statfs.h>

int clinux_fstatfs_identity(int fd, int64_t *type, uint64_t *identity) {
  struct statfs s;
  int status = fstatfs(fd, &s);
  if (status != 0) return status;
  *type = s.f_type;
  _Static_assert(sizeof s.f_fsid == 8, "f_fsid is two words");
  memcpy(identity, &s.f_fsid, sizeof s.f_fsid);
  return 0;
}

int clinux_unshare(int flags) { return unshare(flags); }
