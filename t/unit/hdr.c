/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/hdr.h"

#include "tap.h"

#define ADDED "Date: D\nFrom: F\nMessage-ID: M\n"

static const struct {
	const char *name;
	const char *in;
	size_t in_len;
	const char *out;
	size_t out_len;
	unsigned hops;
	const char *message_id;
} rows[] = {
	{ "all there", LIT("Date: x\nFrom: y\nMessage-ID: <z@a>\n\nbody\n"),
	    LIT("Date: x\nFrom: y\nMessage-ID: <z@a>\n\nbody\n"), 0, "<z@a>" },
	{ "nothing there", LIT(""), LIT(ADDED), 0, "" },
	{ "an empty line", LIT("\n"), LIT(ADDED "\n"), 0, "" },
	{ "no header", LIT("hello\nthere\n"), LIT(ADDED "\nhello\nthere\n"),
	    0, "" },
	{ "no body", LIT("Subject: s\n"), LIT("Subject: s\n" ADDED), 0, "" },
	{ "no body, no line end", LIT("Subject: s"), LIT("Subject: s\n" ADDED),
	    0, "" },
	{ "no header, no line end", LIT("hello"), LIT(ADDED "\nhello"), 0,
	    "" },
	{ "header without an empty line", LIT("Subject: s\nhello\n"),
	    LIT("Subject: s\n" ADDED "\nhello\n"), 0, "" },
	{ "body that looks like one", LIT("\nReturn-Path: <x>\nReceived: y\n"),
	    LIT(ADDED "\nReturn-Path: <x>\nReceived: y\n"), 0, "" },
	{ "case does not count", LIT("dAtE: x\nFROM: y\nmessage-id: <z>\n\n"),
	    LIT("dAtE: x\nFROM: y\nmessage-id: <z>\n\n"), 0, "<z>" },
	{ "blank before the colon",
	    LIT("Date : x\nFrom\t: y\nMessage-ID  : <z>\n"
	    "Received : r\nReturn-Path : <p>\n\n"),
	    LIT("Date : x\nFrom\t: y\nMessage-ID  : <z>\nReceived : r\n\n"), 1,
	    "<z>" },
	{ "Return-Path goes", LIT("Return-Path: <x>\nDate: x\n"
	    "return-path: <y>\n <z>\n\t<z>\nFrom: y\n"
	    "Message-ID: <z>\nReturn-Path:\n\nb\n"),
	    LIT("Date: x\nFrom: y\nMessage-ID: <z>\n\nb\n"), 0, "<z>" },
	{ "others that begin so stay", LIT("Return-Path-X: <x>\n"
	    "X-Return-Path: <x>\nDate-X: a\nFromm: b\nMessage-IDs: <c>\n\n"),
	    LIT("Return-Path-X: <x>\nX-Return-Path: <x>\nDate-X: a\n"
	    "Fromm: b\nMessage-IDs: <c>\n" ADDED "\n"), 0, "" },
	{ "hops", LIT("Received: a\n b\nreceived: c\nDelivered-To: d\n"
	    "X-Received: e\n\nReceived: f\n"),
	    LIT("Received: a\n b\nreceived: c\nDelivered-To: d\n"
	    "X-Received: e\n" ADDED "\nReceived: f\n"), 3, "" },
	{ "folded message-id", LIT("Message-ID:\n <z@a>\n\n"),
	    LIT("Message-ID:\n <z@a>\nDate: D\nFrom: F\n\n"), 0, "<z@a>" },
	{ "the first message-id", LIT("Message-ID: <a>\nMessage-ID: <b>\n\n"),
	    LIT("Message-ID: <a>\nMessage-ID: <b>\nDate: D\nFrom: F\n\n"), 0,
	    "<a>" },
	{ "a message-id that is none", LIT("Message-ID: a>b<c\nX: <d>\n\n"),
	    LIT("Message-ID: a>b<c\nX: <d>\nDate: D\nFrom: F\n\n"), 0, "" },
	{ "From_ line", LIT("From bob Mon Jan\nDate: x\n\n"),
	    LIT("X-Mailbox-Line: From bob Mon Jan\nDate: x\n"
	    "From: F\nMessage-ID: M\n\n"), 0, "" },
	{ ">From_ line", LIT(">From bob Mon Jan\n\n"),
	    LIT("X-Mailbox-Line: >From bob Mon Jan\n" ADDED "\n"), 0, "" },
	{ "From_ line later", LIT("Subject: s\nFrom bob Mon Jan\n\n"),
	    LIT("Subject: s\n" ADDED "\nFrom bob Mon Jan\n\n"), 0, "" },
	{ "begins with a blank", LIT(" hello\n"), LIT(ADDED "\n hello\n"), 0,
	    "" },
	{ "a line of blanks", LIT("Subject: s\n \nX: y\n\n"),
	    LIT("Subject: s\n \nX: y\n" ADDED "\n"), 0, "" },
	{ "a colon first", LIT(": x\n"), LIT(ADDED "\n: x\n"), 0, "" },
	{ "NUL and 8 bit pass", LIT("Subject: \0\xe9\x1b\n\n\0\n"),
	    LIT("Subject: \0\xe9\x1b\n" ADDED "\n\0\n"), 0, "" },
	{ "NUL in a name", LIT("Su\0bject: x\n"), LIT(ADDED "\nSu\0bject: x\n"),
	    0, "" },
	{ "8 bit in a name", LIT("Suj\xe9t: x\n"), LIT(ADDED "\nSuj\xe9t: x\n"),
	    0, "" },
	{ "NUL first", LIT("\0\n"), LIT(ADDED "\n\0\n"), 0, "" }
};

