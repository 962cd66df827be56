/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/stuff.h"

#include "tap.h"

static const struct {
	const char *name, *in;
	size_t in_len;
	const char *out;
	size_t out_len;
	uint64_t size;		/* what LIST says */
} rows[] = {
	{ "empty", LIT(""), LIT(".\r\n"), 0 },
	{ "lines", LIT("a\nb\n"), LIT("a\r\nb\r\n.\r\n"), 6 },
	{ "no last line end", LIT("a"), LIT("a\r\n.\r\n"), 3 },
	{ "CRLF", LIT("a\r\n"), LIT("a\r\n.\r\n"), 3 },
	{ "CR CR LF", LIT("a\r\r\n"), LIT("a\r\r\n.\r\n"), 4 },
	{ "dots", LIT(".\n..\na.\n"), LIT("..\r\n...\r\na.\r\n.\r\n"), 11 },
	{ "a dot at the end", LIT("\n."), LIT("\r\n..\r\n.\r\n"), 5 },
	{ "lone CR", LIT("a\rb\n"), LIT("a\rb\r\n.\r\n"), 5 },
	{ "dot after CR", LIT("a\r.\r.\n"), LIT("a\r..\r..\r\n.\r\n"), 7 },
	{ "CR at the end", LIT("a\r"), LIT("a\r\r\n.\r\n"), 4 },
	{ "NUL", LIT("\0\n.\0\n"), LIT("\0\r\n..\0\r\n.\r\n"), 7 }
};

static const struct {
	const char *name, *in;
	uint64_t lines;
	const char *want;
} tops[] = {
	{ "header only", "A: b\n\nc\nd\n", 0, "A: b\n\n" },
	{ "one line", "A: b\n\nc\nd\n", 1, "A: b\n\nc\n" },
	{ "more than there are", "A: b\n\nc\nd", 9, "A: b\n\nc\nd" },
	{ "no body", "A: b\n", 3, "A: b\n" },
	{ "no header", "\nc\n", 0, "\n" },
	{ "CRLF", "A: b\r\n\r\nc\r\nd\r\n", 1, "A: b\r\n\r\nc\r\n" },
	{ "a CR is no empty line", "\ra\n\nb\n", 0, "\ra\n\n" },
	{ "2^63", "A: b\n\nc\n", INT64_MAX, "A: b\n\nc\n" }
};

/* In pieces of n octets. */
static void
one_row(size_t i, size_t n)
{
	char out[64], name[80];
	struct stuff s, count;
	size_t k, len = 0, piece;
	uint64_t size = 0;

	stuff_init(&s);
	stuff_init(&count);
	for (k = 0; k < rows[i].in_len; k += piece) {
		piece = rows[i].in_len - k < n ? rows[i].in_len - k : n;
		len += stuff_feed(&s, rows[i].in + k, piece, out + len);
		size += stuff_count(&count, rows[i].in + k, piece);
	}
	len += stuff_end(&s, out + len);
	size += stuff_count_end(&count);
	(void)snprintf(name, sizeof(name), "%s, by %zu", rows[i].name, n);
	is_mem(out, len, rows[i].out, rows[i].out_len, name);
	ok(size == rows[i].size, "%s: size", name);
}

static void
one_top(size_t i, size_t n)
{
	size_t len = strlen(tops[i].in), used = 0, piece;
	char name[80];
	struct top t;

	top_init(&t, tops[i].lines);
	while (used < len && !t.done) {
		piece = len - used < n ? len - used : n;
		used += top_feed(&t, tops[i].in + used, piece);
	}
	(void)snprintf(name, sizeof(name), "TOP, %s, by %zu", tops[i].name, n);
	is_mem(tops[i].in, used, tops[i].want, strlen(tops[i].want), name);
}

int
main(void)
{
	size_t i, n;

	for (n = 1; n < 16; n += 7)
		for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			one_row(i, n);
	for (n = 1; n < 64; n += 20)
		for (i = 0; i < sizeof(tops) / sizeof(tops[0]); i++)
			one_top(i, n);
	return tap_done();
}
