/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the expansion share. */
#ifndef EXPAND_H
#define EXPAND_H

#include "pure/addr.h"
#include "pure/aliasline.h"
#include "qrun.h"

struct item {
	enum alias_kind kind;
	char *text;
	struct user *as;	/* whose rights it has; NULL: default_privs */
	const char *origin;	/* where it was: "alias", "forward" ... */
	unsigned depth;
	bool exact;		/* the account itself, no alias, no .forward */
};

struct work {
	struct runner *r;
	struct expansion *e;
	struct item *item;
	size_t n;
	struct why *why;	/* of a failure of everything */
	bool failed;
};

/* expand.c: results and more work.  An item may move when one is added: take
 * a copy of what is still needed. */
void expand_mailbox(struct work *, const struct user *,
    const struct mailbox *);
struct target *expand_target(struct work *, enum target_kind,
    const char *text, const struct user *);
void expand_failure(struct work *, const char *text, const struct why *);
/* A failure for good: WHAT: "NAME". */
void expand_never(struct work *, const char *text, const char *status,
    const char *what, const char *name);
void expand_item(struct work *, enum alias_kind, const char *text,
    const struct item *from, const struct user *as, const char *origin);
/* Was this address on the list before item number i?  Then the way to it is
 * a loop (or a second way), and it means the account itself. */
bool expand_was_before(const struct work *, size_t i, const char *text);
/* default_privs, for what an alias file of root's says. */
bool expand_default_user(struct work *, struct user *, struct why *);

/* expand_file.c: :include: and .forward, read by local.  expand_forward is
 * false where there is no .forward, or an empty one: the mailbox. */
void expand_include(struct work *, const struct item *);
bool expand_forward(struct work *, const struct item *, const struct user *,
    const char *extension);

/* expand_address.c */
void expand_address(struct work *, size_t index);

#endif
