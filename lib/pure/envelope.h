/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The envelope block at the start of a queue file (malle-spool.5):
 *
 *	Return-Path: <sender>
 *	X-Original-To: alice			only where it differs
 *	Delivered-To: alice@example.org		one per recipient
 *	Malle-NAME: value			never delivered
 *	Received: ...				the first one ends the block
 *
 * Only we write it, and nothing a sender sends comes before the Received
 * field, so nothing in a message can be taken for it.
 */
#ifndef ENVELOPE_H
#define ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>

#include "pure/str.h"

struct rcpt {
	const char *address;	/* as it is delivered */
	const char *original;	/* as it was given, "" if the same */
};

struct envelope {
	const char *sender;	/* "" for the null sender */
	struct rcpt *rcpt;
	size_t nrcpt;
	size_t len;		/* octets of the block */
	bool private;		/* has fields that may not be delivered */
	struct str text;	/* what the pointers point into */
};

void envelope_init(struct envelope *);
void envelope_free(struct envelope *);

/* Appends the fields; the addresses hold no control characters. */
void envelope_put_sender(struct str *, const char *sender);
void envelope_put_rcpt(struct str *, const char *address,
    const char *original);

/* Reads the block from the first octets of a queue file.  Returns 1, or 0
 * when it does not end within len (give more), or -1 when it is damaged.
 * errno is ENOMEM or EINVAL. */
int envelope_parse(struct envelope *, const char *buf, size_t len);

#endif
