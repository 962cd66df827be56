/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/hash.h"

#include <inttypes.h>
#include <stdio.h>

/* The key is part of the format: another one would change every unique-id
 * that a client remembers. */
static const uint64_t key[2] = { 0x2d6c616d656c6c61, 0x312d6c6469752d33 };

static uint64_t
turn(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static void
rounds(uint64_t v[static 4], int n)
{
	while (n-- > 0) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = turn(v[1], 13) ^ v[0];
		v[3] = turn(v[3], 16) ^ v[2];
		v[0] = turn(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = turn(v[1], 17) ^ v[2];
		v[3] = turn(v[3], 21) ^ v[0];
		v[2] = turn(v[2], 32);
	}
}

static void
word(struct hash *h, uint64_t m)
{
	h->v[3] ^= m;
	rounds(h->v, 2);
	h->v[0] ^= m;
}

void
hash_init(struct hash *h)
{
	h->v[0] = key[0] ^ 0x736f6d6570736575;
	h->v[1] = key[1] ^ 0x646f72616e646f6d ^ 0xee;
	h->v[2] = key[0] ^ 0x6c7967656e657261;
	h->v[3] = key[1] ^ 0x7465646279746573;
	h->tail = h->len = 0;
}

void
hash_put(struct hash *h, const void *buf, size_t len)
{
	const unsigned char *p = buf;

	for (; len > 0; len--, p++) {
		h->tail |= (uint64_t)*p << 8 * (h->len % 8);
		if (++h->len % 8 == 0) {
			word(h, h->tail);
			h->tail = 0;
		}
	}
}

void
hash_end(struct hash *h, uint64_t out[static 2])
{
	word(h, h->tail | h->len << 56);
	h->v[2] ^= 0xee;
	rounds(h->v, 4);
	out[0] = h->v[0] ^ h->v[1] ^ h->v[2] ^ h->v[3];
	h->v[1] ^= 0xdd;
	rounds(h->v, 4);
	out[1] = h->v[0] ^ h->v[1] ^ h->v[2] ^ h->v[3];
}

void
hash_hex(const uint64_t value[static 2], char out[static HASH_HEX])
{
	(void)snprintf(out, HASH_HEX, "%016" PRIx64 "%016" PRIx64, value[0],
	    value[1]);
}
