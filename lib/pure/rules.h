/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tables of rules, tried in order: cidr (networks) and regexp (POSIX regular
 * expressions), with the syntax of Postfix's cidr_table(5) and
 * regexp_table(5): PATTERN VALUE, !PATTERN VALUE, if PATTERN, if !PATTERN,
 * endif.
 */
#ifndef RULES_H
#define RULES_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

#include "pure/str.h"

enum { RULES_GROUPS = 10 };	/* $0, which nobody uses, to $9 */

struct rule {
	bool guard;		/* an "if" */
	bool not;
	unsigned line;
	size_t next;		/* of a guard: the rule behind its endif */
	char *value;
	void *pattern;
};

/* What a pattern is. */
struct rules_kind {
	/* Takes a pattern from the start of text; *rest is what follows.
	 * NULL, or what is wrong with it. */
	const char *(*compile)(void **pattern, char *text, char **rest);
	bool (*match)(const void *pattern, const char *key,
	    regmatch_t group[static RULES_GROUPS]);
	void (*free)(void *pattern);
	/* How many groups the value may name; 0: "$" is no special octet. */
	size_t (*groups)(const void *pattern);
};
extern const struct rules_kind rules_cidr, rules_regexp;

struct rules {
	const struct rules_kind *kind;
	struct rule *rule;
	size_t n, room;
};

/* Reads text[0..len).  Calls fault for each line that cannot be used, which
 * is left out.  False: no memory; rules_free is due in any case. */
bool rules_parse(struct rules *, const struct rules_kind *, const char *text,
    size_t len, void (*fault)(void *ctx, unsigned line, const char *what),
    void *ctx);
void rules_free(struct rules *);

/* Appends the value of the first rule that matches; false: none does. */
bool rules_find(const struct rules *, const char *key, struct str *value);

#endif
