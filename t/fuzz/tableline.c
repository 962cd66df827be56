/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines of tables and alias files: the numbers rise, and a key and a value
 * lie in the line and are not empty. */
#include "pure/tableline.h"

#include <string.h>

#include "fuzz.h"

static void
cut(const struct str *line, bool alias)
{
	char *key = NULL, *value = NULL, *text = malloc(line->len + 1);
	const char *wrong;

	MUST(text != NULL);
	memcpy(text, line->s, line->len + 1);
	wrong = alias ?
	    tableline_split_alias(text, line->len, &key, &value) :
	    tableline_split(text, line->len, &key, &value);
	if (wrong == NULL) {
		MUST(key >= text && value > key);
		MUST(key[0] != '\0' && value[0] != '\0');
		MUST(value + strlen(value) <= text + line->len);
		MUST(!alias || strchr(key, '@') == NULL);
	} else
		MUST(wrong[0] != '\0');
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tableline t;
	unsigned last = 0;

	tableline_init_text(&t, (const char *)data, size);
	while (tableline_next(&t)) {
		MUST(t.line > last && t.line <= t.at);
		last = t.line;
		MUST(t.text.len > 0);
		cut(&t.text, false);
		cut(&t.text, true);
	}
	tableline_free(&t);
	return 0;
}
