/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of postqueue share. */
#ifndef POSTQUEUE_H
#define POSTQUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "pure/str.h"
#include "store/conf.h"
#include "store/queue_look.h"

struct command {
	struct conf conf;
	struct queue queue;
	struct queue_locks locks;
	bool active;		/* this pass shows what is locked */
	bool json;
	uint64_t octets;
	unsigned long messages;
	const char *id, *site;	/* -i, -s */
	unsigned long moved;
	char name[LIMIT_QUEUE_NAME];	/* of the last one moved */
	struct str line;
};

/* "postqueue: warning: text" on standard error. */
void warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* "postqueue: fatal: text", and the end. */
_Noreturn void fatal(int code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* show.c: all of the queue, as text or JSON. */
void show(struct command *);

#endif
