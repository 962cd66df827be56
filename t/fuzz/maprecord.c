/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a map of ours has in it for its own safety: a head is what would have
 * been written, and a page has what was put into it and shows any damage. */
#include "pure/maprecord.h"

#include <string.h>

#include "fuzz.h"

static void
check_page(const char *data, size_t size, const struct maphead *head)
{
	size_t key = size > 0 ? (unsigned char)data[0] % size : 0;
	struct str page;

	str_init(&page);
	mappage_put(&page, head, data, key, data + key, size - key);
	mappage_put(&page, head, "root", 4, "bob", 3);
	mappage_end(&page, head, 7);
	MUST(mappage_check(page.s, page.len, head, 7));
	MUST(!mappage_check(page.s, page.len, head, 8));
	MUST(mappage_has(page.s, page.len, head, data, key, data + key,
	    size - key));
	MUST(mappage_has(page.s, page.len, head, "root", 4, NULL, 0));
	page.s[size % page.len] ^= 1;
	MUST(!mappage_check(page.s, page.len, head, 7));
	str_free(&page);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *s = (const char *)data;
	struct maphead head = { .stamp = size, .page_bits = 3 };
	struct str again;

	(void)mappage_check(s, size, &head, 7);
	(void)mappage_has(s, size, &head, "root", 4, "bob", 3);
	check_page(s, size, &head);
	str_init(&again);
	if (maphead_parse(&head, s, size)) {
		maphead_put(&again, &head);
		MUST(again.len == size && memcmp(again.s, data, size) == 0);
	}
	str_free(&again);
	return 0;
}
