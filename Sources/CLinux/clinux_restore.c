#include "clinux_restore.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

int clinux_setxattr(const char *path, const char *name, const void *value, size_t length, int flags) {
  return setxattr(path, name, value, length, flags);
}

ssize_t clinux_listxattr(const char *path, char *names, size_t length) {
  return listxattr(path, names, length);
}

ssize_t clinux_getxattr(const char *path, const char *name, void *value, size_t length) {
  return getxattr(path, name, value, length);
}

int clinux_removexattr(const char *path, const char *name) { return removexattr(path, name); }

int clinux_set_modified(int fd, int64_t seconds, int64_t nanoseconds) {
  struct timespec times[2] = {
      {.tv_sec = 0, .tv_nsec = UTIME_OMIT}, {.tv_sec = seconds, .tv_nsec = nanoseconds}};
  return utimensat(fd, "", times, AT_EMPTY_PATH);
}

int clinux_start_writing(int fd) { return sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE); }

int clinux_set_owner(int fd, uid_t uid, gid_t gid) { return fchownat(fd, "", uid, gid, AT_EMPTY_PATH); }
