/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/mapsort.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pure/limits.h"
#include "sys/fsop.h"

enum {
	MEMORY = 24 << 20,
	ITEMS = 1 << 18,	/* records in it, at most */
	BUFFER = 1 << 17	/* of each part that is read */
};

/* As it is in memory and in the file, the key and the value behind it. */
struct head {
	uint32_t hash, line, key_len, len;
};

struct mapsort_run {
	off_t at, start, end;
	char *buf;
	size_t room, pos, used;
	struct mapsort_record record;
	bool over;
};

int
mapsort_init(struct mapsort *s, int dir)
{
	*s = (struct mapsort){ .dir = dir, .fd = -1 };
	s->memory = malloc(MEMORY);
	return s->memory != NULL ? 0 : -1;
}

void
mapsort_free(struct mapsort *s)
{
	while (s->nrun > 0)
		free(s->run[--s->nrun].buf);
	free(s->run);
	free(s->item);
	free(s->memory);
	if (s->fd >= 0)
		(void)close(s->fd);
	*s = (struct mapsort){ .fd = -1 };
}

static void
view(const char *at, struct mapsort_record *r)
{
	struct head h;

	memcpy(&h, at, sizeof(h));
	*r = (struct mapsort_record){ h.hash, h.line, h.key_len, h.len,
	    at + sizeof(h), at + sizeof(h) + h.key_len };
}

static int
order(const struct mapsort_record *a, const struct mapsort_record *b)
{
	size_t least = a->key_len < b->key_len ? a->key_len : b->key_len;
	int c;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	c = memcmp(a->key, b->key, least);
	if (c == 0)
		c = (a->key_len > b->key_len) - (a->key_len < b->key_len);
	return c != 0 ? c : (a->line > b->line) - (a->line < b->line);
}

static int
compare(const void *a, const void *b, void *memory)
{
	const struct mapsort_item *i = a, *j = b;
	struct mapsort_record x, y;

	if (i->hash != j->hash)
		return i->hash < j->hash ? -1 : 1;
	view((const char *)memory + i->at, &x);
	view((const char *)memory + j->at, &y);
	return order(&x, &y);
}

static void
sort(struct mapsort *s)
{
	if (s->n > 1)
		qsort_r(s->item, s->n, sizeof(s->item[0]), compare,
		    s->memory);
}

static size_t
size_of(const struct mapsort_record *r)
{
	return sizeof(struct head) + r->key_len + r->len;
}

