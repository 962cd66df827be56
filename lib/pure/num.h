/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers written by people and strangers. */
#ifndef NUM_H
#define NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decimal digits only, all of len octets, no sign, no blank.  False on
 * anything else and on a value above max; *out is then unchanged. */
bool num_parse(const char *s, size_t len, uint64_t max, uint64_t *out);

/* The value of upper-case hexadecimal digits, at most max of them and 15;
 * stops at anything else. */
uint64_t num_hex(const char *s, size_t max);

/* A time with an optional unit s m h d w (default unit: the given one),
 * in seconds.  The Postfix form: "300s", "5d", "0h". */
bool num_parse_time(const char *s, char unit, uint64_t max, uint64_t *out);

#endif
