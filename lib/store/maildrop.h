/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What POP3 sees of a mailbox: messages numbered from 0, each with its size
 * and its unique-id, to be read and to be marked deleted.  A snapshot: what
 * is delivered meanwhile belongs to the next session.
 */
#ifndef MAILDROP_H
#define MAILDROP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pure/verdict.h"

enum { MAILDROP_UIDL = 71 };	/* 70 octets, RFC 1939 section 7 */

struct maildrop_message {
	uint64_t size;		/* octets with CRLF, what RETR sends */
	uint64_t at;		/* the store's own */
	bool deleted;
};

/* Where a message can be read: len octets of fd from offset on. */
struct maildrop_source {
	int fd;
	uint64_t offset, len;
};

struct maildrop;

/* One store.  The wrappers below say what each does. */
struct maildrop_ops {
	enum verdict (*open)(struct maildrop *, struct why *);
	void (*uidl)(struct maildrop *, size_t i,
	    char id[static MAILDROP_UIDL]);
	int (*begin)(struct maildrop *, size_t i, struct maildrop_source *);
	void (*end)(struct maildrop *, struct maildrop_source *);
	enum verdict (*update)(struct maildrop *, struct why *);
	void (*close)(struct maildrop *);
};
extern const struct maildrop_ops maildrop_maildir, maildrop_mbox;

struct maildrop {
	const struct maildrop_ops *ops;
	int dir;		/* borrowed */
	const char *name;	/* borrowed: the mailbox below dir */
	bool busy;		/* not opened: another session has it */
	struct maildrop_message *message;
	size_t count, cap;
	void *store;		/* the store's own */
};

/* Locks the mailbox for this session and lists it; a mailbox that does not
 * exist is an empty one.  The process acts as its owner.  On failure
 * nothing is held, and why (or busy) says why. */
enum verdict maildrop_open(struct maildrop *, const struct maildrop_ops *,
    int dir, const char *name, struct why *);

/* The unique-id of message i: 1 to 70 printable octets, never that of
 * another one. */
void maildrop_uidl(struct maildrop *, size_t i, char id[static MAILDROP_UIDL]);

/* Gives access to message i until maildrop_end.  0, or -1 with errno when it
 * is gone, or is not what was listed. */
int maildrop_begin(struct maildrop *, size_t i, struct maildrop_source *);
void maildrop_end(struct maildrop *, struct maildrop_source *);

/* Removes what is marked deleted; VERDICT_OK when that is durable, else why
 * says what stayed. */
enum verdict maildrop_update(struct maildrop *, struct why *);

void maildrop_close(struct maildrop *);

/* For a store: appends a message.  NULL without memory, or at
 * LIMIT_MESSAGES. */
struct maildrop_message *maildrop_add(struct maildrop *);
/* How many are marked deleted. */
size_t maildrop_deleted(const struct maildrop *);

#endif
