/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A look at the header of a message that streams through: counts the hops,
 * remembers the Message-ID for the log, takes out Return-Path fields (only
 * final delivery writes one, RFC 5321 4.4), lets fields with addresses be
 * rewritten, and adds at its end the fields that are missing.  Text that
 * starts without a header gets the empty line that makes it a body.
 */
#ifndef HDR_H
#define HDR_H

#include <stdbool.h>
#include <stddef.h>

#include "pure/limits.h"
#include "pure/str.h"

struct hdr {
	bool body;		/* the header is over; feed no more */
	bool dropping;		/* in a field that is taken out */
	bool in_line;		/* passing the rest of a long line */
	bool first;		/* nothing seen yet */
	bool in_message_id;
	bool drop_bcc;		/* asked for: take out Bcc and Resent-Bcc too */
	bool has_date, has_from, has_message_id, has_recipient;
	unsigned hops;		/* Received and Delivered-To fields */
	struct str line;	/* the start of the line being read */
	struct str message_id;	/* "<...>", or empty */
	/* Called for each whole field with addresses, from its name to its
	 * last LF: appends what it becomes to out.  NULL: left alone, as
	 * are fields longer than LIMIT_FIELD. */
	void (*rewrite)(void *ctx, bool sender, const char *field, size_t len,
	    struct str *out);
	void *ctx;
	bool holding;		/* field is one of these, so far */
	bool sender;		/* From and the like, not To and the like */
	struct str field;
	/* Field lines, each with LF, to add when missing; NULL: do not. */
	const char *add_date, *add_from, *add_message_id;
};

void hdr_init(struct hdr *);
void hdr_free(struct hdr *);

/* Appends to out what becomes of in[0..len); returns the octets used, all
 * of them unless body has become true. */
size_t hdr_feed(struct hdr *, const char *in, size_t len, struct str *out);

/* The message ended.  Flushes what is held back. */
void hdr_end(struct hdr *, struct str *out);

/* Does the line s[0..len) start with the field name ("Date:"), in any case,
 * blanks before the colon allowed? */
bool hdr_is(const char *s, size_t len, const char *name);

#endif
