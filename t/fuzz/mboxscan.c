/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The first octet: how to cut.  The messages follow one another, lie in the
 * file, and are the same however it is read. */
#include "pure/mboxscan.h"

#include <string.h>

#include "fuzz.h"

struct seen {
	struct mboxscan_message m[64];
	size_t n;
	uint64_t at, size;
};

static bool
each(void *ctx, const struct mboxscan_message *m)
{
	struct seen *seen = ctx;

	MUST(m->from >= seen->at && m->start > m->from);
	MUST(m->end >= m->start && m->end <= seen->size);
	seen->at = m->end;
	if (seen->n < 64)
		seen->m[seen->n] = *m;
	seen->n++;
	return true;
}

static void
run(struct seen *seen, const char *in, size_t len, size_t piece)
{
	static struct mboxscan scan;
	size_t n;

	*seen = (struct seen){ .size = len };
	mboxscan_init(&scan, 0, each, seen);
	for (size_t i = 0; i < len; i += n) {
		n = len - i < piece ? len - i : piece;
		mboxscan_feed(&scan, in + i, n);
	}
	mboxscan_end(&scan);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct seen whole, cut;
	const char *in = (const char *)data + 1;

	if (size < 1)
		return 0;
	run(&whole, in, size - 1, size);
	run(&cut, in, size - 1, (size_t)data[0] % 31 + 1);
	MUST(whole.n == cut.n);
	for (size_t i = 0; i < whole.n && i < 64; i++) {
		MUST(whole.m[i].from == cut.m[i].from);
		MUST(whole.m[i].start == cut.m[i].start);
		MUST(whole.m[i].end == cut.m[i].end);
		MUST(whole.m[i].size == cut.m[i].size);
		MUST(whole.m[i].hash[0] == cut.m[i].hash[0]);
		MUST(whole.m[i].internal == cut.m[i].internal);
	}
	return 0;
}
