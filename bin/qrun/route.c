/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which way an address goes, as Postfix's trivial-rewrite finds it: the class
 * of its domain names a transport and the next hop; mail that leaves goes to
 * the relay host, if there is one; and transport_maps has the last word.
 */
#include "route.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *name;
	enum route_kind kind;
} transports[] = {
	{ "local", ROUTE_LOCAL }, { "virtual", ROUTE_VIRTUAL },
	{ "smtp", ROUTE_SMTP }, { "relay", ROUTE_SMTP },
	{ "lmtp", ROUTE_LMTP }, { "error", ROUTE_ERROR },
	{ "retry", ROUTE_RETRY }, { "discard", ROUTE_DISCARD }
};

bool
route_is_here(const struct route *route)
{
	return route->kind <= ROUTE_VIRTUAL;
}

static bool
set_hop(struct route *route, const char *hop, struct why *why)
{
	int n = snprintf(route->hop, sizeof(route->hop), "%s", hop);

	if (n >= 0 && (size_t)n < sizeof(route->hop))
		return true;
	(void)why_set(why, VERDICT_LATER, "4.3.5", "next hop too long");
	return false;
}

/* "transport:hop": what is written of it is taken over.  *has_hop: the hop
 * was. */
static bool
take(struct route *route, const char *text, bool *has_hop, struct why *why)
{
	size_t n = strcspn(text, ":"), i;
	const char *hop = text + n + (text[n] == ':');

	*has_hop = hop[0] != '\0';
	if (*has_hop && !set_hop(route, hop, why))
		return false;
	for (i = 0; n > 0 && i < sizeof(transports) / sizeof(transports[0]);
	    i++)
		if (strlen(transports[i].name) == n &&
		    memcmp(transports[i].name, text, n) == 0) {
			route->kind = transports[i].kind;
			return true;
		}
	if (n == 0)
		return true;
	(void)why_set(why, VERDICT_LATER, "4.3.0",
	    "mail transport \"%.*s\" unavailable", (int)n, text);
	return false;
}

/* sender_dependent_relayhost_maps: 1 found, 0 not, -1 cannot tell. */
static int
sender_relay(struct runner *r, const char *sender, struct str *value,
    struct why *why)
{
	enum map_answer answer;
	struct mapkey keys;

	if (sender == NULL || r->sender_relay.n == 0)
		return 0;
	mapkey_address(&keys, sender, conf_get(&r->conf,
	    CONF_RECIPIENT_DELIMITER), false);
	answer = map_list_find_keys(&r->sender_relay, &keys, value, why);
	if (answer == MAP_LATER)
		return -1;
	return answer == MAP_HIT && strcasecmp(value->s, "DUNNO") != 0;
}

/* Mail that leaves: the relay host of the sender, of all, or the domain. */
static bool
relay_hop(struct runner *r, const char *domain, const char *sender,
    struct route *route, struct why *why)
{
	const char *hop = conf_get(&r->conf, CONF_RELAYHOST);
	struct str value;
	bool good;
	int found;

	str_init(&value);
	found = sender_relay(r, sender, &value, why);
	if (found == 1)
		hop = value.s;
	good = found >= 0 && set_hop(route, hop[0] != '\0' ? hop : domain,
	    why);
	str_free(&value);
	return good;
}

static bool
by_class(struct runner *r, enum domain_class class, const char *domain,
    const char *sender, struct route *route, struct why *why)
{
	static const enum conf_id parameter[] = {
		[DOMAIN_LOCAL] = CONF_LOCAL_TRANSPORT,
		[DOMAIN_VIRTUAL_MAILBOX] = CONF_VIRTUAL_TRANSPORT,
		[DOMAIN_RELAY] = CONF_RELAY_TRANSPORT,
		[DOMAIN_OTHER] = CONF_DEFAULT_TRANSPORT
	};
	bool has_hop;

	if (class == DOMAIN_VIRTUAL_ALIAS) {
		route->kind = ROUTE_ERROR;
		return set_hop(route, "5.1.1 User unknown in virtual alias "
		    "table", why);
	}
	if (class == DOMAIN_RELAY || class == DOMAIN_OTHER) {
		if (!relay_hop(r, domain, sender, route, why))
			return false;
	} else if (!set_hop(route, domain, why))
		return false;
	return take(route, conf_get(&r->conf, parameter[class]), &has_hop,
	    why);
}

/* transport_maps: what is left out of "transport:hop" stays as it was, but a
 * transport without a hop goes to the domain. */
static bool
by_table(struct runner *r, const struct addr *a, const char *domain,
    struct route *route, struct why *why)
{
	enum map_answer answer;
	struct mapkey keys;
	struct str value;
	bool good = true, has_hop;

	if (r->transport.n == 0)
		return true;
	str_init(&value);
	mapkey_transport(&keys, a->text, conf_get(&r->conf,
	    CONF_RECIPIENT_DELIMITER));
	answer = map_list_find_keys(&r->transport, &keys, &value, why);
	if (answer == MAP_HIT && strchr(value.s, ':') == NULL) {
		(void)why_set(why, VERDICT_LATER, "4.3.5", "transport_maps: "
		    "\"%.200s\" for %s has no \":\"", value.s, keys.key);
		good = false;
	} else if (answer == MAP_HIT) {
		good = take(route, value.s, &has_hop, why);
		if (good && !has_hop && value.s[0] != ':')
			good = set_hop(route, domain, why);
	} else if (answer == MAP_LATER)
		good = false;
	str_free(&value);
	return good;
}

enum verdict
route_find(struct runner *r, const struct addr *a, const char *sender,
    struct route *route, struct why *why)
{
	const char *domain = addr_domain(a);
	enum domain_class class = domains_class(&r->domains, domain, why);

	*route = (struct route){ .kind = ROUTE_LOCAL };
	if (class == DOMAIN_LATER ||
	    !by_class(r, class, domain, sender, route, why) ||
	    (class != DOMAIN_VIRTUAL_ALIAS &&
	    !by_table(r, a, domain, route, why)))
		return why->verdict;
	return VERDICT_OK;
}
