/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where mail is to be handed over, as relayhost and transport_maps name it:
 *
 *	example.org, example.org:587		its MX hosts
 *	[mail.example.org], [192.0.2.1]:2525,
 *	[2001:db8::1]:25, [IPv6:2001:db8::1]	that host
 *	host:24, inet:host:24, unix:/path	LMTP: that host, that socket
 *
 * Several stand behind one another with commas or white space (list.h).
 */
#ifndef NEXTHOP_H
#define NEXTHOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pure/limits.h"

enum nexthop_kind {
	NEXTHOP_MX,		/* the MX hosts of a domain, or itself */
	NEXTHOP_HOST,		/* a host or an address, no MX */
	NEXTHOP_UNIX		/* a socket of this machine */
};

struct nexthop {
	enum nexthop_kind kind;
	char host[LIMIT_DOMAIN + 1];	/* or the path */
	uint16_t port;
};

/* False: it is none. */
bool nexthop_parse(struct nexthop *, const char *s, size_t len, bool lmtp);

#endif
