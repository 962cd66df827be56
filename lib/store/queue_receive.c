/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The receiving half of the spool: from the first octet to the commit.
 *
 * The order of the commit is rename, fsync(file), fsync(directory): one
 * journal commit where fsync before rename costs two.  It is safe because an
 * unfinished file can never look whole: while we live it is locked, and if
 * the power fails in between, its size is not the one in its name
 * (malle-spool.5).
 */
#include "store/queue.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/fsop.h"

/* 13 hexadecimal digits of microseconds, so that ids sort by time, and 4 of
 * process and host: two processes in one microsecond differ.  Within one
 * process the clock is made to move. */
static void
next_id(char id[static LIMIT_QUEUE_ID + 1])
{
	static int64_t last;
	static unsigned host;
	int64_t now = clock_now_us();
	struct utsname u;
	const char *p;

	if (last == 0 && uname(&u) == 0)
		for (p = u.nodename; *p != '\0'; p++)
			host = host * 31 + (unsigned char)*p;
	if (now <= last)
		now = last + 1;
	last = now;
	(void)snprintf(id, LIMIT_QUEUE_ID + 1, "%013" PRIX64 "%04X",
	    (uint64_t)now & 0xfffffffffffff,
	    ((unsigned)getpid() + host) & 0xffff);
}

static void
tmp_path(const struct queue_file *f, char path[static LIMIT_QUEUE_NAME])
{
	(void)snprintf(path, LIMIT_QUEUE_NAME, "tmp/%s", f->id);
}

int
queue_create(struct queue_file *f, struct queue *q)
{
	char path[LIMIT_QUEUE_NAME];
	int tries;

	f->queue = q;
	f->octets = f->lines = 0;
	f->error = 0;
	f->len = 0;
	f->name[0] = '\0';
	for (tries = 0; tries < 100; tries++) {
		next_id(f->id);
		tmp_path(f, path);
		f->fd = openat(q->dir, path, O_RDWR | O_CREAT | O_EXCL |
		    O_NOFOLLOW | O_CLOEXEC, 0600);
		if (f->fd < 0 && errno == ENOENT && tries == 0 &&
		    queue_make_places(q) == 0)
			continue;
		if (f->fd >= 0 || errno != EEXIST)
			break;
	}
	if (f->fd < 0)
		return -1;
	if (fsop_lock(f->fd) == 0 && (geteuid() != 0 ||
	    fchown(f->fd, q->owner, q->group) == 0))
		return 0;
	f->error = errno;
	queue_abort(f);
	errno = f->error;
	return -1;
}

static void
flush(struct queue_file *f)
{
	if (f->error == 0 && f->len > 0 &&
	    fsop_write(f->fd, f->buf, f->len) != 0)
		f->error = errno;
	f->len = 0;
}

void
queue_write(struct queue_file *f, const void *buf, size_t len)
{
	const char *s = buf;
	size_t n;

	f->octets += len;
	f->lines += str_count_lf(s, len);
	while (len > 0) {
		n = sizeof(f->buf) - f->len;
		if (n > len)
			n = len;
		memcpy(f->buf + f->len, s, n);
		f->len += n;
		s += n;
		len -= n;
		if (f->len == sizeof(f->buf))
			flush(f);
	}
}

void
queue_abort(struct queue_file *f)
{
	char path[LIMIT_QUEUE_NAME];

	if (f->fd < 0)
		return;
	tmp_path(f, path);
	(void)unlinkat(f->queue->dir, path, 0);
	(void)close(f->fd);
	f->fd = -1;
}

static enum verdict
refuse(struct why *why, int error)
{
	if (error == ENOSPC || error == EDQUOT)
		return why_set(why, VERDICT_LATER, "4.3.1",
		    "Insufficient system storage");
	return why_set(why, VERDICT_LATER, "4.3.0",
	    "Error: queue file write error");
}

enum verdict
queue_commit(struct queue_file *f, struct why *why)
{
	char from[LIMIT_QUEUE_NAME], to[LIMIT_QUEUE_NAME + 16];
	int dir = f->queue->dir;

	flush(f);
	tmp_path(f, from);
	(void)snprintf(f->name, sizeof(f->name), "%s,S=%" PRIu64 ",W=%" PRIu64,
	    f->id, f->octets, f->octets + f->lines);
	(void)snprintf(to, sizeof(to), "incoming/%s", f->name);
	if (f->error == 0 && fsop_rename(dir, from, dir, to) != 0)
		f->error = errno;
	if (f->error != 0) {
		queue_abort(f);
		return refuse(why, f->error);
	}
	/* A failed sync is final: what the disk has is unknown, and a second
	 * try on this file would lie. */
	if (fsync(f->fd) != 0 || fsop_sync_dir(dir, "incoming") != 0) {
		f->error = errno;
		(void)unlinkat(dir, to, 0);
		(void)close(f->fd);
		f->fd = -1;
		return refuse(why, f->error);
	}
	(void)close(f->fd);
	f->fd = -1;
	return why_set(why, VERDICT_OK, "2.0.0", "Ok: queued as %s", f->id);
}
