/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/base64.h"

#include "tap.h"

static const struct {
	const char *plain;
	size_t len;
	const char *code;
} pairs[] = {
	/* RFC 4648 section 10 */
	{ LIT(""), "" },
	{ LIT("f"), "Zg==" },
	{ LIT("fo"), "Zm8=" },
	{ LIT("foo"), "Zm9v" },
	{ LIT("foob"), "Zm9vYg==" },
	{ LIT("fooba"), "Zm9vYmE=" },
	{ LIT("foobar"), "Zm9vYmFy" },
	/* what AUTH LOGIN and PLAIN say */
	{ LIT("Username:"), "VXNlcm5hbWU6" },
	{ LIT("Password:"), "UGFzc3dvcmQ6" },
	{ LIT("\0alice\0secret"), "AGFsaWNlAHNlY3JldA==" },
	{ LIT("\xff\xfe\xfd"), "//79" },
	{ LIT("\xfb\xef\xbe"), "++++" },
	{ LIT("\0\0\0\0"), "AAAAAA==" }
};

static const struct {
	const char *s;
	size_t len;
} bad[] = {
	{ LIT("=") }, { LIT("==") }, { LIT("===") }, { LIT("====") },
	{ LIT("Z") }, { LIT("Zg") }, { LIT("Zg=") }, { LIT("Zg===") },
	{ LIT("Z===") }, { LIT("Zg==Zg==") }, { LIT("Zm8=Zm8=") },
	{ LIT("Z=g=") }, { LIT("=Zg=") }, { LIT("=Zm9") },
	{ LIT("Zh==") },	/* bits left over: a second spelling of "f" */
	{ LIT("Zm9=") },
	{ LIT("Zm9v\r\n") }, { LIT("Zm9 ") }, { LIT(" m9v") },
	{ LIT("Zm9\0") }, { LIT("Z\0==") }, { LIT("\0\0\0\0") },
	{ LIT("Zm9-") }, { LIT("Zm9_") }, { LIT("Zm\xc3\xa9") },
	{ LIT("*") }, { LIT("****") }, { LIT("Zm9vA") }, { LIT("Zm9vA===") }
};

static void
round_trip(void)
{
	struct str code, plain;
	char text[67];
	bool good = true;

	str_init(&code);
	str_init(&plain);
	for (unsigned seed = 0; seed < 256; seed++)
		for (size_t n = 0; n <= sizeof(text); n++) {
			for (size_t i = 0; i < n; i++)
				text[i] = (char)(seed + i * 37);
			str_reset(&code);
			str_reset(&plain);
			base64_encode(&code, text, n);
			good &= code.len == (n + 2) / 3 * 4;
			good &= base64_decode(&plain, code.s, code.len) == 0;
			good &= plain.len == n &&
			    memcmp(plain.s, text, n) == 0;
		}
	ok(good, "encode and decode give it back");
	str_free(&code);
	str_free(&plain);
}

int
main(void)
{
	struct str out;
	size_t i;

	str_init(&out);
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		str_reset(&out);
		base64_encode(&out, pairs[i].plain, pairs[i].len);
		is_str(out.s, pairs[i].code, "encode");
		str_reset(&out);
		is_int(base64_decode(&out, pairs[i].code,
		    strlen(pairs[i].code)), 0, "decode");
		is_mem(out.s, out.len, pairs[i].plain, pairs[i].len,
		    "and the same again");
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		str_reset(&out);
		is_int(base64_decode(&out, bad[i].s, bad[i].len), -1, "bad");
	}
	str_free(&out);
	round_trip();
	return tap_done();
}
