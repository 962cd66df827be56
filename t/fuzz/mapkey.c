/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The keys of any address fit, come to an end, and leave out what they say. */
#include "pure/mapkey.h"

#include <string.h>

#include "fuzz.h"

static void
keys(struct mapkey *k)
{
	const char *key;
	size_t n = 0;

	while ((key = mapkey_next(k)) != NULL) {
		MUST(strlen(key) < sizeof(k->key));
		MUST(k->extension_len <= k->at);
		MUST(k->extension_len == 0 ||
		    (k->extension >= k->address && k->extension +
		    k->extension_len <= k->address + k->at));
		MUST(++n <= LIMIT_ADDRESS + 8);
	}
	MUST(mapkey_next(k) == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const delimiters[] = { "", "+", "+-=" };
	char *text = malloc(size + 1);
	struct mapkey k;
	size_t i;

	MUST(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	for (i = 0; i < 3; i++) {
		mapkey_address(&k, text, delimiters[i], i > 0);
		keys(&k);
		mapkey_transport(&k, text, delimiters[i]);
		keys(&k);
	}
	free(text);
	return 0;
}
