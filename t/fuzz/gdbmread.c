/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A file of GNU dbm, and what a map of ours has in it: nothing is read that
 * is not in the file, and what is checked is what was written. */
#include "pure/gdbmread.h"

#include <string.h>

#include "fuzz.h"
#include "pure/limits.h"
#include "pure/maprecord.h"

struct file {
	const uint8_t *data;
	size_t size;
};

static ssize_t
read_file(void *ctx, void *buf, size_t len, off_t offset)
{
	const struct file *f = ctx;

	MUST(offset >= 0 && (size_t)offset <= f->size);
	if (len > f->size - (size_t)offset)
		len = f->size - (size_t)offset;
	memcpy(buf, f->data + offset, len);
	return (ssize_t)len;
}

static bool
count_record(void *ctx, const char *key, size_t key_len, const char *value,
    size_t len)
{
	size_t *n = ctx;

	(void)key;
	(void)value;
	return key_len <= LIMIT_STR && len <= LIMIT_STR && ++*n < 1000;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const key[] = { MAPHEAD_KEY, "root", "", "a" };
	struct file f = { data, size };
	struct gdbmread g = { .read = read_file, .ctx = &f };
	struct maphead head;
	struct str value;
	size_t i, n = 0;

	str_init(&value);
	if (maphead_parse(&head, (const char *)data, size)) {
		maphead_put(&value, &head);
		MUST(value.len == size && memcmp(value.s, data, size) == 0);
	}
	if (gdbmread_open(&g, size)) {
		for (i = 0; i < sizeof(key) / sizeof(key[0]); i++) {
			str_reset(&value);
			if (gdbmread_fetch(&g, key[i], strlen(key[i]),
			    &value) == GDBMREAD_HIT)
				MUST(value.len <= size);
		}
		(void)gdbmread_each(&g, count_record, &n);
	}
	str_free(&value);
	return 0;
}
