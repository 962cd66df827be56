/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The lines of a configuration file: a "#" that is the first thing in a line
 * makes it a comment, a line that starts with white space continues the one
 * before, also across comments and empty lines.
 */
#ifndef CONFLINE_H
#define CONFLINE_H

struct confline {
	char *next;		/* what is to be read, NUL-ended */
	unsigned line;		/* the number of its first line, from 1 */
};

enum confline_kind {
	CONFLINE_END,
	CONFLINE_TEXT,
	CONFLINE_ORPHAN		/* continues nothing */
};

/* The next logical line: *text is it, NUL-ended, cut out of the buffer
 * itself, each stretch of white space one blank, none at its ends; *line is
 * where it starts. */
enum confline_kind confline_next(struct confline *, char **text,
    unsigned *line);

/* Cuts "name = value".  Returns NULL, or what is wrong with it. */
const char *confline_split(char *text, char **name, char **value);

#endif
