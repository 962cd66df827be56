/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/gdbmwrite.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	SMALL_BLOCK = 4096, LARGE_BLOCK = 16384,
	SMALL = 10000,		/* so many records are in small blocks */
	MAX_BITS = 28
};

static int
put(struct gdbmwrite *g, const void *buf, size_t len)
{
	if (g->write(g->ctx, buf, len) != 0)
		return -1;
	g->at += (off_t)len;
	return 0;
}

static int
put_block(struct gdbmwrite *g)
{
	return put(g, g->block, (size_t)g->block_size);
}

int
gdbmwrite_begin(struct gdbmwrite *g, uint64_t records)
{
	int (*write)(void *, const void *, size_t) = g->write;
	void *ctx = g->ctx;

	*g = (struct gdbmwrite){ .write = write, .ctx = ctx };
	g->block_size = records > SMALL ? LARGE_BLOCK : SMALL_BLOCK;
	g->elements = (uint32_t)(((size_t)g->block_size -
	    sizeof(struct gdbmfile_bucket)) / sizeof(g->waiting[0]));
	/* Nine tenths full; one with more than it can hold is divided. */
	while (g->bits < MAX_BITS &&
	    records >> g->bits > g->elements - g->elements / 10)
		g->bits++;
	g->block = calloc(1, (size_t)g->block_size);
	return g->block != NULL ? put_block(g) : -1;
}

void
gdbmwrite_free(struct gdbmwrite *g)
{
	free(g->waiting);
	free(g->bucket);
	free(g->block);
	g->waiting = NULL;
	g->bucket = NULL;
	g->block = NULL;
}

static void
place(const struct gdbmwrite *g, const struct gdbmfile_element *e)
{
	uint32_t i = (uint32_t)e->hash % g->elements;

	while (g->block->element[i].hash != -1)
		i = (i + 1) % g->elements;
	g->block->element[i] = *e;
}

/* Writes a bucket of those waiting from..to. */
static int
put_bucket(struct gdbmwrite *g, uint32_t first, uint32_t bits, size_t from,
    size_t to)
{
	struct gdbmwrite_bucket *more;
	size_t i, room;

	if (g->nbucket == g->bucket_room) {
		room = g->bucket_room * 2 + 64;
		more = reallocarray(g->bucket, room, sizeof(*more));
		if (more == NULL)
			return -1;
		g->bucket = more;
		g->bucket_room = room;
	}
	g->bucket[g->nbucket++] = (struct gdbmwrite_bucket){ first, bits,
	    g->at };
	if (bits > g->max_bits)
		g->max_bits = bits;
	memset(g->block, 0, (size_t)g->block_size);
	g->block->bits = (int32_t)bits;
	g->block->count = (int32_t)(to - from);
	for (i = 0; i < g->elements; i++)
		g->block->element[i].hash = -1;
	for (i = from; i < to; i++)
		place(g, &g->waiting[i]);
	return put_block(g);
}

/* How many of those waiting, from that one on, have a hash below end. */
static size_t
count_below(const struct gdbmwrite *g, size_t from, uint32_t end)
{
	size_t i = from;

	while (i < g->n && (uint32_t)g->waiting[i].hash < end)
		i++;
	return i - from;
}

static uint32_t
span(uint32_t bits)
{
	return 1U << (GDBMFILE_HASH_BITS - bits);
}

/* Writes the buckets for the hashes next..next + span(bits): one, or several
 * smaller ones where they would not go into one. */
static int
put_waiting(struct gdbmwrite *g)
{
	uint32_t first = g->next, end = g->next + span(g->bits), bits;
	size_t from = 0, n;

	for (; first < end; first += span(bits)) {
		for (bits = g->bits; ; bits++) {
			if (bits > MAX_BITS) {
				errno = E2BIG;
				return -1;
			}
			if (first % span(bits) != 0)
				continue;
			n = count_below(g, from, first + span(bits));
			if (n <= g->elements)
				break;
		}
		if (put_bucket(g, first, bits, from, from + n) != 0)
			return -1;
		from += n;
	}
	g->next = end;
	g->n = 0;
	return 0;
}

int
gdbmwrite_put(struct gdbmwrite *g, uint32_t hash, const char *key,
    size_t key_len, const char *value, size_t len)
{
	struct gdbmfile_element e = { .hash = (int32_t)hash, .at = g->at,
	    .key_size = (int32_t)key_len, .data_size = (int32_t)len }, *more;
	size_t room;

	if (hash >= span(0) || hash < g->next || (g->n > 0 &&
	    hash < (uint32_t)g->waiting[g->n - 1].hash)) {
		errno = EINVAL;
		return -1;
	}
	if (key_len > INT32_MAX || len > INT32_MAX) {
		errno = E2BIG;
		return -1;
	}
	while (hash - g->next >= span(g->bits))
		if (put_waiting(g) != 0)
			return -1;
	if (g->n == g->room) {
		room = g->room * 2 + g->elements;
		more = reallocarray(g->waiting, room, sizeof(*more));
		if (more == NULL)
			return -1;
		g->waiting = more;
		g->room = room;
	}
	e.at = g->at;		/* buckets may have been written */
	memcpy(e.key_start, key, key_len < GDBMFILE_KEY_START ? key_len :
	    GDBMFILE_KEY_START);
	g->waiting[g->n++] = e;
	return put(g, key, key_len) != 0 ? -1 : put(g, value, len);
}

static int
put_directory(struct gdbmwrite *g, uint32_t bits)
{
	size_t i;
	uint32_t n;

	for (i = 0; i < g->nbucket; i++)
		for (n = 1U << (bits - g->bucket[i].bits); n > 0; n--)
			if (put(g, &g->bucket[i].at, sizeof(off_t)) != 0)
				return -1;
	return 0;
}

int
gdbmwrite_end(struct gdbmwrite *g, struct gdbmfile_header *h)
{
	uint32_t bits = 0;
	size_t rest;

	while (g->next < span(0))
		if (put_waiting(g) != 0)
			return -1;
	/* It fills at least a block. */
	while ((int32_t)sizeof(off_t) << bits < g->block_size ||
	    bits < g->max_bits)
		bits++;
	*h = (struct gdbmfile_header){
		.magic = GDBMFILE_MAGIC,
		.block_size = g->block_size,
		.dir = g->at,
		.dir_size = (int32_t)(sizeof(off_t) << bits),
		.dir_bits = (int32_t)bits,
		.bucket_size = g->block_size,
		.bucket_elems = (int32_t)g->elements,
		.avail_size = (g->block_size - (int32_t)sizeof(*h)) /
		    (int32_t)sizeof(struct gdbmfile_avail)
	};
	if (put_directory(g, bits) != 0)
		return -1;
	/* Whole blocks, and octets behind the directory: both are asked for
	 * when a file is opened. */
	memset(g->block, 0, (size_t)g->block_size);
	rest = (size_t)g->block_size - (size_t)(g->at % g->block_size);
	if (put(g, g->block, rest) != 0)
		return -1;
	h->next_block = g->at;
	return 0;
}
