/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/macro.h"

#include "tap.h"

static const char *
lookup(void *ctx, const char *name, size_t len, bool *final)
{
	static const struct {
		const char *name, *value;
		bool final;
	} known[] = {
		{ "a", "1", false }, { "e", "", false }, { "b", "<$a>", false },
		{ "done", "$a", true }, { "cash", "$$a", false },
		{ "loop", "$loop", false }, { "loop_1", "${loop_2:x}", false },
		{ "loop_2", "", false }, { "ping", "$pong", false },
		{ "pong", "x$ping", false }, { "ten", "10", false },
		{ "nine", "9", false }, { "name", "alice", false },
		{ "wide", "$b$b$b$b$b$b$b$b", false },
		{ "i0", "${no?aaaaaaaaaaaaaaaa}", false },
		{ "i1", "$i0$i0$i0$i0$i0$i0$i0$i0$i0$i0", false },
		{ "i2", "$i1$i1$i1$i1$i1$i1$i1$i1$i1$i1", false },
		{ "i3", "$i2$i2$i2$i2$i2$i2$i2$i2$i2$i2", false },
		{ "i4", "$i3$i3$i3$i3$i3$i3$i3$i3$i3$i3", false },
		{ "i5", "$i4$i4$i4$i4$i4$i4$i4$i4$i4$i4", false }
	};

	(void)ctx;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strncmp(known[i].name, name, len) == 0 &&
		    known[i].name[len] == '\0') {
			*final = known[i].final;
			return known[i].value;
		}
	return NULL;
}

static const struct {
	const char *text, *want;
} good[] = {
	{ "", "" },
	{ "plain text, 5 # no comment", "plain text, 5 # no comment" },
	{ "$a", "1" }, { "${a}", "1" }, { "$(a)", "1" }, { "x$a-y", "x1-y" },
	{ "$a$a.$a", "11.1" }, { "$b", "<1>" },
	{ "$wide", "<1><1><1><1><1><1><1><1>" },
	{ "[$nothing]", "[]" }, { "[$a_b]", "[]" }, { "[${e}]", "[]" },
	{ "$$", "$" }, { "$$a", "$a" }, { "$$$a", "$1" }, { "$cash", "$a" },
	{ "$done", "$a" }, { "${ a }", "1" },
	{ "${a?yes}", "yes" }, { "${e?yes}", "" }, { "${no?yes}", "" },
	{ "${a:yes}", "" }, { "${e:yes}", "yes" }, { "${no:yes}", "yes" },
	{ "${a?}", "" }, { "${a? x }", " x " }, { "${a?$b}", "<1>" },
	{ "${a?{x}:{y}}", "x" }, { "${no?{x}:{y}}", "y" },
	{ "${a ? {x} : {y}}", "x" }, { "${a?{x}}", "x" }, { "${no?{x}}", "" },
	{ "${no:{x}}", "x" }, { "${a?{$b}:{$cash}}", "<1>" },
	{ "$(a?yes)", "yes" }, { "$(a?(yes))", "(yes)" },
	{ "${no?${a?x}}", "" }, { "${a?${b?{${e:deep}}}}", "deep" },
	{ "${no?{${}}:{not read}}", "not read" },
	{ "${{a}=={a}?yes}", "yes" }, { "${{a}=={b}?yes}", "" },
	{ "${{a} != {b} ? {yes} : {no}}", "yes" },
	{ "${{$ten}>{$nine}?more}", "more" }, { "${{$ten}<{$nine}?less}", "" },
	{ "${{x10}<{x9}?less}", "less" }, { "${{9}<={9}?le}", "le" },
	{ "${{9}>={10}?ge}", "" }, { "${{$name}==alice?{her}:{not}}", "her" },
	{ "${{$name}=={bob}:not}", "not" }, { "${{}=={}?empty}", "empty" },
	{ "$loop_1", "x" }
};

static const struct {
	const char *text, *error;
} bad[] = {
	{ "$", "empty macro name" }, { "5$ each", "empty macro name" },
	{ "${}", "empty macro name" }, { "$()", "empty macro name" },
	{ "${", "truncated" }, { "${a", "truncated" }, { "$(a", "truncated" },
	{ "${a?{x}", "truncated" }, { "$(a}", "truncated" },
	{ "${a-b}", "bad character" }, { "${a b}", "bad character" },
	{ "${?x}", "empty macro name" }, { "${a?{x}y}", "text after }" },
	{ "${a?{x}:y}", "after :" }, { "${a?{x}:}", "after :" },
	{ "${a:{x}:{y}}", "text after }" },
	{ "${{a}}", "operator" }, { "${{a}=b}", "operator" },
	{ "${{a}=!{a}?x}", "operator" }, { "${{a}=={b}}", "? or :" },
	{ "${{$}=={b}?x}", "empty macro name" },
	{ "$loop", "nesting" }, { "$ping", "nesting" },
	{ "$i5", "too many" }
};

static bool
expand(const char *text, struct str *out, struct macro *m)
{
	*m = (struct macro){ .lookup = lookup };
	str_init(out);
	return macro_expand(m, out, text, strlen(text));
}

int
main(void)
{
	static char big[40000];
	struct macro m;
	struct str out;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ok(expand(good[i].text, &out, &m), "%s is good", good[i].text);
		is_str(out.s, good[i].want, good[i].text);
		str_free(&out);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ok(!expand(bad[i].text, &out, &m) &&
		    strstr(m.error, bad[i].error) != NULL, "%s: %s",
		    bad[i].text, m.error);
		str_free(&out);
	}
	memset(big, 'x', sizeof(big) - 1);
	str_init(&out);
	m = (struct macro){ .lookup = lookup };
	ok(macro_expand(&m, &out, big, sizeof(big) - 1), "a long value");
	ok(!macro_expand(&m, &out, big, sizeof(big) - 1) &&
	    strstr(m.error, "too long") != NULL, "twice that is too long");
	str_free(&out);
	return tap_done();
}
