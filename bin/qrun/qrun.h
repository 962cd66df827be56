/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of qrun share. */
#ifndef QRUN_H
#define QRUN_H

#include "store/conf.h"
#include "store/queue.h"
#include "store/users.h"

struct runner {
	struct conf conf;
	struct user owner;	/* mail_owner */
	struct queue queue;
	int fd_local;		/* the program local */
	unsigned workers;	/* children that deliver one message each */
	bool alone;		/* do it all in this process */
};

/* Where one recipient's mail goes. */
struct route {
	struct user user;
	char local[LIMIT_USER + 1];
};

/* route.c: VERDICT_OK and the account, or why not (now). */
enum verdict route_resolve(struct runner *, const char *address,
    struct route *, struct why *);

/* deliver.c: one recipient.  deliver_rename hands the message over whole,
 * and returns 1; 0 when it must be copied instead (another file system, an
 * mbox); -1 with why when it cannot be delivered now. */
int deliver_rename(struct runner *, struct queue_message *,
    const struct route *, struct why *);
/* Runs local for recipient number (1...). */
enum verdict deliver_copy(struct runner *, struct queue_message *,
    size_t number, const struct route *, struct why *);

/* report.c: the log lines of a delivery. */
void report_active(const struct queue_message *);
/* started: when this attempt began, microseconds. */
void report_rcpt(const struct queue_message *, const struct rcpt *,
    const char *relay, int64_t started, const struct why *);
void report_removed(const struct queue_message *);

#endif
