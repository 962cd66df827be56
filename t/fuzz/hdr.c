/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The first octet: how to cut, and what to add.  The way the text is cut
 * changes nothing; no Return-Path comes out of a header. */
#include "pure/hdr.h"

#include <string.h>

#include "fuzz.h"

static void
run(struct hdr *h, struct str *out, const char *in, size_t len, size_t piece,
    unsigned flags)
{
	size_t n, used;

	hdr_init(h);
	str_init(out);
	h->add_date = flags & 1 ? "Date: D\n" : NULL;
	h->add_from = flags & 2 ? "From: F\n" : NULL;
	h->add_message_id = flags & 4 ? "Message-ID: <M>\n" : NULL;
	h->drop_bcc = flags & 8;
	for (size_t i = 0; i < len; i += used) {
		n = len - i < piece ? len - i : piece;
		used = n;
		if (h->body)
			str_put(out, in + i, n);
		else
			used = hdr_feed(h, in + i, n, out);
		MUST(used == n || h->body);
		MUST(h->line.len <= LIMIT_HEADER);
	}
	hdr_end(h, out);
}

/* What came out begins with a header, which has no Return-Path. */
static void
check(const struct str *out)
{
	for (const char *s = out->s, *nl; *s != '\0' && *s != '\n';
	    s = nl + 1) {
		nl = memchr(s, '\n', out->len - (size_t)(s - out->s));
		if (nl == NULL)
			return;
		MUST(!hdr_is(s, (size_t)(nl - s), "Return-Path:"));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hdr a, b;
	struct str out, other;
	unsigned flags;

	if (size < 1)
		return 0;
	flags = data[0];
	run(&a, &out, (const char *)data + 1, size - 1, size, flags);
	run(&b, &other, (const char *)data + 1, size - 1, (flags >> 4) + 1,
	    flags);
	MUST(out.len == other.len && memcmp(out.s, other.s, out.len) == 0);
	MUST(a.hops == b.hops && a.message_id.len == b.message_id.len);
	check(&out);
	hdr_free(&a);
	hdr_free(&b);
	str_free(&out);
	str_free(&other);
	return 0;
}
