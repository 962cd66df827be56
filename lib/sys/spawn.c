/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sys/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "sys/priv.h"

enum { NFD = 4 };

/* Moves fd out of the way of 0..3. */
static int
above(int fd)
{
	return fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 10) :
	    open("/dev/null", O_RDWR | O_CLOEXEC);
}

static _Noreturn void
child(const struct spawn *s)
{
	char *const none[] = { NULL };
	sigset_t all;
	int fd[NFD], i, program = s->fd_program;

	if (program >= 0 && (program = above(program)) < 0)
		_exit(EX_TEMPFAIL);
	for (i = 0; i < NFD; i++)
		if ((fd[i] = above(s->fd[i])) < 0)
			_exit(EX_TEMPFAIL);
	for (i = 0; i < NFD; i++)
		if (dup2(fd[i], i) != i)
			_exit(EX_TEMPFAIL);
	if (s->fd_cwd >= 0 && fchdir(s->fd_cwd) != 0)
		_exit(EX_TEMPFAIL);
	if (s->uid != (uid_t)-1 && priv_drop(s->uid, s->gid, s->extra) != 0)
		_exit(EX_TEMPFAIL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)signal(SIGXFSZ, SIG_DFL);
	(void)signal(SIGCHLD, SIG_DFL);
	(void)sigemptyset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	if (program >= 0)
		(void)fexecve(program, s->argv,
		    s->env != NULL ? s->env : none);
	else
		(void)execve(s->argv[0], s->argv,
		    s->env != NULL ? s->env : none);
	_exit(EX_OSFILE);
}

pid_t
spawn(const struct spawn *s)
{
	pid_t pid = fork();

	if (pid == 0)
		child(s);
	return pid;
}

int
spawn_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
