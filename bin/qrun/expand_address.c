/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "expand.h"
#include "route.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pure/num.h"

static enum map_answer
find_alias(struct work *w, const char *key, struct str *value,
    struct why *why)
{
	return w->r->aliases.n == 0 ? MAP_MISS :
	    map_list_find(&w->r->aliases, key, value, why);
}

/* "owner-list", where the first address is a list that has one. */
static void
take_owner(struct work *w, const char *key)
{
	char owner[LIMIT_USER + 8];
	struct str value;
	struct why why;
	int n;

	(void)snprintf(owner, sizeof(owner), "owner-%.*s", LIMIT_USER, key);
	str_init(&value);
	if (find_alias(w, owner, &value, &why) == MAP_HIT) {
		n = snprintf(w->e->sender, sizeof(w->e->sender), "%s@%s",
		    owner, conf_get(&w->r->conf, CONF_MYORIGIN));
		if (n < 0 || (size_t)n >= sizeof(w->e->sender))
			w->e->sender[0] = '\0';
	}
	str_free(&value);
}

/* Whose rights does what an alias file says have? */
static bool
alias_rights(struct work *w, struct user *u, bool *known, struct why *why)
{
	uid_t owner = w->r->aliases.owner;

	*known = owner != 0 && geteuid() == 0;
	if (!*known)
		return true;
	if (users_system_uid(owner, u) == USERS_HIT)
		return true;
	(void)why_set(why, VERDICT_LATER, "4.3.5",
	    "the owner of the alias file has no account");
	return false;
}

static void
take_alias(struct work *w, const struct item *i, const char *key,
    const struct str *value)
{
	struct item parent = *i;
	struct alias_scan scan;
	enum alias_kind kind;
	struct user u;
	struct why why;
	struct str text;
	bool known;

	w->e->aliased = true;
	if (parent.depth == 0)
		take_owner(w, key);
	if (!alias_rights(w, &u, &known, &why)) {
		expand_failure(w, key, &why);
		return;
	}
	str_init(&text);
	alias_init(&scan, value->s, value->len);
	while ((kind = alias_next(&scan, &text)) != ALIAS_END && !w->failed)
		expand_item(w, kind, text.s, &parent, known ? &u : NULL,
		    "alias");
	str_free(&text);
}

/* The account of a local address: its .forward or its mailbox. */
static void
account(struct work *w, const struct item *i, const struct user *u,
    const char *extension)
{
	const char *command = conf_raw(&w->r->conf, "mailbox_command");
	struct mailbox mb;
	struct why why;

	if (!i->exact && expand_forward(w, i, u, extension)) {
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
	expand_failure(w, i->text, &why);
}

/* luser_relay, for names that nobody has. */
static void
nobody(struct work *w, const struct item *i, const char *name)
{
	const char *relay = conf_get(&w->r->conf, CONF_LUSER_RELAY);
	struct item parent = *i;

	if (relay[0] == '\0' || strcmp(i->origin, "luser_relay") == 0) {
		expand_never(w, i->text, "5.1.1",
		    "unknown user", name);
		return;
	}
	w->e->aliased = true;
	expand_item(w, ALIAS_ADDRESS, relay, &parent, NULL, "luser_relay");
}

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
		take_alias(w, &w->item[index], key[k - 1], &value);
	if (answer == MAP_LATER)
		expand_failure(w, w->item[index].text, &why);
	str_free(&value);
	return answer != MAP_MISS;
}

/* A name of ours, with or without its extension: alias, account, nobody. */
static void
local_name(struct work *w, size_t index, const struct addr *a)
{
	struct item *i = &w->item[index];
	char key[2][LIMIT_USER + 1];
	enum users_answer found = USERS_MISS;
	struct user u;
	struct why why;
	size_t bare, k, n;

	if (!addr_local_key(a, key[0], sizeof(key[0]))) {
		expand_never(w, i->text, "5.1.1", "unknown user", a->text);
		return;
	}
	bare = mapkey_bare(key[0], strlen(key[0]), conf_get(&w->r->conf,
	    CONF_RECIPIENT_DELIMITER));
	(void)snprintf(key[1], sizeof(key[1]), "%.*s", (int)bare, key[0]);
	n = key[0][bare] != '\0' ? 2 : 1;
	i->exact |= expand_was_before(w, index, i->text);
	if (!i->exact && try_aliases(w, index, key, n))
		return;
	for (k = 0; k < n && found == USERS_MISS; k++)
		found = users_find(w->r->fd_users, key[k], &u);
	if (found == USERS_HIT)
		account(w, i, &u, k > 1 ? key[0] + bare : "");
	else if (found == USERS_MISS)
		nobody(w, i, key[0]);
	else {
		(void)why_set(&why, VERDICT_LATER, "4.3.0",
		    "account file %s cannot be read or is not complete",
		    conf_get(&w->r->conf, CONF_PASSWD_FILE));
		expand_failure(w, i->text, &why);
	}
}

