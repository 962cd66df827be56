/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/dnsrecord.h"

#include <string.h>

#include "fuzz.h"

enum { MAX = 8 };

/* The first octet says which type is asked for; the name is always the same,
 * as it is in the corpus. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum dnsrecord_type type[] = {
		DNSRECORD_MX, DNSRECORD_A, DNSRECORD_AAAA
	};
	struct dnsrecord out[MAX];
	enum dnsrecord_answer answer;
	unsigned char *msg;
	size_t n = 99, i;

	if (size == 0)
		return 0;
	msg = malloc(size);	/* with nothing behind it */
	MUST(msg != NULL);
	memcpy(msg, data + 1, size - 1);
	answer = dnsrecord_parse(msg, size - 1, "example.org",
	    type[data[0] % 3], out, MAX, &n);
	MUST(n <= MAX);
	MUST((answer == DNSRECORD_FOUND) == (n > 0));
	for (i = 0; i < n; i++)
		MUST(memchr(out[i].host, '\0', sizeof(out[i].host)) != NULL);
	free(msg);
	return 0;
}
