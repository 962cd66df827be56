/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two passes over the sorted entries: the first makes the pages of checksums,
 * the second stores both, in the order of their hash: the library then works
 * on one bucket after the other, and has to remember but a few. */
#include <errno.h>
#include <fcntl.h>
#include <gdbm.h>
#include <string.h>
#include <unistd.h>

#include "store/mapbuild.h"
#include "store/mapread.h"
#include "sys/spawn.h"

enum {
	PROGRESS = 1 << 14,
	SMALL = 10000,		/* so many records are in small blocks: */
	SMALL_BLOCK = 4096,	/* octets, of a bucket, too */
	LARGE_BLOCK = 8192,
	CACHE = 64		/* buckets */
};

/* The next entry that is to be in the map.  Of those with one key that is
 * the first, or, with replace, the last; held is the room for it. */
struct picker {
	struct mapbuild *b;
	bool tell;
	bool ahead, end;	/* next is read already; there is none */
	struct mapsort_record next;
	struct str held;
	struct mapsort_record record;
};

static void
hold(struct picker *p)
{
	p->record = p->next;
	str_reset(&p->held);
	str_put(&p->held, p->next.key, p->next.key_len);
	str_putc(&p->held, '\0');
	str_put(&p->held, p->next.value, p->next.len);
	p->record.key = p->held.s;
	p->record.value = p->held.s + p->next.key_len + 1;
}

static bool
same_key(const struct mapsort_record *a, const struct mapsort_record *b)
{
	return a->hash == b->hash && a->key_len == b->key_len &&
	    memcmp(a->key, b->key, a->key_len) == 0;
}

static int
read_next(struct picker *p)
{
	switch (mapsort_next(&p->b->records, &p->next)) {
	case MAPSORT_ERROR:
		return -1;
	case MAPSORT_END:
		p->end = true;
		break;
	case MAPSORT_RECORD:
		break;
	}
	p->ahead = !p->end;
	return 0;
}

static enum mapsort_next
pick(struct picker *p)
{
	struct mapbuild *b = p->b;

	if (!p->ahead && !p->end && read_next(p) != 0)
		return MAPSORT_ERROR;
	if (p->end)
		return MAPSORT_END;
	hold(p);
	for (;;) {
		if (p->held.bad || read_next(p) != 0)
			return MAPSORT_ERROR;
		if (p->end || !same_key(&p->record, &p->next))
			return MAPSORT_RECORD;
		if (b->replace)
			hold(p);
		else if (p->tell && b->duplicate != NULL)
			b->duplicate(b->ctx, p->next.line, p->record.key);
	}
}

static int
end_page(struct mapbuild *b, struct str *page, uint32_t number)
{
	struct mapsort_record r = { .key_len = MAPPAGE_KEY };
	char key[MAPPAGE_KEY];

	mappage_end(page, &b->head, number);
	mappage_key(key, number);
	r.hash = maprecord_hash(key, sizeof(key));
	r.key = key;
	r.value = page->s;
	r.len = (uint32_t)page->len;
	if (page->bad || mapsort_put(&b->pages, &r) != 0)
		return -1;
	str_reset(page);
	return 0;
}

static int
put_head(struct mapbuild *b)
{
	struct mapsort_record r = { .key = MAPHEAD_KEY,
	    .key_len = sizeof(MAPHEAD_KEY) - 1 };
	struct str text;
	int rc;

	str_init(&text);
	maphead_put(&text, &b->head);
	r.hash = maprecord_hash(r.key, r.key_len);
	r.value = text.s;
	r.len = (uint32_t)text.len;
	rc = text.bad ? -1 : mapsort_put(&b->pages, &r);
	str_free(&text);
	return rc;
}

/* The first pass: the pages, every one of them, and the head. */
static int
make_pages(struct mapbuild *b)
{
	struct picker p = { .b = b, .tell = true };
	enum mapsort_next next;
	struct str page;
	uint32_t number = 0, wanted;
	int rc = mapsort_rewind(&b->records);

	b->head.page_bits = maphead_bits(b->all);
	str_init(&page);
	str_init(&p.held);
	while (rc == 0 && (next = pick(&p)) != MAPSORT_END) {
		if (next == MAPSORT_ERROR) {
			rc = -1;
			break;
		}
		wanted = mappage_number(&b->head, p.record.hash);
		while (rc == 0 && number < wanted)
			rc = end_page(b, &page, number++);
		mappage_put(&page, &b->head, p.record.key, p.record.key_len,
		    p.record.value, p.record.len);
		b->head.records++;
	}
	while (rc == 0 && number < 1U << b->head.page_bits)
		rc = end_page(b, &page, number++);
	str_free(&page);
	str_free(&p.held);
	return rc == 0 ? put_head(b) : -1;
}

