/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Look-up tables (malle-tables.5): the value of a parameter such as
 * alias_maps is a list of them, "type:name, type:name".  A look-up has three
 * answers; whoever turns a miss into a refusal can rely on it: a table that
 * is missing, damaged, half written or of a kind we do not have answers
 * later, and never "no such key".  Of processes that were forked while a
 * list was open, one may use it at a time: they read through one offset.
 */
#ifndef MAP_H
#define MAP_H

#include <stddef.h>
#include <sys/types.h>

#include "pure/mapkey.h"
#include "pure/str.h"
#include "pure/verdict.h"

enum map_answer {
	MAP_HIT,
	MAP_MISS,
	MAP_LATER	/* why says why: VERDICT_LATER, 4.3.0 */
};

struct map;

struct map_list {
	struct map **map;
	size_t n;
	/* Who owns the file that gave the last hit (0 for a table without
	 * one): whose rights a command in it may have. */
	uid_t owner;
};

/* Opens every table of spec; an entry without a type has default_type (NULL
 * or "": that is an error).  Each file is opened now, so that look-ups work
 * when privileges and paths are gone.  0, or -1 and the reason for bad
 * syntax or no memory; a table that cannot be opened is no error here, it
 * answers later each time.  An empty spec is an empty list: all misses.  In
 * any case there is then something that map_list_close frees. */
int map_list_open(struct map_list *, const char *spec,
    const char *default_type, struct why *);
void map_list_close(struct map_list *);

/* The value of key (any case) from the first table that has it, in value
 * (emptied first).  A table that answers later ends the search. */
enum map_answer map_list_find(struct map_list *, const char *key,
    struct str *value, struct why *);

/* The same for each key of an address in turn (mapkey.h), each in all the
 * tables, until one is found; keys->extension is then what the key left out.
 * Tables of patterns are asked for the whole address only. */
enum map_answer map_list_find_keys(struct map_list *, struct mapkey *keys,
    struct str *value, struct why *);

/* Tells what an administrator should know, one line each: a source that is
 * newer than its map, lines that are wrong, and tables that cannot be used.
 * Reads tables that were not read yet. */
void map_list_faults(struct map_list *, void (*say)(void *ctx,
    const char *text), void *ctx);

/* Logs the maps that are older than their source, as warnings of role; for
 * every process that opens tables, once. */
void map_list_log_stale(const struct map_list *, const char *role);

/* The types there are, NULL at the end, for "postconf -m". */
extern const char *const map_types[];

#endif
