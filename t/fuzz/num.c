/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Agrees with strtoull where that is strict enough. */
#include "pure/num.h"

#include <errno.h>
#include <string.h>

#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	uint64_t v = 4711, want;
	bool digits = size > 0;

	MUST(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	for (size_t i = 0; i < size; i++)
		digits &= text[i] >= '0' && text[i] <= '9';
	errno = 0;
	want = strtoull(text, NULL, 10);
	if (num_parse((const char *)data, size, UINT64_MAX, &v))
		MUST(digits && errno == 0 && v == want);
	else
		MUST((!digits || errno == ERANGE) && v == 4711);
	v = 0;
	(void)num_parse((const char *)data, size, 1000, &v);
	MUST(v <= 1000);
	(void)num_parse_time(text, 's', 1000, &v);
	MUST(v <= 1000);
	free(text);
	return 0;
}
