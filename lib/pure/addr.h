/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Envelope addresses, RFC 5321 4.1.2, as leniently as Postfix takes them:
 * "<bob@x>", "bob@x", "bob", "<>"; a source route is read and dropped.
 * Octets outside printable ASCII are refused (SMTPUTF8 is not offered).
 */
#ifndef ADDR_H
#define ADDR_H

#include <stdbool.h>
#include <stddef.h>

#include "pure/limits.h"

struct addr {
	char text[LIMIT_ADDRESS + 1];	/* local@domain, local, or empty */
	size_t len;
	size_t at;	/* where the "@" is; == len if there is none */
};

/* Reads one address from s[0..len), leading blanks allowed.  Returns the
 * octets used (up to a blank or the end), or 0 when it is no address: bad
 * syntax, too long, nothing there. */
size_t addr_parse(struct addr *, const char *s, size_t len);

/* Completes a bare name with "@" origin.  False when it gets too long. */
bool addr_complete(struct addr *, const char *origin);

/* The part after "@" ("" if none). */
const char *addr_domain(const struct addr *);

/* The local part without quotes and backslashes, in lower case: the key for
 * accounts and maps.  False when it has an octet no key may hold ("/", NUL)
 * or does not fit. */
bool addr_local_key(const struct addr *, char *key, size_t size);

#endif
