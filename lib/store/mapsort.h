/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sorts records by hash, key and line number in bounded memory: what does
 * not fit goes to a temporary file, sorted in parts that are merged.
 */
#ifndef MAPSORT_H
#define MAPSORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct mapsort_record {
	uint32_t hash, line;
	uint32_t key_len, len;
	/* For mapsort_put; from mapsort_next they last until its next call. */
	const char *key, *value;
};

struct mapsort_run;

struct mapsort_item {
	uint32_t hash, at;
};

struct mapsort {
	int dir;		/* where the temporary file is made; borrowed */
	int fd;			/* of it, or -1 */
	off_t end;
	char *memory;
	size_t used;
	struct mapsort_item *item;	/* where each record of memory is */
	size_t n, room;
	struct mapsort_run *run;
	size_t nrun;
	size_t given;		/* of those in memory, when there is no run */
	struct mapsort_run *last;
};

enum mapsort_next { MAPSORT_END, MAPSORT_RECORD, MAPSORT_ERROR };

/* All: 0, or -1 (ERROR) with errno. */
int mapsort_init(struct mapsort *, int dir);
void mapsort_free(struct mapsort *);
/* A key and a value together may not be longer than LIMIT_STR. */
int mapsort_put(struct mapsort *, const struct mapsort_record *);
/* After the last put, and again to read all once more. */
int mapsort_rewind(struct mapsort *);
enum mapsort_next mapsort_next(struct mapsort *, struct mapsort_record *);

#endif
