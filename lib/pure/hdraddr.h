/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Address lists as people and programs write them in To, Cc and Bcc, and on
 * the command line of sendmail, RFC 5322 3.4 with its obsolete forms: "Bob
 * <bob@x>", "bob@x (Bob)", "friends: a@x, b@x;", comments that nest, quoted
 * strings, fields over several lines.  It takes them apart; whether what it
 * finds is an address is for addr_parse to say.
 */
#ifndef HDRADDR_H
#define HDRADDR_H

#include <stddef.h>

#include "pure/str.h"

struct hdraddr {
	const char *s;
	size_t len, pos;
};

enum hdraddr_next {
	HDRADDR_END,
	HDRADDR_ADDRESS,
	HDRADDR_BAD	/* unbalanced, or words without "<" */
};

/* s[0..len) is borrowed. */
void hdraddr_init(struct hdraddr *, const char *s, size_t len);

/* The next address, in out (emptied first): what stands between "<" and ">",
 * or else all of it, without blanks and comments; "" for "<>".  After BAD,
 * out is the text that could not be read. */
enum hdraddr_next hdraddr_next(struct hdraddr *, struct str *out);

#endif
