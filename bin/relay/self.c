/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which addresses are our own: mail sent there would come back. */
#include "relay.h"

#include <ifaddrs.h>
#include <string.h>

#include "pure/list.h"

static struct ifaddrs *interfaces;
static const char *proxies = "";

void
self_open(const char *proxy)
{
	proxies = proxy;
	if (getifaddrs(&interfaces) != 0)
		interfaces = NULL;
}

static bool
same(const struct sockaddr *a, const struct host *h)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (a == NULL || a->sa_family != h->any.sa_family)
		return false;
	if (a->sa_family == AF_INET) {
		memcpy(&v4, a, sizeof(v4));
		return v4.sin_addr.s_addr == h->v4.sin_addr.s_addr;
	}
	if (a->sa_family != AF_INET6)
		return false;
	memcpy(&v6, a, sizeof(v6));
	return memcmp(&v6.sin6_addr, &h->v6.sin6_addr, 16) == 0;
}

/* Addresses that mean this machine on every machine. */
static bool
always(const struct host *h)
{
	const struct in6_addr *a = &h->v6.sin6_addr;
	const unsigned char *v4 = a->s6_addr + 12;

	if (h->any.sa_family == AF_INET)
		v4 = (const unsigned char *)&h->v4.sin_addr;
	else if (!IN6_IS_ADDR_V4MAPPED(a))
		return IN6_IS_ADDR_LOOPBACK(a) || IN6_IS_ADDR_UNSPECIFIED(a);
	return v4[0] == 127 || v4[0] == 0;
}

bool
self_has(const struct host *h)
{
	const struct ifaddrs *i;
	const char *bad;
	size_t bad_len;

	if (h->any.sa_family != AF_INET && h->any.sa_family != AF_INET6)
		return false;
	if (always(h) || list_has_network(proxies, h->any.sa_family,
	    h->any.sa_family == AF_INET ? (const void *)&h->v4.sin_addr :
	    (const void *)&h->v6.sin6_addr, &bad, &bad_len) == 1)
		return true;
	for (i = interfaces; i != NULL; i = i->ifa_next)
		if (same(i->ifa_addr, h))
			return true;
	return false;
}
