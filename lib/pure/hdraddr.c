/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/hdraddr.h"

#include <stdbool.h>
#include <string.h>

enum token {
	TOKEN_END,
	TOKEN_WORD,	/* an atom, "quoted", [literal] */
	TOKEN_SPECIAL,	/* one octet */
	TOKEN_BAD
};

void
hdraddr_init(struct hdraddr *h, const char *s, size_t len)
{
	*h = (struct hdraddr){ .s = s, .len = len };
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool
is_special(char c)
{
	return c != '\0' && strchr("()<>[]:;@\\,.\"", c) != NULL;
}

/* From an opening octet to behind the closing one; 0 if there is none. */
static size_t
scan_until(const char *s, size_t len, char close)
{
	size_t i;

	for (i = 1; i < len; i++) {
		if (s[i] == '\\')
			i++;
		else if (s[i] == close)
			return i + 1;
	}
	return 0;
}

/* The same for a comment, RFC 5322 3.2.2: they nest. */
static size_t
scan_comment(const char *s, size_t len)
{
	size_t depth = 0, i;

	for (i = 0; i < len; i++) {
		if (s[i] == '\\')
			i++;
		else if (s[i] == '(')
			depth++;
		else if (s[i] == ')' && --depth == 0)
			return i + 1;
	}
	return 0;
}

/* A backslash before a word only ever meant "no alias, please". */
static bool
skip_blank(struct hdraddr *h)
{
	size_t n;

	while (h->pos < h->len) {
		if (is_blank(h->s[h->pos]) || h->s[h->pos] == '\\')
			n = 1;
		else if (h->s[h->pos] != '(')
			break;
		else if ((n = scan_comment(h->s + h->pos,
		    h->len - h->pos)) == 0)
			return false;
		h->pos += n;
	}
	return true;
}

static enum token
next_token(struct hdraddr *h, const char **start, size_t *len)
{
	const char *s;
	size_t left, n = 0;

	if (!skip_blank(h))
		return TOKEN_BAD;
	*start = s = h->s + h->pos;
	left = h->len - h->pos;
	*len = 0;
	if (left == 0)
		return TOKEN_END;
	if (*s == '"' || *s == '[') {
		n = scan_until(s, left, *s == '"' ? '"' : ']');
		if (n == 0)
			return TOKEN_BAD;
	} else
		while (n < left && !is_blank(s[n]) && !is_special(s[n]))
			n++;
	*len = n > 0 ? n : 1;
	h->pos += *len;
	return n > 0 ? TOKEN_WORD : TOKEN_SPECIAL;
}

/* Between "<" and ">"; a route has commas and a colon in it. */
static bool
read_angle(struct hdraddr *h, struct str *out)
{
	const char *s;
	bool word = false;
	size_t len;

	str_reset(out);
	for (;;) {
		switch (next_token(h, &s, &len)) {
		case TOKEN_END:
		case TOKEN_BAD:
			return false;
		case TOKEN_WORD:
			if (word)
				return false;
			word = true;
			break;
		case TOKEN_SPECIAL:
			if (*s == '>')
				return true;
			if (*s == '<' || *s == ';')
				return false;
			word = false;
			break;
		}
		str_put(out, s, len);
	}
}

/* One element, up to "," or ";" or the end. */
struct element {
	bool angle;	/* had "<...>" */
	bool word;	/* the last token was a word */
	bool phrase;	/* two words beside each other: a name */
	bool last;	/* the list ends here */
};

static bool
read_element(struct hdraddr *h, struct element *e, struct str *out)
{
	const char *s;
	size_t len;

	for (;;) {
		switch (next_token(h, &s, &len)) {
		case TOKEN_BAD:
			return false;
		case TOKEN_END:
			e->last = true;
			return true;
		case TOKEN_WORD:
			e->phrase |= e->word;
			e->word = true;
			break;
		case TOKEN_SPECIAL:
			if (*s == ',' || *s == ';')
				return true;
			if (*s == '<') {
				if (e->angle || !read_angle(h, out))
					return false;
				e->angle = true;
			} else if (*s == ':' && !e->angle) {
				/* That was the name of a group. */
				*e = (struct element){ 0 };
				str_reset(out);
				continue;
			} else if (*s != '.' && *s != '@')
				return false;
			e->word = false;
			break;
		}
		if (!e->angle)
			str_put(out, s, len);
	}
}

enum hdraddr_next
hdraddr_next(struct hdraddr *h, struct str *out)
{
	struct element e;
	size_t start;

	do {
		start = h->pos;
		e = (struct element){ 0 };
		str_reset(out);
		if (!read_element(h, &e, out) || (e.phrase && !e.angle)) {
			if (h->pos == start)
				h->pos = h->len;
			str_reset(out);
			str_put(out, h->s + start, h->pos - start);
			return HDRADDR_BAD;
		}
		if (e.angle || out->len > 0)
			return HDRADDR_ADDRESS;
	} while (!e.last);
	return HDRADDR_END;
}
