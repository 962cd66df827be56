/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "qrun.h"

#include <unistd.h>

#include "store/aliases.h"

static bool
open_all(struct runner *r, struct why *why)
{
	const struct conf *c = &r->conf;
	const char *type = conf_get(c, CONF_DEFAULT_DATABASE_TYPE);

	return domains_open(&r->domains, c, why) == 0 &&
	    rewrite_open(&r->rewrite, c, &r->domains, why) == 0 &&
	    aliases_open(&r->aliases, c, CONF_ALIAS_MAPS, NULL, why) == 0 &&
	    map_list_open(&r->relocated, conf_get(c, CONF_RELOCATED_MAPS),
	    type, why) == 0 &&
	    map_list_open(&r->virtual_mailbox,
	    conf_get(c, CONF_VIRTUAL_MAILBOX_MAPS), type, why) == 0 &&
	    map_list_open(&r->virtual_uid,
	    conf_get(c, CONF_VIRTUAL_UID_MAPS), type, why) == 0 &&
	    map_list_open(&r->virtual_gid,
	    conf_get(c, CONF_VIRTUAL_GID_MAPS), type, why) == 0 &&
	    map_list_open(&r->transport, conf_get(c, CONF_TRANSPORT_MAPS),
	    type, why) == 0 &&
	    map_list_open(&r->sender_relay,
	    conf_get(c, CONF_SENDER_RELAYHOST_MAPS), type, why) == 0;
}

/* Opened for each message: what an administrator has changed holds at once,
 * however long this process has been here. */
bool
tables_open(struct runner *r, struct why *why)
{
	if (!r->tables_open) {
		r->tables_open = true;
		r->fd_users = users_open(conf_get(&r->conf,
		    CONF_PASSWD_FILE));
		r->tables_why.verdict = VERDICT_OK;
		if (!open_all(r, &r->tables_why))
			r->tables_why.verdict = VERDICT_LATER;
	}
	*why = r->tables_why;
	return why->verdict == VERDICT_OK;
}

void
tables_close(struct runner *r)
{
	if (!r->tables_open)
		return;
	r->tables_open = false;
	if (r->fd_users >= 0)
		(void)close(r->fd_users);
	domains_close(&r->domains);
	rewrite_close(&r->rewrite);
	map_list_close(&r->aliases);
	map_list_close(&r->relocated);
	map_list_close(&r->virtual_mailbox);
	map_list_close(&r->virtual_uid);
	map_list_close(&r->virtual_gid);
	map_list_close(&r->transport);
	map_list_close(&r->sender_relay);
}
