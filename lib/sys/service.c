/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sys/service.h"

#include <arpa/inet.h>
#include <string.h>

#include "pure/num.h"

/* "127.0.0.1:2628" or "[::1]:2628". */
static bool
parse_inet(const char *s, struct service *to)
{
	const char *colon = strrchr(s, ':');
	char host[INET6_ADDRSTRLEN + 2];
	uint64_t port;
	size_t n;

	if (colon == NULL || (n = (size_t)(colon - s)) >= sizeof(host) ||
	    !num_parse(colon + 1, strlen(colon + 1), 65535, &port) ||
	    port == 0)
		return false;
	memcpy(host, s, n);
	host[n] = '\0';
	if (n > 2 && host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		to->v6.sin6_family = AF_INET6;
		to->v6.sin6_port = htons((uint16_t)port);
		to->len = sizeof(to->v6);
		return inet_pton(AF_INET6, host + 1, &to->v6.sin6_addr) == 1;
	}
	to->v4.sin_family = AF_INET;
	to->v4.sin_port = htons((uint16_t)port);
	to->len = sizeof(to->v4);
	return inet_pton(AF_INET, host, &to->v4.sin_addr) == 1;
}

bool
service_parse(const char *s, struct service *to)
{
	memset(to, 0, sizeof(*to));
	if (strncmp(s, "inet:", 5) == 0)
		return parse_inet(s + 5, to);
	if (strncmp(s, "unix:", 5) != 0)
		return false;
	s += 5;
	if (s[0] != '/' || strlen(s) >= sizeof(to->local.sun_path))
		return false;
	to->local.sun_family = AF_UNIX;
	memcpy(to->local.sun_path, s, strlen(s));
	to->len = sizeof(to->local);
	return true;
}
