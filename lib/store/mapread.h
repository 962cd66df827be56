/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads a map with libgdbm, one record at a time, and believes nothing of
 * it that the map's own checks (pure/maprecord.h) do not confirm: a file that
 * was damaged may keep back records, or have others in their place.
 */
#ifndef MAPREAD_H
#define MAPREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pure/maprecord.h"
#include "pure/str.h"
#include "store/map.h"

struct gdbm_file_info;

struct mapread {
	int fd;			/* borrowed */
	struct gdbm_file_info *file;	/* opened when it is needed */
	struct maphead head;
	struct str page;	/* the one read last, */
	uint32_t number;	/* its number, */
	bool checked;		/* and whether it is good */
};

/* The map that fd, open for reading, stands for.  Reads through the offset of
 * fd: two processes that have it from one open(2) cannot do so at the same
 * time (they get LATER).  False: it is damaged, or none of ours; close it all
 * the same. */
bool mapread_open(struct mapread *, int fd);
void mapread_close(struct mapread *);

/* Appends the value of key to value.  LATER: the map is damaged, or cannot
 * be read. */
enum map_answer mapread_find(struct mapread *, const char *key, size_t len,
    struct str *value);

/* Calls each with every entry until it returns false.  HIT: stopped so;
 * MISS: all were seen. */
enum map_answer mapread_each(struct mapread *, bool (*each)(void *ctx,
    const char *key, size_t key_len, const char *value, size_t len),
    void *ctx);

#endif
