/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What does an address stand for?  A list of work: each item is an address
 * (or a command, a file, an :include:) that somebody wrote somewhere; it
 * becomes a target, or more work.  Depth, number and repetition are bounded,
 * so every loop ends.
 */
#include "expand.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pure/list.h"

/* ---- results ---- */

static void
give_up(struct work *w)
{
	(void)why_set(w->why, VERDICT_LATER, "4.3.0",
	    "alias expansion: out of memory or too many addresses");
	w->failed = true;
}

/* A copy of a user, or NULL for NULL. */
static struct user *
keep_user(const struct user *u)
{
	struct user *copy = u != NULL ? malloc(sizeof(*copy)) : NULL;

	if (copy != NULL)
		*copy = *u;
	return copy;
}

/* Two accounts may share a uid, but not a home. */
static bool
is_same_user(const struct user *a, const struct user *b)
{
	return a == NULL || b == NULL ? a == b :
	    a->uid == b->uid && strcmp(a->name, b->name) == 0;
}

struct target *
expand_target(struct work *w, enum target_kind kind, const char *text,
    const struct user *u)
{
	struct expansion *e = w->e;
	struct target *t, *more;
	size_t i;

	/* Once is enough, whatever ways lead there. */
	for (i = 0; i < e->n; i++)
		if (e->target[i].kind == kind && is_same_user(
		    e->target[i].user, u) &&
		    strcmp(e->target[i].text, text) == 0)
			return NULL;
	more = e->n < LIMIT_TARGETS ?
	    realloc(e->target, (e->n + 1) * sizeof(*more)) : NULL;
	if (more == NULL) {
		give_up(w);
		return NULL;
	}
	e->target = more;
	t = &e->target[e->n];
	*t = (struct target){ .kind = kind, .text = strdup(text),
	    .user = keep_user(u) };
	if (t->text == NULL || (u != NULL && t->user == NULL)) {
		free(t->text);
		free(t->user);
		give_up(w);
		return NULL;
	}
	e->n++;
	return t;
}

void
expand_failure(struct work *w, const char *text, const struct why *why)
{
	struct target *t = expand_target(w, TARGET_FAIL, text, NULL);

	if (t == NULL)
		return;
	t->why = malloc(sizeof(*t->why));
	if (t->why == NULL)
		give_up(w);
	else
		*t->why = *why;
}

void
expand_mailbox(struct work *w, const struct user *u, const struct mailbox *mb)
{
	struct target *t = expand_target(w, TARGET_MAILBOX, u->name, u);

	if (t == NULL)
		return;
	t->mailbox = malloc(sizeof(*t->mailbox));
	if (t->mailbox == NULL)
		give_up(w);
	else
		*t->mailbox = *mb;
}

void
expansion_free(struct expansion *e)
{
	size_t i;

	for (i = 0; i < e->n; i++) {
		free(e->target[i].text);
		free(e->target[i].user);
		free(e->target[i].mailbox);
		free(e->target[i].why);
	}
	free(e->target);
	*e = (struct expansion){ 0 };
}

/* ---- more work ---- */

struct item *
expand_item(struct work *w, enum alias_kind kind, const char *text,
    size_t parent, const struct user *as, const char *origin)
{
	struct item *more = w->n < LIMIT_TARGETS ?
	    realloc(w->item, (w->n + 1) * sizeof(*more)) : NULL;
	struct item *i;

	if (more == NULL) {
		give_up(w);
		return NULL;
	}
	w->item = more;
	i = &w->item[w->n];
	*i = (struct item){ .kind = kind, .text = strdup(text),
	    .as = keep_user(as), .origin = origin, .parent = parent,
	    .depth = parent != NO_PARENT ? w->item[parent].depth + 1 : 0 };
	if (i->text == NULL || (as != NULL && i->as == NULL)) {
		free(i->text);
		free(i->as);
		give_up(w);
		return NULL;
	}
	w->n++;
	if (i->text[0] == '\\' && kind == ALIAS_ADDRESS) {
		memmove(i->text, i->text + 1, strlen(i->text));
		i->exact = true;
	}
	return i;
}

/* Do two items mean the same?  What an :include: says has the rights of who
 * named it. */
static bool
is_twin(const struct item *a, const struct item *b)
{
	if (a->name == NULL || a->kind != b->kind || a->exact != b->exact ||
	    strcmp(a->name, b->name) != 0)
		return false;
	if (a->kind != ALIAS_INCLUDE)
		return true;
	return (a->as == NULL) == (b->as == NULL) &&
	    (a->as == NULL || a->as->uid == b->as->uid);
}

enum seen
expand_seen(struct work *w, size_t index, const char *name, bool *forwarded)
{
	struct item *item = w->item;
	enum seen seen = SEEN_NOT;
	size_t child, i;

	*forwarded = false;
	item[index].name = strdup(name);
	if (item[index].name == NULL) {
		give_up(w);
		return SEEN_BEFORE;
	}
	for (child = index; (i = item[child].parent) != NO_PARENT; child = i) {
		if (item[i].name == NULL ||
		    item[i].kind != item[index].kind ||
		    strcmp(item[i].name, name) != 0)
			continue;
		seen = SEEN_ABOVE;
		w->loops = true;
		*forwarded |= strcmp(item[child].origin, "forward") == 0;
	}
	/* What has a name and is not above is finished. */
	for (i = 0; i < w->n && w->once && seen == SEEN_NOT; i++)
		if (i != index && is_twin(&item[i], &item[index]))
			seen = SEEN_BEFORE;
	return seen;
}

