/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/confline.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Moves the physical line s to w, white space collapsed.  Never overtakes
 * what is still to be read: a blank is put for at least one taken. */
static char *
append(char *w, const char *start, const char *s, const char *end)
{
	for (; s < end; s++) {
		if (!is_blank(*s))
			*w++ = *s;
		else if (w > start && w[-1] != ' ')
			*w++ = ' ';
	}
	return w;
}

static char *
line_end(char *s)
{
	char *end = strchr(s, '\n');

	return end != NULL ? end : s + strlen(s);
}

/* Neither empty nor a comment? */
static bool
has_text(const char *s, const char *end)
{
	while (s < end && is_blank(*s))
		s++;
	return s < end && *s != '#';
}

enum confline_kind
confline_next(struct confline *c, char **text, unsigned *line)
{
	enum confline_kind kind = CONFLINE_END;
	char *start = NULL, *w = NULL, *s, *end;

	for (s = c->next; *s != '\0'; s = end) {
		end = line_end(s);
		if (has_text(s, end)) {
			if (kind == CONFLINE_ORPHAN ||
			    (kind == CONFLINE_TEXT && !is_blank(*s)))
				break;
			if (kind == CONFLINE_END) {
				kind = is_blank(*s) ? CONFLINE_ORPHAN :
				    CONFLINE_TEXT;
				start = w = s;
				*line = c->line;
			}
			w = append(w, start, s, end);
		}
		if (*end == '\n') {
			c->line++;
			end++;
		}
	}
	c->next = s;
	if (kind == CONFLINE_END)
		return kind;
	if (w[-1] == ' ')
		w--;
	*w = '\0';	/* at most where the line end was */
	*text = start;
	return kind;
}

const char *
confline_split(char *text, char **name, char **value)
{
	size_t len = strcspn(text, " =");
	char *s = text + len;

	if (len == 0)
		return "missing attribute name";
	if (*s == ' ')
		s++;
	if (*s != '=')
		return "missing '=' after attribute name";
	s++;
	if (*s == ' ')
		s++;
	text[len] = '\0';
	*name = text;
	*value = s;
	return NULL;
}
