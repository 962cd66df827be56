/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/addr.h"

#include "tap.h"

static const struct {
	const char *in;
	size_t in_len;
	const char *text;	/* NULL: no address */
	size_t rest;		/* octets that stay behind it */
} rows[] = {
	/* As a tutorial types them. */
	{ LIT("bob"), "bob", 0 },
	{ LIT(" bob"), "bob", 0 },
	{ LIT(" \t bob"), "bob", 0 },
	{ LIT("<bob>"), "bob", 0 },
	{ LIT("<bob@example.org>"), "bob@example.org", 0 },
	{ LIT("bob@example.org"), "bob@example.org", 0 },
	{ LIT("<bob@example.org> SIZE=640"), "bob@example.org", 9 },
	{ LIT("bob@example.org SIZE=640"), "bob@example.org", 9 },
	{ LIT("bob\tSIZE=640"), "bob", 9 },
	{ LIT("<>"), "", 0 },
	{ LIT(" <> BODY=8BITMIME"), "", 14 },
	{ LIT("<>x"), NULL, 0 },
	{ LIT("<bob@example.org>x"), NULL, 0 },
	{ LIT("<bob@example.org>>"), NULL, 0 },
	{ LIT(""), NULL, 0 },
	{ LIT("   "), NULL, 0 },
	{ LIT("<"), NULL, 0 },
	{ LIT(">"), NULL, 0 },
	{ LIT("<<bob>>"), NULL, 0 },
	{ LIT("<bob"), NULL, 0 },
	{ LIT("bob>"), NULL, 0 },
	{ LIT("<bob@example.org"), NULL, 0 },
	{ LIT("< bob@example.org>"), NULL, 0 },
	{ LIT("<bob@example.org >"), NULL, 0 },
	{ LIT("<bob@ example.org>"), NULL, 0 },
	{ LIT("<bob smith@example.org>"), NULL, 0 },
	{ LIT("<bob>,<eve>"), NULL, 0 },
	{ LIT("bob,eve"), NULL, 0 },
	{ LIT("bob(comment)@example.org"), NULL, 0 },
	{ LIT("Bob <bob@example.org>"), "Bob", 18 },

	/* At signs and domains. */
	{ LIT("<@>"), NULL, 0 },
	{ LIT("<@example.org>"), NULL, 0 },
	{ LIT("<bob@>"), NULL, 0 },
	{ LIT("bob@"), NULL, 0 },
	{ LIT("<a@b@c>"), NULL, 0 },
	{ LIT("<a@b@c.d@e>"), NULL, 0 },
	{ LIT("<bob@example.org.>"), "bob@example.org", 0 },
	{ LIT("<bob@example.org..>"), NULL, 0 },
	{ LIT("<bob@.example.org>"), NULL, 0 },
	{ LIT("<bob@example..org>"), NULL, 0 },
	{ LIT("<bob@.>"), NULL, 0 },
	{ LIT("<bob@EXAMPLE.Org>"), "bob@EXAMPLE.Org", 0 },
	{ LIT("<bob@exa_mple.org>"), "bob@exa_mple.org", 0 },
	{ LIT("<bob@exa/mple.org>"), NULL, 0 },
	{ LIT("<bob@example.org:25>"), NULL, 0 },
	{ LIT("<bob@xn--mlle-loa.fr>"), "bob@xn--mlle-loa.fr", 0 },

	/* Source routes are dropped, RFC 5321 appendix C. */
	{ LIT("<@us:bob@outside>"), "bob@outside", 0 },
	{ LIT("<@a,@b.c,@d:bob@outside>"), "bob@outside", 0 },
	{ LIT("<@[192.0.2.1],@d:bob@outside>"), "bob@outside", 0 },
	{ LIT("@us:bob@outside"), "bob@outside", 0 },
	{ LIT("<@us:bob>"), "bob", 0 },
	{ LIT("<@us:>"), NULL, 0 },
	{ LIT("<@us:@them:bob@outside>"), NULL, 0 },
	{ LIT("<@us,bob@outside>"), NULL, 0 },
	{ LIT("<@us,:bob@outside>"), NULL, 0 },
	{ LIT("<@,@us:bob@outside>"), NULL, 0 },
	{ LIT("<@us"), NULL, 0 },
	{ LIT("<@us,"), NULL, 0 },
	{ LIT("<@us,@"), NULL, 0 },
	{ LIT("<@us:"), NULL, 0 },
	{ LIT("<@"), NULL, 0 },

	/* Nothing in a local part routes. */
	{ LIT("<outside!bob@us>"), "outside!bob@us", 0 },
	{ LIT("<outside!bob>"), "outside!bob", 0 },
	{ LIT("<bob%outside@us>"), "bob%outside@us", 0 },
	{ LIT("<bob%outside>"), "bob%outside", 0 },
	{ LIT("<\"bob@outside\"@us>"), "\"bob@outside\"@us", 0 },
	{ LIT("<\"bob@outside\">"), "\"bob@outside\"", 0 },
	{ LIT("<bob@outside@us>"), NULL, 0 },
	{ LIT("<us:bob@outside>"), NULL, 0 },

	/* Address literals. */
	{ LIT("<bob@[192.0.2.1]>"), "bob@[192.0.2.1]", 0 },
	{ LIT("<bob@[IPv6:::1]>"), "bob@[IPv6:::1]", 0 },
	{ LIT("<bob@[ipv6:2001:db8::1]>"), "bob@[ipv6:2001:db8::1]", 0 },
	{ LIT("<bob@[IPv6:zz]>"), NULL, 0 },
	{ LIT("<bob@[IPv6:]>"), NULL, 0 },
	{ LIT("<bob@[::1]>"), NULL, 0 },
	{ LIT("<bob@[256.1.1.1]>"), NULL, 0 },
	{ LIT("<bob@[127.1]>"), NULL, 0 },
	{ LIT("<bob@[2130706433]>"), NULL, 0 },
	{ LIT("<bob@[]>"), NULL, 0 },
	{ LIT("<bob@[192.0.2.1>"), NULL, 0 },
	{ LIT("<bob@192.0.2.1]>"), NULL, 0 },
	{ LIT("<bob@[192.0.2.1]x>"), NULL, 0 },
	{ LIT("<bob@[192.0.2.1\0]>"), NULL, 0 },
	{ LIT("<bob@["), NULL, 0 },
	{ LIT("<bob@[192.0.2.1].org>"), NULL, 0 },
	{ LIT("<bob@[x400:c=fr]>"), NULL, 0 },
	{ LIT("<bob@[IPv6:1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa]>"),
	    NULL, 0 },

	/* Quotes and backslashes. */
	{ LIT("<\"bob smith\"@us>"), "\"bob smith\"@us", 0 },
	{ LIT("<\"b\\\"b\"@us>"), "\"b\\\"b\"@us", 0 },
	{ LIT("<\"b\\\\\"@us>"), "\"b\\\\\"@us", 0 },
	{ LIT("<\"bob>\"@us>"), "\"bob>\"@us", 0 },
	{ LIT("<\"\"@us>"), "\"\"@us", 0 },
	{ LIT("<\"bob@us>"), NULL, 0 },
	{ LIT("<\"bob\\\"@us>"), NULL, 0 },
	{ LIT("<\""), NULL, 0 },
	{ LIT("<\"\\"), NULL, 0 },
	{ LIT("\"bob\\"), NULL, 0 },
	{ LIT("<\"a\"b@us>"), NULL, 0 },
	{ LIT("<\"a\".\"b\"@us>"), NULL, 0 },
	{ LIT("<b\\ob@us>"), NULL, 0 },
	{ LIT("<bob\\>"), NULL, 0 },
	{ LIT("\\"), NULL, 0 },
	{ LIT("<o'brien@us>"), "o'brien@us", 0 },

	/* Attempts at shells, macros and paths stay text. */
	{ LIT("<;sleep 5;>"), NULL, 0 },
	{ LIT("<;sleep;>"), NULL, 0 },
	{ LIT("<|sh@us>"), "|sh@us", 0 },
	{ LIT("<${run{x}}@us>"), "${run{x}}@us", 0 },
	{ LIT("<$(id)@us>"), NULL, 0 },
	{ LIT("<../../etc/passwd@us>"), "../../etc/passwd@us", 0 },
	{ LIT("<%n%s@us>"), "%n%s@us", 0 },
	{ LIT("<bob+ext@us>"), "bob+ext@us", 0 },
	{ LIT("<..@us>"), "..@us", 0 },

	/* Octets that no address has. */
	{ LIT("<b\0b@us>"), NULL, 0 },
	{ LIT("<bob@u\0s>"), NULL, 0 },
	{ LIT("<bob\n@us>"), NULL, 0 },
	{ LIT("<bob@us\r>"), NULL, 0 },
	{ LIT("<bob@us>\r"), NULL, 0 },
	{ LIT("<\"b\nb\"@us>"), NULL, 0 },
	{ LIT("<\"b\\\nb\"@us>"), NULL, 0 },
	{ LIT("<\"b\0b\"@us>"), NULL, 0 },
	{ LIT("<\"b\\\0b\"@us>"), NULL, 0 },
	{ LIT("<\"b\x7f\"@us>"), NULL, 0 },
	{ LIT("<b\xc3\xb6" "b@us>"), NULL, 0 },
	{ LIT("<\"b\xc3\xb6" "b\"@us>"), NULL, 0 },
	{ LIT("<bob@\xc3\xbcs>"), NULL, 0 },
	{ LIT("<bob\x1b[2J@us>"), NULL, 0 }
};

