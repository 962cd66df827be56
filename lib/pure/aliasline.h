/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where mail goes: the right-hand side of an alias (aliases.5), a .forward
 * file, a file of :include:.  Targets stand between commas and at line ends;
 * a line that starts with white space continues the one before; a line that
 * starts with "#" is a comment.
 */
#ifndef ALIASLINE_H
#define ALIASLINE_H

#include <stddef.h>

#include "pure/str.h"

struct alias_scan {
	const char *s;
	size_t len, pos;
};

enum alias_kind {
	ALIAS_END,
	ALIAS_ADDRESS,	/* text: bob, bob@example.org, "b ob"@x, \bob */
	ALIAS_COMMAND,	/* text: what follows the "|" */
	ALIAS_FILE,	/* text: the path, from its "/" on */
	ALIAS_INCLUDE,	/* text: the path that follows ":include:" */
	ALIAS_BAD	/* text: what cannot be read; go on with the next */
};

/* s[0..len) is borrowed; NULs in it are bad. */
void alias_init(struct alias_scan *, const char *s, size_t len);

/* The next target, in text (emptied first), without the quotes around it.
 * Whether an address is one is for addr_parse to say. */
enum alias_kind alias_next(struct alias_scan *, struct str *text);

#endif
