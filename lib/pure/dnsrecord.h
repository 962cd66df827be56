/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Answers of the DNS (RFC 1035 section 4): the records of one name and type,
 * found through its CNAMEs.  A record that belongs to another name is not
 * ours, wherever in the answer it stands; a name that no host can have
 * (anything but letters, digits, "-", "_") makes its record unusable.
 */
#ifndef DNSRECORD_H
#define DNSRECORD_H

#include <stddef.h>
#include <stdint.h>

#include "pure/limits.h"

enum dnsrecord_type {
	DNSRECORD_A = 1,
	DNSRECORD_CNAME = 5,
	DNSRECORD_MX = 15,
	DNSRECORD_AAAA = 28
};

struct dnsrecord {
	unsigned preference;		/* MX */
	char host[LIMIT_DOMAIN + 1];	/* MX: "" is the root, a null MX */
	unsigned char raw[16];		/* A (4 octets), AAAA (16) */
};

enum dnsrecord_answer {
	DNSRECORD_FOUND,	/* *n > 0 records */
	DNSRECORD_NONE,		/* the name has none of this type */
	DNSRECORD_NO_NAME,	/* there is no such name */
	DNSRECORD_UNUSABLE,	/* there are some, but none can be used */
	DNSRECORD_LATER		/* no answer to this question, or damaged */
};

/* Reads the answer msg[0..len) to the question for name ("example.org", no
 * dot at its end) and type: at most max records, those behind it are
 * dropped. */
enum dnsrecord_answer dnsrecord_parse(const unsigned char *msg, size_t len,
    const char *name, enum dnsrecord_type type, struct dnsrecord *out,
    size_t max, size_t *n);

#endif
