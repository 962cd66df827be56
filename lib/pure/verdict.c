/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/verdict.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const struct {
	int error;
	enum verdict verdict;
	const char *status;
} by_errno[] = {
	{ ENOSPC, VERDICT_LATER, "4.3.1" },	/* mail system full */
	{ EDQUOT, VERDICT_LATER, "4.2.2" },	/* mailbox full */
	{ EFBIG, VERDICT_LATER, "4.2.2" },
	{ EACCES, VERDICT_LATER, "4.2.0" },	/* mailbox status */
	{ EPERM, VERDICT_LATER, "4.2.0" },
	{ ETIMEDOUT, VERDICT_LATER, "4.4.1" },
	{ ENOMEM, VERDICT_LATER, "4.3.0" },
	{ EIO, VERDICT_LATER, "4.3.0" }
};

static const struct {
	int code;
	enum verdict verdict;
	const char *status;
	const char *text;
} by_exit[] = {
	{ EX_OK, VERDICT_OK, "2.0.0", "" },
	{ EX_USAGE, VERDICT_LATER, "4.3.0", "command line usage error" },
	{ EX_DATAERR, VERDICT_NEVER, "5.6.0", "data format error" },
	{ EX_NOINPUT, VERDICT_LATER, "4.3.0", "cannot open input" },
	{ EX_NOUSER, VERDICT_NEVER, "5.1.1", "user unknown" },
	{ EX_NOHOST, VERDICT_NEVER, "5.1.2", "host name unknown" },
	{ EX_UNAVAILABLE, VERDICT_NEVER, "5.3.0", "service unavailable" },
	{ EX_SOFTWARE, VERDICT_LATER, "4.3.0", "internal software error" },
	{ EX_OSERR, VERDICT_LATER, "4.3.0", "system resource problem" },
	{ EX_OSFILE, VERDICT_LATER, "4.3.0", "critical OS file missing" },
	{ EX_CANTCREAT, VERDICT_LATER, "4.2.0", "can't create user output" },
	{ EX_IOERR, VERDICT_LATER, "4.3.0", "input/output error" },
	{ EX_TEMPFAIL, VERDICT_LATER, "4.3.0", "temporary failure" },
	{ EX_PROTOCOL, VERDICT_LATER, "4.5.0", "remote error in protocol" },
	{ EX_NOPERM, VERDICT_NEVER, "5.7.0", "permission denied" },
	{ EX_CONFIG, VERDICT_LATER, "4.3.5", "local configuration error" }
};

static const char first[] = { '2', '4', '5' };

enum verdict
why_set(struct why *why, enum verdict verdict, const char *status,
    const char *fmt, ...)
{
	va_list ap;
	char *p;

	why->verdict = verdict;
	(void)snprintf(why->status, sizeof(why->status), "%s",
	    status[0] != '\0' ? status : "0.0.0");
	why->status[0] = first[verdict];
	va_start(ap, fmt);
	(void)vsnprintf(why->text, sizeof(why->text), fmt, ap);
	va_end(ap);
	for (p = why->text; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	return verdict;
}

enum verdict
why_errno(struct why *why, int error, const char *what)
{
	size_t i;

	for (i = 0; i < sizeof(by_errno) / sizeof(by_errno[0]); i++)
		if (by_errno[i].error == error)
			return why_set(why, by_errno[i].verdict,
			    by_errno[i].status, "%s: %s", what,
			    strerror(error));
	return why_set(why, VERDICT_LATER, "4.3.0", "%s: %s", what,
	    strerror(error));
}

enum verdict
why_exit(struct why *why, int code, const char *text)
{
	size_t i;

	for (i = 0; i < sizeof(by_exit) / sizeof(by_exit[0]); i++)
		if (by_exit[i].code == code)
			return why_set(why, by_exit[i].verdict,
			    by_exit[i].status, "%s",
			    text[0] != '\0' ? text : by_exit[i].text);
	return why_set(why, VERDICT_LATER, "4.3.0", "unknown exit code %d%s%s",
	    code, text[0] != '\0' ? ": " : "", text);
}

const char *
verdict_word(enum verdict verdict)
{
	static const char *const word[] = { "sent", "deferred", "bounced" };

	return word[verdict];
}
