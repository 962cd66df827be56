/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who is at the other end of a descriptor. */
#ifndef PEER_H
#define PEER_H

#include <netinet/in.h>
#include <stdbool.h>

struct peer {
	int family;		/* AF_INET or AF_INET6 */
	unsigned char raw[16];	/* the address, network order */
	char addr[INET6_ADDRSTRLEN];
	char name[16];		/* "localhost" or "unknown" */
	char self[INET6_ADDRSTRLEN]; /* our own end */
	bool own;		/* comes from this machine */
};

/* Fills it from a connected socket (an IPv4 address mapped into IPv6 is
 * unmapped).  A pipe, a terminal or a local socket is localhost: who can
 * start us so has this machine's rights anyway.  Returns 0, or -1 with
 * errno when the peer is gone already. */
int peer_get(struct peer *, int fd);

#endif