/* errno for what the library could not do. */
static int
failed(GDBM_FILE to)
{
	int error = gdbm_last_syserr(to);

	errno = error != 0 ? error : EIO;
	return -1;
}

static int
store(GDBM_FILE to, const struct mapsort_record *r)
{
	datum key = { (char *)r->key, (int)r->key_len };
	datum value = { (char *)r->value, (int)r->len };

	return gdbm_store(to, key, value, GDBM_INSERT) == 0 ? 0 : failed(to);
}

static int
store_entry(struct mapbuild *b, GDBM_FILE to, const struct mapsort_record *r)
{
	if (b->progress != NULL && b->done % PROGRESS == 0)
		b->progress(b->ctx, b->done, b->head.records);
	b->done++;
	return store(to, r);
}

/* The second pass: the two sorted rows become one. */
static int
merge(struct mapbuild *b, struct picker *p, GDBM_FILE to)
{
	struct mapsort_record page;
	enum mapsort_next entry = pick(p);
	enum mapsort_next other = mapsort_next(&b->pages, &page);

	while (entry != MAPSORT_END || other != MAPSORT_END) {
		if (entry == MAPSORT_ERROR || other == MAPSORT_ERROR)
			return -1;
		if (other == MAPSORT_END || (entry == MAPSORT_RECORD &&
		    p->record.hash <= page.hash)) {
			if (store_entry(b, to, &p->record) != 0)
				return -1;
			entry = pick(p);
		} else {
			if (store(to, &page) != 0)
				return -1;
			other = mapsort_next(&b->pages, &page);
		}
	}
	return 0;
}

/* The library's file, on a descriptor that it will close.  Mapped, if that
 * can be done there: each record makes it write a bucket. */
static GDBM_FILE
open_file(const struct mapbuild *b)
{
	static const int how[] = { 0, GDBM_NOMMAP };
	GDBM_FILE to = NULL;
	size_t cache = CACHE, i;
	int fd, block = b->head.records > SMALL ? LARGE_BLOCK : SMALL_BLOCK;

	for (i = 0; i < 2 && to == NULL; i++) {
		if (ftruncate(b->fd, 0) != 0 || lseek(b->fd, 0, SEEK_SET) != 0)
			return NULL;
		fd = fcntl(b->fd, F_DUPFD_CLOEXEC, 3);
		if (fd < 0)
			return NULL;
		errno = EIO;
		to = gdbm_fd_open(fd, b->temp, block, GDBM_WRCREAT |
		    GDBM_NOLOCK | GDBM_CLOEXEC | GDBM_BSEXACT | GDBM_CLOERROR |
		    how[i], NULL);
	}
	if (to != NULL)
		(void)gdbm_setopt(to, GDBM_SETCACHESIZE, &cache,
		    sizeof(cache));
	return to;
}

/* Is all in the file that should be? */
static int
check_count(struct mapbuild *b, GDBM_FILE to)
{
	gdbm_count_t n;

	if (gdbm_count(to, &n) != 0)
		return failed(to);
	errno = EIO;
	return n == b->head.records + (1U << b->head.page_bits) + 1 ? 0 : -1;
}

static int
fill(struct mapbuild *b)
{
	struct picker p = { .b = b };
	GDBM_FILE to = open_file(b);
	int rc, error;

	if (to == NULL)
		return -1;
	str_init(&p.held);
	rc = merge(b, &p, to);
	str_free(&p.held);
	if (rc == 0)
		rc = check_count(b, to);
	/* What a sync missed, no later one tells. */
	if (rc == 0 && gdbm_sync(to) != 0)
		rc = failed(to);
	error = errno;
	if (gdbm_close(to) != 0 && rc == 0)
		return -1;
	errno = error;
	return rc;
}

/* In a process of its own: for what cannot be written into a mapped file,
 * some file systems have but a signal. */
static int
fill_apart(struct mapbuild *b)
{
	pid_t pid = fork();
	int code;

	if (pid < 0)
		return -1;
	if (pid == 0)
		_exit(fill(b) == 0 ? 0 : errno != 0 ? errno : EIO);
	code = spawn_wait(pid);
	errno = code > 0 ? code : EIO;
	return code == 0 ? 0 : -1;
}

/* Would a reader take it? */
static int
try_out(const struct mapbuild *b)
{
	struct mapread r;
	bool good = mapread_open(&r, b->fd);

	mapread_close(&r);
	errno = EIO;
	return good ? 0 : -1;
}

int
mapbuild_write(struct mapbuild *b)
{
	if (make_pages(b) != 0 || mapsort_rewind(&b->records) != 0 ||
	    mapsort_rewind(&b->pages) != 0 || fill_apart(b) != 0 ||
	    try_out(b) != 0)
		return -1;
	if (b->progress != NULL)
		b->progress(b->ctx, b->head.records, b->head.records);
	return 0;
}
