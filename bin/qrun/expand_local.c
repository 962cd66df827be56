/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "expand.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pure/macro.h"

static enum map_answer
find_alias(struct work *w, const char *key, struct str *value,
    struct why *why)
{
	return w->r->aliases.n == 0 ? MAP_MISS :
	    map_list_find(&w->r->aliases, key, value, why);
}

/* "owner-list", where the first address is a list that has one.  False: that
 * cannot be known now. */
static bool
take_owner(struct work *w, const char *key, struct why *why)
{
	char owner[LIMIT_USER + 8];
	enum map_answer answer;
	struct str value;
	int n;

	(void)snprintf(owner, sizeof(owner), "owner-%.*s", LIMIT_USER, key);
	str_init(&value);
	answer = find_alias(w, owner, &value, why);
	str_free(&value);
	if (answer != MAP_HIT)
		return answer == MAP_MISS;
	n = snprintf(w->e->sender, sizeof(w->e->sender), "%s@%s", owner,
	    conf_get(&w->r->conf, CONF_MYORIGIN));
	if (n < 0 || (size_t)n >= sizeof(w->e->sender))
		w->e->sender[0] = '\0';
	return true;
}

/* Whose rights does what an alias file says have? */
static bool
alias_rights(struct work *w, struct user *u, bool *known, struct why *why)
{
	uid_t owner = w->r->aliases.owner;

	/* A file of mail_owner's has no more to say than one of root's. */
	*known = owner != 0 && owner != w->r->owner.uid && geteuid() == 0;
	if (!*known)
		return true;
	if (users_system_uid(owner, u) == USERS_HIT)
		return true;
	(void)why_set(why, VERDICT_LATER, "4.3.5",
	    "the owner of the alias file has no account");
	return false;
}

static void
take_alias(struct work *w, size_t index, const char *key,
    const struct str *value)
{
	struct alias_scan scan;
	enum alias_kind kind;
	struct user u;
	struct why why;
	struct str text;
	bool known;

	w->e->aliased = true;
	if (!alias_rights(w, &u, &known, &why) ||
	    (w->item[index].depth == 0 && !take_owner(w, key, &why))) {
		expand_failure(w, key, &why);
		return;
	}
	str_init(&text);
	alias_init(&scan, value->s, value->len);
	while ((kind = alias_next(&scan, &text)) != ALIAS_END && !w->failed)
		(void)expand_item(w, kind, text.s, index, known ? &u : NULL,
		    "alias");
	str_free(&text);
}

/* The account of a local address: its .forward or its mailbox. */
static void
account(struct work *w, size_t index, const struct user *u,
    const char *extension, bool forwarded)
{
	const char *command = conf_raw(&w->r->conf,
	    conf_parameter[CONF_MAILBOX_COMMAND].name);
	const struct item *i = &w->item[index];
	char *text = i->text;
	struct mailbox mb;
	struct why why;

	if (!i->exact && !forwarded && expand_forward(w, index, u,
	    extension)) {
		w->e->aliased = true;
		return;
	}
	/* As it stands: its "$" are the shell's. */
	if (command != NULL && command[0] != '\0') {
		w->e->aliased = true;
		(void)expand_target(w, TARGET_COMMAND, command, u);
		return;
	}
	if (mailbox_locate(&mb, &w->r->conf, u) == 0) {
		expand_mailbox(w, u, &mb);
		return;
	}
	(void)why_set(&why, VERDICT_LATER, "4.3.5",
	    "home_mailbox or mail_spool_directory is not usable");
	expand_failure(w, text, &why);
}

/* ---- luser_relay, for names that nobody has ---- */

struct unknown {
	const struct addr *a;
	size_t bare;		/* where the extension begins */
	char buf[LIMIT_ADDRESS + 1];
};

