/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sys/monitor.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sysexits.h>
#include <unistd.h>

#include "sys/priv.h"
#include "sys/sandbox.h"
#include "sys/spawn.h"

int
monitor_fork(struct monitor *m)
{
	int fd[2];

	/* Packets: a record comes whole or not at all. */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) != 0)
		return -1;
	/* There are no threads and no handlers to be told, and what fork(3)
	 * writes for them would cost two pages for each idle client. */
	m->child = _Fork();
	if (m->child != 0) {
		(void)close(fd[1]);
		m->fd = fd[0];
		if (m->child < 0)
			(void)close(fd[0]);
		return m->child < 0 ? -1 : 0;
	}
	(void)close(fd[0]);
	m->fd = fd[1];
	return 0;
}

int
monitor_start(struct monitor *m, uid_t uid, gid_t gid)
{
	if (monitor_fork(m) != 0)
		return -1;
	if (m->child != 0)
		return 0;
	if (priv_drop(uid, gid, (gid_t)-1) != 0)
		_exit(EX_NOPERM);
	sandbox_enter(-1);	/* it opens nothing any more */
	/* It will hold passwords: no other process of the same user looks. */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	return 0;
}

static bool
send_question(struct monitor *m, const struct monitor_request *r,
    const void *rest, size_t len)
{
	struct iovec iov[2] = {
		{ (void *)(uintptr_t)r, sizeof(*r) },
		{ (void *)(uintptr_t)rest, len }
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t n;

	do {
		n = sendmsg(m->fd, &msg, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n == (ssize_t)(sizeof(*r) + len);
}

enum monitor_answer
monitor_ask(struct monitor *m, const struct monitor_request *r,
    const void *rest, size_t len)
{
	char answer = MONITOR_LATER;
	ssize_t n;

	if (!send_question(m, r, rest, len))
		return MONITOR_LATER;
	do {
		n = read(m->fd, &answer, 1);
	} while (n < 0 && errno == EINTR);
	return n == 1 && (answer == MONITOR_YES || answer == MONITOR_NO) ?
	    (enum monitor_answer)answer : MONITOR_LATER;
}

/* One octet, and with it one descriptor. */
struct with_fd {
	char octet;
	struct iovec iov;
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	struct msghdr msg;
};

static struct cmsghdr *
with_fd(struct with_fd *w)
{
	memset(w, 0, sizeof(*w));
	w->iov = (struct iovec){ &w->octet, 1 };
	w->msg = (struct msghdr){ .msg_iov = &w->iov, .msg_iovlen = 1,
	    .msg_control = w->control,
	    .msg_controllen = sizeof(w->control) };
	return CMSG_FIRSTHDR(&w->msg);
}

enum monitor_answer
monitor_ask_fd(struct monitor *m, const struct monitor_request *r, int *fd)
{
	struct with_fd w;
	struct cmsghdr *c = with_fd(&w);
	ssize_t n;

	if (!send_question(m, r, NULL, 0))
		return MONITOR_LATER;
	do {
		n = recvmsg(m->fd, &w.msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n != 1 || w.octet != MONITOR_YES || CMSG_FIRSTHDR(&w.msg) == NULL ||
	    c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
	    c->cmsg_len != CMSG_LEN(sizeof(int)))
		return n == 1 && w.octet == MONITOR_NO ? MONITOR_NO :
		    MONITOR_LATER;
	memcpy(fd, CMSG_DATA(c), sizeof(*fd));
	return MONITOR_YES;
}

bool
monitor_next(struct monitor *m, struct monitor_request *r, void *rest,
    size_t size, size_t *len)
{
	struct iovec iov[2] = { { r, sizeof(*r) }, { rest, size } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t n;

	do {
		n = recvmsg(m->fd, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < (ssize_t)sizeof(*r) || (msg.msg_flags & MSG_TRUNC) != 0)
		return false;
	*len = (size_t)n - sizeof(*r);
	return memchr(r->user, '\0', sizeof(r->user)) != NULL &&
	    memchr(r->password, '\0', sizeof(r->password)) != NULL;
}

void
monitor_answer(struct monitor *m, enum monitor_answer a)
{
	char octet = (char)a;

	/* A child that is gone needs none. */
	(void)send(m->fd, &octet, 1, MSG_NOSIGNAL);
}

void
monitor_answer_fd(struct monitor *m, int fd)
{
	struct with_fd w;
	struct cmsghdr *c = with_fd(&w);

	w.octet = MONITOR_YES;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	(void)sendmsg(m->fd, &w.msg, MSG_NOSIGNAL);
}

int
monitor_end(struct monitor *m)
{
	(void)close(m->fd);
	return spawn_wait(m->child);
}
