/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/hash.h"

#include "tap.h"

/* The values of the reference implementation of SipHash-2-4-128 for our key;
 * and they must never change, for they are what POP3 clients remember. */
static const struct {
	const char *in;
	size_t len;
	const char *hex;
} rows[] = {
	{ LIT(""), "d897d4516374532ae4ac91162915928b" },
	{ LIT("a"), "6d0634ec05359b0ee3cfa4c4ba4868e9" },
	{ LIT("1234567"), "f01451abdd202f693113d07b66dba118" },
	{ LIT("12345678"), "eb27a1bfbbf53f8f2b4878792d8dd16a" },
	{ LIT("123456789"),
	    "38e3fda6e20430a67d58c53b34c32573" },
	{ LIT("Message-ID: <1@x>\nMessage-ID: <1@x>\n"
	    "Message-ID: <1@x>\n"),
	    "1e46c7076fe1246b284297c45d85a93b" }
};

int
main(void)
{
	char hex[HASH_HEX];
	uint64_t value[2];
	struct hash h;
	size_t i, k;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		hash_init(&h);
		for (k = 0; k < rows[i].len; k++)
			hash_put(&h, rows[i].in + k, 1);
		hash_end(&h, value);
		hash_hex(value, hex);
		is_str(hex, rows[i].hex, "by octets");
		hash_init(&h);
		hash_put(&h, rows[i].in, rows[i].len);
		hash_end(&h, value);
		hash_hex(value, hex);
		is_str(hex, rows[i].hex, "at once");
	}
	return tap_done();
}
