/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/base64.h"

#include <string.h>

static const char digit[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
base64_encode(struct str *out, const void *buf, size_t len)
{
	const unsigned char *b = buf;
	unsigned v;
	size_t i;

	for (i = 0; i < len; i += 3) {
		v = (unsigned)b[i] << 16;
		if (i + 1 < len)
			v |= (unsigned)b[i + 1] << 8;
		if (i + 2 < len)
			v |= b[i + 2];
		str_putc(out, digit[v >> 18]);
		str_putc(out, digit[v >> 12 & 63]);
		str_putc(out, i + 1 < len ? digit[v >> 6 & 63] : '=');
		str_putc(out, i + 2 < len ? digit[v & 63] : '=');
	}
}

int
base64_decode(struct str *out, const char *s, size_t len)
{
	size_t i, j, pad = 0;
	const char *d;
	unsigned v;

	if (len % 4 != 0)
		return -1;
	if (len > 0 && s[len - 1] == '=')
		pad = s[len - 2] == '=' ? 2 : 1;
	for (i = 0; i < len; i += 4) {
		size_t n = i + 4 == len ? 4 - pad : 4;

		for (v = 0, j = 0; j < 4; j++) {
			v <<= 6;
			if (j >= n)
				continue;
			d = s[i + j] != '\0' ? strchr(digit, s[i + j]) : NULL;
			if (d == NULL)
				return -1;
			v |= (unsigned)(d - digit);
		}
		/* Bits that padding leaves over must be zero. */
		if ((n == 2 && (v & 0xffff) != 0) ||
		    (n == 3 && (v & 0xff) != 0))
			return -1;
		for (j = 0; j + 1 < n; j++)
			str_putc(out, (char)(v >> (16 - 8 * j) & 0xff));
	}
	return 0;
}
