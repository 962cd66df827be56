/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Looking at the queue, for people.  Nothing here takes a lock or changes
 * anything, so that no runner ever finds a message busy because of us; what
 * is seen is what was there a moment ago.
 */
#ifndef QUEUE_LOOK_H
#define QUEUE_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "store/conf.h"
#include "store/queue.h"

/* Opens queue_directory as the configuration says, for an administrator's
 * command; makes nothing.  0, or -1 and why, with a remedy. */
int queue_open_conf(struct queue *, const struct conf *, struct why *);

/* As queue_each, in the order of the names, which is that of time, and only
 * names of ours; a place with more than LIMIT_SORT of them is sorted in
 * stretches. */
int queue_each_sorted(struct queue *, const char *place,
    bool (*each)(void *ctx, const char *place, const char *name), void *ctx);
/* The same for all buckets of deferred/, the soonest first. */
int queue_each_deferred(struct queue *,
    bool (*each)(void *ctx, const char *place, const char *name), void *ctx);

/* Until when a message waits that lies in place (seconds); 0: it is not
 * deferred. */
int64_t queue_due(const char *place);

/* Opens place/name for reading and reads its envelope.  Returns 1, and
 * queue_release is due; 0 when it is gone or no message; -1 and why. */
int queue_look(struct queue_message *, struct queue *, const char *place,
    const char *name, struct why *);

/* The locks that processes of this machine held at one moment. */
struct queue_locks {
	struct queue_lock_id {
		dev_t dev;
		ino_t ino;
	} *lock;
	size_t n;
};
/* Without /proc there are none. */
void queue_locks_read(struct queue_locks *);
bool queue_locks_has(const struct queue_locks *, const struct stat *);
void queue_locks_free(struct queue_locks *);

/* What the record says of each recipient of a message. */
struct queue_history {
	int fd;			/* -1: there is no record */
	size_t n;
	struct queue_past {
		bool done;
		uint32_t len;	/* of the last reason to wait; 0: none */
		off_t offset;
	} *past;
};
/* 0, or -1 with errno; queue_history_free is due in any case. */
int queue_history_read(struct queue_history *, const struct queue_message *);
/* The last reason why recipient i (0...) waits, "" if none is known. */
void queue_history_reason(const struct queue_history *, size_t i,
    char text[static LIMIT_REASON + 1]);
void queue_history_free(struct queue_history *);

#endif
