/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Targets of an alias: the scan ends, every kind keeps its promise, and the
 * form that postalias stores has the same targets. */
#include "pure/aliasline.h"

#include <string.h>

#include "fuzz.h"
#include "pure/tableline.h"

static void
check(enum alias_kind kind, const struct str *text)
{
	MUST(!text->bad);
	if (kind == ALIAS_BAD || kind == ALIAS_END)
		return;
	MUST(text->len > 0 && strlen(text->s) == text->len);
	if (kind == ALIAS_FILE || kind == ALIAS_INCLUDE)
		MUST(text->s[0] == '/');
	if (kind != ALIAS_ADDRESS)
		MUST(strchr(text->s, '\n') == NULL);
}

static size_t
count(const char *s, size_t len, size_t kinds[static ALIAS_BAD + 1])
{
	struct alias_scan a;
	enum alias_kind kind;
	struct str text;
	size_t n = 0, before;

	str_init(&text);
	alias_init(&a, s, len);
	for (;;) {
		before = a.pos;
		kind = alias_next(&a, &text);
		kinds[kind]++;
		if (kind == ALIAS_END)
			break;
		MUST(a.pos > before && a.pos <= len);
		check(kind, &text);
		n++;
	}
	str_free(&text);
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t one[ALIAS_BAD + 1] = { 0 }, two[ALIAS_BAD + 1] = { 0 };
	struct str again;
	char *line;

	(void)count((const char *)data, size, one);
	if (size == 0 || memchr(data, '\n', size) != NULL ||
	    memchr(data, '\0', size) != NULL || one[ALIAS_BAD] > 0 ||
	    data[0] == '#')
		return 0;
	line = strndup((const char *)data, size);
	str_init(&again);
	MUST(line != NULL);
	tableline_put_list(&again, line);
	(void)count(again.s, again.len, two);
	MUST(again.bad || memcmp(one, two, sizeof(one)) == 0);
	str_free(&again);
	free(line);
	return 0;
}
