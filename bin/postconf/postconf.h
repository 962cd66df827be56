/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of postconf share. */
#ifndef POSTCONF_H
#define POSTCONF_H

#include <stdbool.h>

#include "store/conf.h"

struct show {
	bool defaults;		/* -d */
	bool set_only;		/* -n */
	bool expand;		/* -x */
	bool fold;		/* -f */
	bool json;		/* -j */
	bool value_only;	/* -h */
	bool name_only;		/* -H */
};

/* "postconf: warning: text" on standard error. */
void warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* "postconf: fatal: text" and the end. */
_Noreturn void fatal(int code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The parameters named, in their order. */
void show_names(const struct conf *, const struct show *, char *const *names);
/* All of them, sorted, and then what looks wrong in the file. */
void show_all(const struct conf *, const struct show *);

enum edit { EDIT_NONE, EDIT_SET, EDIT_COMMENT, EDIT_DELETE };

/* Changes main.cf in dir: "name=value" (EDIT_SET) or names. */
void edit(const char *dir, enum edit, char *const *args);

#endif
