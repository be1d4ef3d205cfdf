#include "clinux.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <sys/xattr.h>
#include <unistd.h>

_Static_assert(sizeof(struct clinux_stat) == 112, "clinux_stat is laid out without padding");
_Static_assert(sizeof(off_t) == 8, "64-bit file offsets");

int clinux_statx(int directory, const char *path, int flags, struct clinux_stat *result) {
  struct statx s;
  int status = statx(directory, path, flags, STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID, &s);
  if (status != 0) return status;
  *result = (struct clinux_stat){
      .mode = s.stx_mode,
      .links = s.stx_nlink,
      .uid = s.stx_uid,
      .gid = s.stx_gid,
      .inode = s.stx_ino,
      .size = s.stx_size,
      .blocks = s.stx_blocks,
      .attributes = s.stx_attributes,
      .device = (uint64_t)s.stx_dev_major << 32 | s.stx_dev_minor,
      .mount = s.stx_mask & STATX_MNT_ID ? s.stx_mnt_id : 0,
      .special_major = s.stx_rdev_major,
      .special_minor = s.stx_rdev_minor,
      .mtime_seconds = s.stx_mtime.tv_sec,
      .ctime_seconds = s.stx_ctime.tv_sec,
      .btime_seconds = s.stx_btime.tv_sec,
      .mtime_nanoseconds = s.stx_mtime.tv_nsec,
      .ctime_nanoseconds = s.stx_ctime.tv_nsec,
      .btime_nanoseconds = s.stx_btime.tv_nsec,
      .mask = s.stx_mask,
  };
  return 0;
}

int clinux_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }

int clinux_openat(int directory, const char *path, int flags, mode_t mode) {
  return openat(directory, path, flags, mode);
}

int clinux_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
  struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
  return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

ssize_t clinux_getdents64(int fd, void *buffer, size_t length) {
  return syscall(SYS_getdents64, fd, buffer, length);
}

ssize_t clinux_copy_file_range(int from, int64_t *from_offset, int to, int64_t *to_offset, size_t length) {
  return copy_file_range(from, from_offset, to, to_offset, length, 0);
}

int clinux_clone(int to, int from) { return ioctl(to, FICLONE, from); }

int clinux_clone_range(int to, int from, uint64_t from_offset, uint64_t length, uint64_t to_offset) {
  struct file_clone_range range = {
      .src_fd = from, .src_offset = from_offset, .src_length = length, .dest_offset = to_offset};
  return ioctl(to, FICLONERANGE, &range);
}

int clinux_renameat2(int from_directory, const char *from, int to_directory, const char *to, unsigned flags) {
  return renameat2(from_directory, from, to_directory, to, flags);
}

int clinux_syncfs(int fd) { return syncfs(fd); }

int clinux_fallocate(int fd, int mode, int64_t offset, int64_t length) {
  return fallocate(fd, mode, offset, length);
}

int clinux_get_inode_flags(int fd, uint32_t *flags) { return ioctl(fd, FS_IOC_GETFLAGS, flags); }

int clinux_set_inode_flags(int fd, uint32_t flags) { return ioctl(fd, FS_IOC_SETFLAGS, &flags); }

int clinux_mknodat(int directory, const char *path, mode_t mode, uint32_t major, uint32_t minor) {
  return mknodat(directory, path, mode, makedev(major, minor));
}

int clinux_set_lease(int fd, int read) { return fcntl(fd, F_SETLEASE, read ? F_RDLCK : F_UNLCK); }

int clinux_ofd_lock(int fd, int type) {
  struct flock lock = {.l_type = (short)type, .l_whence = SEEK_SET};
  return fcntl(fd, F_OFD_SETLK, &lock);
}

int clinux_ofd_lock_wait(int fd, int type) {
  struct flock lock = {.l_type = (short)type, .l_whence = SEEK_SET};
  return fcntl(fd, F_OFD_SETLKW, &lock);
}

int clinux_ofd_lock_query(int fd, int asked, int *type, pid_t *pid) {
  struct flock lock = {.l_type = (short)asked, .l_whence = SEEK_SET};
  int status = fcntl(fd, F_OFD_GETLK, &lock);
  *type = lock.l_type;
  *pid = lock.l_pid;
  return status;
}

int clinux_get_descriptor_flags(int fd) { return fcntl(fd, F_GETFL); }

int clinux_set_descriptor_flags(int fd, int flags) { return fcntl(fd, F_SETFL, flags); }

int clinux_fstatfs(int fd, int64_t *type, uint64_t *available, uint64_t *total, uint64_t *flags) {
  struct statfs s;
  int status = fstatfs(fd, &s);
  if (status != 0) return status;
  *type = s.f_type;
  *available = s.f_bavail * (uint64_t)s.f_bsize;
  *total = s.f_blocks * (uint64_t)s.f_bsize;
  *flags = (uint64_t)s.f_flags;
  return 0;
}

int clinux_memfd_create(const char *name, unsigned flags) { return memfd_create(name, flags); }

ssize_t clinux_flistxattr(int fd, char *names, size_t length) { return flistxattr(fd, names, length); }

ssize_t clinux_fgetxattr(int fd, const char *name, void *value, size_t length) {
  return fgetxattr(fd, name, value, length);
}

int clinux_fsetxattr(int fd, const char *name, const void *value, size_t length, int flags) {
  return fsetxattr(fd, name, value, length, flags);
}

int clinux_fremovexattr(int fd, const char *name) { return fremovexattr(fd, name); }

