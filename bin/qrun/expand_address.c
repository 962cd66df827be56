/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "expand.h"
#include "route.h"

#include <string.h>

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

static bool
is_relocated(struct work *w, const struct item *i, const struct addr *a)
{
	enum map_answer answer;
	struct mapkey keys;
	struct str value;
	struct why why;

	if (w->r->relocated.n == 0)
		return false;
	mapkey_address(&keys, a->text, conf_get(&w->r->conf,
	    CONF_RECIPIENT_DELIMITER), domains_is_local(&w->r->domains,
	    addr_domain(a)));
	str_init(&value);
	answer = map_list_find_keys(&w->r->relocated, &keys, &value, &why);
	if (answer == MAP_HIT)
		expand_never(w, i->text, "5.1.6", "user has moved to",
		    value.s);
	if (answer == MAP_LATER)
		expand_failure(w, i->text, &why);
	str_free(&value);
	return answer != MAP_MISS;
}

void
expand_address(struct work *w, size_t index)
{
	const struct item *i = &w->item[index];
	size_t len = strlen(i->text);
	struct route route;
	struct addr a;
	struct why why;

	if (len == 0 || addr_parse(&a, i->text, len) != len || a.len == 0 ||
	    !addr_complete(&a, conf_get(&w->r->conf, CONF_MYORIGIN))) {
		expand_never(w, i->text, "5.1.3", "bad address syntax",
		    i->text);
		return;
	}
	if (route_find(w->r, &a, NULL, &route, &why) != VERDICT_OK) {
		expand_failure(w, i->text, &why);
		return;
	}
	if (is_relocated(w, i, &a) ||
	    (route.kind != ROUTE_LOCAL && expand_rewritten(w, index, &a)))
		return;
	if (route.kind == ROUTE_LOCAL)
		expand_local(w, index, &a);
	else if (route.kind == ROUTE_VIRTUAL)
		expand_virtual(w, i, &a);
	else
		not_ours(w, i, &a);
}
