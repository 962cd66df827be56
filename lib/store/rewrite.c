/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/rewrite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "pure/aliasline.h"

/* How often a canonical address may be mapped again. */
enum { CANONICAL_ROUNDS = 20 };

int
rewrite_open(struct rewrite *r, const struct conf *c, struct domains *d,
    struct why *why)
{
	struct {
		struct map_list *map;
		enum conf_id id;
	} all[] = {
		{ &r->canonical, CONF_CANONICAL_MAPS },
		{ &r->sender_canonical, CONF_SENDER_CANONICAL_MAPS },
		{ &r->recipient_canonical, CONF_RECIPIENT_CANONICAL_MAPS },
		{ &r->virtual_alias, CONF_VIRTUAL_ALIAS_MAPS },
		{ &r->sender_bcc, CONF_SENDER_BCC_MAPS },
		{ &r->recipient_bcc, CONF_RECIPIENT_BCC_MAPS }
	};
	int result = 0;
	size_t i;

	memset(r, 0, sizeof(*r));
	r->conf = c;
	r->domains = d;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (map_list_open(all[i].map, conf_get(c, all[i].id),
		    conf_get(c, CONF_DEFAULT_DATABASE_TYPE), why) != 0)
			result = -1;
	return result;
}

void
rewrite_close(struct rewrite *r)
{
	map_list_close(&r->canonical);
	map_list_close(&r->sender_canonical);
	map_list_close(&r->recipient_canonical);
	map_list_close(&r->virtual_alias);
	map_list_close(&r->sender_bcc);
	map_list_close(&r->recipient_bcc);
}

bool
rewrite_complete(const struct rewrite *r, struct addr *a)
{
	const char *domain;
	size_t n;

	if (conf_number(r->conf, CONF_APPEND_AT_MYORIGIN) != 0 &&
	    !addr_complete(a, conf_get(r->conf, CONF_MYORIGIN)))
		return false;
	domain = addr_domain(a);
	if (conf_number(r->conf, CONF_APPEND_DOT_MYDOMAIN) == 0 ||
	    domain[0] == '\0' || domain[0] == '[' ||
	    strchr(domain, '.') != NULL ||
	    strcasecmp(domain, "localhost") == 0)
		return true;
	n = strlen(conf_get(r->conf, CONF_MYDOMAIN));
	if (a->len + 1 + n > LIMIT_ADDRESS)
		return false;
	a->text[a->len++] = '.';
	memcpy(a->text + a->len, conf_get(r->conf, CONF_MYDOMAIN), n + 1);
	a->len += n;
	return true;
}

/* The keys of an address, and the first of them that maps. */
static enum map_answer
find(struct rewrite *r, struct map_list *map, const struct addr *a,
    struct mapkey *keys, struct str *value, struct why *why)
{
	if (map->n == 0)
		return MAP_MISS;
	mapkey_address(keys, a->text, conf_get(r->conf,
	    CONF_RECIPIENT_DELIMITER), domains_is_local(r->domains,
	    addr_domain(a)));
	return map_list_find_keys(map, keys, value, why);
}

/* One address out of a table: "@other" keeps the user, an extension that
 * the key left out is kept. */
static bool
result_address(const struct rewrite *r, const struct addr *from,
    const struct mapkey *keys, const char *text, struct addr *to)
{
	char buf[2 * LIMIT_ADDRESS + 4];
	const char *at = strrchr(text, '@');
	size_t n = at != NULL ? (size_t)(at - text) : strlen(text);

	if (strlen(text) > LIMIT_ADDRESS)
		return false;
	if (n == 0 && at != NULL)
		(void)snprintf(buf, sizeof(buf), "%.*s%s", (int)from->at,
		    from->text, at);
	else
		(void)snprintf(buf, sizeof(buf), "%.*s%.*s%s", (int)n, text,
		    (int)keys->extension_len, keys->extension,
		    at != NULL ? at : "");
	n = strlen(buf);
	return addr_parse(to, buf, n) == n && rewrite_complete(r, to);
}

