/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/dnsrecord.h"

#include "tap.h"

/* The header with so many answers, and the question for example.org. */
#define HEAD(flags, code, count) \
	"\x12\x34" flags code "\0\1\0" count "\0\0\0\0"
#define ASKED(type)	"\7example\3org\0\0" type "\0\1"
#define FOR(type, count) HEAD("\x81", "\x80", count) ASKED(type)
/* Owner, type, class, TTL. */
#define SELF	"\xc0\x0c"
#define REC(type)	"\0" type "\0\1\0\0\1\0"

static const struct {
	const char *name;
	enum dnsrecord_type type;
	const char *msg;
	size_t len;
	enum dnsrecord_answer answer;
	size_t n;
	const char *host;	/* of the first */
	unsigned preference;
} rows[] = {
	{ "one MX", DNSRECORD_MX, LIT(FOR("\xf", "\1") SELF REC("\xf")
	    "\0\7\0\x0a\2mx\xc0\x0c"), DNSRECORD_FOUND, 1, "mx.example.org",
	    10 },
	{ "two MX, another case", DNSRECORD_MX, LIT(FOR("\xf", "\2")
	    "\7EXAMPLE\3oRg\0" REC("\xf") "\0\5\1\1\1a\0" SELF REC("\xf")
	    "\0\5\0\1\1b\0"), DNSRECORD_FOUND, 2, "a", 257 },
	{ "null MX", DNSRECORD_MX, LIT(FOR("\xf", "\1") SELF REC("\xf")
	    "\0\3\0\0\0"), DNSRECORD_FOUND, 1, "", 0 },
	{ "an address", DNSRECORD_A, LIT(FOR("\1", "\1") SELF REC("\1")
	    "\0\4\300\0\2\1"), DNSRECORD_FOUND, 1, "", 0 },
	{ "an address of six", DNSRECORD_AAAA, LIT(FOR("\x1c", "\1") SELF
	    REC("\x1c") "\0\x10" "0123456789abcdef"), DNSRECORD_FOUND, 1, "",
	    0 },
	{ "CNAME, then the address", DNSRECORD_A, LIT(FOR("\1", "\2") SELF
	    REC("\5") "\0\3\1a\0" "\1a\0" REC("\1") "\0\4\300\0\2\1"),
	    DNSRECORD_FOUND, 1, "", 0 },
	{ "the address, then the CNAME", DNSRECORD_A, LIT(FOR("\1", "\2")
	    "\1a\0" REC("\1") "\0\4\300\0\2\1" SELF REC("\5") "\0\3\1a\0"),
	    DNSRECORD_FOUND, 1, "", 0 },
	{ "a CNAME that leads nowhere", DNSRECORD_A, LIT(FOR("\1", "\1") SELF
	    REC("\5") "\0\3\1a\0"), DNSRECORD_NONE, 0, NULL, 0 },
	{ "a circle of CNAMEs", DNSRECORD_A, LIT(FOR("\1", "\2") SELF
	    REC("\5") "\0\3\1a\0" "\1a\0" REC("\5") "\0\2" SELF),
	    DNSRECORD_LATER, 0, NULL, 0 },
	{ "of another name", DNSRECORD_A, LIT(FOR("\1", "\1") "\1a\0"
	    REC("\1") "\0\4\300\0\2\1"), DNSRECORD_NONE, 0, NULL, 0 },
	{ "of another type", DNSRECORD_MX, LIT(FOR("\xf", "\1") SELF
	    REC("\1") "\0\4\300\0\2\1"), DNSRECORD_NONE, 0, NULL, 0 },
	{ "nothing", DNSRECORD_MX, LIT(FOR("\xf", "\0")), DNSRECORD_NONE, 0,
	    NULL, 0 },
	{ "no such name", DNSRECORD_MX, LIT(HEAD("\x81", "\x83", "\0")
	    ASKED("\xf")), DNSRECORD_NO_NAME, 0, NULL, 0 },
	{ "server failure", DNSRECORD_MX, LIT(HEAD("\x81", "\x82", "\0")
	    ASKED("\xf")), DNSRECORD_LATER, 0, NULL, 0 },
	{ "refused", DNSRECORD_MX, LIT(HEAD("\x81", "\x85", "\0")
	    ASKED("\xf")), DNSRECORD_LATER, 0, NULL, 0 },
	{ "cut short by its sender", DNSRECORD_A, LIT(HEAD("\x83", "\x80",
	    "\1") ASKED("\1") SELF REC("\1") "\0\4\300\0\2\1"),
	    DNSRECORD_LATER, 0, NULL, 0 },
	{ "a question, not an answer", DNSRECORD_MX, LIT(HEAD("\x01", "\0",
	    "\0") ASKED("\xf")), DNSRECORD_LATER, 0, NULL, 0 },
	{ "another question", DNSRECORD_MX, LIT(HEAD("\x81", "\x80", "\0")
	    ASKED("\1")), DNSRECORD_LATER, 0, NULL, 0 },
	{ "a host with a blank", DNSRECORD_MX, LIT(FOR("\xf", "\1") SELF
	    REC("\xf") "\0\7\0\1\3a b\0"), DNSRECORD_UNUSABLE, 0, NULL, 0 },
	{ "a name that points to itself", DNSRECORD_MX, LIT(FOR("\xf", "\1")
	    SELF REC("\xf") "\0\4\0\1\xc0\x2b"), DNSRECORD_LATER, 0, NULL,
	    0 },
	{ "a name that points forward", DNSRECORD_MX, LIT(FOR("\xf", "\1")
	    "\xc0\xff" REC("\xf") "\0\4\0\1\1a\0"), DNSRECORD_LATER, 0, NULL,
	    0 },
	{ "data shorter than it says", DNSRECORD_A, LIT(FOR("\1", "\1") SELF
	    REC("\1") "\0\x10\300\0\2\1"), DNSRECORD_LATER, 0, NULL, 0 },
	{ "an address of three octets", DNSRECORD_A, LIT(FOR("\1", "\1") SELF
	    REC("\1") "\0\3\300\0\2"), DNSRECORD_LATER, 0, NULL, 0 },
	{ "a name longer than its data", DNSRECORD_MX, LIT(FOR("\xf", "\1")
	    SELF REC("\xf") "\0\3\0\1\5hello\0"), DNSRECORD_LATER, 0, NULL,
	    0 },
	{ "fewer records than it says", DNSRECORD_A, LIT(FOR("\1", "\2") SELF
	    REC("\1") "\0\4\300\0\2\1"), DNSRECORD_LATER, 0, NULL, 0 },
	{ "half a header", DNSRECORD_A, LIT("\x12\x34\x81\x80\0\1"),
	    DNSRECORD_LATER, 0, NULL, 0 },
	{ "not an octet", DNSRECORD_A, LIT(""), DNSRECORD_LATER, 0, NULL, 0 }
};

int
main(void)
{
	struct dnsrecord out[4];
	size_t i, n;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		is_int(dnsrecord_parse((const unsigned char *)rows[i].msg,
		    rows[i].len, "example.org", rows[i].type, out, 4, &n),
		    rows[i].answer, rows[i].name);
		is_int((intmax_t)n, (intmax_t)rows[i].n, "how many");
		if (n == 0 || rows[i].host == NULL)
			continue;
		is_str(out[0].host, rows[i].host, "host");
		is_int(out[0].preference, rows[i].preference, "preference");
	}
	/* Cut anywhere, it is damaged and nothing else. */
	for (i = 0; i < rows[0].len; i++)
		if (dnsrecord_parse((const unsigned char *)rows[0].msg, i,
		    "example.org", DNSRECORD_MX, out, 4, &n) !=
		    DNSRECORD_LATER || n != 0)
			break;
	is_int((intmax_t)i, (intmax_t)rows[0].len, "each beginning of it");
	is_int(dnsrecord_parse((const unsigned char *)rows[1].msg,
	    rows[1].len, "example.org", DNSRECORD_MX, out, 1, &n),
	    DNSRECORD_FOUND, "more than there is room for");
	is_int((intmax_t)n, 1, "the first");
	return tap_done();
}
