/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Walking the spool.  Memory does not grow with the number of messages. */
#include "store/queue.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pure/num.h"
#include "sys/fsop.h"

typedef bool each_fn(void *ctx, const char *place, const char *name);

static DIR *
open_place(struct queue *q, const char *place)
{
	int fd = queue_place(q, place);
	DIR *d;

	if (fd < 0)
		return NULL;
	d = fdopendir(fd);
	if (d == NULL)
		(void)close(fd);
	return d;
}

int
queue_each(struct queue *q, const char *place, each_fn *each, void *ctx)
{
	DIR *d = open_place(q, place);
	struct dirent *e;
	int error;

	if (d == NULL)
		return errno == ENOENT ? 0 : -1;
	while (errno = 0, (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.' && !each(ctx, place, e->d_name))
			break;
	error = e == NULL ? errno : 0;
	(void)closedir(d);
	errno = error;
	return error == 0 ? 0 : -1;
}

int
queue_each_due(struct queue *q, int64_t now, each_fn *each, void *ctx)
{
	DIR *d = open_place(q, "deferred");
	struct dirent *e;
	char place[32];
	uint64_t due;
	int result = 0;

	if (d == NULL)
		return errno == ENOENT ? 0 : -1;
	while ((e = readdir(d)) != NULL) {
		if (!num_parse(e->d_name, strlen(e->d_name), INT64_MAX, &due) ||
		    due > (uint64_t)now || strlen(e->d_name) > 20)
			continue;
		(void)snprintf(place, sizeof(place), "deferred/%.20s",
		    e->d_name);
		if (queue_each(q, place, each, ctx) != 0)
			result = -1;
		(void)unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
	}
	(void)closedir(d);
	return result;
}

/* ---- rubbish ---- */

struct sweep {
	struct queue *queue;
	int64_t before;		/* older than this */
};

/* Only what is old, and whose maker is dead: he would hold the lock. */
static bool
sweep_tmp(void *ctx, const char *place, const char *name)
{
	struct sweep *s = ctx;
	int dir = queue_place(s->queue, place), fd = -1;
	struct stat st;

	if (dir >= 0)
		fd = fsop_open(dir, name, O_RDWR, &st);
	if (fd >= 0 && st.st_mtime < s->before && fsop_lock(fd) == 0 &&
	    fsop_is_same(dir, name, &st, NULL))
		(void)unlinkat(dir, name, 0);
	if (fd >= 0)
		(void)close(fd);
	if (dir >= 0)
		(void)close(dir);
	return true;
}

struct search {
	const char *id;
	bool found;
};

static bool
is_it(void *ctx, const char *place, const char *name)
{
	struct search *s = ctx;

	(void)place;
	s->found = strncmp(name, s->id, LIMIT_QUEUE_ID) == 0;
	return !s->found;
}

/* Is there a message of that id anywhere?  Whatever cannot be read may hold
 * it. */
static bool
has_message(struct queue *q, const char *id)
{
	struct search s = { id, false };

	return queue_each(q, "incoming", is_it, &s) != 0 || s.found ||
	    queue_each(q, "hold", is_it, &s) != 0 || s.found ||
	    queue_each(q, "corrupt", is_it, &s) != 0 || s.found ||
	    queue_each_due(q, INT64_MAX, is_it, &s) != 0 || s.found;
}

/* A record outlives its message only by a crash between the two removals. */
static bool
sweep_state(void *ctx, const char *place, const char *name)
{
	struct sweep *s = ctx;

	if (strlen(name) != LIMIT_QUEUE_ID ||
	    (int64_t)(queue_id_us(name) / 1000000) >= s->before ||
	    has_message(s->queue, name))
		return true;
	(void)queue_unlink(s->queue, place, name);
	return true;
}

/* Has a day gone by since the last one?  Then this is it: the date of a file
 * remembers, so that a run need not read the names of all that waits. */
static bool
is_daily(struct queue *q, int64_t now)
{
	struct stat st = { .st_size = 0 };
	int dir = queue_place(q, "lock"), fd = -1;
	bool due;

	if (dir >= 0)
		fd = fsop_open(dir, "swept", O_WRONLY, &st);
	if (dir >= 0 && fd < 0 && errno == ENOENT)
		fd = openat(dir, "swept", O_WRONLY | O_CREAT | O_EXCL |
		    O_CLOEXEC, 0600);
	if (dir >= 0)
		(void)close(dir);
	if (fd < 0)
		return false;
	due = (st.st_size == 0 || now - st.st_mtime > 86400 ||
	    st.st_mtime > now) && pwrite(fd, "\n", 1, 0) == 1;
	(void)close(fd);
	return due;
}

void
queue_sweep(struct queue *q, int64_t now)
{
	struct sweep tmp = { q, now - LIMIT_TMP_AGE };
	struct sweep state = { q, now - LIMIT_STATE_AGE };

	(void)queue_each(q, "tmp", sweep_tmp, &tmp);
	if (is_daily(q, now))
		(void)queue_each(q, "state", sweep_state, &state);
}
