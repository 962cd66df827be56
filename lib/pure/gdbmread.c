/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/gdbmread.h"

#include <string.h>

#include "pure/gdbmfile.h"
#include "pure/limits.h"

enum {
	/* Far above what is ever made; a directory of 8 bytes each. */
	MAX_DIR_BITS = 28,
	CHUNK = 32
};

/* Some elements of a bucket, beginning at number first. */
struct chunk {
	uint32_t first, n;
	struct gdbmfile_element element[CHUNK];
};

uint32_t
gdbmread_hash(const char *key, size_t len)
{
	uint32_t value = 0x238f13afU * (uint32_t)len;
	size_t i;

	for (i = 0; i < len; i++)
		value = (value + ((uint32_t)key[i] << (i * 5 % 24))) &
		    0x7fffffff;
	return (1103515243U * value + 12345U) & 0x7fffffff;
}

static bool
read_all(const struct gdbmread *g, void *buf, size_t len, off_t offset)
{
	return offset >= 0 && (uint64_t)offset <= g->size &&
	    len <= g->size - (uint64_t)offset &&
	    g->read(g->ctx, buf, len, offset) == (ssize_t)len;
}

bool
gdbmread_open(struct gdbmread *g, uint64_t size)
{
	struct gdbmfile_header h;

	g->size = size;
	if (!read_all(g, &h, sizeof(h), 0) ||
	    h.magic != GDBMFILE_MAGIC)
		return false;
	if (h.dir_bits < 0 || h.dir_bits > MAX_DIR_BITS || h.dir < 0 ||
	    h.dir_size < 0 ||
	    (uint64_t)h.dir_size != sizeof(off_t) << h.dir_bits ||
	    h.bucket_size < (int32_t)sizeof(struct gdbmfile_bucket) ||
	    (uint64_t)h.next_block > size)
		return false;
	g->dir = (uint64_t)h.dir;
	g->dir_bits = (uint32_t)h.dir_bits;
	g->elements = (uint32_t)(((size_t)h.bucket_size -
	    sizeof(struct gdbmfile_bucket)) / sizeof(struct gdbmfile_element));
	return g->elements > 0 && (uint32_t)h.bucket_elems == g->elements;
}

static bool
bucket_at(const struct gdbmread *g, uint32_t number, off_t *at)
{
	return read_all(g, at, sizeof(*at),
	    (off_t)(g->dir + number * sizeof(*at))) &&
	    *at > 0 && (uint64_t)*at < g->size;
}

/* Element i of the bucket. */
static const struct gdbmfile_element *
element_at(const struct gdbmread *g, off_t bucket, uint32_t i,
    struct chunk *c)
{
	off_t offset = bucket + (off_t)(sizeof(struct gdbmfile_bucket) +
	    i * sizeof(struct gdbmfile_element));

	if (i < c->first || i >= c->first + c->n) {
		c->first = i;
		c->n = g->elements - i < CHUNK ? g->elements - i : CHUNK;
		if (!read_all(g, c->element, c->n * sizeof(c->element[0]),
		    offset)) {
			c->n = 0;
			return NULL;
		}
	}
	return &c->element[i - c->first];
}

/* Is it key?  Then its value is appended. */
static enum gdbmread_answer
compare(const struct gdbmread *g, const struct gdbmfile_element *e,
    const char *key, size_t len, struct str *value)
{
	char buf[512];
	size_t done, n;
	off_t at = e->at;

	if (e->key_size < 0 || e->data_size < 0)
		return GDBMREAD_BAD;
	if ((size_t)e->key_size != len || memcmp(e->key_start, key,
	    len < GDBMFILE_KEY_START ? len : GDBMFILE_KEY_START) != 0)
		return GDBMREAD_MISS;
	for (done = 0; done < len; done += n, at += (off_t)n) {
		n = len - done < sizeof(buf) ? len - done : sizeof(buf);
		if (!read_all(g, buf, n, at))
			return GDBMREAD_BAD;
		if (memcmp(buf, key + done, n) != 0)
			return GDBMREAD_MISS;
	}
	len = (size_t)e->data_size;
	for (done = 0; done < len; done += n, at += (off_t)n) {
		n = len - done < sizeof(buf) ? len - done : sizeof(buf);
		if (!read_all(g, buf, n, at))
			return GDBMREAD_BAD;
		str_put(value, buf, n);
	}
	return value->bad ? GDBMREAD_BAD : GDBMREAD_HIT;
}

enum gdbmread_answer
gdbmread_fetch(const struct gdbmread *g, const char *key, size_t len,
    struct str *value)
{
	uint32_t hash = gdbmread_hash(key, len), i, n;
	const struct gdbmfile_element *e;
	struct chunk c = { .n = 0 };
	enum gdbmread_answer answer;
	off_t bucket;

	if (!bucket_at(g, hash >> (GDBMFILE_HASH_BITS - g->dir_bits),
	    &bucket))
		return GDBMREAD_BAD;
	i = hash % g->elements;
	for (n = 0; n < g->elements; n++, i = (i + 1) % g->elements) {
		e = element_at(g, bucket, i, &c);
		if (e == NULL)
			return GDBMREAD_BAD;
		if (e->hash == -1)
			return GDBMREAD_MISS;
		if ((uint32_t)e->hash != hash)
			continue;
		answer = compare(g, e, key, len, value);
		if (answer != GDBMREAD_MISS)
			return answer;
	}
	return GDBMREAD_MISS;
}

static enum gdbmread_answer
each_element(const struct gdbmread *g, const struct gdbmfile_element *e,
    bool (*each)(void *, const char *, size_t, const char *, size_t),
    void *ctx, struct str *record)
{
	size_t key_len = (size_t)e->key_size, done, n;
	size_t len = key_len + (size_t)e->data_size;
	char buf[512];

	if (e->key_size < 0 || e->data_size < 0 || len > LIMIT_STR)
		return GDBMREAD_BAD;
	str_reset(record);
	for (done = 0; done < len; done += n) {
		n = len - done < sizeof(buf) ? len - done : sizeof(buf);
		if (!read_all(g, buf, n, e->at + (off_t)done))
			return GDBMREAD_BAD;
		str_put(record, buf, n);
	}
	if (record->bad)
		return GDBMREAD_BAD;
	return each(ctx, record->s, key_len, record->s + key_len,
	    len - key_len) ? GDBMREAD_MISS : GDBMREAD_HIT;
}

enum gdbmread_answer
gdbmread_each(const struct gdbmread *g, bool (*each)(void *, const char *,
    size_t, const char *, size_t), void *ctx)
{
	enum gdbmread_answer answer = GDBMREAD_MISS;
	uint32_t number, i, end = 1U << g->dir_bits;
	const struct gdbmfile_element *e;
	off_t bucket, last = 0;
	struct str record;
	struct chunk c;

	str_init(&record);
	for (number = 0; answer == GDBMREAD_MISS && number < end; number++) {
		if (!bucket_at(g, number, &bucket)) {
			answer = GDBMREAD_BAD;
			break;
		}
		/* One that is not split yet has several entries. */
		if (bucket == last)
			continue;
		last = bucket;
		c.n = 0;
		for (i = 0; answer == GDBMREAD_MISS && i < g->elements; i++) {
			e = element_at(g, bucket, i, &c);
			if (e == NULL)
				answer = GDBMREAD_BAD;
			else if (e->hash != -1)
				answer = each_element(g, e, each, ctx,
				    &record);
		}
	}
	str_free(&record);
	return answer;
}
