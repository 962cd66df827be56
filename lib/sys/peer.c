/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sys/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

union any {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_storage storage;
};

/* The address of an IP socket: its family, or 0 for another kind. */
static int
address(const union any *a, unsigned char raw[static 16])
{
	if (a->sa.sa_family == AF_INET) {
		memcpy(raw, &a->in.sin_addr, 4);
		return AF_INET;
	}
	if (a->sa.sa_family != AF_INET6)
		return 0;
	if (IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr)) {
		memcpy(raw, a->in6.sin6_addr.s6_addr + 12, 4);
		return AF_INET;
	}
	memcpy(raw, &a->in6.sin6_addr, 16);
	return AF_INET6;
}

static bool
is_loopback(int family, const unsigned char *raw)
{
	static const unsigned char one[16] = { [15] = 1 };

	return family == AF_INET ? raw[0] == 127 : memcmp(raw, one, 16) == 0;
}

int
peer_get(struct peer *p, int fd)
{
	union any a = { .sa.sa_family = AF_UNSPEC };
	unsigned char self[16] = { 0 };
	socklen_t len = sizeof(a);
	int family;

	memset(p, 0, sizeof(*p));
	if (getpeername(fd, &a.sa, &len) != 0 && errno != ENOTSOCK)
		return -1;
	p->family = address(&a, p->raw);
	if (p->family == 0) {
		p->family = AF_INET;
		memcpy(p->raw, "\177\0\0\1", 4);
		memcpy(self, p->raw, 4);
	} else {
		len = sizeof(a);
		if (getsockname(fd, &a.sa, &len) != 0)
			return -1;
		family = address(&a, self);
		if (family != p->family)
			memset(self, 0, sizeof(self));
	}
	(void)inet_ntop(p->family, p->raw, p->addr, sizeof(p->addr));
	(void)inet_ntop(p->family, self, p->self, sizeof(p->self));
	p->own = is_loopback(p->family, p->raw) ||
	    memcmp(p->raw, self, p->family == AF_INET ? 4 : 16) == 0;
	(void)snprintf(p->name, sizeof(p->name), "%s",
	    is_loopback(p->family, p->raw) ? "localhost" : "unknown");
	return 0;
}