static int
open_temporary(struct mapsort *s)
{
	char name[64];

	s->fd = openat(s->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (s->fd >= 0)
		return 0;
	/* A file system without O_TMPFILE. */
	(void)snprintf(name, sizeof(name), ".malle-sort.%ld",
	    (long)getpid());
	(void)unlinkat(s->dir, name, 0);
	s->fd = openat(s->dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
	    0600);
	return s->fd < 0 ? -1 : unlinkat(s->dir, name, 0);
}

/* What is in memory becomes a part in the file. */
static int
spill(struct mapsort *s)
{
	struct mapsort_run *more;
	struct mapsort_record r;
	char buf[1 << 16];
	size_t i, len, used = 0;

	if (s->fd < 0 && open_temporary(s) != 0)
		return -1;
	more = reallocarray(s->run, s->nrun + 1, sizeof(*more));
	if (more == NULL)
		return -1;
	s->run = more;
	s->run[s->nrun++] = (struct mapsort_run){ .start = s->end };
	sort(s);
	for (i = 0; i < s->n; i++) {
		view(s->memory + s->item[i].at, &r);
		len = size_of(&r);
		if (used + len > sizeof(buf)) {
			if (fsop_write(s->fd, buf, used) != 0)
				return -1;
			used = 0;
		}
		if (len > sizeof(buf)) {
			if (fsop_write(s->fd, s->memory + s->item[i].at, len)
			    != 0)
				return -1;
		} else {
			memcpy(buf + used, s->memory + s->item[i].at, len);
			used += len;
		}
		s->end += (off_t)len;
	}
	s->run[s->nrun - 1].end = s->end;
	s->n = 0;
	s->used = 0;
	return fsop_write(s->fd, buf, used);
}

int
mapsort_put(struct mapsort *s, const struct mapsort_record *r)
{
	struct head h = { r->hash, r->line, r->key_len, r->len };
	struct mapsort_item *more;
	size_t len = size_of(r), room;

	if ((uint64_t)r->key_len + r->len > LIMIT_STR) {
		errno = E2BIG;
		return -1;
	}
	if ((s->used + len > MEMORY || s->n == ITEMS) && spill(s) != 0)
		return -1;
	if (s->n == s->room) {
		room = s->room * 2 + 1024;
		more = reallocarray(s->item, room, sizeof(*more));
		if (more == NULL)
			return -1;
		s->item = more;
		s->room = room;
	}
	s->item[s->n++] = (struct mapsort_item){ r->hash,
	    (uint32_t)s->used };
	memcpy(s->memory + s->used, &h, sizeof(h));
	memcpy(s->memory + s->used + sizeof(h), r->key, r->key_len);
	memcpy(s->memory + s->used + sizeof(h) + r->key_len, r->value,
	    r->len);
	s->used += len;
	return 0;
}

/* At least want octets of the run, from pos on. */
static int
fill(struct mapsort *s, struct mapsort_run *run, size_t want)
{
	size_t left = run->used - run->pos, n;
	char *more;
	ssize_t got;

	if (left >= want)
		return 0;
	memmove(run->buf, run->buf + run->pos, left);
	run->pos = 0;
	run->used = left;
	if (want > run->room) {
		more = realloc(run->buf, want);
		if (more == NULL)
			return -1;
		run->buf = more;
		run->room = want;
	}
	n = run->room - left;
	if ((off_t)n > run->end - run->at)
		n = (size_t)(run->end - run->at);
	got = fsop_pread(s->fd, run->buf + left, n, run->at);
	if (got < 0 || left + (size_t)got < want) {
		if (got >= 0)
			errno = EIO;
		return -1;
	}
	run->at += got;
	run->used += (size_t)got;
	return 0;
}

/* The next record of the run becomes its record. */
static int
advance(struct mapsort *s, struct mapsort_run *run)
{
	struct head h;

	run->over = run->pos == run->used && run->at == run->end;
	if (run->over)
		return 0;
	if (fill(s, run, sizeof(h)) != 0)
		return -1;
	memcpy(&h, run->buf + run->pos, sizeof(h));
	if (fill(s, run, sizeof(h) + h.key_len + h.len) != 0)
		return -1;
	view(run->buf + run->pos, &run->record);
	run->pos += size_of(&run->record);
	return 0;
}

int
mapsort_rewind(struct mapsort *s)
{
	size_t i;

	s->given = 0;
	s->last = NULL;
	if (s->nrun == 0) {
		sort(s);
		return 0;
	}
	if (s->n > 0 && spill(s) != 0)
		return -1;
	free(s->memory);
	s->memory = NULL;
	for (i = 0; i < s->nrun; i++) {
		s->run[i].at = s->run[i].start;
		s->run[i].pos = s->run[i].used = 0;
		if (s->run[i].buf == NULL) {
			s->run[i].buf = malloc(BUFFER);
			if (s->run[i].buf == NULL)
				return -1;
			s->run[i].room = BUFFER;
		}
		if (advance(s, &s->run[i]) != 0)
			return -1;
	}
	return 0;
}

enum mapsort_next
mapsort_next(struct mapsort *s, struct mapsort_record *r)
{
	struct mapsort_run *least = NULL;
	size_t i;

	if (s->nrun == 0) {
		if (s->given == s->n)
			return MAPSORT_END;
		view(s->memory + s->item[s->given++].at, r);
		return MAPSORT_RECORD;
	}
	/* Only now: the last record's octets are in its buffer. */
	if (s->last != NULL && advance(s, s->last) != 0)
		return MAPSORT_ERROR;
	for (i = 0; i < s->nrun; i++)
		if (!s->run[i].over && (least == NULL ||
		    order(&s->run[i].record, &least->record) < 0))
			least = &s->run[i];
	s->last = least;
	if (least == NULL)
		return MAPSORT_END;
	*r = least->record;
	return MAPSORT_RECORD;
}
