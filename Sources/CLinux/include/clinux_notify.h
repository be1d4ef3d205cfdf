// Calls for change notification that Swift's Glibc module lacks: one call each, no logic.
//
// Every function returns what the call of the same name returns: -1 with `errno` set on failure.
#ifndef CLINUX_NOTIFY_H
#define CLINUX_NOTIFY_H

#include <stdint.h>

/// f_type and the eight bytes of f_fsid, as fstatfs(2) tells them.
int clinux_fstatfs_identity(int fd, int64_t *type, uint64_t *identity);

/// unshare(2) of the calling thread, with CLONE_* flags.
int clinux_unshare(int flags);

#endif