/* $user, $extension, $local, $domain, $recipient. */
static const char *
part(void *ctx, const char *name, size_t len, bool *final)
{
	static const char *const names[] = { "user", "extension", "local",
	    "domain", "recipient", NULL };
	struct unknown *u = ctx;
	const struct addr *a = u->a;
	size_t from[] = { 0, u->bare + 1, 0, a->at + 1, 0 };
	size_t to[] = { u->bare, a->at, a->at, a->len, a->len };
	size_t i;

	*final = true;
	for (i = 0; names[i] != NULL; i++)
		if (strlen(names[i]) == len &&
		    memcmp(names[i], name, len) == 0 && from[i] < to[i]) {
			(void)snprintf(u->buf, sizeof(u->buf), "%.*s",
			    (int)(to[i] - from[i]), a->text + from[i]);
			return u->buf;
		}
	return NULL;
}

static bool
was_relayed(const struct work *w, size_t index)
{
	for (; index != NO_PARENT; index = w->item[index].parent)
		if (strcmp(w->item[index].origin, "luser_relay") == 0)
			return true;
	return false;
}

static void
nobody(struct work *w, size_t index, const struct addr *a, const char *name)
{
	const struct conf *c = &w->r->conf;
	const char *relay = conf_raw(c,
	    conf_parameter[CONF_LUSER_RELAY].name);
	char *text = w->item[index].text;
	struct unknown u = { .a = a, .bare = mapkey_bare(a->text, a->at,
	    conf_get(c, CONF_RECIPIENT_DELIMITER)) };
	struct macro m = { .lookup = part, .ctx = &u };
	struct str to;
	struct why why;

	if (relay == NULL || relay[0] == '\0' || was_relayed(w, index)) {
		expand_never(w, text, "5.1.1", "unknown user", name);
		return;
	}
	w->e->aliased = true;
	str_init(&to);
	if (macro_expand(&m, &to, relay, strlen(relay)) && !to.bad)
		(void)expand_item(w, ALIAS_ADDRESS, to.s, index, NULL,
		    "luser_relay");
	else {
		(void)why_set(&why, VERDICT_LATER, "4.3.5", "luser_relay: %s",
		    m.error);
		expand_failure(w, text, &why);
	}
	str_free(&to);
}

/* ---- alias, account, nobody ---- */

/* An alias for one of the keys?  True: found, or it is not known. */
static bool
try_aliases(struct work *w, size_t index, char key[2][LIMIT_USER + 1],
    size_t n)
{
	enum map_answer answer = MAP_MISS;
	struct str value;
	struct why why;
	size_t k;

	str_init(&value);
	for (k = 0; k < n && answer == MAP_MISS; k++)
		answer = find_alias(w, key[k], &value, &why);
	if (answer == MAP_HIT)
		take_alias(w, index, key[k - 1], &value);
	if (answer == MAP_LATER)
		expand_failure(w, w->item[index].text, &why);
	str_free(&value);
	return answer != MAP_MISS;
}

/* With or without its extension. */
void
expand_local(struct work *w, size_t index, const struct addr *a)
{
	char *text = w->item[index].text;
	char key[2][LIMIT_USER + 1];
	enum users_answer found = USERS_MISS;
	enum seen seen;
	struct user u;
	struct why why;
	size_t bare, k, n;
	bool forwarded;

	if (!addr_local_key(a, key[0], sizeof(key[0]))) {
		expand_never(w, text, "5.1.1", "unknown user", a->text);
		return;
	}
	seen = expand_seen(w, index, key[0], &forwarded);
	if (seen == SEEN_BEFORE)
		return;
	bare = mapkey_bare(key[0], strlen(key[0]), conf_get(&w->r->conf,
	    CONF_RECIPIENT_DELIMITER));
	(void)snprintf(key[1], sizeof(key[1]), "%.*s", (int)bare, key[0]);
	n = key[0][bare] != '\0' ? 2 : 1;
	if (!w->item[index].exact && seen == SEEN_NOT &&
	    try_aliases(w, index, key, n))
		return;
	for (k = 0; k < n && found == USERS_MISS; k++)
		found = users_find(w->r->fd_users, key[k], &u);
	if (found == USERS_HIT)
		account(w, index, &u, k > 1 ? key[0] + bare : "", forwarded);
	else if (found == USERS_MISS)
		nobody(w, index, a, key[0]);
	else {
		(void)why_set(&why, VERDICT_LATER, "4.3.0",
		    "account file %s cannot be read or is not complete",
		    conf_get(&w->r->conf, CONF_PASSWD_FILE));
		expand_failure(w, text, &why);
	}
}