void
expand_never(struct work *w, const char *text, const char *status,
    const char *what, const char *name)
{
	struct why why;

	(void)why_set(&why, VERDICT_NEVER, status, "%s: \"%s\"", what, name);
	expand_failure(w, text, &why);
}

bool
expand_default_user(struct work *w, struct user *u, struct why *why)
{
	const char *name = conf_get(&w->r->conf, CONF_DEFAULT_PRIVS);

	if (geteuid() != 0) {
		memset(u, 0, sizeof(*u));
		u->uid = geteuid();
		u->gid = getegid();
		(void)snprintf(u->home, sizeof(u->home), "/");
		return true;
	}
	if (users_system(name, u) == USERS_HIT && u->uid != 0)
		return true;
	(void)why_set(why, VERDICT_LATER, "4.3.5",
	    "default_privs: no unprivileged account %s", name);
	return false;
}

/* ---- one item ---- */

static bool
may(struct work *w, enum conf_id id, const char *origin)
{
	const char *list = conf_get(&w->r->conf, id), *word;
	size_t len;

	while ((word = list_next(&list, &len)) != NULL)
		if (strlen(origin) == len && memcmp(word, origin, len) == 0)
			return true;
	return false;
}

static void
agent(struct work *w, const struct item *i, enum target_kind kind,
    enum conf_id allowed)
{
	struct user u;
	struct why why;

	if (!may(w, allowed, i->origin)) {
		expand_never(w, i->text, "5.7.1",
		    "mail to command or file is restricted", i->text);
		return;
	}
	if (i->as != NULL)
		u = *i->as;
	else if (!expand_default_user(w, &u, &why)) {
		expand_failure(w, i->text, &why);
		return;
	}
	/* Whose the queue is: a command could do anything to it. */
	if (geteuid() == 0 && u.uid == w->r->owner.uid) {
		(void)why_set(&why, VERDICT_LATER, "4.3.5", "commands and "
		    "files are not for mail_owner, %s", u.name);
		expand_failure(w, i->text, &why);
		return;
	}
	(void)expand_target(w, kind, i->text, &u);
}

static void
by_kind(struct work *w, size_t index)
{
	const struct item *i = &w->item[index];

	if (i->depth > LIMIT_ALIAS_DEPTH) {
		expand_never(w, i->text, "5.4.6", "alias nesting", i->text);
		return;
	}
	switch (i->kind) {
	case ALIAS_ADDRESS:
		expand_address(w, index);
		break;
	case ALIAS_COMMAND:
		agent(w, i, TARGET_COMMAND, CONF_ALLOW_MAIL_TO_COMMANDS);
		break;
	case ALIAS_FILE:
		agent(w, i, TARGET_FILE, CONF_ALLOW_MAIL_TO_FILES);
		break;
	case ALIAS_INCLUDE:
		expand_include(w, index);
		break;
	case ALIAS_BAD:
		expand_never(w, i->text, "5.3.5", "bad alias entry", i->text);
		break;
	case ALIAS_END:
		break;
	}
}

/* The item, then all that it names, depth first (LIMIT_ALIAS_DEPTH). */
static void
one_item(struct work *w, size_t index)
{
	size_t first = w->n, last, i;

	by_kind(w, index);
	last = w->n;
	for (i = first; i < last && !w->failed; i++)
		one_item(w, i);
}

static void
all_items(struct work *w, const char *addr)
{
	size_t i;

	if (expand_item(w, ALIAS_ADDRESS, addr, NO_PARENT, NULL, "") != NULL)
		one_item(w, 0);
	for (i = 0; i < w->n; i++) {
		free(w->item[i].text);
		free(w->item[i].as);
		free(w->item[i].name);
	}
	free(w->item);
	w->item = NULL;
	w->n = 0;
}

enum verdict
expand(struct runner *r, const char *addr, struct expansion *e,
    struct why *why)
{
	struct work w = { .r = r, .e = e, .why = why, .once = true };

	*e = (struct expansion){ 0 };
	(void)why_set(why, VERDICT_OK, "2.0.0", "nothing to deliver");
	all_items(&w, addr);
	if (w.loops && !w.failed) {
		/* Among names in a ring each may count on another to be the
		 * first: then every way is gone. */
		expansion_free(e);
		w.once = false;
		all_items(&w, addr);
	}
	if (w.failed) {
		expansion_free(e);
		return why->verdict;
	}
	/* One failure of the address itself is its own reason. */
	if (e->n == 1 && e->target[0].kind == TARGET_FAIL && !e->aliased) {
		*why = *e->target[0].why;
		expansion_free(e);
	}
	return why->verdict;
}
