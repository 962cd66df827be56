/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whose domain is it?  Postfix's address classes: each says who delivers,
 * and which table knows the addresses.
 */
#ifndef DOMAIN_H
#define DOMAIN_H

#include "pure/addr.h"
#include "pure/verdict.h"
#include "store/conf.h"
#include "store/map.h"

enum domain_class {
	DOMAIN_LOCAL,		/* mydestination */
	DOMAIN_VIRTUAL_ALIAS,	/* virtual_alias_domains */
	DOMAIN_VIRTUAL_MAILBOX,	/* virtual_mailbox_domains */
	DOMAIN_RELAY,		/* relay_domains */
	DOMAIN_OTHER,
	DOMAIN_LATER		/* a table could not say; why */
};

struct domains {
	const struct conf *conf;
	const char *list[DOMAIN_OTHER];	/* the parameter of each class */
	struct map_list map[DOMAIN_OTHER]; /* the tables among its entries */
};

/* The tables are opened now.  0, or -1 and why; domains_close is due in any
 * case. */
int domains_open(struct domains *, const struct conf *, struct why *);
void domains_close(struct domains *);

/* The class of a domain ("": a bare name, which is local). */
enum domain_class domains_class(struct domains *, const char *domain,
    struct why *);

/* For mapkey_address: may the domain be left out of a key? */
bool domains_is_local(struct domains *, const char *domain);

#endif
