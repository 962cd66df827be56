/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Is there anyone at an address that we deliver? */
#include "smtpd.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "store/aliases.h"
#include "sys/log.h"

static const char *const table_name[DOMAIN_OTHER] = {
	[DOMAIN_LOCAL] = "local recipient",
	[DOMAIN_VIRTUAL_ALIAS] = "virtual alias",
	[DOMAIN_VIRTUAL_MAILBOX] = "virtual mailbox",
	[DOMAIN_RELAY] = "relay recipient"
};

bool
smtpd_open_tables(struct smtpd *s)
{
	struct smtpd_tables *t = &s->tables;
	const struct conf *c = &s->conf;
	const char *type = conf_get(c, CONF_DEFAULT_DATABASE_TYPE);
	struct why why;

	if (domains_open(&t->domains, c, &why) == 0 &&
	    rewrite_open(&t->rewrite, c, &t->domains, &why) == 0 &&
	    aliases_open(&t->known[DOMAIN_LOCAL], c,
	    CONF_LOCAL_RECIPIENT_MAPS, &t->accounts, &why) == 0 &&
	    map_list_open(&t->known[DOMAIN_VIRTUAL_MAILBOX],
	    conf_get(c, CONF_VIRTUAL_MAILBOX_MAPS), type, &why) == 0 &&
	    map_list_open(&t->known[DOMAIN_RELAY],
	    conf_get(c, CONF_RELAY_RECIPIENT_MAPS), type, &why) == 0 &&
	    map_list_open(&t->relocated, conf_get(c, CONF_RELOCATED_MAPS),
	    type, &why) == 0 && map_list_open(&t->sender_login,
	    conf_get(c, CONF_SMTPD_SENDER_LOGIN_MAPS), type, &why) == 0) {
		map_list_log_stale(&t->known[DOMAIN_LOCAL], "smtpd");
		map_list_log_stale(&t->known[DOMAIN_VIRTUAL_MAILBOX],
		    "smtpd");
		map_list_log_stale(&t->rewrite.virtual_alias, "smtpd");
		return true;
	}
	log_warning("smtpd", "%s", why.text);
	return false;
}

/* An account, with or without what follows the delimiter. */
static enum map_answer
find_account(struct smtpd *s, const struct addr *a, struct why *why)
{
	char key[LIMIT_USER + 1];
	enum users_answer answer;
	struct user u;
	size_t bare;

	if (!addr_local_key(a, key, sizeof(key)))
		return MAP_MISS;
	answer = users_find(s->fd_users, key, &u);
	bare = mapkey_bare(key, strlen(key), conf_get(&s->conf,
	    CONF_RECIPIENT_DELIMITER));
	if (answer == USERS_MISS && key[bare] != '\0') {
		key[bare] = '\0';
		answer = users_find(s->fd_users, key, &u);
	}
	if (answer == USERS_LATER)
		(void)why_set(why, VERDICT_LATER, "4.3.0",
		    "accounts cannot be read now");
	return answer == USERS_HIT ? MAP_HIT :
	    answer == USERS_MISS ? MAP_MISS : MAP_LATER;
}

static enum map_answer
find(struct smtpd *s, struct map_list *map, const struct addr *a,
    struct str *value, struct why *why)
{
	struct mapkey keys;

	mapkey_address(&keys, a->text, conf_get(&s->conf,
	    CONF_RECIPIENT_DELIMITER), domains_is_local(&s->tables.domains,
	    addr_domain(a)));
	return map_list_find_keys(map, &keys, value, why);
}

/* Does the class's own table know the address? */
static enum map_answer
is_known(struct smtpd *s, enum domain_class class, const struct addr *a,
    struct str *value, struct why *why)
{
	struct smtpd_tables *t = &s->tables;
	enum map_answer answer;
	bool all = class == DOMAIN_LOCAL ?
	    t->known[class].n == 0 && !t->accounts :
	    class == DOMAIN_RELAY && t->known[class].n == 0;

	/* No table at all: everyone is taken.  RFC 5321 4.5.1: postmaster
	 * is always there. */
	if (all || class == DOMAIN_OTHER || (class == DOMAIN_LOCAL &&
	    a->at == strlen("postmaster") &&
	    strncasecmp(a->text, "postmaster", a->at) == 0))
		return MAP_HIT;
	if (class == DOMAIN_LOCAL && t->accounts) {
		answer = find_account(s, a, why);
		if (answer != MAP_MISS)
			return answer;
	}
	return find(s, &t->known[class], a, value, why);
}

static enum verdict
check(struct smtpd *s, enum domain_class class, const struct addr *a,
    struct str *value, struct why *why)
{
	enum map_answer answer = MAP_MISS;

	if (s->tables.relocated.n > 0)
		answer = find(s, &s->tables.relocated, a, value, why);
	if (answer == MAP_HIT)
		return why_set(why, VERDICT_NEVER, "5.1.6", "Recipient "
		    "address rejected: User has moved to %s", value->s);
	if (answer == MAP_MISS)
		answer = rewrite_knows(&s->tables.rewrite, a, why);
	if (answer == MAP_MISS)
		answer = is_known(s, class, a, value, why);
	if (answer == MAP_HIT)
		return VERDICT_OK;
	if (answer == MAP_LATER) {
		log_warning("smtpd", "%s", why->text);
		return why_set(why, VERDICT_LATER, "4.3.0",
		    "Temporary lookup failure");
	}
	return why_set(why, VERDICT_NEVER, "5.1.1", "Recipient address "
	    "rejected: User unknown in %s table", table_name[class]);
}

enum verdict
smtpd_check_recipient(struct smtpd *s, const struct addr *a, struct why *why)
{
	enum domain_class class = domains_class(&s->tables.domains,
	    addr_domain(a), why);
	enum verdict verdict;
	struct str value;

	if (class == DOMAIN_LATER) {
		log_warning("smtpd", "%s", why->text);
		return why_set(why, VERDICT_LATER, "4.3.0",
		    "Temporary lookup failure");
	}
	if (class == DOMAIN_OTHER && !s->trusted)
		return why_set(why, VERDICT_LATER, "4.7.1",
		    "Relay access denied");
	str_init(&value);
	verdict = check(s, class, a, &value, why);
	str_free(&value);
	return verdict;
}
