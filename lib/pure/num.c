/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/num.h"

#include <string.h>

bool
num_parse(const char *s, size_t len, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;
	size_t i;

	if (len == 0)
		return false;
	for (i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(s[i] - '0'), &v))
			return false;
	}
	if (v > max)
		return false;
	*out = v;
	return true;
}

uint64_t
num_hex(const char *s, size_t max)
{
	static const char digit[] = "0123456789ABCDEF";
	const char *d;
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < max && i < 15 && s[i] != '\0'; i++) {
		d = strchr(digit, s[i]);
		if (d == NULL)
			break;
		v = v << 4 | (uint64_t)(d - digit);
	}
	return v;
}

static uint64_t
unit_seconds(char unit)
{
	switch (unit) {
	case 's': return 1;
	case 'm': return 60;
	case 'h': return 3600;
	case 'd': return 86400;
	case 'w': return 604800;
	default: return 0;
	}
}

bool
num_parse_time(const char *s, char unit, uint64_t max, uint64_t *out)
{
	size_t len = strlen(s);
	uint64_t v;

	if (len > 0 && unit_seconds(s[len - 1]) > 0)
		unit = s[--len];
	if (!num_parse(s, len, UINT64_MAX, &v) ||
	    __builtin_mul_overflow(v, unit_seconds(unit), &v) || v > max)
		return false;
	*out = v;
	return true;
}
