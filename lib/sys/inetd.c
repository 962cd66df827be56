/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sys/inetd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "sys/fsop.h"
#include "sys/peer.h"

enum { REFUSE_WAIT = 100 * 1000 };	/* ms */

/* The children of the listening form, and whom each serves. */
struct child {
	pid_t pid;
	int family;
	unsigned char raw[16];
};

struct acceptor {
	const struct inetd *svc;
	struct child *child;
	size_t nchild, cap;
};

/* systemd hands sockets over from 3 on; ours is the first. */
static void
take_listen_fd(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");

	if (pid == NULL || fds == NULL || strcmp(fds, "1") != 0 ||
	    strtol(pid, NULL, 10) != getpid())
		return;
	if (dup2(3, 0) == 0 && dup2(3, 1) == 1)
		(void)close(3);
}

enum inetd_form
inetd_form(void)
{
	int on = 0, type = 0;
	socklen_t len = sizeof(on);

	take_listen_fd();
	if (getsockopt(0, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) != 0)
		return INETD_SESSION;
	len = sizeof(type);
	if (on != 0)
		return INETD_LISTEN;
	if (getsockopt(0, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	    type == SOCK_DGRAM)
		return INETD_DATAGRAM;
	return INETD_SESSION;
}

static void
nothing(int sig)
{
	(void)sig;	/* it only interrupts ppoll(2) */
}

static void
reap(struct acceptor *a)
{
	pid_t pid;
	size_t i;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		for (i = 0; i < a->nchild; i++)
			if (a->child[i].pid == pid) {
				a->child[i] = a->child[--a->nchild];
				break;
			}
}

static bool
may_serve(const struct acceptor *a, const struct peer *p)
{
	const struct inetd *svc = a->svc;
	int same = 0;
	size_t i;

	if (*svc->max_children > 0 && a->nchild >= (size_t)*svc->max_children)
		return false;
	for (i = 0; i < a->nchild; i++)
		if (a->child[i].family == p->family &&
		    memcmp(a->child[i].raw, p->raw, sizeof(p->raw)) == 0)
			same++;
	return *svc->max_per_client <= 0 || same < *svc->max_per_client;
}

static void
remember(struct acceptor *a, pid_t pid, const struct peer *p)
{
	struct child *c = &a->child[a->nchild++];

	c->pid = pid;
	c->family = p->family;
	memcpy(c->raw, p->raw, sizeof(c->raw));
}

static bool
has_room(struct acceptor *a)
{
	size_t cap = a->cap > 0 ? a->cap * 2 : 64;
	struct child *more;

	if (a->nchild < a->cap)
		return true;
	more = realloc(a->child, cap * sizeof(*more));
	if (more == NULL)
		return false;
	a->child = more;
	a->cap = cap;
	return true;
}

/* The child: the connection becomes 0 and 1, everything else is gone. */
static _Noreturn void
serve(struct acceptor *a, int fd, const sigset_t *mask)
{
	(void)signal(SIGCHLD, SIG_DFL);
	(void)sigprocmask(SIG_SETMASK, mask, NULL);
	free(a->child);
	if (dup2(fd, 0) < 0 || dup2(fd, 1) < 0)
		_exit(EX_OSERR);
	(void)close(fd);
	_exit(a->svc->session(a->svc->ctx));
}

static void
accept_one(struct acceptor *a, const sigset_t *mask)
{
	const struct inetd *svc = a->svc;
	const char *answer = svc->busy;
	struct peer peer;
	pid_t pid = -1;
	int fd;

	if (answer == NULL)
		answer = "";
	fd = accept4(0, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return;		/* the client left, or we have no descriptor */
	if (peer_get(&peer, fd) != 0) {
		(void)close(fd);
		return;
	}
	if (!svc->refresh(svc->ctx))
		answer = svc->broken != NULL ? svc->broken : "";
	else if (may_serve(a, &peer) && has_room(a))
		pid = fork();
	if (pid == 0)
		serve(a, fd, mask);
	if (pid > 0)
		remember(a, pid, &peer);
	else
		(void)send(fd, answer, strlen(answer),
		    MSG_DONTWAIT | MSG_NOSIGNAL);
	(void)close(fd);
}

int
inetd_refuse(const char *line)
{
	struct pollfd p = { .fd = 0, .events = POLLIN };
	int fd;

	(void)signal(SIGPIPE, SIG_IGN);
	switch (inetd_form()) {
	case INETD_SESSION:
		(void)fsop_write(1, line, strlen(line));
		break;
	case INETD_LISTEN:
		/* Left in the queue, the connection would have us started
		 * again at once and for ever. */
		if (poll(&p, 1, REFUSE_WAIT) != 1)
			break;
		fd = accept4(0, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			break;
		(void)send(fd, line, strlen(line), MSG_DONTWAIT | MSG_NOSIGNAL);
		(void)close(fd);
		break;
	case INETD_DATAGRAM:
		break;
	}
	return EX_CONFIG;
}

static int
listen_form(const struct inetd *svc)
{
	struct acceptor a = { .svc = svc };
	struct sigaction sa = { .sa_handler = nothing };
	struct pollfd p = { .fd = 0, .events = POLLIN };
	struct timespec idle = { 0 };
	sigset_t chld, mask;
	int n;

	/* SIGCHLD comes only while we wait: no child is missed. */
	(void)sigemptyset(&chld);
	(void)sigaddset(&chld, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &chld, &mask);
	(void)sigaction(SIGCHLD, &sa, NULL);
	(void)fcntl(0, F_SETFD, FD_CLOEXEC);
	(void)fcntl(0, F_SETFL, fcntl(0, F_GETFL) | O_NONBLOCK);
	for (;;) {
		reap(&a);
		idle.tv_sec = *svc->max_idle;
		n = ppoll(&p, 1, &idle, &mask);
		if (n > 0)
			accept_one(&a, &mask);
		else if (n == 0 && a.nchild == 0)
			break;	/* the super-server listens again */
		else if (n < 0 && errno != EINTR)
			return EX_OSERR;
	}
	free(a.child);
	return EX_OK;
}

int
inetd_run(const struct inetd *svc)
{
	(void)signal(SIGPIPE, SIG_IGN);
	/* A limit on file sizes is an error like a full disk. */
	(void)signal(SIGXFSZ, SIG_IGN);
	/* Ignored by who started us, it would hide how our children end. */
	(void)signal(SIGCHLD, SIG_DFL);
	if (inetd_form() == INETD_LISTEN)
		return listen_form(svc);
	return svc->session(svc->ctx);
}
