/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/nexthop.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "pure/num.h"

enum { PORT_LMTP = 24, PORT_SMTP = 25 };

static const struct {
	const char *name;
	uint16_t port;
} services[] = {
	{ "smtp", PORT_SMTP }, { "lmtp", PORT_LMTP }, { "submission", 587 }
};

static bool
parse_port(const char *s, size_t len, uint16_t *port)
{
	uint64_t number;
	size_t i;

	for (i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (strlen(services[i].name) == len &&
		    memcmp(services[i].name, s, len) == 0) {
			*port = services[i].port;
			return true;
		}
	if (!num_parse(s, len, UINT16_MAX, &number) || number == 0)
		return false;
	*port = (uint16_t)number;
	return true;
}

static bool
skip(const char **s, size_t *len, const char *prefix)
{
	size_t n = strlen(prefix);

	if (*len < n || strncasecmp(*s, prefix, n) != 0)
		return false;
	*s += n;
	*len -= n;
	return true;
}

static bool
copy(struct nexthop *h, const char *s, size_t len)
{
	if (len == 0 || len > LIMIT_DOMAIN)
		return false;
	memcpy(h->host, s, len);
	h->host[len] = '\0';
	return true;
}

/* A name of letters, digits, "-", "_" and dots, none of them twice or at an
 * end (one at the end may stand for the root); or an address. */
static bool
is_host(char *name)
{
	static const char octets[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	unsigned char raw[16];
	size_t n = strlen(name);

	if (inet_pton(AF_INET6, name, raw) == 1)
		return true;
	if (n > 1 && name[n - 1] == '.')
		name[--n] = '\0';
	return strspn(name, octets) == n && name[0] != '.' &&
	    name[n - 1] != '.' && strstr(name, "..") == NULL;
}

/* "[host]" or "[host]:port". */
static bool
parse_brackets(struct nexthop *h, const char *s, size_t len)
{
	const char *end = memchr(s, ']', len);
	size_t n = end != NULL ? (size_t)(end - s) - 1 : 0;
	const char *host = s + 1;

	if (end == NULL)
		return false;
	len -= n + 2;
	if (len > 0 && (end[1] != ':' ||
	    !parse_port(end + 2, len - 1, &h->port)))
		return false;
	h->kind = NEXTHOP_HOST;
	(void)skip(&host, &n, "ipv6:");
	return copy(h, host, n) && is_host(h->host);
}

bool
nexthop_parse(struct nexthop *h, const char *s, size_t len, bool lmtp)
{
	unsigned char raw[16];
	const char *colon;

	*h = (struct nexthop){ .port = lmtp ? PORT_LMTP : PORT_SMTP };
	h->kind = lmtp ? NEXTHOP_HOST : NEXTHOP_MX;
	if (lmtp && skip(&s, &len, "unix:")) {
		h->kind = NEXTHOP_UNIX;
		return len < 108 && s[0] == '/' && copy(h, s, len);
	}
	(void)(lmtp && skip(&s, &len, "inet:"));
	if (len > 0 && s[0] == '[')
		return parse_brackets(h, s, len);
	colon = memchr(s, ':', len);
	if (colon != NULL) {
		if (!parse_port(colon + 1, len - (size_t)(colon - s) - 1,
		    &h->port))
			return false;
		len = (size_t)(colon - s);
	}
	if (!copy(h, s, len) || !is_host(h->host))
		return false;
	if (inet_pton(AF_INET, h->host, raw) == 1)
		h->kind = NEXTHOP_HOST;
	return true;
}
