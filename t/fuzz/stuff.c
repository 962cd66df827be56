/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is sent can be read: the end is at the end and nowhere before, by
 * CRLF or by CR, and the size that was promised is right.  The first octet:
 * how to cut. */
#include "pure/stuff.h"

#include <string.h>

#include "fuzz.h"
#include "pure/dot.h"

static char *
run(const char *in, size_t len, size_t piece, size_t *out_len)
{
	char *out = malloc(2 * len + STUFF_END);
	struct stuff s, c;
	uint64_t count = 0;
	size_t n, o = 0, extra = 0;

	MUST(out != NULL);
	stuff_init(&s);
	stuff_init(&c);
	for (size_t i = 0; i < len; i += n) {
		n = len - i < piece ? len - i : piece;
		o += stuff_feed(&s, in + i, n, out + o);
		count += stuff_count(&c, in + i, n);
	}
	o += stuff_end(&s, out + o);
	count += stuff_count_end(&c);
	MUST(o <= 2 * len + STUFF_END);
	for (size_t i = 0; i + 3 < o; i++)
		extra += out[i] == '.' && (i == 0 || out[i - 1] == '\n' ||
		    out[i - 1] == '\r');
	MUST(count + extra + 3 == o);
	*out_len = o;
	return out;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *in = (const char *)data + 1;
	size_t len, other_len, text_len, used;
	char *out, *other, *text;
	struct dot d;

	if (size < 1)
		return 0;
	out = run(in, size - 1, size, &len);
	other = run(in, size - 1, (size_t)data[0] + 1, &other_len);
	MUST(len == other_len && memcmp(out, other, len) == 0);
	text = malloc(len + 2);
	MUST(text != NULL);
	dot_init(&d, false);
	used = dot_feed(&d, out, len, text, &text_len);
	MUST(d.state == DOT_DONE && used == len);
	if (memchr(in, '\r', size - 1) == NULL) {
		MUST(text_len >= size - 1);
		MUST(memcmp(text, in, size - 1) == 0);
	}
	free(out);
	free(other);
	free(text);
	return 0;
}
