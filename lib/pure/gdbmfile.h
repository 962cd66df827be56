/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The format of GNU dbm, as its versions 1.9 to 1.24 write it on this machine
 * (integers and structs are the compiler's own). */
#ifndef GDBMFILE_H
#define GDBMFILE_H

#include <stdint.h>
#include <sys/types.h>

enum {
	/* The one of an off_t of 64 bits, which is the only one we know. */
	GDBMFILE_MAGIC = 0x13579acf,
	GDBMFILE_HASH_BITS = 31,
	GDBMFILE_AVAIL = 6,
	GDBMFILE_KEY_START = 4
};

struct gdbmfile_avail {
	int32_t size;
	off_t at;
};

/* At the start of the file; the rest of the first block is free space that
 * can be used again, of which our files have none. */
struct gdbmfile_header {
	int32_t magic, block_size;
	off_t dir;		/* offsets of buckets */
	int32_t dir_size, dir_bits, bucket_size, bucket_elems;
	off_t next_block;
	int32_t avail_size, avail_count;
	off_t avail_next;
};

struct gdbmfile_element {
	int32_t hash;		/* -1: free */
	char key_start[GDBMFILE_KEY_START];
	off_t at;		/* of the key; the value follows */
	int32_t key_size, data_size;
};

/* The keys whose hash has the same first bits; each stands at its hash
 * modulo the size, or in the next free place. */
struct gdbmfile_bucket {
	int32_t av_count;
	struct gdbmfile_avail avail[GDBMFILE_AVAIL];
	int32_t bits, count;
	struct gdbmfile_element element[];
};

_Static_assert(sizeof(off_t) == 8, "_FILE_OFFSET_BITS=64 is missing");

#endif
