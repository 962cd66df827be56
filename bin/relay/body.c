/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The message as it is sent.  A CR that is stored in it becomes a blank, as
 * it does when mail is received: a receiver for whom it ends a line would see
 * other lines than we do, and perhaps an end.
 */
#include "relay.h"

#include <string.h>

#include "pure/stuff.h"
#include "sys/fsop.h"

enum { PIECE = 1 << 15 };

/* The next piece at offset, without CRs. */
static ssize_t
piece(const struct job *j, char buf[static PIECE], off_t offset)
{
	ssize_t n = fsop_pread(j->fd, buf, PIECE, offset);
	char *p = buf;

	while (n > 0 && (p = memchr(p, '\r', (size_t)(buf + n - p))) != NULL)
		*p = ' ';
	return n;
}

static bool
is_ascii(const char *s, size_t n)
{
	size_t i;
	unsigned char all = 0;

	for (i = 0; i < n; i++)
		all |= (unsigned char)s[i];
	return all < 0x80;
}

bool
body_measure(struct job *j)
{
	static char in[PIECE];
	off_t offset = j->offset;
	struct stuff s;
	ssize_t n;

	stuff_init(&s);
	j->size = 0;
	while ((n = piece(j, in, offset)) > 0) {
		j->size += stuff_count(&s, in, (size_t)n);
		j->eightbit = j->eightbit || !is_ascii(in, (size_t)n);
		offset += n;
	}
	j->size += stuff_count_end(&s);
	return n == 0;
}

bool
body_send(struct session *se, bool *read_error)
{
	static char in[PIECE], out[2 * PIECE];
	off_t offset = se->job->offset;
	char end[STUFF_END];
	struct stuff s;
	ssize_t n;

	stuff_init(&s);
	while ((n = piece(se->job, in, offset)) > 0) {
		bio_put(se->bio, out, stuff_feed(&s, in, (size_t)n, out));
		if (se->bio->error != 0)
			return false;
		offset += n;
	}
	*read_error = n < 0;
	if (n < 0)
		return false;
	/* Goes out with what the caller waits for. */
	bio_put(se->bio, end, stuff_end(&s, end));
	return se->bio->error == 0;
}