/* drop_bcc takes the whole field, however it is written. */
static void
bcc(struct str *out)
{
	static const char in[] = "To: a\nBcc: x,\n\ty\nbCC : z\nSubject: s\n"
	    "resent-bcc: q\n r\nBccx: kept\n\nBcc: body\n";
	static const char want[] = "To: a\nSubject: s\nBccx: kept\n\n"
	    "Bcc: body\n";
	struct hdr h;
	size_t used;

	str_reset(out);
	hdr_init(&h);
	h.drop_bcc = true;
	used = hdr_feed(&h, LIT(in), out);
	str_put(out, in + used, sizeof(in) - 1 - used);
	hdr_end(&h, out);
	is_str(out->s, want, "Bcc goes");
	hdr_free(&h);
}

static void
run(struct hdr *h, struct str *out, const char *in, size_t len, size_t piece)
{
	size_t n, used = 0;

	hdr_init(h);
	str_reset(out);
	h->add_date = "Date: D\n";
	h->add_from = "From: F\n";
	h->add_message_id = "Message-ID: M\n";
	for (size_t i = 0; i < len; i += used) {
		n = len - i < piece ? len - i : piece;
		if (h->body) {
			str_put(out, in + i, n);
			used = n;
		} else {
			used = hdr_feed(h, in + i, n, out);
			if (used != n && !h->body) {
				ok(false, "took %zu of %zu", used, n);
				break;
			}
		}
	}
	hdr_end(h, out);
}

static void
table(struct str *out)
{
	struct hdr h;
	char name[100];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t piece = 1; piece < 200; piece += piece) {
			run(&h, out, rows[i].in, rows[i].in_len, piece);
			(void)snprintf(name, sizeof(name), "%s, by %zu",
			    rows[i].name, piece);
			is_mem(out->s, out->len, rows[i].out, rows[i].out_len,
			    name);
			is_int(h.hops, rows[i].hops, "hops");
			is_str(h.message_id.s, rows[i].message_id, "id");
			hdr_free(&h);
		}
}

/* A long line, what follows it, and what must come out. */
static void
long_line(struct str *in, struct str *want, const char *field, size_t n,
    const char *rest)
{
	str_reset(in);
	str_puts(in, field);
	while (in->len < n)
		str_putc(in, 'x');
	str_puts(in, rest);
	str_reset(want);
	if (strcmp(field, "From ") == 0)
		str_puts(want, "X-Mailbox-Line: ");
	if (strcmp(field, "x ") == 0) {
		str_puts(want, ADDED "\n");
		str_put(want, in->s, in->len);
		str_puts(want, "\nbody\n");
	} else {
		if (strcmp(field, "Return-Path: ") == 0)
			str_puts(want, "Date: d\n");
		else
			str_put(want, in->s, in->len);
		str_puts(want, strcmp(field, "Message-ID: <") == 0 ?
		    "From: F\n\nbody\n" : "From: F\nMessage-ID: M\n\nbody\n");
	}
	str_puts(in, "\nbody\n");
}

/* Lines around LIMIT_HEADER pass whole, and drop whole. */
static void
long_lines(struct str *out)
{
	static const char *const field[] = { "Subject: ", "Return-Path: ",
	    "From ", "x ", "Message-ID: <" };
	static const char *const rest[] = { "\nDate: d\n", "\n y\nDate: d\n" };
	struct str in, want;
	struct hdr h;
	char name[100];

	str_init(&in);
	str_init(&want);
	for (size_t f = 0; f < 10; f++)
		for (size_t n = LIMIT_HEADER - 3; n <= LIMIT_HEADER + 3; n++)
			for (size_t piece = 1; piece < 5000; piece *= 7) {
				long_line(&in, &want, field[f / 2], n,
				    rest[f % 2]);
				run(&h, out, in.s, in.len, piece);
				(void)snprintf(name, sizeof(name),
				    "%s %zu octets by %zu", field[f / 2], n,
				    piece);
				is_mem(out->s, out->len, want.s, want.len,
				    name);
				hdr_free(&h);
			}
	str_free(&in);
	str_free(&want);
}

/* A header of a million lines, and one line of a million octets, hold no
 * more memory than a short one. */
static void
bounded(struct str *out)
{
	static char block[4096];
	struct hdr h;
	size_t most = 0;

	hdr_init(&h);
	for (size_t i = 0; i < sizeof(block); i += 4)
		memcpy(block + i, "A:b\n", 4);
	for (unsigned i = 0; i < 1000; i++) {
		str_reset(out);
		(void)hdr_feed(&h, block, sizeof(block), out);
		most = h.line.cap > most ? h.line.cap : most;
	}
	memset(block, 'x', sizeof(block));
	(void)hdr_feed(&h, "Message-ID: <", 13, out);
	for (unsigned i = 0; i < 1000; i++) {
		str_reset(out);
		(void)hdr_feed(&h, block, sizeof(block), out);
		most = h.line.cap > most ? h.line.cap : most;
	}
	ok(most <= 2 * LIMIT_HEADER && h.message_id.cap <= 2 * LIMIT_HEADER,
	    "memory is bounded");
	ok(!h.body && !out->bad, "and it is still a header");
	hdr_free(&h);
}

int
main(void)
{
	struct str out;

	str_init(&out);
	table(&out);
	long_lines(&out);
	bounded(&out);
	bcc(&out);
	ok(hdr_is(LIT("DATE: x"), "Date:"), "hdr_is");
	ok(!hdr_is(LIT("Date"), "Date:"), "too short");
	ok(!hdr_is(LIT("Dated: x"), "Date:"), "another");
	str_free(&out);
	return tap_done();
}