ssize_t clinux_llistxattr(const char *path, char *names, size_t length) {
  return llistxattr(path, names, length);
}

ssize_t clinux_lgetxattr(const char *path, const char *name, void *value, size_t length) {
  return lgetxattr(path, name, value, length);
}

int clinux_lsetxattr(const char *path, const char *name, const void *value, size_t length, int flags) {
  return lsetxattr(path, name, value, length, flags);
}

int clinux_readable_bytes(int fd, int *count) { return ioctl(fd, FIONREAD, count); }

int clinux_eventfd(unsigned initial, int flags) { return eventfd(initial, flags); }

int clinux_signalfd_term(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  return signalfd(-1, &set, SFD_CLOEXEC);
}

int clinux_timerfd_create(int clock, int flags) { return timerfd_create(clock, flags); }

int clinux_timerfd_settime(int fd, int flags, int64_t seconds, int64_t nanoseconds) {
  struct itimerspec spec = {.it_value = {.tv_sec = seconds, .tv_nsec = nanoseconds}};
  return timerfd_settime(fd, flags, &spec, NULL);
}

int clinux_accept4(int fd, int flags) { return accept4(fd, NULL, NULL, flags); }

int clinux_peer_credentials(int fd, pid_t *pid, uid_t *uid, gid_t *gid) {
  struct ucred credentials;
  socklen_t length = sizeof credentials;
  int status = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length);
  if (status != 0) return status;
  *pid = credentials.pid;
  *uid = credentials.uid;
  *gid = credentials.gid;
  return 0;
}

uid_t clinux_setfsuid(uid_t uid) { return (uid_t)setfsuid(uid); }

gid_t clinux_setfsgid(gid_t gid) { return (gid_t)setfsgid(gid); }

int clinux_setgroups_thread(size_t count, const gid_t *groups) {
  return (int)syscall(SYS_setgroups, count, groups);
}

int clinux_getgroups_thread(int count, gid_t *groups) {
  return (int)syscall(SYS_getgroups, count, groups);
}

int clinux_getgrouplist(const char *user, gid_t group, gid_t *groups, int *count) {
  return getgrouplist(user, group, groups, count);
}

pid_t clinux_gettid(void) { return gettid(); }

int clinux_name_thread(const char *name) { return pthread_setname_np(pthread_self(), name); }

int clinux_set_io_priority_idle(void) {
  return (int)syscall(SYS_ioprio_set, 1 /* IOPRIO_WHO_PROCESS */, 0, 3 << 13 /* IOPRIO_CLASS_IDLE */);
}

ssize_t clinux_getrandom(void *buffer, size_t length) { return getrandom(buffer, length, 0); }

int clinux_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

const int CLINUX_MFD_CLOEXEC = MFD_CLOEXEC;
const int CLINUX_O_TMPFILE = O_TMPFILE, CLINUX_O_PATH = O_PATH, CLINUX_O_NOATIME = O_NOATIME,
          CLINUX_O_DIRECTORY = O_DIRECTORY, CLINUX_O_NOFOLLOW = O_NOFOLLOW, CLINUX_O_CLOEXEC = O_CLOEXEC,
          CLINUX_O_NONBLOCK = O_NONBLOCK;
const int CLINUX_AT_EMPTY_PATH = AT_EMPTY_PATH, CLINUX_AT_SYMLINK_NOFOLLOW = AT_SYMLINK_NOFOLLOW,
          CLINUX_AT_SYMLINK_FOLLOW = AT_SYMLINK_FOLLOW, CLINUX_AT_FDCWD = AT_FDCWD,
          CLINUX_AT_REMOVEDIR = AT_REMOVEDIR, CLINUX_AT_NO_AUTOMOUNT = AT_NO_AUTOMOUNT;
const uint64_t CLINUX_RESOLVE_BENEATH = RESOLVE_BENEATH, CLINUX_RESOLVE_NO_SYMLINKS = RESOLVE_NO_SYMLINKS,
               CLINUX_RESOLVE_NO_MAGICLINKS = RESOLVE_NO_MAGICLINKS, CLINUX_RESOLVE_NO_XDEV = RESOLVE_NO_XDEV;
const int CLINUX_SEEK_DATA = SEEK_DATA, CLINUX_SEEK_HOLE = SEEK_HOLE;
const unsigned CLINUX_RENAME_NOREPLACE = RENAME_NOREPLACE, CLINUX_RENAME_EXCHANGE = RENAME_EXCHANGE;
const int CLINUX_FALLOC_FL_KEEP_SIZE = FALLOC_FL_KEEP_SIZE, CLINUX_FALLOC_FL_PUNCH_HOLE = FALLOC_FL_PUNCH_HOLE;
const int CLINUX_TFD_CLOEXEC = TFD_CLOEXEC, CLINUX_TFD_NONBLOCK = TFD_NONBLOCK;
const int CLINUX_TFD_TIMER_ABSTIME = TFD_TIMER_ABSTIME;
const int CLINUX_TFD_TIMER_CANCEL_ON_SET = TFD_TIMER_CANCEL_ON_SET;
const int CLINUX_EFD_CLOEXEC = EFD_CLOEXEC, CLINUX_EFD_NONBLOCK = EFD_NONBLOCK;
const int CLINUX_SOCK_CLOEXEC = SOCK_CLOEXEC, CLINUX_SOCK_NONBLOCK = SOCK_NONBLOCK;
const uint64_t CLINUX_STATX_ATTR_MOUNT_ROOT = 0x2000;
const unsigned CLINUX_STATX_MNT_ID = STATX_MNT_ID;
