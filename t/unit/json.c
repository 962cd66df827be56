/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/json.h"

#include "tap.h"

#define BAD "\xef\xbf\xbd"

static void
quoted(const char *s, size_t len, const char *want)
{
	struct str out;

	str_init(&out);
	json_put(&out, s, len);
	if (!ok(!out.bad && strcmp(out.s, want) == 0, "%s", want))
		tap_show("got", out.s, out.len);
	str_free(&out);
}

int
main(void)
{
	char all[256];
	struct str out;
	size_t i;

	quoted(LIT(""), "\"\"");
	quoted(LIT("plain"), "\"plain\"");
	quoted(LIT("\"\\/"), "\"\\\"\\\\/\"");
	quoted(LIT("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\"");
	quoted(LIT("a\0b\x01\x1f\x7f"), "\"a\\u0000b\\u0001\\u001F\\u007F\"");
	quoted(LIT("\xc3\xa9\xe2\x82\xac\xf0\x9f\x93\xac"),
	    "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x93\xac\"");
	/* Latin-1, cut off, too long, a surrogate, beyond the last. */
	quoted(LIT("\xe9t\xe9"), "\"" BAD "t" BAD "\"");
	quoted(LIT("\xe2\x82"), "\"" BAD BAD "\"");
	quoted(LIT("\xc0\xaf"), "\"" BAD BAD "\"");
	quoted(LIT("\xed\xa0\x80"), "\"" BAD BAD BAD "\"");
	quoted(LIT("\xf4\x90\x80\x80"), "\"" BAD BAD BAD BAD "\"");
	quoted(LIT("\xff\xfe"), "\"" BAD BAD "\"");

	for (i = 0; i < sizeof(all); i++)
		all[i] = (char)i;
	str_init(&out);
	json_put(&out, all, sizeof(all));
	for (i = 0; i < out.len && (unsigned char)out.s[i] >= ' '; i++)
		;
	ok(i == out.len && !out.bad, "no control character comes through");
	str_free(&out);
	return tap_done();
}
