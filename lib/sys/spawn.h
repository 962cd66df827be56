/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Starting one of our programs: the only place that passes descriptors on. */
#ifndef SPAWN_H
#define SPAWN_H

#include <sys/types.h>

struct spawn {
	/* The program: an open descriptor (taken before privileges went, so
	 * that its path need not be open to the user), or -1 for argv[0]. */
	int fd_program;
	char *const *argv;
	char *const *env;	/* the whole environment; NULL: empty */
	int fd[4];		/* become 0, 1, 2, 3; -1: /dev/null */
	int fd_cwd;		/* directory to start in, or -1 */
	uid_t uid;		/* with gid and extra as for priv_drop; */
	gid_t gid;		/* (uid_t)-1: stay what we are */
	gid_t extra;
};

/* Returns the pid, or -1 with errno.  A child that cannot get its ids or
 * its program exits with EX_TEMPFAIL or EX_OSFILE before any of it runs. */
pid_t spawn(const struct spawn *);

/* Waits; returns the exit code, or -1 for a signal. */
int spawn_wait(pid_t);

#endif
