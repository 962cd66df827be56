/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A regexp table, without what makes the C library's expressions slow or
 * large (repeats, references back, many groups): that is not ours. */
#include <string.h>

#include "fuzz.h"
#include "pure/rules.h"

static void
count_fault(void *ctx, unsigned line, const char *what)
{
	MUST(line > 0 && what[0] != '\0');
	++*(size_t *)ctx;
}

static bool
is_slow(const uint8_t *data, size_t size)
{
	size_t i, groups = 0, repeats = 0;

	for (i = 0; i < size; i++) {
		groups += data[i] == '(';
		repeats += data[i] == '+' || data[i] == '*' || data[i] == '?';
		if (i > 0 && data[i - 1] == '\\' && data[i] >= '0' &&
		    data[i] <= '9')
			return true;
	}
	return groups > 20 || repeats > 6 || size > 2000;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const key[] = { "alice@example.org", "aaaa", "x",
	    "list-request@EXAMPLE.org" };
	char *text = malloc(size + 1);
	struct str value;
	struct rules r;
	size_t i, faults = 0;

	MUST(text != NULL);
	for (i = 0; i < size; i++)
		text[i] = data[i] == '{' && i > 0 && data[i - 1] != '$' ?
		    ' ' : (char)data[i];
	text[size] = '\0';
	str_init(&value);
	if (!is_slow(data, size)) {
		MUST(rules_parse(&r, &rules_regexp, text, size, count_fault,
		    &faults));
		for (i = 0; i < sizeof(key) / sizeof(key[0]); i++) {
			str_reset(&value);
			(void)rules_find(&r, key[i], &value);
			MUST(!value.bad);
		}
		rules_free(&r);
	}
	str_free(&value);
	free(text);
	return 0;
}
