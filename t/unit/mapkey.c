/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/mapkey.h"

#include "tap.h"

static const struct {
	const char *address, *delimiters;
	char kind;		/* a: address, l: of our domain, t: transport */
	const char *keys;	/* with what each leaves out, if anything */
} rows[] = {
	{ "bob@example.org", "+", 'a', "bob@example.org @example.org" },
	{ "bob@example.org", "+", 'l', "bob@example.org bob @example.org" },
	{ "bob+x@example.org", "+", 'a',
	    "bob+x@example.org bob@example.org(+x) @example.org" },
	{ "bob+x@example.org", "+", 'l', "bob+x@example.org "
	    "bob@example.org(+x) bob+x bob(+x) @example.org" },
	{ "bob+x@example.org", "", 'l',
	    "bob+x@example.org bob+x @example.org" },
	{ "bob+x-y@d", "-+", 'a', "bob+x-y@d bob@d(+x-y) @d" },
	{ "+x@d", "+", 'a', "+x@d @d" },
	{ "bob+@d", "+", 'a', "bob+@d bob@d(+) @d" },
	{ "owner-list@d", "-", 'a', "owner-list@d @d" },
	{ "Owner-list@d", "-", 'a', "Owner-list@d @d" },
	{ "list-request@d", "-", 'a', "list-request@d @d" },
	{ "list-x-request@d", "-", 'a', "list-x-request@d @d" },
	{ "list-request@d", "-", 'l', "list-request@d list-request @d" },
	{ "owner-list@d", "+-", 'a', "owner-list@d @d" },
	{ "MAILER-DAEMON@d", "-", 'a', "MAILER-DAEMON@d @d" },
	{ "double-bounce@d", "-", 'a', "double-bounce@d @d" },
	{ "bob", "+", 'a', "bob" },
	{ "bob+x", "+", 'a', "bob+x bob(+x)" },
	{ "\"a@b\"@d", "+", 'l', "a@b@d a@b @d" },
	{ "@d", "+", 'l', "@d @d" },
	{ "bob@", "+", 'a', "bob@ @" },
	{ "", "+", 'a', "<>" },
	{ "", "+", 't', "<> *" },
	{ "bob+x@a.b.example.org", "+", 't', "bob+x@a.b.example.org "
	    "bob@a.b.example.org(+x) a.b.example.org .b.example.org "
	    ".example.org .org *" },
	{ "bob@localhost", "", 't', "bob@localhost localhost *" },
	{ "bob", "", 't', "bob *" },
	{ "bob@.d..", "", 't', "bob@.d.. .d.. .. . *" },
};

static void
check(const char *address, const char *delimiters, char kind,
    const char *want)
{
	char got[4096] = "";
	struct mapkey k;
	const char *key;
	size_t n = 0;
	bool first = true;

	if (kind == 't')
		mapkey_transport(&k, address, delimiters);
	else
		mapkey_address(&k, address, delimiters, kind == 'l');
	while ((key = mapkey_next(&k)) != NULL && n < sizeof(got) - 700) {
		if (k.whole != first)
			n += (size_t)snprintf(got + n, 10, "WHOLE?");
		n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%s",
		    first ? "" : " ", key);
		if (k.extension_len > 0)
			n += (size_t)snprintf(got + n, sizeof(got) - n,
			    "(%.*s)", (int)k.extension_len, k.extension);
		first = false;
	}
	is_str(got, want, want);
	ok(mapkey_next(&k) == NULL, "and no more");
}

int
main(void)
{
	char longest[LIMIT_ADDRESS + 2];
	struct mapkey k;
	unsigned n = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(rows[i].address, rows[i].delimiters, rows[i].kind,
		    rows[i].keys);
	memset(longest, 'x', sizeof(longest));
	longest[LIMIT_ADDRESS] = '\0';
	longest[5] = '+';
	longest[9] = '@';
	mapkey_address(&k, longest, "+", true);
	while (mapkey_next(&k) != NULL)
		n++;
	is_int(n, 5, "the longest address has its keys");
	longest[LIMIT_ADDRESS] = 'x';
	longest[LIMIT_ADDRESS + 1] = '\0';
	mapkey_address(&k, longest, "+", true);
	ok(mapkey_next(&k) == NULL, "a longer one has none");
	return tap_done();
}
