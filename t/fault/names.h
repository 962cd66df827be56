/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tracer calls the system calls: one name for those alike. */
#ifndef NAMES_H
#define NAMES_H

#include <sys/syscall.h>

static const struct {
	long number;
	const char *name;
} names[] = {
	{ SYS_openat, "open" }, { SYS_open, "open" }, { SYS_read, "read" },
	{ SYS_pread64, "read" }, { SYS_write, "write" },
	{ SYS_writev, "write" }, { SYS_pwrite64, "write" },
	{ SYS_fsync, "fsync" }, { SYS_fdatasync, "fsync" },
	{ SYS_rename, "rename" }, { SYS_renameat, "rename" },
	{ SYS_renameat2, "rename" }, { SYS_linkat, "link" },
	{ SYS_unlinkat, "unlink" }, { SYS_unlink, "unlink" },
	{ SYS_mkdirat, "mkdir" }, { SYS_mkdir, "mkdir" },
	{ SYS_flock, "flock" }, { SYS_fcntl, "fcntl" },
	{ SYS_fstat, "stat" }, { SYS_newfstatat, "stat" },
	{ SYS_stat, "stat" }, { SYS_getdents64, "getdents" },
	{ SYS_ftruncate, "truncate" }, { SYS_fchown, "chown" },
	{ SYS_fchownat, "chown" }, { SYS_lseek, "seek" },
	{ SYS_clone, "fork" }, { SYS_fork, "fork" }, { SYS_clone3, "fork" },
	{ SYS_execve, "exec" }, { SYS_execveat, "exec" },
	{ SYS_pipe2, "pipe" }, { SYS_poll, "poll" }, { SYS_ppoll, "poll" },
	{ SYS_fchdir, "chdir" }, { SYS_close, "close" },
	{ SYS_setresuid, "setuid" }, { SYS_setresgid, "setuid" },
	{ SYS_setuid, "setuid" }, { SYS_setgroups, "setuid" },
	{ SYS_dup2, "dup" }, { SYS_dup3, "dup" }, { SYS_brk, "brk" },
	{ SYS_mmap, "mmap" }, { SYS_sendto, "send" }, { SYS_socket, "socket" },
	{ SYS_wait4, "wait" }, { SYS_fstatfs, "statfs" },
	{ SYS_exit_group, "exit" }
};

#endif
