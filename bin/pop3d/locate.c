/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the mail of an account is, its own or that of a virtual mailbox. */
#include "pop3d.h"

#include <string.h>

#include "store/domain.h"
#include "store/map.h"

/* The class of the domain; the list may be tables. */
static enum domain_class
class_of(const struct conf *c, const char *domain, struct why *why)
{
	static struct domains domains;
	enum domain_class class = DOMAIN_LATER;

	if (domains_open(&domains, c, why) == 0)
		class = domains_class(&domains, domain, why);
	domains_close(&domains);
	return class;
}

/* The path for exactly this address: an entry for the whole domain, where
 * the mail of many is, is nobody's mailbox. */
static enum map_answer
path_of(const struct conf *c, const char *address, struct str *path,
    struct why *why)
{
	struct map_list list;
	enum map_answer answer = MAP_LATER;

	if (map_list_open(&list, conf_get(c, CONF_VIRTUAL_MAILBOX_MAPS),
	    conf_get(c, CONF_DEFAULT_DATABASE_TYPE), why) == 0)
		answer = map_list_find(&list, address, path, why);
	map_list_close(&list);
	return answer;
}

static enum verdict
locate_home(struct pop3 *p, struct why *why)
{
	if (mailbox_locate(&p->mailbox, &p->conf, &p->account) == 0)
		return VERDICT_OK;
	return why_set(why, VERDICT_NEVER, "5.3.5",
	    "home_mailbox or mail_spool_directory is wrong");
}

static enum verdict
locate_virtual(struct pop3 *p, struct why *why)
{
	const char *base = conf_get(&p->conf, CONF_VIRTUAL_MAILBOX_BASE);
	enum verdict verdict = VERDICT_OK;
	struct str path;

	str_init(&path);
	switch (path_of(&p->conf, p->account.name, &path, why)) {
	case MAP_HIT:
		p->is_virtual = true;
		if (mailbox_virtual(&p->mailbox, base, path.s) != 0)
			verdict = why_set(why, VERDICT_NEVER, "5.3.5",
			    "virtual_mailbox_base or the path in "
			    "virtual_mailbox_maps is not usable");
		break;
	case MAP_MISS:
		verdict = locate_home(p, why);
		break;
	case MAP_LATER:
		verdict = why->verdict;
		break;
	}
	str_free(&path);
	return verdict;
}

enum verdict
pop3_locate(struct pop3 *p, struct why *why)
{
	const char *at = strrchr(p->account.name, '@');

	if (at == NULL ||
	    conf_get(&p->conf, CONF_VIRTUAL_MAILBOX_MAPS)[0] == '\0')
		return locate_home(p, why);
	switch (class_of(&p->conf, at + 1, why)) {
	case DOMAIN_LATER:
		return why->verdict;
	case DOMAIN_VIRTUAL_MAILBOX:
		return locate_virtual(p, why);
	case DOMAIN_LOCAL:
	case DOMAIN_VIRTUAL_ALIAS:
	case DOMAIN_RELAY:
	case DOMAIN_OTHER:
		break;
	}
	return locate_home(p, why);
}
