/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The addresses of a submission: checked, completed, each once. */
#include "sendmail.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "pure/envelope.h"
#include "pure/hdraddr.h"

void
rcpts_init(struct rcpts *r, const char *origin)
{
	*r = (struct rcpts){ .origin = origin };
	str_init(&r->fields);
	str_init(&r->list);
}

void
rcpts_free(struct rcpts *r)
{
	str_free(&r->fields);
	str_free(&r->list);
	tdestroy(r->seen, free);
}

static int
compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* False: it was there before. */
static bool
is_new(struct rcpts *r, const char *address)
{
	char *copy = strdup(address);
	const char **node;

	if (copy == NULL)
		fatal(EX_TEMPFAIL, "out of memory");
	node = tsearch(copy, &r->seen, compare);
	if (node == NULL)
		fatal(EX_TEMPFAIL, "out of memory");
	if (*node == copy)
		return true;
	free(copy);
	return false;
}

/* Everything of text must be one address. */
static bool
parse(struct addr *a, const struct str *text)
{
	struct str bracket;
	bool good;

	str_init(&bracket);
	str_putc(&bracket, '<');
	str_put(&bracket, text->s, text->len);
	str_putc(&bracket, '>');
	good = !text->bad && !bracket.bad &&
	    addr_parse(a, bracket.s, bracket.len) == bracket.len;
	str_free(&bracket);
	return good;
}

void
rcpts_put(struct rcpts *r, const char *address, const char *given, int code)
{
	if (!is_new(r, address))
		return;
	envelope_put_rcpt(&r->fields, address, given);
	str_put(&r->list, address, strlen(address) + 1);
	str_put(&r->list, given, strlen(given) + 1);
	r->n++;
	/* Room for the sender and the Received field. */
	if (r->fields.bad || r->list.bad ||
	    r->fields.len > LIMIT_ENVELOPE - LIMIT_WRITE)
		fatal(code, "too many recipients; the first %zu would fit",
		    r->n - 1);
}

static void
add(struct rcpts *r, struct addr *a, int code)
{
	struct addr given = *a;

	if (!addr_complete(a, r->origin))
		fatal(code, "address too long: %s@%s", given.text, r->origin);
	rcpts_put(r, a->text, given.text, code);
}

static _Noreturn void
complain(int code, const char *where, struct str *text)
{
	size_t start = strspn(text->s, ", \t\n"), i;

	str_cut(text, start + LIMIT_REASON / 2);
	while (text->len > start && strchr(", \t\n",
	    text->s[text->len - 1]) != NULL)
		str_cut(text, text->len - 1);
	for (i = start; i < text->len; i++)
		if (text->s[i] < ' ' || text->s[i] > '~')
			text->s[i] = '?';
	fatal(code, "%s: no valid address: %s", where, text->s + start);
}

void
rcpts_add(struct rcpts *r, const char *list, size_t len, int code,
    const char *where)
{
	struct hdraddr h;
	enum hdraddr_next next;
	struct str text;
	struct addr a;

	str_init(&text);
	hdraddr_init(&h, list, len);
	while ((next = hdraddr_next(&h, &text)) != HDRADDR_END) {
		if (next == HDRADDR_BAD || !parse(&a, &text))
			complain(code, where, &text);
		if (a.len > 0)
			add(r, &a, code);
	}
	str_free(&text);
}

void
sender_parse(struct addr *a, const char *s)
{
	struct hdraddr h;
	enum hdraddr_next next;
	struct str text, rest;

	str_init(&text);
	str_init(&rest);
	hdraddr_init(&h, s, strlen(s));
	next = hdraddr_next(&h, &text);
	if (next == HDRADDR_BAD || !parse(a, &text) ||
	    (next != HDRADDR_END && hdraddr_next(&h, &rest) != HDRADDR_END)) {
		str_reset(&text);
		str_puts(&text, s);
		complain(EX_USAGE, "-f", &text);
	}
	str_free(&text);
	str_free(&rest);
}
