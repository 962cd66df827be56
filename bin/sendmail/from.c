/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The From field for mail that comes without one. */
#include "sendmail.h"

#include <string.h>

#include "pure/base64.h"

/* Octets in one encoded word: 45 make 60 of base64, and the word may have
 * 75 (RFC 2047 2). */
enum { WORD = 45 };

static void
put_quoted(struct str *out, const char *name)
{
	str_putc(out, '"');
	for (; *name != '\0'; name++) {
		if (*name == '"' || *name == '\\')
			str_putc(out, '\\');
		str_putc(out, *name);
	}
	str_putc(out, '"');
}

/* A character is not cut in two: what begins a word is no continuation. */
static void
put_encoded(struct str *out, const char *name)
{
	size_t len = strlen(name), n;

	while (len > 0) {
		n = len < WORD ? len : WORD;
		while (n < len && n > 1 && (name[n] & 0xc0) == 0x80)
			n--;
		str_puts(out, "=?utf-8?B?");
		base64_encode(out, name, n);
		str_puts(out, "?=");
		name += n;
		len -= n;
		if (len > 0)
			str_puts(out, "\n ");
	}
}

static bool
is_ascii(const char *s)
{
	while (*s != '\0')
		if (*s++ & 0x80)
			return false;
	return true;
}

void
from_field(struct str *out, const char *name, const char *address)
{
	str_puts(out, "From: ");
	if (name[0] == '\0') {
		str_printf(out, "%s\n", address);
		return;
	}
	if (!is_ascii(name))
		put_encoded(out, name);
	else if (strpbrk(name, "()<>[]:;@\\,.\"") != NULL)
		put_quoted(out, name);
	else
		str_puts(out, name);
	str_printf(out, " <%s>\n", address);
}
