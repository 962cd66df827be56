/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/hdraddr.h"

#include "tap.h"

/* want: each address followed by "|"; "!" where the list goes bad. */
static const struct {
	const char *name;
	const char *in;
	size_t in_len;
	const char *want;
} rows[] = {
	{ "nothing", LIT(""), "" },
	{ "blanks and commas", LIT(" , ,\n\t,; ,"), "" },
	{ "bare", LIT("bob"), "bob|" },
	{ "bare with domain", LIT("bob@example.org\n"), "bob@example.org|" },
	{ "two", LIT("a@x, b@y"), "a@x|b@y|" },
	{ "empty elements", LIT(",a@x,,b@y,"), "a@x|b@y|" },
	{ "folded", LIT(" a@x,\n\tb@y\n , c@z\n"), "a@x|b@y|c@z|" },
	{ "CRLF", LIT("a@x,\r\n b@y\r\n"), "a@x|b@y|" },
	{ "angle", LIT("<a@x>"), "a@x|" },
	{ "name and angle", LIT("Bob B. Smith <b@x>, a@y"), "b@x|a@y|" },
	{ "the null address", LIT("<>"), "|" },
	{ "quoted name", LIT("\"Smith, Bob\" <b@x>"), "b@x|" },
	{ "quoted name with escapes", LIT("\"a \\\" <c@d>, \\\\\" <b@x>"),
	    "b@x|" },
	{ "encoded name", LIT("=?utf-8?Q?J=C3=A9?= <j@x>"), "j@x|" },
	{ "8-bit name", LIT("J\xc3\xa9r\xc3\xb4me <j@x>"), "j@x|" },
	{ "comment behind", LIT("b@x (Bob, <not@me>)"), "b@x|" },
	{ "comments nest", LIT("(a(b, c)d)b@x(e\\)f),c@y"), "b@x|c@y|" },
	{ "comments inside", LIT("b(1)@(2)x(3).(4)org"), "b@x.org|" },
	{ "blanks inside", LIT("b . c @ x . org"), "b.c@x.org|" },
	{ "blanks in angle", LIT("< b @\n x >"), "b@x|" },
	{ "quoted local part", LIT("\"a b\"@x, \"c,d\" @y"),
	    "\"a b\"@x|\"c,d\"@y|" },
	{ "literal", LIT("b@[192.0.2.1], c@[IPv6:::1]"),
	    "b@[192.0.2.1]|c@[IPv6:::1]|" },
	{ "route", LIT("<@a,@b:c@d>, e@f"), "@a,@b:c@d|e@f|" },
	{ "group", LIT("friends: a@x, Bob <b@y>;"), "a@x|b@y|" },
	{ "group and more", LIT("A B: a@x; c@z, D: ;e@f"),
	    "a@x|c@z|e@f|" },
	{ "empty group", LIT("undisclosed-recipients:;"), "" },
	{ "group without end", LIT("A: a@x, b@y"), "a@x|b@y|" },
	{ "backslash", LIT("\\root, \\bob@x"), "root|bob@x|" },
	{ "words after angle", LIT("<a@x> Bob, c@d"), "a@x|c@d|" },
	{ "an odd local part", LIT("a+b/c=d!e@x"), "a+b/c=d!e@x|" },

	{ "two words", LIT("bob alice"), "!" },
	{ "two words later", LIT("a@x, bob alice"), "a@x|!" },
	{ "two words on two lines", LIT("a@x\n b@y"), "!" },
	{ "open angle", LIT("<a@x"), "!" },
	{ "open angle, comma", LIT("<a@x, b@y"), "!" },
	{ "angle in angle", LIT("<a<b>>"), "!" },
	{ "two angles", LIT("<a@x><b@y>"), "!" },
	{ "close alone", LIT("a@x>"), "!" },
	{ "group end in angle", LIT("<a;b>"), "!" },
	{ "open quote", LIT("a@x, \"b"), "a@x|!" },
	{ "quote ends in backslash", LIT("\"a\\"), "!" },
	{ "open comment", LIT("a@x (b"), "!" },
	{ "open inner comment", LIT("a@x (b(c)"), "!" },
	{ "close comment alone", LIT("a)b"), "!" },
	{ "open literal", LIT("a@[1.2.3.4"), "!" },
	{ "close literal alone", LIT("a@1]"), "!" },

	/* Not ours to refuse, but nothing may get lost. */
	{ "NUL", LIT("a\0b@x"), "a\0b@x|" },
	{ "only at", LIT("@"), "@|" }
};

static void
run(const char *in, size_t len, struct str *got)
{
	enum hdraddr_next next;
	struct hdraddr h;
	struct str a;

	str_init(&a);
	str_reset(got);
	hdraddr_init(&h, in, len);
	while ((next = hdraddr_next(&h, &a)) == HDRADDR_ADDRESS) {
		str_put(got, a.s, a.len);
		str_putc(got, '|');
	}
	if (next == HDRADDR_BAD)
		str_putc(got, '!');
	ok(h.pos <= h.len, "within the text");
	str_free(&a);
}

/* A thousand of anything: no recursion, and it ends. */
static void
many(const char *what, struct str *got)
{
	struct hdraddr h;
	struct str in, a;
	size_t i;

	str_init(&in);
	str_init(&a);
	for (i = 0; i < 1000; i++)
		str_puts(&in, what);
	run(in.s, in.len, got);
	hdraddr_init(&h, in.s, in.len);
	for (i = 0; hdraddr_next(&h, &a) != HDRADDR_END && i < 2000; i++)
		;
	ok(i < 2000, "it ends after BAD, too: %s", what);
	str_free(&in);
	str_free(&a);
}

int
main(void)
{
	static const char *const octet[] = { "(", ")", "<", ">", "[", "]",
	    ":", ";", "@", "\\", ",", ".", "\"", "a", "a ", "((", "<>" };
	struct str got;
	size_t i, n;

	str_init(&got);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		run(rows[i].in, rows[i].in_len, &got);
		n = strlen(rows[i].want);
		if (memchr(rows[i].in, '\0', rows[i].in_len) != NULL)
			n = got.len;	/* want has it too */
		is_mem(got.s, got.len, rows[i].want, n, rows[i].name);
	}
	for (i = 0; i < sizeof(octet) / sizeof(octet[0]); i++)
		many(octet[i], &got);
	str_free(&got);
	return tap_done();
}
