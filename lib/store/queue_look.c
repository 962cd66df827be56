/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/queue_look.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "pure/num.h"
#include "store/users.h"
#include "sys/fsop.h"

int
queue_open_conf(struct queue *q, const struct conf *c, struct why *why)
{
	const char *path = conf_get(c, CONF_QUEUE_DIRECTORY);
	const char *name = conf_get(c, CONF_MAIL_OWNER);
	struct user owner = { .uid = geteuid(), .gid = getegid() };

	if (geteuid() == 0 && users_system(name, &owner) != USERS_HIT) {
		(void)why_set(why, VERDICT_LATER, "4.3.5", "mail_owner: no "
		    "account %s in /etc/passwd; make it, or correct "
		    "%s/main.cf", name, c->dir);
		return -1;
	}
	if (queue_open(q, path, owner.uid, owner.gid, false) == 0 &&
	    faccessat(q->dir, ".", R_OK | X_OK, AT_EACCESS) == 0)
		return 0;
	if (errno == EACCES)
		(void)why_set(why, VERDICT_LATER, "4.3.5", "queue_directory "
		    "%s: %s; do it as root or as %s (mail_owner)", path,
		    strerror(errno), name);
	else
		(void)why_set(why, VERDICT_LATER, "4.3.5", "queue_directory "
		    "%s: %s; correct queue_directory in %s/main.cf, or make "
		    "the directory", path, strerror(errno), c->dir);
	return -1;
}

/* ---- names in order ---- */

struct names {
	char **name;
	size_t n, cap;
	int error;
};

static bool
add_name(struct names *l, const char *name)
{
	char **more;

	if (l->n == l->cap) {
		l->cap = l->cap > 0 ? l->cap * 2 : 256;
		more = reallocarray(l->name, l->cap, sizeof(*more));
		if (more == NULL)
			return false;
		l->name = more;
	}
	l->name[l->n] = strdup(name);
	return l->name[l->n] != NULL && ++l->n > 0;
}

