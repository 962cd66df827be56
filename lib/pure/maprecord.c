/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/maprecord.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "pure/hash.h"

enum {
	VERSION = 1,
	HASH_BITS = 31,
	MAX_BITS = 24,
	PER_PAGE = 64,
	SUM = 8
};

static void
put_number(struct hash *h, uint64_t n)
{
	hash_put(h, &n, sizeof(n));
}

static uint64_t
end(struct hash *h)
{
	uint64_t value[2];

	hash_end(h, value);
	return value[0];
}

static uint64_t
head_sum(const char *text, size_t len)
{
	struct hash h;

	hash_init(&h);
	hash_put(&h, text, len);
	return end(&h);
}

void
maphead_put(struct str *out, const struct maphead *head)
{
	size_t start = out->len;

	str_printf(out, "%d %016" PRIx64 " %" PRIu64 " %u ", VERSION,
	    head->stamp, head->records, head->page_bits);
	str_printf(out, "%016" PRIx64,
	    head_sum(out->s + start, out->len - start));
}

bool
maphead_parse(struct maphead *head, const char *s, size_t len)
{
	struct str again;
	char text[128];
	int version;
	bool good;

	if (len >= sizeof(text))
		return false;
	memcpy(text, s, len);
	text[len] = '\0';
	if (sscanf(text, "%9d %16" SCNx64 " %19" SCNu64 " %3u ", &version,
	    &head->stamp, &head->records, &head->page_bits) != 4 ||
	    version != VERSION || head->page_bits > MAX_BITS)
		return false;
	/* What is read must be what would have been written. */
	str_init(&again);
	maphead_put(&again, head);
	good = !again.bad && again.len == len &&
	    memcmp(again.s, text, len) == 0;
	str_free(&again);
	return good;
}

unsigned
maphead_bits(uint64_t records)
{
	unsigned bits = 0;

	while (bits < MAX_BITS && records >> bits > PER_PAGE)
		bits++;
	return bits;
}

uint32_t
maprecord_hash(const char *key, size_t len)
{
	uint32_t value = 0x238f13afU * (uint32_t)len;
	size_t i;

	for (i = 0; i < len; i++)
		value = (value + ((uint32_t)key[i] << (i * 5 % 24))) &
		    0x7fffffff;
	return (1103515243U * value + 12345U) & 0x7fffffff;
}

uint32_t
mappage_number(const struct maphead *head, uint32_t hash)
{
	return head->page_bits > 0 ? hash >> (HASH_BITS - head->page_bits) :
	    0;
}

void
mappage_key(char key[static MAPPAGE_KEY], uint32_t page)
{
	key[0] = '\001';
	memcpy(key + 1, &page, sizeof(page));
}

static uint32_t
key_hash(const char *key, size_t len)
{
	struct hash h;

	hash_init(&h);
	hash_put(&h, key, len);
	return (uint32_t)end(&h);
}

static uint64_t
record_sum(const struct maphead *head, const char *key, size_t key_len,
    const char *value, size_t len)
{
	struct hash h;

	hash_init(&h);
	put_number(&h, head->stamp);
	put_number(&h, key_len);
	hash_put(&h, key, key_len);
	hash_put(&h, value, len);
	return end(&h);
}

static uint64_t
page_sum(const char *s, size_t len, const struct maphead *head,
    uint32_t number)
{
	struct hash h;

	hash_init(&h);
	put_number(&h, head->stamp);
	put_number(&h, number);
	hash_put(&h, s, len);
	return end(&h);
}

void
mappage_put(struct str *page, const struct maphead *head, const char *key,
    size_t key_len, const char *value, size_t len)
{
	uint32_t hash = key_hash(key, key_len);
	uint64_t sum = record_sum(head, key, key_len, value, len);

	str_put(page, &hash, sizeof(hash));
	str_put(page, &sum, sizeof(sum));
}

void
mappage_end(struct str *page, const struct maphead *head, uint32_t number)
{
	uint64_t sum = page_sum(page->s, page->len, head, number);

	str_put(page, &sum, sizeof(sum));
}

bool
mappage_check(const char *s, size_t len, const struct maphead *head,
    uint32_t number)
{
	uint64_t sum;

	if (len < SUM || (len - SUM) % MAPPAGE_MARK != 0)
		return false;
	memcpy(&sum, s + len - SUM, SUM);
	return sum == page_sum(s, len - SUM, head, number);
}

bool
mappage_has(const char *s, size_t page_len, const struct maphead *head,
    const char *key, size_t key_len, const char *value, size_t len)
{
	uint32_t hash = key_hash(key, key_len), found;
	uint64_t sum = 0, want;
	size_t i;

	if (value != NULL)
		sum = record_sum(head, key, key_len, value, len);
	for (i = 0; i + MAPPAGE_MARK <= page_len; i += MAPPAGE_MARK) {
		memcpy(&found, s + i, sizeof(found));
		memcpy(&want, s + i + sizeof(found), sizeof(want));
		if (found == hash && (value == NULL || want == sum))
			return true;
	}
	return false;
}

bool
maprecord_reserved(const char *key, size_t len)
{
	return len > 0 && key[0] == '\001';
}