/* A number out of virtual_uid_maps or virtual_gid_maps. */
static bool
virtual_id(struct work *w, struct map_list *map, struct mapkey keys,
    uint64_t min, uint64_t *id, struct why *why)
{
	enum map_answer answer;
	struct str value;
	bool ok;

	str_init(&value);
	answer = map_list_find_keys(map, &keys, &value, why);
	ok = answer == MAP_HIT && num_parse(value.s, value.len,
	    UINT32_MAX - 1, id) && *id >= min;
	if (!ok && answer != MAP_LATER)
		(void)why_set(why, VERDICT_LATER, "4.3.5", "%s: no usable "
		    "number in virtual_uid_maps or virtual_gid_maps",
		    keys.address);
	str_free(&value);
	(void)w;
	return ok;
}

static void
virtual_mailbox(struct work *w, const struct item *i, const struct addr *a)
{
	const struct conf *c = &w->r->conf;
	struct mapkey keys;
	struct mailbox mb;
	struct user u = { .name = "" };
	uint64_t uid = 0, gid = 0;
	struct str value;
	struct why why;
	enum map_answer answer;

	mapkey_address(&keys, a->text, conf_get(c, CONF_RECIPIENT_DELIMITER),
	    false);
	str_init(&value);
	answer = map_list_find_keys(&w->r->virtual_mailbox, &keys, &value,
	    &why);
	mapkey_address(&keys, a->text, conf_get(c, CONF_RECIPIENT_DELIMITER),
	    false);
	if (answer == MAP_MISS)
		expand_never(w, i->text, "5.1.1",
		    "unknown user", a->text);
	else if (answer == MAP_LATER || !virtual_id(w, &w->r->virtual_uid,
	    keys, conf_number(c, CONF_VIRTUAL_MINIMUM_UID), &uid, &why) ||
	    !virtual_id(w, &w->r->virtual_gid, keys, 1, &gid, &why))
		expand_failure(w, i->text, &why);
	else if (mailbox_virtual(&mb, conf_get(c, CONF_VIRTUAL_MAILBOX_BASE),
	    value.s) != 0) {
		(void)why_set(&why, VERDICT_LATER, "4.3.5",
		    "virtual_mailbox_base or the path in virtual_mailbox_maps "
		    "is not usable");
		expand_failure(w, i->text, &why);
	} else {
		(void)snprintf(u.name, sizeof(u.name), "%.*s",
		    LIMIT_USER, a->text);
		u.uid = (uid_t)uid;
		u.gid = (gid_t)gid;
		expand_mailbox(w, &u, &mb);
	}
	str_free(&value);
}

static void
not_ours(struct work *w, const struct item *i, const struct addr *a)
{
	struct why why;

	if (i->depth > 0) {
		(void)expand_target(w, TARGET_FORWARD, a->text, NULL);
		return;
	}
	/* message_remote has these; here they only say "not a mailbox". */
	(void)why_set(&why, VERDICT_LATER, "4.3.0", "not for this machine");
	expand_failure(w, i->text, &why);
}

void
expand_address(struct work *w, size_t index)
{
	struct item *i = &w->item[index];
	size_t len = strlen(i->text);
	struct route route;
	struct addr a;
	struct why why;

	if (len == 0 || addr_parse(&a, i->text, len) != len || a.len == 0 ||
	    !addr_complete(&a, conf_get(&w->r->conf, CONF_MYORIGIN))) {
		expand_never(w, i->text, "5.1.3",
		    "bad address syntax", i->text);
		return;
	}
	if (route_find(w->r, &a, NULL, &route, &why) != VERDICT_OK)
		expand_failure(w, i->text, &why);
	else if (route.kind == ROUTE_LOCAL)
		local_name(w, index, &a);
	else if (route.kind == ROUTE_VIRTUAL)
		virtual_mailbox(w, i, &a);
	else
		not_ours(w, i, &a);
}
