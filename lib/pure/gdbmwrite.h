/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes a file of GNU dbm from records that come in the order of their hash:
 * each octet is written once, from the start of the file to its end, and the
 * header last.  The library, which must be ready to be asked or to be killed
 * after each record, writes a bucket for each of them, and takes many times
 * as long.
 */
#ifndef GDBMWRITE_H
#define GDBMWRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "pure/gdbmfile.h"

struct gdbmwrite_bucket {
	uint32_t first;		/* hash that it begins with */
	uint32_t bits;
	off_t at;
};

struct gdbmwrite {
	/* Writes to the end of the file; 0, or -1 with errno. */
	int (*write)(void *ctx, const void *buf, size_t len);
	void *ctx;
	off_t at;		/* the end of the file */
	int32_t block_size;
	uint32_t elements;	/* a bucket has */
	uint32_t bits;		/* all buckets have at least so many */
	uint32_t next;		/* hash where the next bucket begins */
	struct gdbmfile_element *waiting; /* those of it */
	size_t n, room;
	struct gdbmwrite_bucket *bucket;
	size_t nbucket, bucket_room;
	uint32_t max_bits;
	struct gdbmfile_bucket *block;
};

/* For about so many records.  All return 0, or -1 with errno; EINVAL for
 * records that are out of order, E2BIG for what the format cannot hold. */
int gdbmwrite_begin(struct gdbmwrite *, uint64_t records);
int gdbmwrite_put(struct gdbmwrite *, uint32_t hash, const char *key,
    size_t key_len, const char *value, size_t len);
/* The rest of the file, and what must then be written over its start. */
int gdbmwrite_end(struct gdbmwrite *, struct gdbmfile_header *);
void gdbmwrite_free(struct gdbmwrite *);

#endif
