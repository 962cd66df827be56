/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the expansion share. */
#ifndef EXPAND_H
#define EXPAND_H

#include <stdint.h>

#include "pure/addr.h"
#include "pure/aliasline.h"
#include "qrun.h"

struct item {
	enum alias_kind kind;
	char *text;
	struct user *as;	/* whose rights it has; NULL: default_privs */
	const char *origin;	/* where it was: "alias", "forward" ... */
	size_t parent;		/* the item that named it, or NO_PARENT */
	char *name;		/* for expand_seen, once it is known */
	unsigned depth;
	bool exact;		/* \\bob: no alias, no .forward */
	bool rewritten;		/* virtual aliases have been asked */
};
#define NO_PARENT	SIZE_MAX

struct work {
	struct runner *r;
	struct expansion *e;
	struct item *item;
	size_t n;
	struct why *why;	/* of a failure of everything */
	bool failed;
	bool once;		/* a name is followed only once */
	bool loops;		/* one was found */
};

/* expand.c: results and more work.  An item may move when one is added; what
 * its pointers point to stays. */
void expand_mailbox(struct work *, const struct user *,
    const struct mailbox *);
struct target *expand_target(struct work *, enum target_kind,
    const char *text, const struct user *);
void expand_failure(struct work *, const char *text, const struct why *);
/* A failure for good: WHAT: "NAME". */
void expand_never(struct work *, const char *text, const char *status,
    const char *what, const char *name);
/* The new item, or NULL. */
struct item *expand_item(struct work *, enum alias_kind, const char *text,
    size_t parent, const struct user *as, const char *origin);

/* Gives an item its name, then: is there another of that name? */
enum seen {
	SEEN_NOT,
	SEEN_BEFORE,	/* a second way, the first has done it all */
	SEEN_ABOVE	/* it led here: a loop */
};
/* *forwarded: it was above, and its .forward led here. */
enum seen expand_seen(struct work *, size_t index, const char *name,
    bool *forwarded);
/* default_privs, for what an alias file of root's says. */
bool expand_default_user(struct work *, struct user *, struct why *);

/* expand_file.c: :include: and .forward, read by local.  expand_forward is
 * false where there is no .forward, or an empty one: the mailbox. */
void expand_include(struct work *, size_t index);
bool expand_forward(struct work *, size_t index, const struct user *,
    const char *extension);

/* expand_address.c */
void expand_address(struct work *, size_t index);

/* expand_local.c: a name of ours. */
void expand_local(struct work *, size_t index, const struct addr *);

/* expand_virtual.c: a virtual mailbox; an address that somebody named and
 * that virtual aliases may know (true: it means others, which are more work,
 * or that cannot be known now). */
void expand_virtual(struct work *, const struct item *, const struct addr *);
bool expand_rewritten(struct work *, size_t index, const struct addr *);

#endif
