/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An address is printable ASCII, reads itself again, and completes. */
#include "pure/addr.h"

#include <string.h>

#include "fuzz.h"

static void
check(const struct addr *a)
{
	MUST(a->len <= LIMIT_ADDRESS && a->at <= a->len);
	MUST(strlen(a->text) == a->len);
	MUST(a->at == a->len || a->text[a->at] == '@');
	for (size_t i = 0; i < a->len; i++)
		MUST(a->text[i] >= ' ' && a->text[i] <= '~');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct addr a, again;
	char text[LIMIT_ADDRESS + 3], key[LIMIT_USER];
	size_t used = addr_parse(&a, (const char *)data, size);

	MUST(used <= size);
	if (used == 0)
		return 0;
	check(&a);
	MUST(used == size || data[used] == ' ' || data[used] == '\t');
	text[0] = '<';
	memcpy(text + 1, a.text, a.len);
	text[a.len + 1] = '>';
	MUST(addr_parse(&again, text, a.len + 2) == a.len + 2);
	MUST(strcmp(a.text, again.text) == 0 && a.at == again.at);
	if (addr_local_key(&a, key, sizeof(key)))
		MUST(key[0] != '\0' && strchr(key, '/') == NULL);
	if (addr_complete(&a, "example.org")) {
		check(&a);
		MUST(a.len == 0 || addr_domain(&a)[0] != '\0');
	}
	return 0;
}
