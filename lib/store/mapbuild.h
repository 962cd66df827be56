/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes gdbm maps: NAME.gdbm.tmp is filled, synced and renamed to NAME.gdbm,
 * so that every reader has the old map or the new one.  A lock on the
 * temporary file lets one at a time do so.
 */
#ifndef MAPBUILD_H
#define MAPBUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "pure/maprecord.h"
#include "pure/str.h"
#include "pure/verdict.h"
#include "store/mapsort.h"

struct mapbuild {
	/* Set by the caller after mapbuild_begin: */
	bool replace;		/* of two entries for a key the later holds */
	/* Called for each entry that another one of its key made void. */
	void (*duplicate)(void *ctx, unsigned line, const char *key);
	/* Called now and then while the map is written. */
	void (*progress)(void *ctx, uint64_t done, uint64_t all);
	void *ctx;

	char *path, *temp;	/* the map's own file, not a link to it */
	int dir, fd;
	struct mapsort records, pages;
	uint64_t all, done;
	struct maphead head;
};

/* Waits for its turn to make name.gdbm.  0, or -1 and why. */
int mapbuild_begin(struct mapbuild *, const char *name, struct why *);

/* One entry; line is 0 for what was in the map before.  The key is put in
 * lower case unless keep_case.  0, or -1 with errno: EINVAL for a key that
 * no table can have. */
int mapbuild_add(struct mapbuild *, const char *key, const char *value,
    unsigned line, bool keep_case);

/* The entries of the map as it is, but for those that skip says; a map that
 * does not exist has none.  0, or -1 and why. */
int mapbuild_add_old(struct mapbuild *, bool (*skip)(void *ctx,
    const char *key, size_t len), void *ctx, struct why *);

/* Writes the map and puts it in place.  A new one gets the mode; one that
 * replaces another has its owner and mode.  source is the file that it was
 * made from, as it was before it was read, and its name; NULL: none.  0, or
 * -1 and why: the old map is then what it was. */
int mapbuild_commit(struct mapbuild *, mode_t mode, const char *source_name,
    const struct stat *source, struct why *);

/* The first half of it: fills the temporary file.  0, or -1 with errno. */
int mapbuild_write(struct mapbuild *);

/* Frees everything; without a commit the old map stays. */
void mapbuild_end(struct mapbuild *);

/* Calls each for every entry of the map in that file until it returns false.
 * 0, or -1 and why (a damaged map, too). */
int mapbuild_each(const char *path, bool (*each)(void *ctx, const char *key,
    size_t key_len, const char *value, size_t len), void *ctx,
    struct why *);

#endif
