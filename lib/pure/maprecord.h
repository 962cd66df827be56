/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What we put into a GNU dbm file beside the records themselves, so that
 * damage shows, also where it makes a key disappear:
 *
 *	"\001malle"		the head: version, stamp, number of records,
 *				number of pages (as a power of 2), checksum
 *	"\001" and 4 octets	a page: for each key whose hash begins with
 *				the page's number, 4 octets of another hash
 *				of it and 8 of a checksum of key and value;
 *				then the checksum of the page
 *
 * So every key there is can be found in two places.  One that is in no page
 * does not exist: that is a sound answer, for the page is checked.  One that
 * is in its page must be found, and with that checksum.  All checksums begin
 * with the stamp, so that pieces of two versions of a map do not go together.
 */
#ifndef MAPRECORD_H
#define MAPRECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pure/str.h"

#define MAPHEAD_KEY	"\001malle"

struct maphead {
	uint64_t stamp, records;
	unsigned page_bits;
};

void maphead_put(struct str *out, const struct maphead *);
bool maphead_parse(struct maphead *, const char *s, size_t len);
/* The page bits for so many records. */
unsigned maphead_bits(uint64_t records);

enum { MAPPAGE_KEY = 5, MAPPAGE_MARK = 12 };

/* That of GNU dbm, 31 bits: the buckets of a file are in this order. */
uint32_t maprecord_hash(const char *key, size_t len);

/* The page of a key, by its hash, and the page's own key. */
uint32_t mappage_number(const struct maphead *, uint32_t hash);
void mappage_key(char key[static MAPPAGE_KEY], uint32_t page);

/* Appends the mark of a record to a page that is being made. */
void mappage_put(struct str *page, const struct maphead *, const char *key,
    size_t key_len, const char *value, size_t len);
/* Ends it. */
void mappage_end(struct str *page, const struct maphead *, uint32_t number);

/* Is s[0..len) the whole page of that number? */
bool mappage_check(const char *s, size_t len, const struct maphead *,
    uint32_t number);
/* Is there a mark of the key, with the checksum of that value (any, if value
 * is NULL), in a page that was checked? */
bool mappage_has(const char *s, size_t page_len, const struct maphead *,
    const char *key, size_t key_len, const char *value, size_t len);

/* No key of a record begins so. */
bool maprecord_reserved(const char *key, size_t len);

#endif
