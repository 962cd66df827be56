/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Three verdicts, everywhere the same, and the one table that says which
 * errno, exit code or reply means which.  What is not in the table is later:
 * unknown means the mail stays.
 */
#ifndef VERDICT_H
#define VERDICT_H

#include "pure/limits.h"

enum verdict {
	VERDICT_OK,
	VERDICT_LATER,	/* 4xx; the mail stays queued */
	VERDICT_NEVER	/* 5xx; the sender is told */
};

/* A verdict with its reason, filled by the one who understands it. */
struct why {
	enum verdict verdict;
	char status[12];		/* RFC 3463: "4.3.0" */
	char text[LIMIT_REASON + 1];	/* one line, for people */
};

/* Fills why (text cut to LIMIT_REASON, control characters become "?") and
 * returns verdict, so that a failure is one return statement.  The first
 * digit of status is forced to agree with the verdict. */
enum verdict why_set(struct why *, enum verdict, const char *status,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* The same from an errno: "doing WHAT: strerror", verdict and status from
 * the table. */
enum verdict why_errno(struct why *, int error, const char *what);

/* The same from an agent's exit code (sysexits.h); text is what the agent
 * said, or "" for the table's own words.  Signals and unknown codes are
 * later. */
enum verdict why_exit(struct why *, int code, const char *text);

/* Postfix's word for a delivery that ended so: sent, deferred, bounced. */
const char *verdict_word(enum verdict);

#endif
