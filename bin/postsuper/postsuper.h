/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of postsuper share. */
#ifndef POSTSUPER_H
#define POSTSUPER_H

#include <stdbool.h>
#include <stddef.h>

#include "pure/limits.h"

/* "postsuper: text" on standard error, and in the log. */
void info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void fatal(int code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* wanted.c: which messages an option means. */
struct wanted {
	char id[LIMIT_QUEUE_ID + 1];
	unsigned busy;		/* the last pass in which it was */
};

struct task {
	bool asked;		/* the option was given */
	bool all;
	/* Mail that comes later is not meant. */
	char all_until[LIMIT_QUEUE_ID + 1];
	void *ids;		/* tsearch(3) of struct wanted */
	size_t left;		/* of them not dealt with */
	unsigned long count;
};

bool wanted_is_id(const char *);
/* Adds one id; also when it is there already. */
struct wanted *wanted_add(struct task *, const char *id);
/* Adds those on standard input, one a line. */
void wanted_read(struct task *);
/* Is the message with this name meant?  NULL: no. */
struct wanted *wanted_find(struct task *, const char *name);
/* It has been dealt with. */
void wanted_settle(struct task *, struct wanted *);

#endif
