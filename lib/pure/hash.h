/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SipHash-2-4 with 128 bits and a fixed key, as a stream: names for things
 * that have none (POP3 unique-ids).  Not for secrets.
 */
#ifndef HASH_H
#define HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash {
	uint64_t v[4];
	uint64_t tail;		/* octets that are no whole word yet */
	uint64_t len;
};

void hash_init(struct hash *);
void hash_put(struct hash *, const void *buf, size_t len);
/* The value; the stream is used up. */
void hash_end(struct hash *, uint64_t out[static 2]);

enum { HASH_HEX = 33 };
void hash_hex(const uint64_t value[static 2], char out[static HASH_HEX]);

#endif
