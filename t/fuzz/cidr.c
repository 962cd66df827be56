/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A cidr table: whatever is in it, each question has an answer. */
#include "fuzz.h"
#include "pure/rules.h"

static void
count_fault(void *ctx, unsigned line, const char *what)
{
	MUST(line > 0 && what[0] != '\0');
	++*(size_t *)ctx;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const key[] = { "10.1.2.3", "::1", "x", "",
	    "2001:db8::1", "255.255.255.255" };
	struct str value;
	struct rules r;
	size_t i, faults = 0;

	str_init(&value);
	MUST(rules_parse(&r, &rules_cidr, (const char *)data, size,
	    count_fault, &faults));
	for (i = 0; i < sizeof(key) / sizeof(key[0]); i++) {
		str_reset(&value);
		if (rules_find(&r, key[i], &value))
			MUST(r.n > 0 && value.len > 0);
	}
	rules_free(&r);
	str_free(&value);
	return 0;
}
