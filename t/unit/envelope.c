/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/envelope.h"

#include <stdlib.h>

#include "tap.h"

#define SENDER	"Return-Path: <bob@x>\n"
#define RCPT	"Delivered-To: alice@y\n"
#define END	"Received: from z\n\nbody\n"

static const struct {
	const char *name;
	const char *in;
	size_t len;
	int result;
} rows[] = {
	{ "the smallest", LIT(SENDER RCPT END), 1 },
	{ "ends in the middle of Received", LIT(SENDER RCPT "Received: "), 1 },
	{ "the null sender", LIT("Return-Path: <>\n" RCPT END), 1 },
	{ "a private field", LIT(SENDER "Malle-X: y\n" RCPT END), 1 },
	{ "one behind the recipients", LIT(SENDER RCPT "Malle-X: y\n" END), 1 },
	{ "8 bit", LIT("Return-Path: <b\xc3\xb6" "b@x>\n" RCPT END), 1 },
	{ "nothing", LIT(""), 0 },
	{ "cut in the sender", LIT("Return-Pa"), 0 },
	{ "cut behind the sender", LIT(SENDER), 0 },
	{ "cut in a recipient", LIT(SENDER "Delivered-To: al"), 0 },
	{ "cut in Received", LIT(SENDER RCPT "Received:"), 0 },
	{ "no Received yet", LIT(SENDER RCPT RCPT), 0 },
	{ "another beginning", LIT("Delivered-To: a@b\n" SENDER RCPT END), -1 },
	{ "a NUL first", LIT("\0eturn-Path: <bob@x>\n" RCPT END), -1 },
	{ "zeroes", LIT("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), -1 },
	{ "only Received", LIT(END), -1 },
	{ "no recipient", LIT(SENDER END), -1 },
	{ "an empty recipient", LIT(SENDER "Delivered-To: \n" END), -1 },
	{ "no recipient but an original",
	    LIT(SENDER "X-Original-To: a\n" END), -1 },
	{ "an original with none behind",
	    LIT(SENDER RCPT "X-Original-To: a\n" END), -1 },
	{ "two originals in a row", LIT(SENDER "X-Original-To: a\n"
	    "X-Original-To: b\n" RCPT END), -1 },
	{ "two senders", LIT(SENDER SENDER RCPT END), -1 },
	{ "a sender later", LIT(SENDER RCPT SENDER END), -1 },
	{ "a sender without end", LIT("Return-Path: <bob@x\n" RCPT END), -1 },
	{ "a sender of nothing", LIT("Return-Path: <\n" RCPT END), -1 },
	{ "an empty line", LIT(SENDER "\n" RCPT END), -1 },
	{ "an unknown field", LIT(SENDER "Subject: x\n" RCPT END), -1 },
	{ "a continuation", LIT(SENDER RCPT " more\n" END), -1 },
	{ "another case", LIT(SENDER "delivered-to: a@b\n" END), -1 },
	{ "a NUL inside", LIT(SENDER "Delivered-To: a\0@b\n" END), -1 },
	{ "a CR", LIT(SENDER "Delivered-To: a@b\r\n" END), -1 },
	{ "ESC", LIT(SENDER "Delivered-To: \x1b[a@b\n" END), -1 },
	{ "DEL", LIT(SENDER "Delivered-To: a\x7f@b\n" END), -1 },
	{ "received in lower case", LIT(SENDER RCPT "received: x\n" END), -1 }
};

static void
table(void)
{
	struct envelope e;

	envelope_init(&e);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		is_int(envelope_parse(&e, rows[i].in, rows[i].len),
		    rows[i].result, rows[i].name);
		if (rows[i].result == 1)
			is_int((intmax_t)e.nrcpt, 1, "one recipient");
	}
	envelope_free(&e);
	envelope_free(&e);
	is_str(e.sender, "", "freed");
}

/* n recipients, the odd ones with an original, there and back. */
static void
round_trip(size_t n, bool private)
{
	struct envelope e;
	struct str s;
	char address[40], original[40];
	bool good = true;
	size_t len;

	str_init(&s);
	envelope_init(&e);
	envelope_put_sender(&s, "\"b>o b\"@example.org");
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(address, sizeof(address), "a%zu@x", i);
		(void)snprintf(original, sizeof(original), "a%zu", i);
		envelope_put_rcpt(&s, address, i % 2 > 0 ? original :
		    i % 4 > 0 ? address : "");
	}
	if (private)
		str_puts(&s, "Malle-Private: 1\n");
	len = s.len;
	str_puts(&s, END "Delivered-To: evil@x\n");
	is_int(envelope_parse(&e, s.s, s.len), 1, "round trip");
	is_int((intmax_t)e.nrcpt, (intmax_t)n, "recipients");
	is_int((intmax_t)e.len, (intmax_t)len, "length of the block");
	is_int(e.private, private, "private");
	is_str(e.sender, "\"b>o b\"@example.org", "sender");
	for (size_t i = 0; i < e.nrcpt; i++) {
		(void)snprintf(address, sizeof(address), "a%zu@x", i);
		(void)snprintf(original, sizeof(original), "a%zu", i);
		good &= strcmp(e.rcpt[i].address, address) == 0;
		good &= strcmp(e.rcpt[i].original,
		    i % 2 > 0 ? original : "") == 0;
	}
	ok(good, "%zu recipients in their order", n);
	/* Whatever is cut off: not yet, and never another answer. */
	good = true;
	for (size_t i = 0; i < len + 10 && n < 20; i++)
		good &= envelope_parse(&e, s.s, i) == 0;
	ok(good, "every part of it is unfinished");
	envelope_free(&e);
	str_free(&s);
}

/* Every octet changed to some others: an answer, and no address with a
 * control character in it. */
static void
damage(void)
{
	static const char text[] = SENDER "X-Original-To: a\n" RCPT
	    "Malle-X: y\n" RCPT END;
	static const char octet[] = "\0\n\r\xff<>: RDXM";
	struct envelope e;
	char copy[sizeof(text)];
	bool good = true;

	envelope_init(&e);
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		for (size_t j = 0; j < sizeof(octet) - 1; j++) {
			memcpy(copy, text, sizeof(text));
			copy[i] = octet[j];
			if (envelope_parse(&e, copy, sizeof(text) - 1) != 1)
				continue;
			good &= e.nrcpt > 0 && e.len < sizeof(text);
			good &= strpbrk(e.sender, "\r\n") == NULL;
			for (size_t k = 0; k < e.nrcpt; k++)
				good &= e.rcpt[k].address[0] != '\0' &&
				    strpbrk(e.rcpt[k].address, "\r\n") == NULL;
		}
	ok(good, "damaged blocks");
	envelope_free(&e);
}

int
main(void)
{
	table();
	for (size_t n = 1; n <= 9; n++)
		round_trip(n, n % 2 == 0);
	round_trip(1000, false);
	damage();
	return tap_done();
}
