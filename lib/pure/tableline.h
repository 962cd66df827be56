/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The lines of table sources and alias files, as Postfix reads them: a line
 * that starts with white space continues the one before; a line whose first
 * other octet is "#" and an empty line are nothing, also in between.
 */
#ifndef TABLELINE_H
#define TABLELINE_H

#include <stdbool.h>
#include <stddef.h>

#include "pure/str.h"

struct tableline {
	/* The next line of the file, without its LF; false at the end.  It
	 * stays where it is until the next call. */
	bool (*next)(void *ctx, const char **line, size_t *len);
	void *ctx;
	struct str text;	/* the last logical line */
	const char *ahead;	/* the line after it, or NULL */
	size_t ahead_len;
	unsigned at;		/* number of the last line read */
	unsigned line;		/* where the logical line begins, from 1 */
	const char *s;		/* for tableline_init_text */
	size_t len;
};

void tableline_init(struct tableline *,
    bool (*next)(void *ctx, const char **line, size_t *len), void *ctx);
/* Reads s[0..len), which is borrowed. */
void tableline_init_text(struct tableline *, const char *s, size_t len);
void tableline_free(struct tableline *);

/* The next one, in text and line; false at the end.  It may begin with white
 * space if nothing was there to continue, may be longer than it should
 * (text.bad), and may have NULs in it. */
bool tableline_next(struct tableline *);

/* Cuts "key value" (tables) at the white space that is not in quotes.  NULL,
 * or what is wrong.  text, NUL-ended, is changed. */
const char *tableline_split(char *text, size_t len, char **key,
    char **value);
/* Cuts "name: value" (aliases); a name loses its quotes. */
const char *tableline_split_alias(char *text, size_t len, char **key,
    char **value);
/* Appends the list of an alias, in its usual form: "a, b". */
void tableline_put_list(struct str *out, const char *value);

#endif
