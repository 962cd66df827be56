/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/aliases.h"

#include <string.h>
#include <unistd.h>

#include "pure/list.h"

static bool
is(const char *word, size_t len, const char *text)
{
	return len == strlen(text) && memcmp(word, text, len) == 0;
}

/* The default, and nobody has made it. */
static bool
is_absent(const struct conf *c, const char *word, size_t len)
{
	static const char source[] = "/etc/aliases";
	static const char map[] = "/etc/aliases.gdbm";

	return conf_raw(c, "alias_maps") == NULL &&
	    is(word, len, conf_parameter[CONF_ALIAS_MAPS].value) &&
	    access(source, F_OK) != 0 && access(map, F_OK) != 0;
}

int
aliases_open(struct map_list *m, const struct conf *c, enum conf_id id,
    bool *users, struct why *why)
{
	const char *list = conf_get(c, id), *word;
	struct str spec;
	size_t len;
	int more, result;

	str_init(&spec);
	while ((more = list_next_element(&list, &word, &len)) > 0) {
		if (len > 6 && memcmp(word, "proxy:", 6) == 0) {
			word += 6;
			len -= 6;
		}
		if (users != NULL && is(word, len, "unix:passwd.byname"))
			*users = true;
		else if (!is_absent(c, word, len))
			str_printf(&spec, "{%.*s} ", (int)len, word);
	}
	if (more < 0)
		str_puts(&spec, list);	/* which map_list_open will say */
	result = map_list_open(m, spec.s,
	    conf_get(c, CONF_DEFAULT_DATABASE_TYPE), why);
	str_free(&spec);
	return result;
}
