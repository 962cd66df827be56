/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Address lists come to an end, and no address has a line end in it that
 * addr_parse would take. */
#include "pure/hdraddr.h"

#include <string.h>

#include "fuzz.h"
#include "pure/addr.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hdraddr h;
	struct addr a;
	struct str out;
	size_t n = 0;
	enum hdraddr_next next;

	str_init(&out);
	hdraddr_init(&h, (const char *)data, size);
	while ((next = hdraddr_next(&h, &out)) != HDRADDR_END) {
		MUST(++n <= size + 1);
		MUST(out.len <= size && h.pos <= size);
		if (next == HDRADDR_ADDRESS)
			(void)addr_parse(&a, out.s, out.len);
	}
	MUST(hdraddr_next(&h, &out) == HDRADDR_END);
	str_free(&out);
	return 0;
}
