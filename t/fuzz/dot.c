/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The first octet: mode and how to cut.  The end is where a search for
 * CRLF.CRLF finds it, and the way the text is cut changes nothing. */
#include "pure/dot.h"

#include <string.h>

#include "fuzz.h"

struct run {
	char *out;
	size_t len, used, bare_lf;
	enum dot_state state;
};

static void
run(struct run *r, const char *in, size_t len, bool lf_only, size_t piece)
{
	struct dot d;
	size_t n, used, out_len;

	*r = (struct run){ .out = malloc(len + 2) };
	MUST(r->out != NULL);
	dot_init(&d, lf_only);
	while (r->used < len && d.state != DOT_DONE) {
		char *out;

		n = len - r->used < piece ? len - r->used : piece;
		out = malloc(n + 2);
		MUST(out != NULL);
		used = dot_feed(&d, in + r->used, n, out, &out_len);
		MUST(out_len <= n + 2);
		MUST(used == n || d.state == DOT_DONE);
		MUST(r->len + out_len <= len + 2);
		memcpy(r->out + r->len, out, out_len);
		free(out);
		r->len += out_len;
		r->used += used;
	}
	r->state = d.state;
	r->bare_lf = d.bare_lf;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run whole, cut;
	bool lf_only;
	const char *in, *end;
	char *framed;

	if (size < 1)
		return 0;
	lf_only = data[0] & 1;
	in = (const char *)data + 1;
	size--;
	run(&whole, in, size, lf_only, size > 0 ? size : 1);
	run(&cut, in, size, lf_only, (size_t)(data[0] >> 1) % 17 + 1);
	MUST(whole.len == cut.len && whole.used == cut.used);
	MUST(whole.state == cut.state && whole.bare_lf == cut.bare_lf);
	MUST(memcmp(whole.out, cut.out, whole.len) == 0);
	MUST(memchr(whole.out, '\r', whole.len) == NULL);
	if (!lf_only) {
		framed = malloc(size + 2);
		MUST(framed != NULL);
		memcpy(framed, "\r\n", 2);
		memcpy(framed + 2, in, size);
		end = memmem(framed, size + 2, "\r\n.\r\n", 5);
		MUST((end != NULL) == (whole.state == DOT_DONE));
		if (end != NULL)
			MUST(whole.used == (size_t)(end - framed) + 3);
		free(framed);
	}
	free(whole.out);
	free(cut.out);
	return 0;
}
