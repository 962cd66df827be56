/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shows parameters, in the form and order of Postfix's postconf. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "postconf.h"

enum { FOLD = 80, INDENT = 4 };

/* One line of words, folded before column 80 if so wanted. */
static void
put_words(const char *s, bool fold, size_t *column)
{
	size_t len;

	for (; *s != '\0'; s += len) {
		s += strspn(s, " ");
		len = strcspn(s, " ");
		if (len == 0)
			break;
		if (*column == 0) {
			*column = len;
		} else if (!fold || *column + len < FOLD) {
			(void)putchar(' ');
			*column += len + 1;
		} else {
			(void)printf("\n%*s", INDENT, "");
			*column = INDENT + len;
		}
		(void)fwrite(s, 1, len, stdout);
	}
}

static void
put_json(const char *s)
{
	(void)putchar('"');
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			(void)printf("\\%c", *s);
		else if ((unsigned char)*s < ' ' || *s == 0x7f)
			(void)printf("\\u%04X", (unsigned)*s);
		else
			(void)putchar(*s);
	}
	(void)putchar('"');
}

static void
print(const struct show *s, const char *name, const char *value)
{
	size_t column = 0;

	if (s->json) {
		(void)putchar('{');
		put_json(name);
		(void)fputs(": ", stdout);
		put_json(value);
		(void)puts("}");
		return;
	}
	if (!s->value_only)
		put_words(name, s->fold, &column);
	if (!s->value_only && !s->name_only)
		put_words("=", s->fold, &column);
	if (!s->name_only)
		put_words(value, s->fold, &column);
	(void)putchar('\n');
}

static void
show_one(const struct conf *c, const struct show *s, const char *name)
{
	enum conf_id id = conf_find(name);
	const char *text = conf_raw(c, name);
	struct str out;
	struct why why;

	if (s->defaults || text == NULL)
		text = id == CONF_COUNT ? "" : s->defaults ?
		    conf_default(id) : conf_text(c, id);
	str_init(&out);
	if (!s->expand)
		print(s, name, text);
	else if (id != CONF_COUNT && !s->defaults)
		print(s, name, conf_get(c, id));
	else if (conf_expand(c, text, &out, &why) == 0)
		print(s, name, out.s);
	else
		fatal(EX_CONFIG, "%s: %s", name, why.text);
	str_free(&out);
}

void
show_names(const struct conf *c, const struct show *s, char *const *names)
{
	for (; *names != NULL; names++) {
		if (conf_find(*names) == CONF_COUNT &&
		    conf_raw(c, *names) == NULL)
			warning("%s: unknown parameter", *names);
		else if (!s->set_only || conf_raw(c, *names) != NULL)
			show_one(c, s, *names);
	}
}

static void
warn_about_file(const struct conf *c, const bool *used)
{
	const struct conf_entry *e;
	size_t i;

	for (i = 0; i < c->nentry; i++) {
		e = &c->entry[i];
		if (!e->last)
			continue;
		if (e->id == CONF_COUNT && !used[i])
			warning("%s/main.cf: unused parameter: %s=%s", c->dir,
			    e->name, e->value);
		else if (e->value[0] == '#' || strstr(e->value, " #") != NULL)
			warning("%s/main.cf, line %u: #comment after other "
			    "text is not allowed: %s = %s", c->dir, e->line,
			    e->name, e->value);
	}
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void
show_all(const struct conf *c, const struct show *s)
{
	const char **name = calloc(c->nentry + CONF_COUNT, sizeof(*name));
	bool *used = conf_used(c);
	size_t n = 0, i;

	if (name == NULL || used == NULL)
		fatal(EX_OSERR, "out of memory");
	for (i = 0; i < CONF_COUNT; i++)
		if (!s->set_only || c->set[i] > 0)
			name[n++] = conf_parameter[i].name;
	for (i = 0; i < c->nentry; i++)
		if (used[i])
			name[n++] = c->entry[i].name;
	qsort(name, n, sizeof(*name), by_name);
	for (i = 0; i < n; i++)
		show_one(c, s, name[i]);
	warn_about_file(c, used);
	free(name);
	free(used);
}
