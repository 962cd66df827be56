/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/nexthop.h"

#include <stdlib.h>

#include "tap.h"

static const struct {
	const char *text;
	bool lmtp;
	int kind;	/* -1: none */
	const char *host;
	int port;
} rows[] = {
	{ "example.org", false, NEXTHOP_MX, "example.org", 25 },
	{ "example.org.", false, NEXTHOP_MX, "example.org", 25 },
	{ "example.org:587", false, NEXTHOP_MX, "example.org", 587 },
	{ "example.org:submission", false, NEXTHOP_MX, "example.org", 587 },
	{ "[example.org]", false, NEXTHOP_HOST, "example.org", 25 },
	{ "[example.org]:2525", false, NEXTHOP_HOST, "example.org", 2525 },
	{ "[192.0.2.1]", false, NEXTHOP_HOST, "192.0.2.1", 25 },
	{ "192.0.2.1:26", false, NEXTHOP_HOST, "192.0.2.1", 26 },
	{ "[2001:db8::1]:26", false, NEXTHOP_HOST, "2001:db8::1", 26 },
	{ "[IPv6:2001:db8::1]", false, NEXTHOP_HOST, "2001:db8::1", 25 },
	{ "unix:/run/lmtp", true, NEXTHOP_UNIX, "/run/lmtp", 24 },
	{ "inet:localhost:2424", true, NEXTHOP_HOST, "localhost", 2424 },
	{ "[localhost]", true, NEXTHOP_HOST, "localhost", 24 },
	{ "mail.example.org", true, NEXTHOP_HOST, "mail.example.org", 24 },
	{ "", false, -1, "", 0 },
	{ ".", false, -1, "", 0 },
	{ "a..b", false, -1, "", 0 },
	{ ".example.org", false, -1, "", 0 },
	{ "a b", false, -1, "", 0 },
	{ "[]", false, -1, "", 0 },
	{ "[a", false, -1, "", 0 },
	{ "[a]x", false, -1, "", 0 },
	{ "[a]:", false, -1, "", 0 },
	{ "a:", false, -1, "", 0 },
	{ "a:0", false, -1, "", 0 },
	{ "a:65536", false, -1, "", 0 },
	{ "a:b", false, -1, "", 0 },
	{ ":25", false, -1, "", 0 },
	{ "unix:/run/lmtp", false, -1, "", 0 },
	{ "unix:relative", true, -1, "", 0 },
	{ "unix:", true, -1, "", 0 }
};

int
main(void)
{
	struct nexthop h;
	char *exact;
	size_t i, len;
	bool good;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		/* Without a NUL behind it. */
		len = strlen(rows[i].text);
		exact = strndup(rows[i].text, len);
		if (exact == NULL)
			return 1;
		exact[len] = 'x';
		good = nexthop_parse(&h, exact, len, rows[i].lmtp);
		exact[len] = '\0';
		if (ok(good == (rows[i].kind >= 0), "%s", rows[i].text) &&
		    good) {
			is_int((intmax_t)h.kind, rows[i].kind, "kind");
			is_str(h.host, rows[i].host, "host");
			is_int(h.port, rows[i].port, "port");
		}
		free(exact);
	}
	return tap_done();
}
