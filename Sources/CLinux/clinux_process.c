#include "clinux_process.h"

#include <fcntl.h>
#include <malloc.h>
#include <sys/ioctl.h>
#include <sys/timex.h>
#include <unistd.h>

int clinux_terminal_size(int descriptor, unsigned short *columns, unsigned short *rows) {
  struct winsize size = {0};
  int status = ioctl(descriptor, TIOCGWINSZ, &size);
  *columns = size.ws_col;
  *rows = size.ws_row;
  return status;
}

int clinux_pipe(int descriptors[2]) { return pipe2(descriptors, O_CLOEXEC); }

int clinux_trim_heap(void) { return malloc_trim(0); }

int clinux_clock_state(void) {
  struct timex query = {0};
  return adjtimex(&query);
}
