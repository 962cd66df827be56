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
	int fd = openat(q->dir, place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
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
		(void)unlinkat(q->dir, place, AT_REMOVEDIR);
	}
	(void)closedir(d);
	return result;
}

struct sweep {
	struct queue *queue;
	int64_t before;
};

/* Only what is old, and whose maker is dead: he would hold the lock. */
static bool
sweep_one(void *ctx, const char *place, const char *name)
{
	struct sweep *s = ctx;
	char path[LIMIT_PATH];
	struct stat st;
	int fd, n;

	n = snprintf(path, sizeof(path), "%s/%s", place, name);
	if (n < 0 || (size_t)n >= sizeof(path))
		return true;
	fd = fsop_open(s->queue->dir, path, O_RDWR, &st);
	if (fd < 0)
		return true;
	if (st.st_mtime < s->before && fsop_lock(fd) == 0 &&
	    fsop_is_same(s->queue->dir, path, &st, NULL))
		(void)unlinkat(s->queue->dir, path, 0);
	(void)close(fd);
	return true;
}

void
queue_sweep(struct queue *q, int64_t now)
{
	struct sweep tmp = { q, now - LIMIT_TMP_AGE };
	struct sweep state = { q, now - LIMIT_STATE_AGE };

	(void)queue_each(q, "tmp", sweep_one, &tmp);
	(void)queue_each(q, "state", sweep_one, &state);
}
