/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of bounce share. */
#ifndef BOUNCE_H
#define BOUNCE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "store/queue.h"

struct job {
	const char *id;		/* of the message that the report is about */
	const char *host;	/* myhostname */
	const char *mail_name;
	const char *sender;	/* of the report; "": the null sender */
	const char *rcpt;	/* who gets it */
	bool delay;		/* not given up yet */
	bool postmaster;	/* it is for the postmaster, not the sender */
	bool header_only;
	uint64_t limit;		/* octets of the message to return */
	uint64_t until;		/* it is tried until then, seconds; 0: never */
	struct queue_message m;	/* the message, on descriptor 0 */
	FILE *reasons;
};

/* One line of the reasons: NUMBER TAB STATUS TAB ADDRESS TAB HOST TAB text. */
struct reason {
	const struct rcpt *rcpt;
	const char *status;
	const char *address;	/* where an alias led, or the recipient's */
	const char *host;	/* that said so, "" for ourselves */
	const char *text;
};

/* The next one: 1; 0 at the end; -1 for something else. */
int reason_next(struct job *, struct reason *);

/* report.c: writes the whole report; failures are f->error. */
void report_write(struct job *, struct queue_file *f);

/* original.c: how much of the message goes back.  0, or -1 with errno. */
struct original {
	off_t start, end;
	bool whole;		/* not the header only */
	bool eight_bit;
};
int original_measure(struct job *, struct original *);
/* Appends it, with a line end at its end. */
void original_write(const struct original *, struct queue_file *);

#endif
