/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A growable string: bytes with one owner and a length.
 *
 * Invariants: s is never NULL after str_init and always has a NUL at s[len]
 * (which does not count); bytes before it may be anything.  A failed growth
 * (no memory, or LIMIT_STR reached) sets bad, drops the new bytes and stays
 * set until str_reset: append freely, ask once at the end.
 */
#ifndef STR_H
#define STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct str {
	char *s;
	size_t len;
	size_t cap;	/* 0: s is not ours to free */
	bool bad;
};

void str_init(struct str *);
void str_free(struct str *);
/* Empty again, memory kept, bad cleared. */
void str_reset(struct str *);
/* Cut to len octets; a longer len changes nothing. */
void str_cut(struct str *, size_t len);

void str_put(struct str *, const void *buf, size_t len);
void str_puts(struct str *, const char *);
void str_putc(struct str *, char);
void str_printf(struct str *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void str_vprintf(struct str *, const char *fmt, va_list)
    __attribute__((format(printf, 2, 0)));

/* How many LFs are in s[0..len). */
size_t str_count_lf(const char *s, size_t len);

#endif
