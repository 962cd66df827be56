/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which way an address goes. */
#ifndef ROUTE_H
#define ROUTE_H

#include "pure/addr.h"
#include "qrun.h"

enum route_kind {
	ROUTE_LOCAL,	/* an account, an alias */
	ROUTE_VIRTUAL,	/* virtual_mailbox_maps */
	ROUTE_SMTP,	/* hop: a list of next hops */
	ROUTE_LMTP,
	ROUTE_ERROR,	/* hop: "status text", or just text */
	ROUTE_RETRY,
	ROUTE_DISCARD
};

struct route {
	enum route_kind kind;
	char hop[LIMIT_ROUTE + 1];
};

/* route.c: for a whole address (with its domain).  sender chooses among the
 * relay hosts; NULL where it does not matter.  VERDICT_OK, or LATER with
 * why. */
enum verdict route_find(struct runner *, const struct addr *,
    const char *sender, struct route *, struct why *);
/* Does the mail stay on this machine? */
bool route_is_here(const struct route *);

#endif
