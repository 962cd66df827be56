/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Unit tests that speak TAP.  A test program calls the checks in any order
 * and ends main with "return tap_done();".
 */
#ifndef TAP_H
#define TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* A literal and its length, for octets with NULs in them. */
#define LIT(s) (s), (sizeof(s) - 1)

static unsigned tap_run, tap_failed;

static inline bool
ok(bool good, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static inline bool
ok(bool good, const char *fmt, ...)
{
	va_list ap;

	tap_failed += !good;
	(void)printf("%sok %u - ", good ? "" : "not ", ++tap_run);
	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	(void)putchar('\n');
	return good;
}

static inline void
tap_show(const char *label, const char *s, size_t len)
{
	(void)printf("# %s (%zu): ", label, len);
	for (size_t i = 0; i < len && i < 400; i++)
		(void)printf(s[i] >= ' ' && s[i] <= '~' ? "%c" : "\\x%02x",
		    (unsigned char)s[i]);
	(void)putchar('\n');
}

static inline bool
is_mem(const char *got, size_t got_len, const char *want, size_t want_len,
    const char *name)
{
	bool same = got_len == want_len &&
	    (want_len == 0 || memcmp(got, want, want_len) == 0);

	if (!ok(same, "%s", name)) {
		tap_show("got ", got, got_len);
		tap_show("want", want, want_len);
	}
	return same;
}

static inline bool
is_str(const char *got, const char *want, const char *name)
{
	return is_mem(got, strlen(got), want, strlen(want), name);
}

static inline bool
is_int(intmax_t got, intmax_t want, const char *name)
{
	bool same = ok(got == want, "%s", name);

	if (!same)
		(void)printf("# got %jd, want %jd\n", got, want);
	return same;
}

/* The plan, and the exit code for main. */
static inline int
tap_done(void)
{
	(void)printf("1..%u\n", tap_run);
	return tap_failed > 0 || fflush(stdout) != 0;
}

#endif
