/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Connecting.  A host that has addresses of both families may be dead on one
 * of them without a sign: when the first has not answered after a moment, the
 * other is tried beside it, and the first that answers has the mail.
 */
#include "relay.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "sys/clock.h"

enum { MOMENT = 2000000 };	/* microseconds */

struct attempt {
	int fd;		/* -1: not begun, or over */
	bool begun;
	int error;	/* what became of it */
};

static void
begin(struct attempt *a, const struct host *h)
{
	int on = 1;

	a->begun = true;
	a->fd = socket(h->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0);
	if (a->fd < 0) {
		a->error = errno;
		return;
	}
	if (h->any.sa_family != AF_UNIX)
		(void)setsockopt(a->fd, IPPROTO_TCP, TCP_NODELAY, &on,
		    sizeof(on));
	if (connect(a->fd, &h->any, h->len) == 0 || errno == EINPROGRESS)
		return;
	a->error = errno;
	(void)close(a->fd);
	a->fd = -1;
}

/* It is writable, or failed. */
static bool
check(struct attempt *a)
{
	socklen_t len = sizeof(a->error);

	if (getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &a->error, &len) != 0)
		a->error = errno;
	if (a->error == 0)
		return true;
	(void)close(a->fd);
	a->fd = -1;
	return false;
}

/* Waits until so many microseconds from 1970; which one is connected, or -1:
 * none yet. */
static int
wait_for(struct attempt a[static 2], int64_t until)
{
	struct pollfd p[2];
	int64_t left = until - clock_now_us();
	int i;

	for (i = 0; i < 2; i++)
		p[i] = (struct pollfd){ .fd = a[i].fd, .events = POLLOUT };
	if (left < 0)
		left = 0;
	if (poll(p, 2, (int)(left / 1000) + 1) <= 0)
		return -1;
	for (i = 0; i < 2; i++)
		if (p[i].revents != 0 && check(&a[i]))
			return i;
	return -1;
}

/* Tries one or two; the winner's number, or -1 and each one's error. */
static int
race(struct attempt a[static 2], const struct host *h, size_t n, int seconds)
{
	int64_t now = clock_now_us(), end = now + (int64_t)seconds * 1000000;
	int64_t second = n > 1 ? now + MOMENT : end;
	int won = -1;

	begin(&a[0], &h[0]);
	while (won < 0 && now < end) {
		if (n > 1 && !a[1].begun && (a[0].fd < 0 || now >= second))
			begin(&a[1], &h[1]);
		if (a[0].fd < 0 && a[1].fd < 0 && (n < 2 || a[1].begun))
			return -1;
		won = wait_for(a, n > 1 && !a[1].begun && second < end ?
		    second : end);
		now = clock_now_us();
	}
	return won;
}

int
connect_to(const struct job *j, const struct host *h, size_t n,
    size_t *which, struct why *why)
{
	struct attempt a[2] = { { .fd = -1 }, { .fd = -1 } };
	int won = race(a, h, n > 1 ? 2 : 1, j->value[SET_CONNECT_TIMEOUT]);
	int i, port;

	for (i = 0; i < 2; i++) {
		if (i == won || !a[i].begun)
			continue;
		if (a[i].fd >= 0)
			(void)close(a[i].fd);
		if (a[i].fd >= 0 && won >= 0)
			continue;	/* the other was faster */
		port = h[i].any.sa_family == AF_INET ? h[i].v4.sin_port :
		    h[i].v6.sin6_port;
		if (h[i].any.sa_family == AF_UNIX)
			(void)why_set(why, VERDICT_LATER, "4.4.1",
			    "connect to %s[%s]: %s", h[i].name, h[i].addr,
			    strerror(a[i].error));
		else
			(void)why_set(why, VERDICT_LATER, "4.4.1",
			    "connect to %s[%s]:%u: %s", h[i].name, h[i].addr,
			    ntohs((uint16_t)port), strerror(a[i].error != 0 ?
			    a[i].error : ETIMEDOUT));
		job_note("%s", why->text);
	}
	if (won < 0)
		return -1;
	*which = (size_t)won;
	return a[won].fd;
}
