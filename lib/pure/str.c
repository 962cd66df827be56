/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pure/limits.h"

static char empty[1];

void
str_init(struct str *s)
{
	*s = (struct str){ .s = empty };
}

void
str_free(struct str *s)
{
	if (s->cap > 0)
		free(s->s);
	str_init(s);
}

void
str_reset(struct str *s)
{
	s->len = 0;
	s->bad = false;
	if (s->cap > 0)
		s->s[0] = '\0';
}

void
str_cut(struct str *s, size_t len)
{
	if (len < s->len) {
		s->len = len;
		s->s[len] = '\0';
	}
}

/* Room for n more octets and the NUL. */
static bool
str_grow(struct str *s, size_t n)
{
	size_t cap;
	char *p;

	if (s->bad || n > LIMIT_STR || s->len + n >= LIMIT_STR) {
		s->bad = true;
		return false;
	}
	if (s->len + n < s->cap)
		return true;
	cap = s->cap > 0 ? s->cap * 2 : 128;
	while (cap <= s->len + n)
		cap *= 2;
	p = realloc(s->cap > 0 ? s->s : NULL, cap);
	if (p == NULL) {
		s->bad = true;
		return false;
	}
	s->s = p;
	s->cap = cap;
	return true;
}

void
str_put(struct str *s, const void *buf, size_t len)
{
	if (!str_grow(s, len))
		return;
	if (len > 0)
		memcpy(s->s + s->len, buf, len);
	s->len += len;
	s->s[s->len] = '\0';
}

void
str_puts(struct str *s, const char *text)
{
	str_put(s, text, strlen(text));
}

void
str_putc(struct str *s, char c)
{
	str_put(s, &c, 1);
}

void
str_vprintf(struct str *s, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0 || !str_grow(s, (size_t)n)) {
		s->bad = true;
		return;
	}
	(void)vsnprintf(s->s + s->len, s->cap - s->len, fmt, ap);
	s->len += (size_t)n;
}

void
str_printf(struct str *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	str_vprintf(s, fmt, ap);
	va_end(ap);
}

size_t
str_count_lf(const char *s, size_t len)
{
	size_t n = 0, i;

	for (i = 0; i < len; i++)
		n += s[i] == '\n';
	return n;
}
