/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Strings as JSON has them (RFC 8259). */
#ifndef JSON_H
#define JSON_H

#include <stddef.h>

#include "pure/str.h"

/* Appends s[0..len) with its quotes.  What is no UTF-8 becomes U+FFFD, an
 * octet at a time, so that the result is always valid. */
void json_put(struct str *out, const char *s, size_t len);

#endif
