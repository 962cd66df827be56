/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/domain.h"

#include <string.h>
#include <strings.h>

#include "pure/list.h"

static const enum conf_id parameter[DOMAIN_OTHER] = {
	[DOMAIN_LOCAL] = CONF_MYDESTINATION,
	[DOMAIN_VIRTUAL_ALIAS] = CONF_VIRTUAL_ALIAS_DOMAINS,
	[DOMAIN_VIRTUAL_MAILBOX] = CONF_VIRTUAL_MAILBOX_DOMAINS,
	[DOMAIN_RELAY] = CONF_RELAY_DOMAINS
};

/* The entries "type:name" of a list; an address literal is none. */
static void
pick_tables(const char *list, struct str *out)
{
	const char *word;
	size_t len;

	while (list_next_element(&list, &word, &len) > 0)
		if (len > 0 && word[0] != '[' &&
		    memchr(word, ':', len) != NULL)
			str_printf(out, "{%.*s} ", (int)len, word);
}

int
domains_open(struct domains *d, const struct conf *c, struct why *why)
{
	int result = 0;
	struct str tables;
	size_t i;

	memset(d, 0, sizeof(*d));
	d->conf = c;
	str_init(&tables);
	for (i = 0; i < DOMAIN_OTHER; i++) {
		d->list[i] = conf_get(c, parameter[i]);
		str_reset(&tables);
		pick_tables(d->list[i], &tables);
		if (map_list_open(&d->map[i], tables.s, NULL, why) != 0)
			result = -1;
	}
	str_free(&tables);
	return result;
}

void
domains_close(struct domains *d)
{
	size_t i;

	for (i = 0; i < DOMAIN_OTHER; i++)
		map_list_close(&d->map[i]);
}

static enum domain_class
in_tables(struct domains *d, enum domain_class class, const char *domain,
    struct why *why)
{
	enum map_answer answer;
	struct str value;

	if (d->map[class].n == 0)
		return DOMAIN_OTHER;
	str_init(&value);
	answer = map_list_find(&d->map[class], domain, &value, why);
	str_free(&value);
	return answer == MAP_HIT ? class :
	    answer == MAP_MISS ? DOMAIN_OTHER : DOMAIN_LATER;
}

enum domain_class
domains_class(struct domains *d, const char *domain, struct why *why)
{
	enum domain_class class, found;

	if (domain[0] == '\0')
		return DOMAIN_LOCAL;
	for (class = DOMAIN_LOCAL; class < DOMAIN_OTHER; class++) {
		if (list_has_domain(d->list[class], domain))
			return class;
		found = in_tables(d, class, domain, why);
		if (found != DOMAIN_OTHER)
			return found;
	}
	return DOMAIN_OTHER;
}

bool
domains_is_local(struct domains *d, const char *domain)
{
	return domain[0] == '\0' || strcasecmp(domain,
	    conf_get(d->conf, CONF_MYORIGIN)) == 0 ||
	    list_has_domain(d->list[DOMAIN_LOCAL], domain);
}
