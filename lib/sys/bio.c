/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sys/bio.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "sys/clock.h"

void
bio_init(struct bio *b, int fd_in, int fd_out)
{
	/* Not the buffers: pages nobody touched cost nothing. */
	b->fd_in = fd_in;
	b->fd_out = fd_out;
	b->error = 0;
	b->eof = b->poll = false;
	b->timeout = 0;
	b->deadline = 0;
	b->pos = b->len = b->out_len = 0;
}

void
bio_timeout(struct bio *b, int seconds)
{
	struct timeval tv = { .tv_sec = seconds };

	b->timeout = seconds;
	/* On a socket the kernel keeps the time, which saves a poll(2) for
	 * each read. */
	b->poll = setsockopt(b->fd_in, SOL_SOCKET, SO_RCVTIMEO, &tv,
	    sizeof(tv)) != 0 || setsockopt(b->fd_out, SOL_SOCKET, SO_SNDTIMEO,
	    &tv, sizeof(tv)) != 0;
}

void
bio_deadline(struct bio *b, int seconds)
{
	b->deadline = seconds > 0 ? clock_monotonic() + seconds : 0;
}

/* Waits for fd where the kernel does not keep the time.  False: too late. */
static bool
wait_for(struct bio *b, int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };
	int64_t seconds = b->timeout, left = 0;
	int n;

	if (b->deadline > 0) {
		left = b->deadline - clock_monotonic();
		if (left <= 0) {
			b->error = ETIMEDOUT;
			return false;
		}
		if (left < seconds)
			seconds = left;
	}
	if (!b->poll || b->timeout <= 0)
		return true;
	do {
		n = poll(&p, 1, (int)seconds * 1000);
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		b->error = ETIMEDOUT;
	return n > 0;
}

static void
fail(struct bio *b)
{
	if (b->error == 0)
		b->error = errno == EAGAIN ? ETIMEDOUT : errno;
}

/* Writes it all; a failed stream swallows what comes. */
static void
write_all(struct bio *b, const char *buf, size_t len)
{
	ssize_t n;

	while (len > 0 && b->error == 0) {
		if (!wait_for(b, b->fd_out, POLLOUT))
			return;
		/* A pipe that is ready takes so much without waiting. */
		n = write(b->fd_out, buf, b->poll && len > PIPE_BUF ?
		    PIPE_BUF : len);
		if (n < 0 && errno != EINTR)
			fail(b);
		if (n > 0) {
			buf += n;
			len -= (size_t)n;
		}
	}
}

int
bio_flush(struct bio *b)
{
	size_t len = b->out_len;

	b->out_len = 0;
	write_all(b, b->out, len);
	errno = b->error;
	return b->error == 0 ? 0 : -1;
}

void
bio_put(struct bio *b, const void *buf, size_t len)
{
	const char *p = buf;
	size_t room = sizeof(b->out) - b->out_len;

	/* Full writes: a small one before a large one would be a packet of
	 * its own. */
	if (len >= room && b->out_len > 0) {
		memcpy(b->out + b->out_len, p, room);
		b->out_len += room;
		p += room;
		len -= room;
		(void)bio_flush(b);
	}
	if (len >= sizeof(b->out)) {
		write_all(b, p, len);
		return;
	}
	memcpy(b->out + b->out_len, p, len);
	b->out_len += len;
}

void
bio_puts(struct bio *b, const char *s)
{
	bio_put(b, s, strlen(s));
}

void
bio_vprintf(struct bio *b, const char *fmt, va_list ap)
{
	size_t room = sizeof(b->out) - b->out_len;
	va_list again;
	int n;

	/* Where it will be sent from: no copy, no page of stack. */
	va_copy(again, ap);
	n = vsnprintf(b->out + b->out_len, room, fmt, again);
	va_end(again);
	if (n > 0 && (size_t)n >= room) {
		(void)bio_flush(b);
		room = sizeof(b->out);
		n = vsnprintf(b->out, room, fmt, ap);
	}
	if (n > 0)
		b->out_len += (size_t)n < room ? (size_t)n : room - 1;
}

void
bio_printf(struct bio *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	bio_vprintf(b, fmt, ap);
	va_end(ap);
}

/* Reads more behind what is there.  Octets got; 0 at the end, -1 on error. */
static ssize_t
refill(struct bio *b)
{
	ssize_t n;

	if (b->pos > 0) {
		memmove(b->in, b->in + b->pos, b->len - b->pos);
		b->len -= b->pos;
		b->pos = 0;
	}
	if (b->eof)
		return 0;
	if (bio_flush(b) != 0)
		return -1;
	do {
		if (!wait_for(b, b->fd_in, POLLIN))
			return -1;
		n = read(b->fd_in, b->in + b->len, LIMIT_READ - b->len);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		fail(b);
	else if (n == 0)
		b->eof = true;
	else
		b->len += (size_t)n;
	return n;
}

/* Drops octets up to and with the next LF. */
static enum bio_line
skip_line(struct bio *b)
{
	ssize_t n = 1;
	char *nl;

	for (;;) {
		nl = memchr(b->in + b->pos, '\n', b->len - b->pos);
		if (nl != NULL) {
			b->pos = (size_t)(nl - b->in) + 1;
			return BIO_LONG;
		}
		b->pos = b->len;
		n = refill(b);
		if (n <= 0)
			return n == 0 ? BIO_EOF : BIO_ERROR;
	}
}

enum bio_line
bio_getline(struct bio *b, char **line, size_t *len, bool *crlf)
{
	size_t seen = 0;
	char *nl;
	ssize_t n;

	for (;;) {
		nl = memchr(b->in + b->pos + seen, '\n',
		    b->len - b->pos - seen);
		if (nl != NULL)
			break;
		seen = b->len - b->pos;
		if (seen >= LIMIT_COMMAND)
			return skip_line(b);
		n = refill(b);
		if (n <= 0)
			return n == 0 ? BIO_EOF : BIO_ERROR;
	}
	*line = b->in + b->pos;
	*len = (size_t)(nl - *line);
	b->pos += *len + 1;
	if (*len >= LIMIT_COMMAND)	/* with the LF one more */
		return BIO_LONG;
	*crlf = *len > 0 && nl[-1] == '\r';
	if (*crlf)
		--*len;
	(*line)[*len] = '\0';
	return BIO_LINE;
}

ssize_t
bio_peek(struct bio *b, const char **buf)
{
	ssize_t n = 1;

	if (b->pos == b->len)
		n = refill(b);
	*buf = b->in + b->pos;
	return n <= 0 ? n : (ssize_t)(b->len - b->pos);
}

void
bio_used(struct bio *b, size_t n)
{
	b->pos += n;
}
