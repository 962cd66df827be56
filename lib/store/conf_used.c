/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which names of main.cf mean something. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "store/conf.h"

/* Does text mention $name, as $name, ${name... or $(name...? */
static bool
mentions(const char *text, const char *name)
{
	size_t len = strlen(name);
	const char *s = text;

	while ((s = strchr(s, '$')) != NULL) {
		s++;
		if (*s == '$') {
			s++;
			continue;
		}
		s += strspn(s, "{( ");
		if (strncmp(s, name, len) == 0 &&
		    !isalnum((unsigned char)s[len]) && s[len] != '_')
			return true;
	}
	return false;
}

/* Marks the names of the file that are no parameters of ours but that these
 * use, and those that they use in turn. */
static void
mark_used(const struct conf *c, const char *text, bool *used)
{
	size_t i;

	if (strchr(text, '$') == NULL)
		return;
	for (i = 0; i < c->nentry; i++) {
		if (used[i] || !c->entry[i].last ||
		    c->entry[i].id != CONF_COUNT ||
		    !mentions(text, c->entry[i].name))
			continue;
		used[i] = true;
		mark_used(c, c->entry[i].value, used);
	}
}

bool *
conf_used(const struct conf *c)
{
	bool *used = calloc(c->nentry + 1, sizeof(*used));
	size_t i;

	for (i = 0; used != NULL && i < CONF_COUNT; i++)
		mark_used(c, conf_text(c, (enum conf_id)i), used);
	return used;
}
