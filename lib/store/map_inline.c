/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tables without a file: inline:, static:, fail:; and unix:, whose files
 * have a form of their own. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "store/map_type.h"

#define BLANKS	" \t\r\n"

/* name "{ text }" becomes text; NULL: the braces are missing. */
static char *
in_braces(char *name)
{
	size_t len = strlen(name);

	if (len < 2 || name[0] != '{' || name[len - 1] != '}')
		return NULL;
	name[len - 1] = '\0';
	return name + 1;
}

static void
cut_end(char *s)
{
	size_t len = strlen(s);

	while (len > 0 && strchr(BLANKS, s[len - 1]) != NULL)
		s[--len] = '\0';
}

/* The next "name = value" or "{ name = value }" of the text, cut out.  1, 0
 * at the end, -1 for what is none. */
static int
next_pair(char **text, char **name, char **value)
{
	char *s = *text + strspn(*text, "," BLANKS), *end, *equals;

	if (*s == '\0')
		return 0;
	if (*s == '{') {
		int depth = 1;

		for (end = ++s; *end != '\0' && depth > 0; end++)
			depth += (*end == '{') - (*end == '}');
		if (depth > 0)
			return -1;
		*text = end;
		end[-1] = '\0';
		s += strspn(s, BLANKS);
	} else {
		/* Blanks around "=" belong to the pair. */
		end = s + strcspn(s, "=,");
		if (*end == '=') {
			end += 1 + strspn(end + 1, BLANKS);
			end += strcspn(end, "," BLANKS);
		}
		*text = end + (*end != '\0');
		*end = '\0';
	}
	equals = strchr(s, '=');
	if (equals == NULL || equals == s)
		return -1;
	*equals = '\0';
	cut_end(s);
	*name = s;
	*value = equals + 1 + strspn(equals + 1, BLANKS);
	cut_end(*value);
	return 1;
}

static int
check_inline(struct map *m, struct why *why)
{
	char *copy = strdup(m->name), *text, *name, *value;
	int more;

	if (copy == NULL) {
		(void)map_later(m, why, "out of memory");
		return -1;
	}
	text = in_braces(copy);
	more = text != NULL ? next_pair(&text, &name, &value) : -1;
	if (more == 0)
		more = -1;
	while (more > 0)
		more = next_pair(&text, &name, &value);
	free(copy);
	if (more < 0)
		(void)why_set(why, VERDICT_NEVER, "5.3.5", "%s: write "
		    "inline:{name=value, {name = text with blanks}}",
		    m->label);
	return more;
}

/* No index: what fits into a line is short. */
static enum map_answer
find_inline(struct map *m, const char *key, size_t len, struct str *out,
    struct why *why)
{
	char *copy = strdup(m->name), *text, *name, *value;
	enum map_answer answer = MAP_MISS;

	if (copy == NULL)
		return map_later(m, why, "out of memory");
	text = in_braces(copy);
	while (answer == MAP_MISS && next_pair(&text, &name, &value) > 0)
		if (strlen(name) == len && strcasecmp(name, key) == 0) {
			str_puts(out, value);
			answer = MAP_HIT;
		}
	free(copy);
	return answer;
}

const struct map_type map_inline = {
	.name = "inline",
	.open = check_inline,
	.find = find_inline
};

static int
open_static(struct map *m, struct why *why)
{
	(void)m;
	(void)why;
	return 0;
}

static enum map_answer
find_static(struct map *m, const char *key, size_t len, struct str *value,
    struct why *why)
{
	size_t n = strlen(m->name), from = 0;

	(void)key;
	(void)len;
	(void)why;
	if (n >= 2 && m->name[0] == '{' && m->name[n - 1] == '}') {
		from = 1 + strspn(m->name + 1, BLANKS);
		for (n--; n > from && strchr(BLANKS, m->name[n - 1]) != NULL; )
			n--;
	}
	if (n > from)
		str_put(value, m->name + from, n - from);
	return MAP_HIT;
}

const struct map_type map_static = {
	.name = "static",
	.open = open_static,
	.find = find_static
};

static enum map_answer
find_fail(struct map *m, const char *key, size_t len, struct str *value,
    struct why *why)
{
	(void)key;
	(void)len;
	(void)value;
	return map_later(m, why, "it is meant to");
}

const struct map_type map_fail = {
	.name = "fail",
	.open = open_static,
	.find = find_fail
};

static int
open_unix(struct map *m, struct why *why)
{
	if (strcmp(m->name, "passwd.byname") == 0)
		return map_open_file(m, "/etc/passwd", why);
	if (strcmp(m->name, "group.byname") == 0)
		return map_open_file(m, "/etc/group", why);
	(void)map_later(m, why, "there are unix:passwd.byname and "
	    "unix:group.byname");
	return -1;
}

/* The line of the file, as Postfix gives it. */
static enum map_answer
find_line(struct map *m, const char *key, size_t len, struct str *value,
    struct why *why)
{
	size_t size;
	char *text = map_read_file(m, &size, why), *s, *end;
	enum map_answer answer = MAP_MISS;

	if (text == NULL)
		return MAP_LATER;
	/* An empty file, or one that ends within a line, is being written. */
	if (size == 0 || text[size - 1] != '\n')
		answer = map_later(m, why, "the file is half written");
	for (s = text; (end = strchr(s, '\n')) != NULL; s = end + 1)
		if (strncasecmp(s, key, len) == 0 && s[len] == ':') {
			str_put(value, s, (size_t)(end - s));
			answer = MAP_HIT;
			break;
		}
	free(text);
	return answer;
}

const struct map_type map_unix = {
	.name = "unix",
	.open = open_unix,
	.find = find_line
};
