/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/mboxscan.h"

#include "tap.h"

#define F	"From a  Mon Jan  6 12:34:56 2025\n"
#define FLEN	(sizeof(F) - 1)

struct seen {
	struct mboxscan_message m[8];
	size_t n;
};

static bool
each(void *ctx, const struct mboxscan_message *m)
{
	struct seen *s = ctx;

	if (s->n < 8)
		s->m[s->n] = *m;
	s->n++;
	return true;
}

static bool
scan(struct seen *seen, const char *in, size_t len, size_t piece)
{
	static struct mboxscan s;
	size_t i, n;

	*seen = (struct seen){ .n = 0 };
	mboxscan_init(&s, 0, each, seen);
	for (i = 0; i < len; i += n) {
		n = len - i < piece ? len - i : piece;
		mboxscan_feed(&s, in + i, n);
	}
	mboxscan_end(&s);
	return !s.bad;
}

/* A file, and its messages as they are sent, without dots doubled. */
static const struct {
	const char *name, *in;
	size_t n;
	const char *text[3];
	uint64_t size[3];
} rows[] = {
	{ "empty", "", 0, { NULL }, { 0 } },
	{ "only empty lines", "\n\n", 0, { NULL }, { 0 } },
	{ "one", F "A: b\n\nc\n\n", 1, { "A: b\n\nc\n" }, { 11 } },
	{ "two", F "A: b\n\nc\n\n" F "A: d\n\ne\n\n", 2,
	    { "A: b\n\nc\n", "A: d\n\ne\n" }, { 11, 11 } },
	{ "no separator at the end", F "A: b\n\nc\n", 1, { "A: b\n\nc\n" },
	    { 11 } },
	{ "no line end", F "A: b\n\nc", 1, { "A: b\n\nc" }, { 11 } },
	{ "two empty lines", F "A: b\n\nc\n\n\n" F "\nd\n", 2,
	    { "A: b\n\nc\n\n", "\nd\n" }, { 13, 5 } },
	{ "From within text", F "A: b\n\nc\nFrom d\n>From e\n\n", 1,
	    { "A: b\n\nc\nFrom d\n>From e\n" }, { 28 } },
	{ "an empty body", F "A: b\n\n" F "A: c\n\n\n", 2,
	    { "A: b\n\n", "A: c\n\n" }, { 8, 8 } },
	{ "CRLF", F "A: b\r\n\r\nc\r\n\r\n", 1, { "A: b\r\n\r\nc\r\n" },
	    { 11 } },
	{ "only a From_ line", F, 1, { "" }, { 0 } },
	{ "From_ without end", "From x", 1, { "" }, { 0 } }
};

static void
one_row(size_t i, size_t piece)
{
	struct seen s;
	size_t k;

	ok(scan(&s, rows[i].in, strlen(rows[i].in), piece), "%s, by %zu",
	    rows[i].name, piece);
	if (!ok(s.n == rows[i].n, "%zu messages", rows[i].n))
		return;
	for (k = 0; k < s.n; k++) {
		is_mem(rows[i].in + s.m[k].start, s.m[k].end - s.m[k].start,
		    rows[i].text[k], strlen(rows[i].text[k]), "text");
		ok(s.m[k].size == rows[i].size[k], "size %llu",
		    (unsigned long long)s.m[k].size);
	}
}

static bool
same_hash(const char *a, const char *b)
{
	struct seen x, y;

	return scan(&x, a, strlen(a), 4096) && scan(&y, b, strlen(b), 3) &&
	    memcmp(x.m[0].hash, y.m[0].hash, sizeof(x.m[0].hash)) == 0;
}

int
main(void)
{
	struct seen s;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		one_row(i, 4096);
		one_row(i, 1);
		one_row(i, 7);
	}
	ok(!scan(&s, LIT("x\n" F "A: b\n\n"), 64), "text before is no mbox");
	ok(!scan(&s, LIT("x"), 64), "a word neither");
	ok(same_hash(F "Message-ID: <1>\n\nx\n",
	    F "Message-ID: <1>\nStatus: RO\nX-UID: 7\n\nx\n"),
	    "what readers write changes no hash");
	ok(!same_hash(F "Message-ID: <1>\n\nx\n", F "Message-ID: <2>\n\nx\n"),
	    "the Message-ID does");
	ok(!same_hash(F "Received: a\n\tid 1\n\n", F "Received: a\n\tid 2\n\n"),
	    "a continuation line does");
	ok(same_hash(F "Received: a\nReceived: b\n\n",
	    F "Received: a\nReceived: c\n\n"), "a second field does not");
	ok(scan(&s, LIT(F "X-IMAP: 1 2\n\nx\n\n" F "A: b\nX-IMAP: 1 2\n\n"),
	    64) && s.n == 2 && s.m[0].internal && !s.m[1].internal,
	    "notes of an IMAP server, in the first message only");
	return tap_done();
}
