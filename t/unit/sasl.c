/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/sasl.h"

#include "tap.h"

static const struct {
	const char *name, *msg;
	size_t len;
	const char *user, *password;	/* NULL: refused */
} rows[] = {
	{ "plain", LIT("\0tim\0tanstaaf"), "tim", "tanstaaf" },
	{ "for oneself", LIT("tim\0tim\0x"), "tim", "x" },
	{ "for another", LIT("ursel\0kurt\0x"), NULL, NULL },
	{ "for a part of one's name", LIT("ti\0tim\0x"), NULL, NULL },
	{ "empty", LIT(""), NULL, NULL },
	{ "no NUL", LIT("tim"), NULL, NULL },
	{ "one NUL", LIT("\0tim"), NULL, NULL },
	{ "three NULs", LIT("\0tim\0x\0"), NULL, NULL },
	{ "no name", LIT("\0\0x"), NULL, NULL },
	{ "no password", LIT("\0tim\0"), NULL, NULL },
	{ "only NULs", LIT("\0\0\0"), NULL, NULL }
};

int
main(void)
{
	struct sasl_login l;
	bool good;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		good = sasl_plain(rows[i].msg, rows[i].len, &l);
		if (ok(good == (rows[i].user != NULL), "%s", rows[i].name) &&
		    good) {
			is_str(l.user, rows[i].user, "user");
			is_str(l.password, rows[i].password, "password");
		}
	}
	return tap_done();
}
