// What reading files that others use needs of Linux: one call each, no logic (see clinux.h).
#ifndef CLINUX_CAPTURE_H
#define CLINUX_CAPTURE_H

#include <stdint.h>

/// F_GETLEASE: the lease that the file has through this descriptor, F_UNLCK while it is being broken.
int clinux_get_lease(int fd);
/// cachestat(2), from Linux 6.5 on: pages of a range that are in the page cache, in *pages.
int clinux_cached_pages(int fd, uint64_t offset, uint64_t length, uint64_t *pages);

#endif
