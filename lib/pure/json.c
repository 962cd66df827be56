/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/json.h"

#include <stdbool.h>
#include <stdint.h>

/* The length of the UTF-8 character at s, 0 if it is none (RFC 3629 4: no
 * surrogates, nothing above U+10FFFF, nothing longer than it need be). */
static size_t
utf8(const unsigned char *s, size_t len)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = s[0] < 0x80 ? 1 : (s[0] & 0xe0) == 0xc0 ? 2 :
	    (s[0] & 0xf0) == 0xe0 ? 3 : (s[0] & 0xf8) == 0xf0 ? 4 : 0;
	uint32_t c;
	size_t i;

	if (n <= 1)
		return n;
	if (n > len)
		return 0;
	c = s[0] & (0x7fU >> n);
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	return n;
}

static void
put_ascii(struct str *out, unsigned char c)
{
	switch (c) {
	case '"':
	case '\\':
		str_putc(out, '\\');
		str_putc(out, (char)c);
		return;
	case '\b':
		str_puts(out, "\\b");
		return;
	case '\f':
		str_puts(out, "\\f");
		return;
	case '\n':
		str_puts(out, "\\n");
		return;
	case '\r':
		str_puts(out, "\\r");
		return;
	case '\t':
		str_puts(out, "\\t");
		return;
	default:
		break;
	}
	if (c < ' ' || c == 0x7f)
		str_printf(out, "\\u%04X", c);
	else
		str_putc(out, (char)c);
}

void
json_put(struct str *out, const char *s, size_t len)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t n;

	str_putc(out, '"');
	for (; len > 0; u += n, len -= n) {
		n = utf8(u, len);
		if (n == 1)
			put_ascii(out, *u);
		else if (n > 1)
			str_put(out, u, n);
		else
			str_puts(out, "\xef\xbf\xbd");
		n += n == 0;
	}
	str_putc(out, '"');
}
