/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mbox: one file, each message behind a "From " line, lines that look like
 * one quoted by ">".  Locked as everyone else does: fcntl(2) on the file and
 * NAME.lock beside it (where the directory lets us).
 */
#ifndef MBOX_H
#define MBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "pure/verdict.h"

struct mbox {
	int dir;		/* borrowed */
	const char *name;	/* borrowed */
	int fd;			/* open for reading and writing, -1: closed */
	bool dotlock;		/* NAME.lock is ours */
};

/* Opens (create: makes, mode 0600) and locks; waits LIMIT_LOCK_TRIES
 * seconds for others.  The file must be regular, with one name, owned by
 * the effective uid.  With VERDICT_OK mbox_close must follow; else why is
 * filled (ENOENT without create: 2.0.0 text "", verdict LATER, errno kept). */
enum verdict mbox_open(struct mbox *, int dir, const char *name, bool create,
    struct why *);
void mbox_close(struct mbox *);

/* Only the locks, kept open: between the looks of a POP3 session. */
enum verdict mbox_lock(struct mbox *, struct why *);
void mbox_unlock(struct mbox *);

/* Appends one message: the From_ line with sender ("" is MAILER-DAEMON) and
 * the time, head (whole lines), then fd_message from offset on, quoted, and
 * an empty line; synced.  On failure the file has its old length again. */
enum verdict mbox_append(struct mbox *, const char *sender, const char *head,
    size_t head_len, int fd_message, off_t offset, struct why *);

#endif