/* What cannot be read may stand for someone who must not be left out. */
static enum verdict
bad_entry(const char *key, const char *text, struct why *why)
{
	return why_set(why, VERDICT_LATER, "4.6.0",
	    "Alias expansion error: %s: bad address \"%.200s\"", key, text);
}

/* ---- canonical ---- */

static enum verdict
canonical(struct rewrite *r, struct map_list *map, struct addr *a,
    struct why *why)
{
	enum verdict verdict = VERDICT_OK;
	struct mapkey keys;
	struct str value;
	struct addr to;
	int round;

	str_init(&value);
	for (round = 0; round < CANONICAL_ROUNDS && a->len > 0; round++) {
		enum map_answer answer = find(r, map, a, &keys, &value, why);

		if (answer == MAP_LATER)
			verdict = VERDICT_LATER;
		else if (answer == MAP_HIT && !result_address(r, a, &keys,
		    value.s, &to))
			verdict = bad_entry(a->text, value.s, why);
		if (answer != MAP_HIT || verdict != VERDICT_OK ||
		    strcasecmp(to.text, a->text) == 0)
			break;
		*a = to;
	}
	str_free(&value);
	return verdict;
}

static enum verdict
map_header(struct rewrite *r, struct map_list *first, struct addr *a,
    struct why *why)
{
	if (!rewrite_complete(r, a))
		return VERDICT_OK;
	if (canonical(r, first, a, why) != VERDICT_OK ||
	    canonical(r, &r->canonical, a, why) != VERDICT_OK)
		return VERDICT_LATER;
	rewrite_masquerade(r, a);
	return VERDICT_OK;
}

enum verdict
rewrite_sender(struct rewrite *r, struct addr *a, struct why *why)
{
	return map_header(r, &r->sender_canonical, a, why);
}

enum verdict
rewrite_header_rcpt(struct rewrite *r, struct addr *a, struct why *why)
{
	return map_header(r, &r->recipient_canonical, a, why);
}

/* ---- virtual aliases ---- */

struct expansion {
	struct addr *item;
	size_t n, cap, limit;
};

/* Is there room, and is it new?  Doubles are left out, which also ends
 * every loop. */
static bool
add(struct expansion *e, const struct addr *a)
{
	struct addr *more;
	size_t i, cap;

	for (i = 0; i < e->n; i++)
		if (strcasecmp(e->item[i].text, a->text) == 0)
			return true;
	if (e->n >= e->limit)
		return false;
	if (e->n == e->cap) {
		cap = e->cap > 0 ? e->cap * 2 : 8;
		more = realloc(e->item, cap * sizeof(*more));
		if (more == NULL)
			return false;
		e->item = more;
		e->cap = cap;
	}
	e->item[e->n++] = *a;
	return true;
}

/* Adds what a table says that e->item[i] stands for.  *self: itself too. */
static enum verdict
add_results(struct rewrite *r, struct expansion *e, size_t i,
    const struct mapkey *keys, const struct str *value, bool *self,
    struct why *why)
{
	struct addr from = e->item[i], to;
	struct alias_scan scan;
	enum alias_kind kind;
	struct str text;
	enum verdict verdict = VERDICT_OK;

	*self = false;
	str_init(&text);
	alias_init(&scan, value->s, value->len);
	while (verdict == VERDICT_OK &&
	    (kind = alias_next(&scan, &text)) != ALIAS_END) {
		if (kind != ALIAS_ADDRESS ||
		    !result_address(r, &from, keys, text.s, &to))
			verdict = bad_entry(from.text, text.s, why);
		else if (strcasecmp(to.text, from.text) == 0)
			*self = true;
		else if (!add(e, &to))
			verdict = why_set(why, VERDICT_LATER, "4.6.0",
			    "Alias expansion error: %s is too many addresses",
			    from.text);
	}
	str_free(&text);
	return verdict;
}

/* Breadth first: each item is looked up once, and stands for itself if the
 * tables do not have it or name it in its own expansion. */
static enum verdict
expand(struct rewrite *r, struct expansion *e, rewrite_add *give, void *ctx,
    struct why *why)
{
	enum map_answer answer;
	struct mapkey keys;
	struct str value;
	bool self, given = false;
	size_t i;

