/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/envelope.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RETURN_PATH	"Return-Path: <"
#define ORIGINAL_TO	"X-Original-To: "
#define DELIVERED_TO	"Delivered-To: "
#define PRIVATE		"Malle-"
#define RECEIVED	"Received: "

void
envelope_init(struct envelope *e)
{
	*e = (struct envelope){ .sender = "" };
	str_init(&e->text);
}

void
envelope_free(struct envelope *e)
{
	str_free(&e->text);
	free(e->rcpt);
	envelope_init(e);
}

void
envelope_put_sender(struct str *s, const char *sender)
{
	str_puts(s, RETURN_PATH);
	str_puts(s, sender);
	str_puts(s, ">\n");
}

void
envelope_put_rcpt(struct str *s, const char *address, const char *original)
{
	if (original[0] != '\0' && strcmp(address, original) != 0)
		str_printf(s, ORIGINAL_TO "%s\n", original);
	str_printf(s, DELIVERED_TO "%s\n", address);
}

static bool
begins(const char *line, size_t len, const char *with)
{
	return len >= strlen(with) && memcmp(line, with, strlen(with)) == 0;
}

static bool
is_clean(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
			return false;
	return true;
}

static bool
add_rcpt(struct envelope *e, const char *address, const char *original)
{
	struct rcpt *more;

	/* Doubles: a power of two is full. */
	if ((e->nrcpt & (e->nrcpt - 1)) == 0) {
		more = realloc(e->rcpt, (e->nrcpt > 0 ? e->nrcpt * 2 : 1) *
		    sizeof(*more));
		if (more == NULL) {
			errno = ENOMEM;
			return false;
		}
		e->rcpt = more;
	}
	e->rcpt[e->nrcpt++] = (struct rcpt){ address, original };
	return true;
}

/* One line of e->text, its LF already a NUL. */
static bool
take_line(struct envelope *e, char *line, size_t len, const char **original)
{
	errno = EINVAL;
	if (!is_clean(line, len))
		return false;
	if (line == e->text.s) {
		if (!begins(line, len, RETURN_PATH) || line[len - 1] != '>')
			return false;
		line[len - 1] = '\0';
		e->sender = line + strlen(RETURN_PATH);
		return true;
	}
	if (begins(line, len, ORIGINAL_TO) && (*original)[0] == '\0') {
		*original = line + strlen(ORIGINAL_TO);
		return true;
	}
	if (begins(line, len, DELIVERED_TO) && len > strlen(DELIVERED_TO)) {
		const char *o = *original;

		*original = "";
		return add_rcpt(e, line + strlen(DELIVERED_TO), o);
	}
	e->private = begins(line, len, PRIVATE);
	return e->private;
}

/* Where the block ends: at the "Received: " that begins a line. */
static int
find_end(const char *buf, size_t len, size_t *end)
{
	size_t i = 0;
	const char *nl;

	for (;;) {
		if (begins(buf + i, len - i, RECEIVED)) {
			*end = i;
			return 1;
		}
		nl = memchr(buf + i, '\n', len - i);
		if (nl == NULL || len - i < strlen(RECEIVED))
			return 0;
		i = (size_t)(nl - buf) + 1;
	}
}

int
envelope_parse(struct envelope *e, const char *buf, size_t len)
{
	const char *original = "";
	size_t end = 0, i, n;
	bool private = false;
	char *line;

	errno = EINVAL;
	if (len >= strlen(RETURN_PATH) && !begins(buf, len, RETURN_PATH))
		return -1;
	if (find_end(buf, len, &end) == 0)
		return 0;
	if (end == 0)
		return -1;
	envelope_free(e);
	str_put(&e->text, buf, end);
	if (e->text.bad) {
		errno = ENOMEM;
		return -1;
	}
	for (i = 0; i < end; i += n + 1) {
		line = e->text.s + i;
		n = (size_t)((char *)memchr(line, '\n', end - i) - line);
		line[n] = '\0';
		if (!take_line(e, line, n, &original))
			return -1;
		private |= e->private;
	}
	e->private = private;
	e->len = end;
	return e->nrcpt > 0 && original[0] == '\0' ? 1 : -1;
}
