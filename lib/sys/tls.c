/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sys/tls.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/log.h"
#include "sys/spawn.h"

enum { MAGIC = 0x6d746c31 };	/* changes with the form of the record */

void
tls_record_init(struct tls_record *r, enum tls_status status)
{
	memset(r, 0, sizeof(*r));
	r->magic = MAGIC;
	r->status = (int32_t)status;
}

int
tls_start(char *const argv[], int fd_in, int fd_out)
{
	struct spawn s = {
		.fd_program = -1,
		.argv = argv,
		.fd = { fd_in, fd_out, -1, -1 },
		.fd_cwd = -1,
		.uid = (uid_t)-1,
		.extra = (gid_t)-1
	};
	int pair[2], error;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return -1;
	s.fd[3] = pair[1];
	pid = spawn(&s);
	error = errno;
	(void)close(pair[1]);
	if (pid >= 0)
		return pair[0];
	(void)close(pair[0]);
	errno = error;
	return -1;
}

static bool
read_before(int fd, int64_t end, char *buf, size_t len)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t left;
	ssize_t n;

	while (len > 0) {
		left = end - clock_monotonic();
		if (left <= 0 || (poll(&p, 1, (int)left * 1000) < 0 &&
		    errno != EINTR))
			return false;
		n = recv(fd, buf, len, MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			return false;
		if (n > 0) {
			buf += n;
			len -= (size_t)n;
		}
	}
	return true;
}

/* It has read what a stranger sent: only the form of it is believed. */
static void
settle(char *s, size_t size)
{
	s[size - 1] = '\0';
	log_clean(s);
}

bool
tls_next(int fd, int seconds, struct tls_record *r)
{
	if (!read_before(fd, clock_monotonic() + seconds, (char *)r,
	    sizeof(*r)) || r->magic != MAGIC ||
	    r->exporter_len > TLS_BINDING || r->unique_len > TLS_BINDING)
		return false;
	settle(r->protocol, sizeof(r->protocol));
	settle(r->cipher, sizeof(r->cipher));
	settle(r->group, sizeof(r->group));
	settle(r->signature, sizeof(r->signature));
	settle(r->name, sizeof(r->name));
	settle(r->error, sizeof(r->error));
	return true;
}

bool
tls_take(int fd)
{
	bool done = dup2(fd, 0) == 0 && dup2(fd, 1) == 1;

	(void)close(fd);
	return done;
}
