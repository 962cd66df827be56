/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/aliasline.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "pure/hdraddr.h"
#include "pure/limits.h"

#define INCLUDE	":include:"

void
alias_init(struct alias_scan *a, const char *s, size_t len)
{
	*a = (struct alias_scan){ .s = s, .len = len };
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/* Over blanks, commas, line ends, and comments at the start of a line. */
static void
skip_nothing(struct alias_scan *a)
{
	bool bol = a->pos == 0 || a->s[a->pos - 1] == '\n';
	const char *lf;
	char c;

	for (; a->pos < a->len; a->pos++) {
		c = a->s[a->pos];
		if (c == '#' && bol) {
			lf = memchr(a->s + a->pos, '\n', a->len - a->pos);
			if (lf == NULL)
				a->pos = a->len;
			else
				a->pos = (size_t)(lf - a->s);
			if (a->pos == a->len)
				return;
			c = '\n';
		}
		if (c != '\n' && c != ',' && !is_blank(c))
			return;
		bol = c == '\n' || (bol && c != ',');
	}
}

/* Does the LF at pos end the logical line? */
static bool
line_ends(const struct alias_scan *a, size_t pos)
{
	size_t i = pos + 1, start = i;

	while (i < a->len) {
		while (i < a->len && is_blank(a->s[i]))
			i++;
		if (i < a->len && a->s[i] != '\n' && a->s[i] != '#')
			return i == start;
		/* An empty line or a comment: look at the next. */
		while (i < a->len && a->s[i] != '\n')
			i++;
		start = ++i;
	}
	return true;
}

/* Where the target that begins at pos ends: at a comma or line end outside
 * of quotes, "<>" and "()".  False: something is not closed; *end is then
 * where the line ends. */
static bool
find_end(const struct alias_scan *a, size_t *end)
{
	bool quoted = false, angle = false;
	size_t i, depth = 0;
	char c;

	for (i = a->pos; i < a->len; i++) {
		c = a->s[i];
		if (c == '\n' && line_ends(a, i))
			break;
		if (c == '\\' && i + 1 < a->len && a->s[i + 1] != '\n')
			i++;
		else if (c == '"' && depth == 0)
			quoted = !quoted;
		else if (quoted)
			continue;
		else if (c == '(')
			depth++;
		else if (c == ')' && depth > 0)
			depth--;
		else if (c == '<' && depth == 0)
			angle = true;
		else if (c == '>' && depth == 0)
			angle = false;
		else if (c == ',' && depth == 0 && !angle)
			break;
	}
	*end = i;
	return !quoted && !angle && depth == 0;
}

/* A command, a path: what is in quotes loses them, line ends are blanks and
 * comment lines in between are nothing. */
static void
put_plain(struct str *text, const char *s, size_t len)
{
	bool quoted = false, bol = false;
	size_t i;

	for (i = 0; i < len; i++) {
		if (bol && s[i] == '#') {
			while (i + 1 < len && s[i] != '\n')
				i++;
		}
		bol = s[i] == '\n' || (bol && is_blank(s[i]));
		if (s[i] == '\\' && i + 1 < len && s[i + 1] != '\n') {
			if (!quoted)
				str_putc(text, '\\');
			str_putc(text, s[++i]);
		} else if (s[i] == '"')
			quoted = !quoted;
		else if (s[i] != '\n')
			str_putc(text, s[i]);
	}
	while (text->len > 0 && is_blank(text->s[text->len - 1]))
		str_cut(text, text->len - 1);
}

static void
drop_front(struct str *text, size_t n)
{
	while (n < text->len && is_blank(text->s[n]))
		n++;
	memmove(text->s, text->s + n, text->len - n);
	str_cut(text, text->len - n);
}

/* "/file"@example.org is an address, though it begins like a path. */
static bool
is_plain(const char *s, size_t len)
{
	size_t i;

	if (s[0] != '"')
		return s[0] == '|' || s[0] == '/' ||
		    (len >= strlen(INCLUDE) &&
		    strncasecmp(s, INCLUDE, strlen(INCLUDE)) == 0);
	for (i = 1; i < len && s[i] != '"'; i++)
		if (s[i] == '\\')
			i++;
	if (len < 3 || i >= len || memchr(s + i, '@', len - i) != NULL)
		return false;
	return is_plain(s + 1, len - 1) && s[1] != '"';
}

static enum alias_kind
classify_plain(struct str *text)
{
	if (text->s[0] == '|') {
		drop_front(text, 1);
		return text->len > 0 ? ALIAS_COMMAND : ALIAS_BAD;
	}
	if (text->s[0] == '/')
		return ALIAS_FILE;
	drop_front(text, strlen(INCLUDE));
	return text->s[0] == '/' ? ALIAS_INCLUDE : ALIAS_BAD;
}

/* One address, of which only it itself is wanted: "Bob <bob@x>". */
static enum alias_kind
read_address(struct str *text, const char *s, size_t len)
{
	bool mailbox = s[0] == '\\';
	struct hdraddr h;
	struct str again;

	hdraddr_init(&h, s, len);
	if (hdraddr_next(&h, text) != HDRADDR_ADDRESS)
		return ALIAS_BAD;
	str_init(&again);
	if (mailbox)
		str_putc(&again, '\\');
	str_put(&again, text->s, text->len);
	if (hdraddr_next(&h, text) != HDRADDR_END || again.len == 0) {
		str_free(&again);
		return ALIAS_BAD;
	}
	str_reset(text);
	str_put(text, again.s, again.len);
	text->bad |= again.bad;
	str_free(&again);
	return ALIAS_ADDRESS;
}

enum alias_kind
alias_next(struct alias_scan *a, struct str *text)
{
	enum alias_kind kind = ALIAS_BAD;
	size_t end, len;
	const char *s;
	bool closed;

	str_reset(text);
	skip_nothing(a);
	if (a->pos >= a->len)
		return ALIAS_END;
	closed = find_end(a, &end);
	s = a->s + a->pos;
	for (len = end - a->pos; len > 0 && (is_blank(s[len - 1]) ||
	    s[len - 1] == '\n'); )
		len--;
	a->pos = end;
	if (closed && memchr(s, '\0', len) == NULL) {
		if (is_plain(s, len)) {
			put_plain(text, s, len);
			kind = classify_plain(text);
		} else
			kind = read_address(text, s, len);
	}
	if (text->bad || kind == ALIAS_BAD) {
		str_reset(text);
		str_put(text, s, len < LIMIT_REASON ? len : LIMIT_REASON);
		return ALIAS_BAD;
	}
	return kind;
}
