/* SPDX-License-Identifier: GPL-3.0-or-later */
/* There is one spelling: what decodes is what encode writes. */
#include "pure/base64.h"

#include <string.h>

#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str code, plain;

	str_init(&code);
	str_init(&plain);
	base64_encode(&code, data, size);
	MUST(base64_decode(&plain, code.s, code.len) == 0);
	MUST(plain.len == size && (size == 0 ||
	    memcmp(plain.s, data, size) == 0));
	str_reset(&code);
	str_reset(&plain);
	if (base64_decode(&plain, (const char *)data, size) == 0) {
		base64_encode(&code, plain.s, plain.len);
		MUST(code.len == size && (size == 0 ||
		    memcmp(code.s, data, size) == 0));
	}
	str_free(&code);
	str_free(&plain);
	return 0;
}
