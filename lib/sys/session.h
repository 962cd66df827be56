/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A session is a table plus a loop.  The loop is here; it knows lines and
 * nothing of mail.
 */
#ifndef SESSION_H
#define SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "sys/bio.h"

enum session_step {
	SESSION_OK,		/* done, next */
	SESSION_REFUSED,	/* answered with an error, next */
	SESSION_END,		/* the loop ends (QUIT, or a state is over) */
	SESSION_ABORT		/* the loop ends, it was our decision */
};

struct session_command {
	const char *verb;	/* NULL ends the table: the unknown command */
	enum session_step (*handle)(void *ctx, char *arg);
};

/* How often each row of a table was answered, for the last log line. */
struct session_count {
	unsigned ok, total;
};

enum session_end {
	SESSION_ENDED,		/* a handler said so */
	SESSION_ABORTED,
	SESSION_EOF,		/* the peer went without a word */
	SESSION_TIMEOUT,
	SESSION_LOST,		/* reset, or another error */
};

struct session {
	struct bio *bio;
	const struct session_command *table;
	struct session_count *count;	/* one per row, the last one included */
	const char *verb;		/* of the last command known */
	/* Called before the handler of a known command, if not NULL; false: it
	 * may not be used now, and that has been answered. */
	bool (*may)(void *ctx, const char *verb, enum session_step *);
	/* A line that is too long, or ended the wrong way. */
	enum session_step (*bad_line)(void *ctx, bool too_long);
	/* Called for each line; false: this line end is not allowed. */
	bool (*line_end)(void *ctx, bool crlf);
	bool blanks;			/* those at the end of a line count */
	/* A whole line must come in this time; 0: the deadline of bio is the
	 * caller's. */
	int line_seconds;
	void *ctx;
};

/* Reads lines and calls handlers until one ends it or the peer is gone.
 * arg is what follows the verb and one blank, trailing blanks cut. */
enum session_end session_run(struct session *);

#endif
