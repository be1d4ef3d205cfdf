// Calls about this process, its terminal and its children; see clinux.h for the rules.
#ifndef CLINUX_PROCESS_H
#define CLINUX_PROCESS_H

// ioctl(2) TIOCGWINSZ: the terminal's columns and rows; 0 where it does not know.
int clinux_terminal_size(int descriptor, unsigned short *columns, unsigned short *rows);
// pipe2(2) with O_CLOEXEC.
int clinux_pipe(int descriptors[2]);
// malloc_trim(3): gives free heap memory back to the kernel; 1 where some was.
int clinux_trim_heap(void);
// adjtimex(2) without a change: the clock's state, TIME_ERROR (5) while nothing keeps it right.
int clinux_clock_state(void);
// signalfd(2) with SFD_CLOEXEC; signals: a sigset_t.
int clinux_signalfd(const void *signals);
// posix_spawn_file_actions_addchdir_np(3); actions: a posix_spawn_file_actions_t.
int clinux_spawn_chdir(void *actions, const char *path);
// setresuid(2), setresgid(2) of the calling thread alone, all three ids.
int clinux_become_user_thread(unsigned uid);
int clinux_become_group_thread(unsigned gid);
// The exit status that waitpid(2) tells, or -1 for a process that a signal ended.
int clinux_exit_status(int status);
// The signal that ended a process, or 0 for one that ended by itself or still lives.
int clinux_exit_signal(int status);

#endif
