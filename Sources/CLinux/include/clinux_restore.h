// What writing a folder back needs of Linux: one call each, no logic (see clinux.h).
#ifndef CLINUX_RESTORE_H
#define CLINUX_RESTORE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// listxattr(2), getxattr(2), setxattr(2), removexattr(2): a link in the last place is followed, as
/// that of /proc/self/fd is meant to be.
ssize_t clinux_listxattr(const char *path, char *names, size_t length);
ssize_t clinux_getxattr(const char *path, const char *name, void *value, size_t length);
int clinux_setxattr(const char *path, const char *name, const void *value, size_t length, int flags);
int clinux_removexattr(const char *path, const char *name);
/// utimensat(2) of an open descriptor, O_PATH ones too (AT_EMPTY_PATH); the access time stays.
int clinux_set_modified(int fd, int64_t seconds, int64_t nanoseconds);
/// fchownat(2) of an open descriptor, O_PATH ones too (AT_EMPTY_PATH).
int clinux_set_owner(int fd, uid_t uid, gid_t gid);
/// sync_file_range(2) of the whole file with SYNC_FILE_RANGE_WRITE.
int clinux_start_writing(int fd);

#endif
