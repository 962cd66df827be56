/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The delivering half of the spool: claim a message, record, move, remove. */
#include "store/queue.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pure/num.h"
#include "sys/clock.h"
#include "sys/fsop.h"

static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
}

/* ",K=digits" at *s; moves behind it. */
static bool
take_number(const char **s, const char *key, uint64_t *out)
{
	size_t n = strlen(key), digits;

	if (strncmp(*s, key, n) != 0)
		return false;
	*s += n;
	digits = strspn(*s, "0123456789");
	if (!num_parse(*s, digits, INT64_MAX, out))
		return false;
	*s += digits;
	return true;
}

bool
queue_parse_name(const char *name, char id[static LIMIT_QUEUE_ID + 1],
    uint64_t *octets, uint64_t *crlf_octets)
{
	const char *p = name + LIMIT_QUEUE_ID;
	size_t i;

	for (i = 0; i < LIMIT_QUEUE_ID; i++)
		if (!is_hex(name[i]))
			return false;
	if (strlen(name) >= LIMIT_QUEUE_NAME ||
	    !take_number(&p, ",S=", octets) ||
	    !take_number(&p, ",W=", crlf_octets) || *p != '\0')
		return false;
	memcpy(id, name, LIMIT_QUEUE_ID);
	id[LIMIT_QUEUE_ID] = '\0';
	return true;
}

enum queue_claim
queue_set_aside(struct queue_message *m, struct why *why, const char *reason)
{
	(void)why_set(why, VERDICT_LATER, "4.3.0", "moved to corrupt: %s",
	    reason);
	if (queue_rename(m->queue, m->place, m->name, "corrupt") != 0)
		(void)why_errno(why, errno, "move damaged file to corrupt");
	queue_release(m);
	return QUEUE_CORRUPT;
}

static enum queue_claim
later(struct queue_message *m, struct why *why, const char *what)
{
	(void)why_errno(why, errno, what);
	queue_release(m);
	return QUEUE_LATER;
}

uint64_t
queue_id_us(const char *id)
{
	return num_hex(id, 13);
}

int
queue_read_envelope(struct queue_message *m)
{
	static char small[4096];
	size_t size = sizeof(small), whole = (size_t)m->octets;
	char *buf = small, *more;
	int found = 0, saved;
	ssize_t n;

	for (;;) {
		n = fsop_pread(m->fd, buf, size < whole ? size : whole, 0);
		if (n < 0)
			break;
		found = envelope_parse(&m->envelope, buf, (size_t)n);
		if (found != 0 || size >= whole || size >= LIMIT_ENVELOPE)
			break;
		size *= 4;
		more = realloc(buf != small ? buf : NULL, size);
		if (more == NULL) {
			n = -1;
			break;
		}
		buf = more;
	}
	saved = errno;
	if (buf != small)
		free(buf);
	errno = saved;
	if (n < 0 || (found < 0 && errno == ENOMEM))
		return -1;
	return found == 1;
}

static enum queue_claim
read_envelope(struct queue_message *m, struct why *why)
{
	switch (queue_read_envelope(m)) {
	case 1:
		return QUEUE_CLAIMED;
	case 0:
		return queue_set_aside(m, why, "no envelope at its start");
	default:
		return later(m, why, "read queue file");
	}
}

enum queue_claim
queue_lock(struct queue_message *m, struct queue *q, const char *place,
    const char *name, struct why *why)
{
	struct stat now;
	bool same;
	int dir;

	*m = (struct queue_message){ .queue = q, .fd = -1 };
	envelope_init(&m->envelope);
	if (!queue_parse_name(name, m->id, &m->octets, &m->crlf_octets))
		return QUEUE_BUSY;
	(void)snprintf(m->place, sizeof(m->place), "%s", place);
	(void)snprintf(m->name, sizeof(m->name), "%s", name);
	m->arrival = (int64_t)queue_id_us(m->id);
	m->fd = queue_open_file(q, place, name, O_RDWR, &m->st);
	if (m->fd < 0) {
		if (errno == ENOENT)
			return QUEUE_BUSY;
		/* A link; a FIFO or device; a directory; a socket. */
		if (errno == EMLINK || errno == ELOOP || errno == EISDIR ||
		    errno == ENXIO)
			return queue_set_aside(m, why, "not a file of its own");
		return later(m, why, "open queue file");
	}
	if (fsop_lock(m->fd) != 0) {
		if (errno != EWOULDBLOCK)
			return later(m, why, "lock queue file");
		queue_release(m);
		return QUEUE_BUSY;
	}
	/* Someone may have delivered or moved it before we had the lock. */
	dir = queue_place(q, place);
	same = dir >= 0 && fsop_is_same(dir, name, &m->st, &now);
	if (dir >= 0)
		(void)close(dir);
	if (!same) {
		queue_release(m);
		return QUEUE_BUSY;
	}
	m->st = now;
	return QUEUE_CLAIMED;
}

enum queue_claim
queue_claim(struct queue_message *m, struct queue *q, const char *place,
    const char *name, struct why *why)
{
	enum queue_claim claim = queue_lock(m, q, place, name, why);

	if (claim != QUEUE_CLAIMED)
		return claim;
	if ((uint64_t)m->st.st_size != m->octets)
		return queue_set_aside(m, why,
		    "its size is not the one in its name");
	return read_envelope(m, why);
}

void
queue_release(struct queue_message *m)
{
	if (m->fd >= 0)
		(void)close(m->fd);
	m->fd = -1;
	envelope_free(&m->envelope);
}

int
queue_reopen(const struct queue_message *m)
{
	struct stat st;
	int fd = queue_open_file(m->queue, m->place, m->name, O_RDONLY, &st);

	if (fd < 0 || (st.st_ino == m->st.st_ino && st.st_dev == m->st.st_dev))
		return fd;
	(void)close(fd);
	errno = ESTALE;
	return -1;
}

int
queue_give(struct queue_message *m, int dir, const char *name)
{
	int from = queue_place(m->queue, m->place), result, saved;

	if (from < 0)
		return -1;
	result = fsop_rename(from, m->name, dir, name);
	saved = errno;
	(void)close(from);
	errno = saved;
	return result;
}

int
queue_defer(struct queue_message *m, int64_t due)
{
	char place[sizeof(m->place)];
	int tries;

	due = (due + LIMIT_BUCKET - 1) / LIMIT_BUCKET * LIMIT_BUCKET;
	(void)snprintf(place, sizeof(place), "deferred/%" PRId64, due);
	/* Another runner may remove the empty bucket under our hands. */
	for (tries = 0; tries < 10; tries++) {
		if (queue_make_bucket(m->queue, place) == 0 &&
		    queue_move(m, place) == 0)
			return 0;
		if (errno != ENOENT)
			break;
	}
	return -1;
}

int
queue_move(struct queue_message *m, const char *place)
{
	if (strcmp(m->place, place) == 0)
		return 0;
	if (queue_rename(m->queue, m->place, m->name, place) != 0)
		return -1;
	(void)snprintf(m->place, sizeof(m->place), "%s", place);
	return 0;
}

int
queue_remove(struct queue_message *m)
{
	/* In this order: a state without its message is rubbish, a message
	 * without its state would be delivered again. */
	if (queue_unlink(m->queue, m->place, m->name) != 0 && errno != ENOENT)
		return -1;
	queue_forget(m);
	return 0;
}
