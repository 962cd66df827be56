/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/tableline.h"

#include <string.h>

#define BLANKS	" \t\r\v\f\n"

static bool
next_of_text(void *ctx, const char **line, size_t *len)
{
	struct tableline *t = ctx;
	const char *lf;

	if (t->len == 0)
		return false;
	lf = memchr(t->s, '\n', t->len);
	*line = t->s;
	*len = lf != NULL ? (size_t)(lf - t->s) : t->len;
	t->s += *len + (lf != NULL);
	t->len -= *len + (lf != NULL);
	return true;
}

void
tableline_init(struct tableline *t, bool (*next)(void *, const char **,
    size_t *), void *ctx)
{
	*t = (struct tableline){ .next = next, .ctx = ctx };
	str_init(&t->text);
}

void
tableline_init_text(struct tableline *t, const char *s, size_t len)
{
	tableline_init(t, next_of_text, t);
	t->s = s;
	t->len = len;
}

void
tableline_free(struct tableline *t)
{
	str_free(&t->text);
}

static bool
is_blank(char c)
{
	return c != '\0' && strchr(BLANKS, c) != NULL;
}

/* The next line that is something, in ahead. */
static bool
look_ahead(struct tableline *t)
{
	size_t i;

	while (t->next(t->ctx, &t->ahead, &t->ahead_len)) {
		t->at++;
		for (i = 0; i < t->ahead_len && is_blank(t->ahead[i]); i++)
			;
		if (i < t->ahead_len && t->ahead[i] != '#')
			return true;
	}
	t->ahead = NULL;
	return false;
}

bool
tableline_next(struct tableline *t)
{
	str_reset(&t->text);
	if (t->ahead == NULL && !look_ahead(t))
		return false;
	t->line = t->at;
	do
		str_put(&t->text, t->ahead, t->ahead_len);
	while (look_ahead(t) && is_blank(t->ahead[0]));
	return true;
}

/* s without white space at its end, behind that at its start. */
static char *
trim(char *s)
{
	size_t len;

	s += strspn(s, BLANKS);
	for (len = strlen(s); len > 0 && is_blank(s[len - 1]); )
		s[--len] = '\0';
	return s;
}

static const char *
check(const char *text, size_t len)
{
	if (strlen(text) != len)
		return "NUL in a line: this is no text file";
	if (is_blank(text[0]))
		return "logical line must not start with whitespace";
	return NULL;
}

/* From an opening quote: undoes the quoting in place.  The octet behind the
 * closing one, or NULL. */
static char *
unquote(char *s)
{
	char *to = s, *from;

	for (from = s + 1; *from != '"'; *to++ = *from++) {
		if (*from == '\\')
			from++;
		if (*from == '\0')
			return NULL;
	}
	*to = '\0';
	return from + 1;
}

/* White space in quotes is part of a key, and so are the quotes, as they are
 * of an address: "b ob"@example.org. */
static char *
skip_key(char *s)
{
	bool quoted = false;

	for (; *s != '\0' && (quoted || !is_blank(*s)); s++) {
		if (*s == '"')
			quoted = !quoted;
		else if (*s == '\\' && quoted && s[1] != '\0')
			s++;
	}
	return quoted ? NULL : s;
}

const char *
tableline_split(char *text, size_t len, char **key, char **value)
{
	const char *wrong = check(text, len);
	char *end;

	if (wrong != NULL)
		return wrong;
	*key = text;
	end = skip_key(text);
	if (end == NULL)
		return "a quote is not closed";
	if (*end == '\0')
		return "expected format: key whitespace value";
	*end = '\0';
	*value = trim(end + 1);
	return **value == '\0' ? "expected format: key whitespace value" :
	    NULL;
}

const char *
tableline_split_alias(char *text, size_t len, char **key, char **value)
{
	const char *wrong = check(text, len);
	bool quoted = text[0] == '"';
	char *colon;

	if (wrong != NULL)
		return wrong;
	*key = text;
	if (quoted) {
		colon = unquote(text);
		if (colon == NULL)
			return "a quote is not closed";
		colon += strspn(colon, BLANKS);
	} else
		colon = text + strcspn(text, ":");
	if (*colon != ':')
		return "need name:value pair";
	*colon = '\0';
	if (!quoted)
		*key = trim(text);
	*value = trim(colon + 1);
	if (**key == '\0' || **value == '\0')
		return "need name:value pair";
	if (strchr(*key, '@') != NULL)
		return "name must be local and have no domain";
	if (!quoted && strpbrk(*key, BLANKS) != NULL)
		return "need name:value pair";
	return NULL;
}

void
tableline_put_list(struct str *out, const char *value)
{
	const char *s = value;
	bool quoted = false;
	size_t start = out->len;

	for (; *s != '\0'; s++) {
		if (*s == '\\' && s[1] != '\0') {
			str_put(out, s++, 2);
			start = out->len;	/* also a blank stays */
			continue;
		}
		if (*s == '"')
			quoted = !quoted;
		else if (!quoted && *s == ',') {
			while (out->len > start &&
			    is_blank(out->s[out->len - 1]))
				str_cut(out, out->len - 1);
			if (s[1 + strspn(s + 1, BLANKS)] != '\0')
				str_put(out, ", ", 2);
			s += strspn(s + 1, BLANKS);
			continue;
		}
		str_putc(out, *s);
	}
}
