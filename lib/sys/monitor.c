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
monitor_start(struct monitor *m, uid_t uid, gid_t gid)
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
	if (priv_drop(uid, gid, (gid_t)-1) != 0)
		_exit(EX_NOPERM);
	sandbox_enter(-1);	/* it opens nothing any more */
	/* It will hold passwords: no other process of the same user looks. */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	return 0;
}

enum monitor_answer
monitor_ask(struct monitor *m, const struct monitor_request *r,
    const void *rest, size_t len)
{
	struct iovec iov[2] = {
		{ (void *)(uintptr_t)r, sizeof(*r) },
		{ (void *)(uintptr_t)rest, len }
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	char answer = MONITOR_LATER;
	ssize_t n;

	do {
		n = sendmsg(m->fd, &msg, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n != (ssize_t)(sizeof(*r) + len))
		return MONITOR_LATER;
	do {
		n = read(m->fd, &answer, 1);
	} while (n < 0 && errno == EINTR);
	return n == 1 && (answer == MONITOR_YES || answer == MONITOR_NO) ?
	    (enum monitor_answer)answer : MONITOR_LATER;
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

int
monitor_end(struct monitor *m)
{
	(void)close(m->fd);
	return spawn_wait(m->child);
}
