/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/aliasline.h"

#include "pure/tableline.h"
#include "tap.h"

static const struct {
	const char *in;
	const char *want;	/* each target: its kind, its text, "|" */
} rows[] = {
	{ "", "" },
	{ " ,, \n,", "" },
	{ "bob", "A bob|" },
	{ "bob,alice@x", "A bob|A alice@x|" },
	{ " bob ,\n  alice ", "A bob|A alice|" },
	{ "bob\nalice\n", "A bob|A alice|" },
	{ "\\bob, \"|x\"", "A \\bob|C x|" },
	{ "Bob S. <bob@x>, <carol@x>", "A bob@x|A carol@x|" },
	{ "\"b ob\"@x", "A \"b ob\"@x|" },
	{ "bob (that, is me)", "A bob|" },
	{ "|cmd", "C cmd|" },
	{ "| cmd a  b", "C cmd a  b|" },
	{ "|\"cmd a, b\"", "C cmd a, b|" },
	{ "\"|cmd \\\"a, b\\\" c\", x", "C cmd \"a, b\" c|A x|" },
	{ "|cmd \\\"a\\\"", "C cmd \\\"a\\\"|" },
	{ "\"|cmd a\n b\"", "C cmd a b|" },
	{ "/var/mail/x", "F /var/mail/x|" },
	{ "\"/var/mail/a b/\"", "F /var/mail/a b/|" },
	{ "\"/file\"@x", "A \"/file\"@x|" },
	{ ":include:/etc/list", "I /etc/list|" },
	{ ":Include: /etc/list", "I /etc/list|" },
	{ "\":include:/etc/a b\"", "I /etc/a b|" },
	{ ":include:list", "B :include:list|" },
	{ ":include:", "B :include:|" },
	{ "|", "B ||" },
	{ "\"|\"", "B \"|\"|" },
	{ "# comment, bob\nalice\n # more\n", "A alice|" },
	{ "bob,\n# carol\n alice", "A bob|A alice|" },
	{ "bob # me", "B bob # me|" },
	{ "two words, x", "B two words|A x|" },
	{ "\"open, x\nbob", "B \"open, x|A bob|" },
	{ "bob), (x\ny", "B bob)|B (x|A y|" },
	{ "<bob", "B <bob|" },
	{ "\"", "B \"|" },
	{ "\"\"", "A \"\"|" },
	{ "a\\,b@x", "B a\\,b@x|" },
};

static void
scan(const char *in, size_t len, char *out, size_t size)
{
	static const char letter[] = { [ALIAS_ADDRESS] = 'A',
	    [ALIAS_COMMAND] = 'C', [ALIAS_FILE] = 'F', [ALIAS_INCLUDE] = 'I',
	    [ALIAS_BAD] = 'B' };
	struct alias_scan a;
	enum alias_kind kind;
	struct str text;
	size_t n = 0;

	out[0] = '\0';
	str_init(&text);
	alias_init(&a, in, len);
	while ((kind = alias_next(&a, &text)) != ALIAS_END)
		n += (size_t)snprintf(out + n, size - n, "%c %s|",
		    letter[kind], text.s);
	str_free(&text);
}

int
main(void)
{
	static const char *const lists[][2] = {
		{ "a,b", "a, b" },
		{ "a ,  b,", "a, b" },
		{ "\"|x , y\",z", "\"|x , y\", z" },
		{ "a\\,b", "a\\,b" },
		{ "a\\ ,b", "a\\ , b" },
		{ "", "" },
	};
	char got[2048];
	struct str list;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		scan(rows[i].in, strlen(rows[i].in), got, sizeof(got));
		is_str(got, rows[i].want, "targets");
	}
	scan(LIT("a\0b, c"), got, sizeof(got));
	is_str(got, "B a|A c|", "NUL");
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		str_init(&list);
		tableline_put_list(&list, lists[i][0]);
		is_str(list.s, lists[i][1], "the usual form");
		str_free(&list);
	}
	return tap_done();
}