static void
table(void)
{
	struct addr a;
	size_t i, used;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *at;

		used = addr_parse(&a, rows[i].in, rows[i].in_len);
		if (rows[i].text == NULL) {
			if (!ok(used == 0, "row %zu is refused", i))
				tap_show("took", rows[i].in, rows[i].in_len);
			continue;
		}
		is_str(used > 0 ? a.text : "(refused)", rows[i].text,
		    rows[i].text);
		is_int((intmax_t)(rows[i].in_len - used),
		    (intmax_t)rows[i].rest, "what stays");
		at = strrchr(rows[i].text, '@');
		if (at != NULL && strchr(at, '"') != NULL)
			at = NULL;
		is_int((intmax_t)a.at, at != NULL ? at - rows[i].text :
		    (intmax_t)strlen(rows[i].text), "where the @ is");
		is_str(addr_domain(&a), at != NULL ? at + 1 : "", "domain");
		is_int((intmax_t)a.len, (intmax_t)strlen(a.text), "length");
	}
}

/* Builds "LOCAL@DOMAIN", the domain in labels of 60. */
static size_t
build(char *buf, size_t local, size_t domain)
{
	memset(buf, 'l', local);
	if (domain == 0)
		return local;
	buf[local] = '@';
	for (size_t i = 0; i < domain; i++)
		buf[local + 1 + i] = i % 61 == 60 && i + 1 < domain ? '.' :
		    'd';
	return local + 1 + domain;
}

