/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads files of GNU dbm, one record at a time.  Not with the library: that
 * reads through a file offset, which forked processes share, reads all of
 * the directory first, and was not made for files that somebody damaged.
 * Here every size and offset is checked, each look-up reads what
 * it needs (header and directory entry, one stretch of a bucket, the
 * record), and nothing is allocated but the value.  A MISS is only as sound
 * as the file: maprecord.h knows how to make sure.
 */
#ifndef GDBMREAD_H
#define GDBMREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "pure/str.h"

struct gdbmread {
	/* Reads len octets from offset: how many it got, -1 on error. */
	ssize_t (*read)(void *ctx, void *buf, size_t len, off_t offset);
	void *ctx;
	uint64_t size;		/* of the file */
	uint64_t dir;
	uint32_t dir_bits, elements;
};

enum gdbmread_answer {
	GDBMREAD_HIT,
	GDBMREAD_MISS,
	GDBMREAD_BAD	/* the file is damaged, or cannot be read */
};

/* read and ctx are the caller's; false: not such a file, or another
 * machine's. */
bool gdbmread_open(struct gdbmread *, uint64_t size);

/* Appends the value of key to value. */
enum gdbmread_answer gdbmread_fetch(const struct gdbmread *, const char *key,
    size_t len, struct str *value);

/* Calls each with every record until it returns false.  HIT: stopped so;
 * MISS: all were seen. */
enum gdbmread_answer gdbmread_each(const struct gdbmread *,
    bool (*each)(void *ctx, const char *key, size_t key_len,
    const char *value, size_t len), void *ctx);

/* GNU dbm's hash of a key, 31 bits. */
uint32_t gdbmread_hash(const char *key, size_t len);

#endif
