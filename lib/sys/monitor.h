/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A server in two processes: a child without rights speaks with the
 * stranger, and the parent, still root, waits for its questions.  A question
 * is one record of a fixed form and the input that the child has read but
 * not used (the parent may take the conversation over); an answer is one
 * octet.  The parent trusts nothing in the record but its form.
 */
#ifndef MONITOR_H
#define MONITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "pure/limits.h"

struct monitor {
	int fd;			/* to the other one */
	pid_t child;		/* 0: this is the child */
};

enum monitor_kind {
	MONITOR_PASSWORD = 1,	/* are these right? */
	MONITOR_TLS		/* start it; the answer brings a socket */
};

struct monitor_request {
	int kind;
	char user[LIMIT_USER + 1];
	char password[LIMIT_PASSWORD + 1];
};

enum monitor_answer {
	MONITOR_YES = 'y',	/* the parent goes on; the child ends */
	MONITOR_NO = 'n',
	MONITOR_LATER = 't'	/* also: no answer */
};

/* Forks; the child is still what it was, and must give its rights away.
 * 0 in both, or -1 with errno. */
int monitor_fork(struct monitor *);

/* The same; the child becomes uid and gid for good and can open no file, or it
 * ends. */
int monitor_start(struct monitor *, uid_t, gid_t);

/* In the child: asks, rest[0..len) being the unused input. */
enum monitor_answer monitor_ask(struct monitor *,
    const struct monitor_request *, const void *rest, size_t len);
/* The same without input; after YES, *fd is what came with the answer. */
enum monitor_answer monitor_ask_fd(struct monitor *,
    const struct monitor_request *, int *fd);

/* In the parent: waits for a question.  False when the child is gone, or
 * has sent what is none. */
bool monitor_next(struct monitor *, struct monitor_request *, void *rest,
    size_t size, size_t *len);
void monitor_answer(struct monitor *, enum monitor_answer);
/* YES, with a descriptor, which stays the caller's. */
void monitor_answer_fd(struct monitor *, int fd);
/* Waits for the child's end; its exit code, -1 for a signal. */
int monitor_end(struct monitor *);

#endif
