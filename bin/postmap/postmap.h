/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef POSTMAP_H
#define POSTMAP_H

#include <stdbool.h>

struct options {
	const char *config;
	const char *type;	/* where a table is named without one */
	const char *query, *delete;	/* a key, or "-" */
	bool sequence;		/* -s */
	bool incremental;	/* -i */
	bool replace;		/* -r */
	bool quiet;		/* -w: no word about duplicates */
	bool keep_case;		/* -f */
	bool keep_root;		/* -o */
	bool default_mode;	/* -p */
	bool alias;		/* we are postalias */
};

/* On standard error; fatal ends the program. */
void warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void fatal(int code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), noreturn));

/* The default type, which is read from main.cf when it is first needed. */
const char *default_type(struct options *);

/* The file of a "type:file" argument that means a gdbm map, or NULL. */
const char *gdbm_file(struct options *, const char *spec);

/* Each returns the exit code. */
int query(struct options *, char *const *specs);
int sequence(struct options *, char *const *specs);
int delete_keys(struct options *, char *const *specs);
int make_map(struct options *, const char *spec);

#endif
