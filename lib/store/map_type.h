/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What one type of table is, for map.c and the files that implement it. */
#ifndef MAP_TYPE_H
#define MAP_TYPE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "store/map.h"

struct map_type {
	const char *name;	/* as it is told to people */
	bool pattern;		/* looks at whole addresses, not at parts */
	bool any_case;		/* the key is not folded to lower case */
	/* 0; or -1 and why: VERDICT_NEVER for bad syntax of the name, else
	 * the table cannot be used now. */
	int (*open)(struct map *, struct why *);
	/* The file, whose descriptor map->fd is, read if it was not yet;
	 * 0, or -1 and why it cannot be used.  May be NULL. */
	int (*load)(struct map *, struct why *);
	/* key[0..len] has a NUL at its end and none inside. */
	enum map_answer (*find)(struct map *, const char *key, size_t len,
	    struct str *value, struct why *);
	void (*close)(struct map *);
};

struct map {
	const struct map_type *type;
	char *name;		/* what follows "type:" */
	char *label;		/* "type:name", as it was written */
	int fd;			/* of its file, or -1 */
	struct stat st;		/* of it */
	bool broken;		/* answers later: */
	struct why why;
	bool loaded;
	struct str faults;	/* lines for map_list_faults, each with LF */
	struct str stale;	/* the same, of a map older than its source */
	void *data;		/* the type's own */
};

extern const struct map_type map_gdbm, map_texthash, map_regexp, map_cidr,
    map_inline, map_static, map_fail, map_unix;

/* Opens path as map->fd, a regular file that only its owner can change.
 * 0, or -1 and why. */
int map_open_file(struct map *, const char *path, struct why *);

/* For a type: the answer later, with the reason behind the table's label. */
enum map_answer map_later(struct map *, struct why *, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The answer later, with the first of the faults. */
enum map_answer map_later_for_faults(struct map *, struct why *);

/* All of the file in memory, NUL-ended; free it.  NULL and why.  What it
 * lacks (a line end at its end) is put into faults. */
char *map_read_file(struct map *, size_t *len, struct why *);

/* Opens one table, for the administrator's commands: as in map_list_open,
 * but the reason why it cannot be used is told at once.  NULL and why. */
struct map *map_open(const char *spec, const char *default_type,
    struct why *);
/* One element of a list of tables.  NULL: bad syntax; a table that cannot be
 * used is broken. */
struct map *map_open_element(const char *spec, size_t len,
    const char *default_type, struct why *why);
/* Reads the table if that was not done; false: it is broken. */
bool map_load(struct map *);
void map_close(struct map *);
/* What map_list_find does with each of its tables. */
enum map_answer map_find(struct map *, const char *key, struct str *value,
    struct why *);

#endif
