// Calls and constants that Swift's Glibc module lacks: one call each, no logic.
//
// Unless a comment says otherwise, every function returns what the call of the same name returns:
// -1 with `errno` set on failure.
#ifndef CLINUX_H
#define CLINUX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// --- Files -------------------------------------------------------------------------------------

/// What statx(2) tells, flattened. Times are seconds and nanoseconds since 1970.
struct clinux_stat {
  uint32_t mode;
  uint32_t links;
  uint32_t uid;
  uint32_t gid;
  uint64_t inode;
  uint64_t size;
  uint64_t blocks;      // of 512 bytes
  uint64_t attributes;  // STATX_ATTR_*
  uint64_t device;      // major << 32 | minor
  uint64_t mount;       // stx_mnt_id; 0 where the kernel does not tell
  uint32_t special_major;
  uint32_t special_minor;
  int64_t mtime_seconds;
  int64_t ctime_seconds;
  int64_t btime_seconds;
  uint32_t mtime_nanoseconds;
  uint32_t ctime_nanoseconds;
  uint32_t btime_nanoseconds;
  uint32_t mask;
};

int clinux_statx(int directory, const char *path, int flags, struct clinux_stat *result);
int clinux_open(const char *path, int flags, mode_t mode);
int clinux_openat(int directory, const char *path, int flags, mode_t mode);
/// openat2(2) with `resolve` as in struct open_how.
int clinux_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);
ssize_t clinux_getdents64(int fd, void *buffer, size_t length);
ssize_t clinux_copy_file_range(int from, int64_t *from_offset, int to, int64_t *to_offset, size_t length);
int clinux_clone(int to, int from);  // FICLONE
int clinux_clone_range(int to, int from, uint64_t from_offset, uint64_t length, uint64_t to_offset);
int clinux_renameat2(int from_directory, const char *from, int to_directory, const char *to, unsigned flags);
int clinux_syncfs(int fd);
int clinux_fallocate(int fd, int mode, int64_t offset, int64_t length);
int clinux_get_inode_flags(int fd, uint32_t *flags);  // FS_IOC_GETFLAGS
int clinux_set_inode_flags(int fd, uint32_t flags);   // FS_IOC_SETFLAGS
int clinux_mknodat(int directory, const char *path, mode_t mode, uint32_t major, uint32_t minor);
/// F_SETLEASE with F_RDLCK (read != 0) or F_UNLCK.
int clinux_set_lease(int fd, int read);
/// F_OFD_SETLK on the whole file; type is F_RDLCK, F_WRLCK or F_UNLCK.
int clinux_ofd_lock(int fd, int type);
/// F_OFD_SETLKW on the whole file.
int clinux_ofd_lock_wait(int fd, int type);
/// F_OFD_GETLK on the whole file: `type` is F_UNLCK when a lock of the asked type could be had.
int clinux_ofd_lock_query(int fd, int asked, int *type, pid_t *pid);
int clinux_get_descriptor_flags(int fd);  // F_GETFL
int clinux_set_descriptor_flags(int fd, int flags);  // F_SETFL
/// f_type and f_bsize of fstatfs(2), and its free and total bytes.
int clinux_fstatfs(int fd, int64_t *type, uint64_t *available, uint64_t *total, uint64_t *flags);
int clinux_memfd_create(const char *name, unsigned flags);

// --- Extended attributes (…at a descriptor, or a path that is not followed) ----------------------

ssize_t clinux_flistxattr(int fd, char *names, size_t length);
ssize_t clinux_fgetxattr(int fd, const char *name, void *value, size_t length);
int clinux_fsetxattr(int fd, const char *name, const void *value, size_t length, int flags);
int clinux_fremovexattr(int fd, const char *name);
ssize_t clinux_llistxattr(const char *path, char *names, size_t length);
ssize_t clinux_lgetxattr(const char *path, const char *name, void *value, size_t length);
int clinux_lsetxattr(const char *path, const char *name, const void *value, size_t length, int flags);

// --- Notification, waiting ----------------------------------------------------------------------

/// FIONREAD: bytes that can be read now, in *count.
int clinux_readable_bytes(int fd, int *count);
int clinux_eventfd(unsigned initial, int flags);
int clinux_signalfd_term(void);
int clinux_timerfd_create(int clock, int flags);
int clinux_timerfd_settime(int fd, int flags, int64_t seconds, int64_t nanoseconds);

// --- Sockets, identity --------------------------------------------------------------------------

int clinux_accept4(int fd, int flags);
int clinux_peer_credentials(int fd, pid_t *pid, uid_t *uid, gid_t *gid);
/// setfsuid(2), setfsgid(2): per thread; return the former id and never fail visibly.
uid_t clinux_setfsuid(uid_t uid);
gid_t clinux_setfsgid(gid_t gid);
/// setgroups(2) of the calling thread alone (the raw system call, not glibc's all-threads one).
int clinux_setgroups_thread(size_t count, const gid_t *groups);
int clinux_getgroups_thread(int count, gid_t *groups);
int clinux_getgrouplist(const char *user, gid_t group, gid_t *groups, int *count);
pid_t clinux_gettid(void);
int clinux_name_thread(const char *name);
int clinux_set_io_priority_idle(void);
ssize_t clinux_getrandom(void *buffer, size_t length);
int clinux_pidfd_open(pid_t pid);

// --- Constants ------------------------------------------------------------------------------------

extern const int CLINUX_MFD_CLOEXEC;
extern const int CLINUX_O_TMPFILE, CLINUX_O_PATH, CLINUX_O_NOATIME, CLINUX_O_DIRECTORY, CLINUX_O_NOFOLLOW,
    CLINUX_O_CLOEXEC, CLINUX_O_NONBLOCK;
extern const int CLINUX_AT_EMPTY_PATH, CLINUX_AT_SYMLINK_NOFOLLOW, CLINUX_AT_SYMLINK_FOLLOW, CLINUX_AT_FDCWD,
    CLINUX_AT_REMOVEDIR, CLINUX_AT_NO_AUTOMOUNT;
extern const uint64_t CLINUX_RESOLVE_BENEATH, CLINUX_RESOLVE_NO_SYMLINKS, CLINUX_RESOLVE_NO_MAGICLINKS,
    CLINUX_RESOLVE_NO_XDEV;
extern const int CLINUX_SEEK_DATA, CLINUX_SEEK_HOLE;
extern const unsigned CLINUX_RENAME_NOREPLACE, CLINUX_RENAME_EXCHANGE;
extern const int CLINUX_FALLOC_FL_KEEP_SIZE, CLINUX_FALLOC_FL_PUNCH_HOLE;
extern const int CLINUX_TFD_CLOEXEC, CLINUX_TFD_NONBLOCK, CLINUX_TFD_TIMER_ABSTIME;
extern const int CLINUX_TFD_TIMER_CANCEL_ON_SET;
extern const int CLINUX_EFD_CLOEXEC, CLINUX_EFD_NONBLOCK;
extern const int CLINUX_SOCK_CLOEXEC, CLINUX_SOCK_NONBLOCK;
extern const uint64_t CLINUX_STATX_ATTR_MOUNT_ROOT;
extern const unsigned CLINUX_STATX_MNT_ID;

#endif
