/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Finds the messages of an mbox in one pass: a line that begins with
 * "From " at the beginning of the file or after an empty line begins one,
 * and the empty line before the next one belongs to none.
 */
#ifndef MBOXSCAN_H
#define MBOXSCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pure/hash.h"
#include "pure/limits.h"

struct mboxscan_message {
	uint64_t from;		/* where its From_ line begins */
	uint64_t start, end;	/* the message: [start..end) */
	uint64_t size;		/* in octets with CRLF, as POP3 sends it */
	uint64_t hash[2];	/* of the fields that identify it and that
				 * mail readers leave alone */
	bool internal;		/* not mail: where IMAP servers keep notes */
};

struct mboxscan {
	/* Called for each message; false ends the scan (stopped). */
	bool (*each)(void *ctx, const struct mboxscan_message *);
	void *ctx;
	bool stopped;
	bool bad;		/* text before the first From_ line */
	/* The scan's own: */
	bool in_message, in_header, hashing;
	bool blank;		/* the last line was empty, or there is none */
	bool separator;		/* and it was not the end of a header */
	unsigned seen;		/* which fields are hashed already */
	uint64_t offset;	/* of the line being read */
	uint64_t blank_at;	/* of the last empty line */
	struct mboxscan_message m;
	struct hash hash;
	uint64_t line_len;	/* octets of a line that came in parts */
	char last;		/* its last octet */
	char line[LIMIT_HEADER];
};

/* offset: where in the file the first octet is (0, or at a From_ line). */
void mboxscan_init(struct mboxscan *, uint64_t offset,
    bool (*each)(void *, const struct mboxscan_message *), void *ctx);
void mboxscan_feed(struct mboxscan *, const char *buf, size_t len);
void mboxscan_end(struct mboxscan *);

#endif
