/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The $name of main.cf values: $name ${name} $(name), ${name?text} (if the
 * name has a value), ${name:text} (if it has none), ${name?{text}:{text}},
 * ${{text}==text?...} with == != < <= > >= between {text} and {text}, $$.
 * A name without a value is empty.
 */
#ifndef MACRO_H
#define MACRO_H

#include <stdbool.h>
#include <stddef.h>

#include "pure/limits.h"
#include "pure/str.h"

struct macro {
	/* The value of name[0..len), or NULL.  It is expanded in turn unless
	 * *final is set. */
	const char *(*lookup)(void *ctx, const char *name, size_t len,
	    bool *final);
	void *ctx;
	size_t work;		/* octets read, at most LIMIT_CONF_WORK */
	char error[160];	/* what is wrong, when macro_expand is false */
};

/* Appends text[0..len) expanded to out.  False, with error, for bad syntax,
 * values that nest deeper than LIMIT_CONF_DEPTH, and too long a result. */
bool macro_expand(struct macro *, struct str *out, const char *text,
    size_t len);

#endif
