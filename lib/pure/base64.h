/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RFC 4648 section 4, for SASL. */
#ifndef BASE64_H
#define BASE64_H

#include <stddef.h>

#include "pure/str.h"

void base64_encode(struct str *out, const void *buf, size_t len);

/* Strict: padded, nothing else inside.  0, or -1 on a bad input. */
int base64_decode(struct str *out, const char *s, size_t len);

#endif