static void
lengths(void)
{
	static const struct {
		size_t local, domain;
		bool good;
	} sizes[] = {
		{ LIMIT_ADDRESS - 1, 0, true }, { LIMIT_ADDRESS, 0, true },
		{ LIMIT_ADDRESS + 1, 0, false },
		{ 64, LIMIT_DOMAIN - 1, true }, { 64, LIMIT_DOMAIN, true },
		{ 64, LIMIT_DOMAIN + 1, false }, { 65, LIMIT_DOMAIN, false },
		{ 1, LIMIT_DOMAIN, true }, { 1, LIMIT_DOMAIN + 1, false },
		{ LIMIT_ADDRESS - 2, 1, true }, { LIMIT_ADDRESS - 1, 1, false },
		{ LIMIT_ADDRESS, 1, false }, { 5000, 0, false },
		{ 1, 5000, false }, { 5000, 5000, false }
	};
	char buf[16384];
	struct addr a;
	size_t i, n;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		n = build(buf, sizes[i].local, sizes[i].domain);
		is_int((intmax_t)addr_parse(&a, buf, n),
		    sizes[i].good ? (intmax_t)n : 0, "length at the limit");
	}
	/* A dot at the end does not count. */
	n = build(buf, 64, LIMIT_DOMAIN);
	buf[n] = '.';
	is_int((intmax_t)addr_parse(&a, buf, n + 1), (intmax_t)n + 1, "dot");
	is_int((intmax_t)a.len, (intmax_t)n, "dot is left out");
}