	str_init(&value);
	why->verdict = VERDICT_OK;
	for (i = 0; i < e->n && why->verdict == VERDICT_OK; i++) {
		answer = find(r, &r->virtual_alias, &e->item[i], &keys,
		    &value, why);
		self = answer == MAP_MISS;
		if (answer == MAP_HIT)
			why->verdict = add_results(r, e, i, &keys, &value,
			    &self, why);
		if (self)
			give(ctx, e->item[i].text);
		given |= self;
	}
	str_free(&value);
	if (why->verdict == VERDICT_OK && !given)
		return why_set(why, VERDICT_LATER, "4.6.0",
		    "Alias expansion error: %s leads to nobody",
		    e->item[0].text);
	return why->verdict;
}

enum verdict
rewrite_rcpt(struct rewrite *r, const struct addr *given, rewrite_add *give,
    void *ctx, struct why *why)
{
	struct expansion e = { .limit = conf_number(r->conf,
	    CONF_VIRTUAL_ALIAS_EXPANSION_LIMIT) };
	struct addr a = *given;
	enum verdict verdict;

	if (!rewrite_complete(r, &a))
		return why_set(why, VERDICT_NEVER, "5.1.3",
		    "Bad recipient address syntax");
	if (canonical(r, &r->recipient_canonical, &a, why) != VERDICT_OK ||
	    canonical(r, &r->canonical, &a, why) != VERDICT_OK)
		return VERDICT_LATER;
	if (r->virtual_alias.n == 0) {
		give(ctx, a.text);
		return VERDICT_OK;
	}
	if (!add(&e, &a))
		return why_set(why, VERDICT_LATER, "4.3.0", "out of memory");
	verdict = expand(r, &e, give, ctx, why);
	free(e.item);
	return verdict;
}

/* ---- copies ---- */

static enum verdict
bcc(struct rewrite *r, const char *text, rewrite_add *give, void *ctx,
    struct why *why)
{
	struct addr a;
	size_t n = strlen(text);

	if (n == 0)
		return VERDICT_OK;
	if (addr_parse(&a, text, n) != n || a.len == 0)
		return bad_entry("copy", text, why);
	return rewrite_rcpt(r, &a, give, ctx, why);
}

static enum verdict
mapped_bcc(struct rewrite *r, struct map_list *map, const struct addr *a,
    rewrite_add *give, void *ctx, struct why *why)
{
	enum verdict verdict = VERDICT_OK;
	struct mapkey keys;
	struct str value;

	str_init(&value);
	switch (find(r, map, a, &keys, &value, why)) {
	case MAP_HIT:
		verdict = bcc(r, value.s, give, ctx, why);
		break;
	case MAP_MISS:
		break;
	case MAP_LATER:
		verdict = VERDICT_LATER;
		break;
	}
	str_free(&value);
	return verdict;
}

enum verdict
rewrite_bcc(struct rewrite *r, const struct addr *sender,
    const struct addr *rcpt, rewrite_add *give, void *ctx, struct why *why)
{
	enum verdict verdict;

	if (rcpt != NULL)
		return mapped_bcc(r, &r->recipient_bcc, rcpt, give, ctx, why);
	verdict = bcc(r, conf_get(r->conf, CONF_ALWAYS_BCC), give, ctx, why);
	if (verdict != VERDICT_OK || sender->len == 0)
		return verdict;
	return mapped_bcc(r, &r->sender_bcc, sender, give, ctx, why);
}

enum map_answer
rewrite_knows(struct rewrite *r, const struct addr *a, struct why *why)
{
	struct map_list *all[] = { &r->recipient_canonical, &r->canonical,
	    &r->virtual_alias };
	enum map_answer answer = MAP_MISS;
	struct mapkey keys;
	struct str value;
	size_t i;

	str_init(&value);
	for (i = 0; i < 3 && answer == MAP_MISS; i++)
		answer = find(r, all[i], a, &keys, &value, why);
	str_free(&value);
	return answer;
}
