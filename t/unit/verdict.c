/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/verdict.h"

#include <errno.h>
#include <sysexits.h>

#include "tap.h"

static const struct {
	int code;
	enum verdict verdict;
	const char *status;
} exits[] = {
	{ EX_OK, VERDICT_OK, "2.0.0" },
	{ EX_DATAERR, VERDICT_NEVER, "5.6.0" },
	{ EX_NOUSER, VERDICT_NEVER, "5.1.1" },
	{ EX_NOHOST, VERDICT_NEVER, "5.1.2" },
	{ EX_UNAVAILABLE, VERDICT_NEVER, "5.3.0" },
	{ EX_NOPERM, VERDICT_NEVER, "5.7.0" },
	{ EX_USAGE, VERDICT_LATER, "4.3.0" },
	{ EX_NOINPUT, VERDICT_LATER, "4.3.0" },
	{ EX_SOFTWARE, VERDICT_LATER, "4.3.0" },
	{ EX_OSERR, VERDICT_LATER, "4.3.0" },
	{ EX_OSFILE, VERDICT_LATER, "4.3.0" },
	{ EX_CANTCREAT, VERDICT_LATER, "4.2.0" },
	{ EX_IOERR, VERDICT_LATER, "4.3.0" },
	{ EX_TEMPFAIL, VERDICT_LATER, "4.3.0" },
	{ EX_PROTOCOL, VERDICT_LATER, "4.5.0" },
	{ EX_CONFIG, VERDICT_LATER, "4.3.5" }
};

static void
errnos(void)
{
	struct why why;
	bool good = true;

	/* No errno is ever a reason to send mail back. */
	for (int error = 0; error < 4096; error++) {
		good &= why_errno(&why, error, "x") == VERDICT_LATER;
		good &= why.status[0] == '4' && why.status[1] == '.';
	}
	ok(good, "every errno is later");
	(void)why_errno(&why, ENOSPC, "write");
	is_str(why.status, "4.3.1", "ENOSPC");
	is_str(why.text, "write: No space left on device", "its text");
	(void)why_errno(&why, EDQUOT, "write");
	is_str(why.status, "4.2.2", "EDQUOT");
}

static void
exit_codes(void)
{
	struct why why;
	char name[40];
	bool known[256] = { false };
	bool good = true;

	for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++) {
		known[exits[i].code] = true;
		(void)snprintf(name, sizeof(name), "exit %d", exits[i].code);
		is_int(why_exit(&why, exits[i].code, ""), exits[i].verdict,
		    name);
		is_str(why.status, exits[i].status, name);
		(void)why_exit(&why, exits[i].code, "said so");
		is_str(why.text, "said so", name);
	}
	for (int code = -1; code < 256; code++)
		if (code < 0 || !known[code])
			good &= why_exit(&why, code, "") == VERDICT_LATER &&
			    why.status[0] == '4';
	ok(good, "signals and unknown codes are later");
}

static void
setting(void)
{
	struct why why;
	char text[LIMIT_REASON + 100];
	size_t n;

	is_int(why_set(&why, VERDICT_NEVER, "4.1.1", "no %s", "user"),
	    VERDICT_NEVER, "returns the verdict");
	is_str(why.status, "5.1.1", "the first digit agrees");
	is_str(why.text, "no user", "the text");
	(void)why_set(&why, VERDICT_OK, "5.0.0", "fine");
	is_str(why.status, "2.0.0", "for ok too");
	(void)why_set(&why, VERDICT_LATER, "5.7.123", "x");
	is_str(why.status, "4.7.123", "three digits");
	memset(&why, 'x', sizeof(why));
	(void)why_set(&why, VERDICT_LATER, "", "x");
	is_str(why.status, "4.0.0", "a status that is not there");
	memset(&why, 'x', sizeof(why));
	(void)why_set(&why, VERDICT_LATER, "5.7.123456789", "x");
	ok(memchr(why.status, 0, sizeof(why.status)) != NULL,
	    "a long status ends in the field");
	(void)why_set(&why, VERDICT_LATER, "4.0.0", "a\r\nb\tc\x1b[d\x7f");
	is_str(why.text, "a??b?c?[d?", "control characters");
	for (n = LIMIT_REASON - 1; n <= LIMIT_REASON + 1; n++) {
		memset(text, 'x', n);
		text[n] = '\0';
		(void)why_set(&why, VERDICT_LATER, "4.0.0", "%s", text);
		is_int((intmax_t)strlen(why.text),
		    n < LIMIT_REASON ? (intmax_t)n : LIMIT_REASON,
		    "cut at the limit");
	}
	is_str(verdict_word(VERDICT_OK), "sent", "sent");
	is_str(verdict_word(VERDICT_LATER), "deferred", "deferred");
	is_str(verdict_word(VERDICT_NEVER), "bounced", "bounced");
}

int
main(void)
{
	errnos();
	exit_codes();
	setting();
	return tap_done();
}