static void
complete(void)
{
	char buf[400], origin[400];
	struct addr a;

	(void)addr_parse(&a, LIT("bob"));
	ok(addr_complete(&a, "example.org"), "complete");
	is_str(a.text, "bob@example.org", "a bare name");
	is_str(addr_domain(&a), "example.org", "its domain");
	ok(addr_complete(&a, "example.net"), "complete again");
	is_str(a.text, "bob@example.org", "changes nothing");
	(void)addr_parse(&a, LIT("<>"));
	ok(addr_complete(&a, "example.org"), "complete the null address");
	is_str(a.text, "", "changes nothing");
	(void)addr_parse(&a, LIT("bob"));
	ok(addr_complete(&a, ""), "no origin");
	is_str(a.text, "bob", "changes nothing");
	(void)addr_parse(&a, LIT("\"x@y\""));
	ok(addr_complete(&a, "example.org"), "an @ in quotes");
	is_str(a.text, "\"x@y\"@example.org", "is none");
	memset(buf, 'l', LIMIT_ADDRESS);
	memset(origin, 'd', sizeof(origin));
	origin[10] = '\0';
	for (size_t n = LIMIT_ADDRESS - 12; n <= LIMIT_ADDRESS - 10; n++) {
		(void)addr_parse(&a, buf, n);
		is_int(addr_complete(&a, origin), n <= LIMIT_ADDRESS - 11,
		    "complete at the limit");
	}
}

static void
keys(void)
{
	static const struct {
		const char *in, *key;	/* NULL: none */
	} row[] = {
		{ "bob", "bob" }, { "BOB@x", "bob" },
		{ "Bob+Ext@x", "bob+ext" },
		{ "\"Bob Smith\"@x", "bob smith" }, { "\"b\\\"b\"@x", "b\"b" },
		{ "\"b\\\\\"@x", "b\\" }, { "\"bob\"", "bob" },
		{ "\"\"@x", NULL }, { "<>", NULL }, { "../x@y", NULL },
		{ "\"..\\/x\"@y", NULL }, { "a/b", NULL }, { "..@x", ".." },
		{ "PostMaster", "postmaster" }, { "\"bob@evil\"@x", "bob@evil" }
	};
	char key[LIMIT_ADDRESS + 1], small[4];
	struct addr a;
	size_t i;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		(void)addr_parse(&a, row[i].in, strlen(row[i].in));
		memset(key, 'x', sizeof(key));
		is_str(addr_local_key(&a, key, sizeof(key)) ? key : "(none)",
		    row[i].key != NULL ? row[i].key : "(none)", row[i].in);
	}
	(void)addr_parse(&a, LIT("bob@x"));
	ok(addr_local_key(&a, small, 4), "a key that just fits");
	is_str(small, "bob", "whole");
	ok(!addr_local_key(&a, small, 3), "one that does not");
	(void)addr_parse(&a, LIT("\"b\\o\\b\"@x"));
	ok(addr_local_key(&a, small, 4), "quoted, just fits");
	ok(!addr_local_key(&a, small, 3), "quoted, does not");
	ok(!addr_local_key(&a, small, 1), "room for the NUL alone");
}

/* Nothing is read behind len, whatever stands there: every prefix of every
 * row, in a buffer of just that size (for the sanitizer). */
static void
prefixes(void)
{
	struct addr a;
	bool good = true;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t n = 0; n <= rows[i].in_len; n++) {
			char *copy = memcpy((char[100]){ 0 }, rows[i].in, n);
			size_t used = addr_parse(&a, copy, n);

			memset(copy + n, '>', 99 - n);
			good &= used <= n &&
			    used == addr_parse(&a, copy, n) &&
			    strlen(a.text) == a.len && a.at <= a.len;
		}
	ok(good, "prefixes are read to their end and no further");
}

int
main(void)
{
	table();
	lengths();
	complete();
	keys();
	prefixes();
	return tap_done();
}
