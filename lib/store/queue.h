/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The spool (malle-spool.5): a queued message is one file, and where it lies
 * is its state.
 *
 *	tmp/ID				being received
 *	incoming/ID,S=octets,W=octets	committed
 *	deferred/DUE/ID,...		waits until DUE (seconds since 1970)
 *	hold/, corrupt/			set aside
 *	state/ID			what became of each recipient so far
 *	lock/
 *
 * Whoever holds the flock(2) on the file owns the message; the lock dies
 * with its process.  Nothing is ever rewritten after the commit.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "pure/envelope.h"
#include "pure/limits.h"
#include "pure/verdict.h"

struct queue {
	int dir;		/* queue_directory */
	uid_t owner;		/* whose the files are */
	gid_t group;
};

/* Opens the spool, and makes what is missing in it when create is set (a
 * receiver leaves that to the first message).  owner and group are
 * mail_owner's.  0, or -1 with errno. */
int queue_open(struct queue *, const char *path, uid_t owner, gid_t group,
    bool create);

/* ---- places, for a runner that may be root (queue_place.c) ---- */

/* A descriptor of a place ("incoming", "deferred/1764000000"), which must be
 * mail_owner's own directory, reached through no link; -1 with errno. */
int queue_place(const struct queue *, const char *place);
/* What is missing of the places; a bucket of deferred/.  0 or -1. */
int queue_make_places(const struct queue *);
int queue_make_bucket(const struct queue *, const char *place);
/* The same name from one place to another, never over a file; a name away; a
 * file of its own (fsop_open).  -1 with errno. */
int queue_rename(const struct queue *, const char *from, const char *name,
    const char *to);
int queue_unlink(const struct queue *, const char *place, const char *name);
int queue_open_file(const struct queue *, const char *place,
    const char *name, int flags, struct stat *);

/* ---- receiving ---- */

struct queue_file {
	struct queue *queue;
	int fd;			/* -1: none */
	char id[LIMIT_QUEUE_ID + 1];
	char name[LIMIT_QUEUE_NAME];	/* after the commit */
	uint64_t octets;	/* so far, in the file */
	uint64_t lines;		/* LFs so far */
	int error;		/* errno of the first failure, sticky */
	size_t len;
	char buf[LIMIT_WRITE];
};

/* Makes tmp/ID, locked.  Returns 0, or -1 with errno. */
int queue_create(struct queue_file *, struct queue *);
/* Errors are kept for the commit. */
void queue_write(struct queue_file *, const void *buf, size_t len);
/* The message is whole: names it into incoming/, and returns VERDICT_OK only
 * when data and name are durable.  On anything else the file is gone, and
 * why says so (451 4.3.0, 452 4.3.1).  Closes in any case. */
enum verdict queue_commit(struct queue_file *, struct why *);
/* Throws it away. */
void queue_abort(struct queue_file *);

/* ---- delivering ---- */

struct queue_message {
	struct queue *queue;
	int fd;			/* locked, read-write */
	char place[32];		/* "incoming", "deferred/1764000000" */
	char name[LIMIT_QUEUE_NAME];
	char id[LIMIT_QUEUE_ID + 1];
	struct stat st;
	uint64_t octets, crlf_octets;	/* from the name */
	int64_t arrival;	/* microseconds, from the id */
	struct envelope envelope;
};

enum queue_claim {
	QUEUE_CLAIMED,
	QUEUE_BUSY,	/* someone has it, or it is gone: nothing to do */
	QUEUE_CORRUPT,	/* moved to corrupt/; why says what is wrong */
	QUEUE_LATER	/* cannot tell now; why */
};

/* When the message with this id began to come, in microseconds. */
uint64_t queue_id_us(const char *id);

/* Splits "ID,S=1,W=2"; false: not a name of ours. */
bool queue_parse_name(const char *name, char id[static LIMIT_QUEUE_ID + 1],
    uint64_t *octets, uint64_t *crlf_octets);

/* Locks place/name, which must be a file of its own. */
enum queue_claim queue_lock(struct queue_message *, struct queue *,
    const char *place, const char *name, struct why *);
/* The same, checks that it is the committed file it says, and reads its
 * envelope. */
enum queue_claim queue_claim(struct queue_message *, struct queue *,
    const char *place, const char *name, struct why *);
/* Reads the envelope of an open one: 1; 0, it has none; -1 with errno. */
int queue_read_envelope(struct queue_message *);
/* Moves a claimed message to corrupt/, says so in why, and lets go of it. */
enum queue_claim queue_set_aside(struct queue_message *, struct why *,
    const char *reason);
/* A read-only descriptor of it, for an agent that must not hold the lock or
 * write; -1 with errno. */
int queue_reopen(const struct queue_message *);
/* The message becomes the mailbox's: renamed to name in directory dir (never
 * over a file that is there).  0, or -1 with errno; nothing is changed then. */
int queue_give(struct queue_message *, int dir, const char *name);
/* Lets go of it, wherever it now is. */
void queue_release(struct queue_message *);

/* Moves a claimed message to wait until due; its state stays.  0 or -1. */
int queue_defer(struct queue_message *, int64_t due);
/* Moves a locked message to incoming/, hold/ or corrupt/; its state stays.
 * 0 or -1. */
int queue_move(struct queue_message *, const char *place);
/* It is finished: the file, then its state. */
int queue_remove(struct queue_message *);
/* Only the state: the file has become the mailbox's. */
void queue_forget(struct queue_message *);

/* Appends what happened to recipient number (1...), or to one of the targets
 * that it stands for, durable before it returns when the verdict is final.
 * Number 0 is the message itself, and target what was done with it.
 * 0 or -1 with errno. */
int queue_record(struct queue_message *, size_t number, const char *target,
    const struct why *);
/* Is that target of the recipient finished? */
bool queue_recorded_target(struct queue_message *, size_t number,
    const char *target);
/* Which recipients are finished: done[i] for number i + 1.  0 or -1. */
int queue_recorded(struct queue_message *, bool *done, size_t n);

/* Calls each(ctx, place, name) for the files of a place, in time order
 * where it is cheap; stops when each returns false.  0 or -1. */
int queue_each(struct queue *, const char *place,
    bool (*each)(void *ctx, const char *place, const char *name), void *ctx);
/* The same for every bucket of deferred/ that is due at now; drops empty
 * ones. */
int queue_each_due(struct queue *, int64_t now,
    bool (*each)(void *ctx, const char *place, const char *name), void *ctx);
/* Removes what receiving left in tmp/ and nobody holds. */
void queue_sweep(struct queue *, int64_t now);

#endif
