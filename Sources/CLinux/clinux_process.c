#include "clinux_process.h"

#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/wait.h>
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

int clinux_signalfd(const void *signals) {
  return signalfd(-1, (const sigset_t *)signals, SFD_CLOEXEC);
}

int clinux_spawn_chdir(void *actions, const char *path) {
  return posix_spawn_file_actions_addchdir_np(actions, path);
}

int clinux_become_user_thread(unsigned uid) {
  return (int)syscall(SYS_setresuid, uid, uid, uid);
}

int clinux_become_group_thread(unsigned gid) {
  return (int)syscall(SYS_setresgid, gid, gid, gid);
}

int clinux_exit_status(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : -1; }

int clinux_exit_signal(int status) { return WIFSIGNALED(status) ? WTERMSIG(status) : 0; }
