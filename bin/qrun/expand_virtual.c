/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "expand.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "pure/num.h"

/* A number out of virtual_uid_maps or virtual_gid_maps. */
static bool
virtual_id(struct map_list *map, struct mapkey keys,
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
	return ok;
}

void
expand_virtual(struct work *w, const struct item *i, const struct addr *a)
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
	else if (answer == MAP_LATER || !virtual_id(&w->r->virtual_uid,
	    keys, conf_number(c, CONF_VIRTUAL_MINIMUM_UID), &uid, &why) ||
	    !virtual_id(&w->r->virtual_gid, keys, 1, &gid, &why))
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

struct made {
	struct work *w;
	size_t parent;
	const char *address;	/* what was asked about */
	bool itself;		/* is among the results */
};

static void
take_rewritten(void *ctx, const char *address)
{
	struct made *m = ctx;
	struct work *w = m->w;
	struct item *i;

	if (strcasecmp(address, m->address) == 0) {
		m->itself = true;
		return;
	}
	i = expand_item(w, ALIAS_ADDRESS, address, m->parent,
	    w->item[m->parent].as, "virtual");
	if (i != NULL)
		i->rewritten = true;
}

/* As if the address came in from outside: what a list or a .forward names
 * may be a virtual alias, or have a canonical form. */
bool
expand_rewritten(struct work *w, size_t index, const struct addr *a)
{
	struct made m = { .w = w, .parent = index, .address = a->text };
	char *text = w->item[index].text;
	struct why why;

	if (w->item[index].depth == 0 || w->item[index].rewritten)
		return false;
	if (rewrite_rcpt(&w->r->rewrite, a, take_rewritten, &m, &why) !=
	    VERDICT_OK) {
		expand_failure(w, text, &why);
		return true;
	}
	return !m.itself;
}
