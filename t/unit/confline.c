/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/confline.h"

#include "tap.h"

/* What is read, as "line:text;", an orphan as "line!text;". */
static const struct {
	const char *text, *want;
} files[] = {
	{ "", "" }, { "\n", "" }, { "# x\n\t# y\n  \n", "" },
	{ "a=1", "1:a=1;" }, { "a=1\n", "1:a=1;" },
	{ "a=1\nb=2\n", "1:a=1;2:b=2;" },
	{ "\n\na = 1\n", "3:a = 1;" },
	{ "a  =\t 1  2\t\n", "1:a = 1 2;" },
	{ "a=1\r\n\tb\r\nc=\v3\f\r\n", "1:a=1 b;3:c= 3;" },
	{ "a=1,\n  2,\n\t3\nb=4", "1:a=1, 2, 3;4:b=4;" },
	{ "a=1\n# no\n\n  2\n   # no\n 3\n", "1:a=1 2 3;" },
	{ "a=1 # yes\n", "1:a=1 # yes;" },
	{ "#c\n b\n", "2!b;" }, { " a\n b\nc\n d", "1!a;2!b;3:c d;" },
	{ "a\n ", "1:a;" }, { "a\n \n b \n \n", "1:a b;" },
	{ "\xff=\x01\n", "1:\xff=\x01;" }
};

static const struct {
	const char *text, *name, *value;
} entries[] = {
	{ "a=1", "a", "1" }, { "a = 1", "a", "1" }, { "a= 1", "a", "1" },
	{ "a =1", "a", "1" }, { "a=", "a", "" }, { "a =", "a", "" },
	{ "a==", "a", "=" }, { "a = b = c", "a", "b = c" },
	{ "a", NULL, "missing '=' after attribute name" },
	{ "a b = c", NULL, "missing '=' after attribute name" },
	{ "= c", NULL, "missing attribute name" }
};

static void
check_file(const char *text, const char *want)
{
	char buf[200], got[400];
	struct confline c = { .next = buf, .line = 1 };
	enum confline_kind kind;
	size_t n = 0;
	unsigned line;
	char *s;

	(void)snprintf(buf, sizeof(buf), "%s", text);
	got[0] = '\0';
	while ((kind = confline_next(&c, &s, &line)) != CONFLINE_END)
		n += (size_t)snprintf(got + n, sizeof(got) - n, "%u%c%s;", line,
		    kind == CONFLINE_TEXT ? ':' : '!', s);
	is_str(got, want, "lines");
}

static void
check_entry(const char *text, const char *want, const char *want_value)
{
	char buf[100], *name, *value;
	const char *wrong;

	(void)snprintf(buf, sizeof(buf), "%s", text);
	wrong = confline_split(buf, &name, &value);
	if (want == NULL) {
		is_str(wrong != NULL ? wrong : "good", want_value, text);
		return;
	}
	ok(wrong == NULL, "%s is an entry", text);
	if (wrong == NULL) {
		is_str(name, want, "its name");
		is_str(value, want_value, "its value");
	}
}

int
main(void)
{
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		check_file(files[i].text, files[i].want);
	for (i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
		check_entry(entries[i].text, entries[i].name,
		    entries[i].value);
	return tap_done();
}