static void
drop_names(struct names *l)
{
	while (l->n > 0)
		free(l->name[--l->n]);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct sorting {
	struct names names;
	const char *place;
	bool (*each)(void *ctx, const char *place, const char *name);
	void *ctx;
	bool stopped;
};

/* Hands over what has been collected, in order. */
static void
hand_over(struct sorting *s)
{
	size_t i;

	if (s->names.n > 0)
		qsort(s->names.name, s->names.n, sizeof(char *), by_name);
	for (i = 0; i < s->names.n && !s->stopped; i++)
		s->stopped = !s->each(s->ctx, s->place, s->names.name[i]);
	drop_names(&s->names);
}

static bool
collect(void *ctx, const char *place, const char *name)
{
	struct sorting *s = ctx;
	char id[LIMIT_QUEUE_ID + 1];
	uint64_t octets, crlf;

	(void)place;
	if (!queue_parse_name(name, id, &octets, &crlf))
		return true;
	if (!add_name(&s->names, name)) {
		s->names.error = ENOMEM;
		return false;
	}
	if (s->names.n == LIMIT_SORT)
		hand_over(s);
	return !s->stopped;
}

static int
each_sorted(struct queue *q, struct sorting *s)
{
	int result = queue_each(q, s->place, collect, s), saved = errno;

	hand_over(s);
	free(s->names.name);
	errno = s->names.error != 0 ? s->names.error : saved;
	return result != 0 || s->names.error != 0 ? -1 : 0;
}

int
queue_each_sorted(struct queue *q, const char *place,
    bool (*each)(void *ctx, const char *place, const char *name), void *ctx)
{
	struct sorting s = { .place = place, .each = each, .ctx = ctx };

	return each_sorted(q, &s);
}

static bool
collect_bucket(void *ctx, const char *place, const char *name)
{
	struct names *l = ctx;
	char padded[24];
	uint64_t due;

	(void)place;
	if (!num_parse(name, strlen(name), INT64_MAX, &due) ||
	    strlen(name) > 20)
		return true;
	/* Numbers in the order of their values. */
	(void)snprintf(padded, sizeof(padded), "%20.20s", name);
	if (add_name(l, padded))
		return true;
	l->error = ENOMEM;
	return false;
}

int
queue_each_deferred(struct queue *q,
    bool (*each)(void *ctx, const char *place, const char *name), void *ctx)
{
	struct names l = { 0 };
	int result = queue_each(q, "deferred", collect_bucket, &l);
	bool stopped = false;
	char place[32];
	size_t i;

	if (l.n > 0)
		qsort(l.name, l.n, sizeof(char *), by_name);
	for (i = 0; i < l.n && !stopped; i++) {
		struct sorting s = { .place = place, .each = each,
		    .ctx = ctx };

		(void)snprintf(place, sizeof(place), "deferred/%.20s",
		    l.name[i] + strspn(l.name[i], " "));
		if (each_sorted(q, &s) != 0)
			result = -1;
		stopped = s.stopped;
	}
	drop_names(&l);
	free(l.name);
	return l.error != 0 ? -1 : result;
}

int64_t
queue_due(const char *place)
{
	static const char deferred[] = "deferred/";
	uint64_t due;

	if (strncmp(place, deferred, strlen(deferred)) != 0)
		return 0;
	place += strlen(deferred);
	return num_parse(place, strlen(place), INT64_MAX, &due) ?
	    (int64_t)due : 0;
}

/* ---- one message ---- */

int
queue_look(struct queue_message *m, struct queue *q, const char *place,
    const char *name, struct why *why)
{
	int found;

	*m = (struct queue_message){ .queue = q, .fd = -1 };
	envelope_init(&m->envelope);
	if (!queue_parse_name(name, m->id, &m->octets, &m->crlf_octets))
		return 0;
	(void)snprintf(m->place, sizeof(m->place), "%s", place);
	(void)snprintf(m->name, sizeof(m->name), "%s", name);
	m->arrival = (int64_t)queue_id_us(m->id);
	m->fd = queue_open_file(q, place, name, O_RDONLY, &m->st);
	found = m->fd >= 0 ? queue_read_envelope(m) : -1;
	if (found == 1)
		return 1;
	if (m->fd < 0 && errno == ENOENT)
		return 0;
	if (found == 0)
		(void)why_set(why, VERDICT_LATER, "4.3.0",
		    "%s/%s: no envelope at its start", place, name);
	else
		(void)why_set(why, VERDICT_LATER, "4.3.0", "%s/%s: %s", place,
		    name, strerror(errno));
	queue_release(m);
	return -1;
}

/* ---- locks ---- */

/* "1: FLOCK  ADVISORY  WRITE 812 fe:01:1311001 0 EOF"; a process that waits
 * for one has "->" before FLOCK. */
static bool
parse_lock(const char *line, struct queue_lock_id *l)
{
	unsigned major_no, minor_no;
	unsigned long long ino;
	const char *p = strchr(line, ':');

	if (p == NULL || sscanf(p + 1, " FLOCK %*s WRITE %*d %x:%x:%llu",
	    &major_no, &minor_no, &ino) != 3)
		return false;
	l->dev = makedev(major_no, minor_no);
	l->ino = (ino_t)ino;
	return true;
}

void
queue_locks_read(struct queue_locks *l)
{
	FILE *f = fopen("/proc/locks", "re");
	struct queue_lock_id one, *more;
	char *line = NULL;
	size_t size = 0, cap = 0;

	*l = (struct queue_locks){ 0 };
	while (f != NULL && getline(&line, &size, f) > 0) {
		if (!parse_lock(line, &one))
			continue;
		if (l->n == cap) {
			cap = cap > 0 ? cap * 2 : 64;
			more = reallocarray(l->lock, cap, sizeof(*more));
			if (more == NULL)
				break;
			l->lock = more;
		}
		l->lock[l->n++] = one;
	}
	free(line);
	if (f != NULL)
		(void)fclose(f);
}

bool
queue_locks_has(const struct queue_locks *l, const struct stat *st)
{
	size_t i;

	/* Where stat(2) gives a device of the file system's own making
	 * (btrfs), the number in /proc is another one, of major 0 too. */
	for (i = 0; i < l->n; i++)
		if (l->lock[i].ino == st->st_ino &&
		    (l->lock[i].dev == st->st_dev ||
		    (major(l->lock[i].dev) == 0 && major(st->st_dev) == 0)))
			return true;
	return false;
}

void
queue_locks_free(struct queue_locks *l)
{
	free(l->lock);
	*l = (struct queue_locks){ 0 };
}
