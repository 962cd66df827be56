/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two passes over the sorted entries: the first makes the pages of checksums,
 * the second writes both, in the order of their hash. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "pure/gdbmread.h"
#include "pure/gdbmwrite.h"
#include "store/mapbuild.h"
#include "sys/fsop.h"

enum { PROGRESS = 1 << 14 };

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
	r.hash = gdbmread_hash(key, sizeof(key));
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
	r.hash = gdbmread_hash(r.key, r.key_len);
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

static int
write_buffered(void *ctx, const void *buf, size_t len)
{
	struct mapbuild *b = ctx;

	if (len > MAPBUILD_BUFFER - b->used) {
		if (fsop_write(b->fd, b->buf, b->used) != 0)
			return -1;
		b->used = 0;
	}
	if (len > MAPBUILD_BUFFER)
		return fsop_write(b->fd, buf, len);
	memcpy(b->buf + b->used, buf, len);
	b->used += len;
	return 0;
}

static int
put(struct mapbuild *b, const struct mapsort_record *r)
{
	if (b->progress != NULL && b->done % PROGRESS == 0)
		b->progress(b->ctx, b->done, b->head.records);
	b->done++;
	return gdbmwrite_put(b->to, r->hash, r->key, r->key_len, r->value,
	    r->len);
}

/* The second pass: the two sorted rows become one. */
static int
merge(struct mapbuild *b, struct picker *p)
{
	struct mapsort_record page;
	enum mapsort_next entry = pick(p);
	enum mapsort_next other = mapsort_next(&b->pages, &page);

	while (entry != MAPSORT_END || other != MAPSORT_END) {
		if (entry == MAPSORT_ERROR || other == MAPSORT_ERROR)
			return -1;
		if (other == MAPSORT_END || (entry == MAPSORT_RECORD &&
		    p->record.hash <= page.hash)) {
			if (put(b, &p->record) != 0)
				return -1;
			entry = pick(p);
		} else {
			if (gdbmwrite_put(b->to, page.hash, page.key,
			    page.key_len, page.value, page.len) != 0)
				return -1;
			other = mapsort_next(&b->pages, &page);
		}
	}
	return 0;
}

int
mapbuild_write(struct mapbuild *b)
{
	struct picker p = { .b = b };
	struct gdbmfile_header header;
	int rc;

	if (make_pages(b) != 0 || mapsort_rewind(&b->records) != 0 ||
	    mapsort_rewind(&b->pages) != 0)
		return -1;
	b->to->write = write_buffered;
	b->to->ctx = b;
	if (gdbmwrite_begin(b->to, b->head.records +
	    (1U << b->head.page_bits) + 1) != 0)
		return -1;
	str_init(&p.held);
	rc = merge(b, &p);
	str_free(&p.held);
	if (rc != 0 || gdbmwrite_end(b->to, &header) != 0 ||
	    fsop_write(b->fd, b->buf, b->used) != 0 ||
	    lseek(b->fd, 0, SEEK_SET) != 0 ||
	    fsop_write(b->fd, &header, sizeof(header)) != 0)
		return -1;
	if (b->progress != NULL)
		b->progress(b->ctx, b->done, b->head.records);
	return 0;
}
