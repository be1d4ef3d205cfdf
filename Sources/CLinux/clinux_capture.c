#include "clinux_capture.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

// linux/mman.h has these from 6.5 on; the number is the same on all architectures.
#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif

struct cached_range {
  uint64_t offset, length;
};

struct cached_counts {
  uint64_t cache, dirty, writeback, evicted, recently_evicted;
};

int clinux_get_lease(int fd) { return fcntl(fd, F_GETLEASE); }

int clinux_cached_pages(int fd, uint64_t offset, uint64_t length, uint64_t *pages) {
  struct cached_range range = {.offset = offset, .length = length};
  struct cached_counts counts = {0};
  int status = (int)syscall(SYS_cachestat, fd, &range, &counts, 0);
  *pages = counts.cache;
  return status;
}
