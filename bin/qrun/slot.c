/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How many may hand mail over to one next hop at once, whichever runners they
 * belong to: lock/slot-HASH-N, locked by whoever does.
 */
#include "qrun.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/fsop.h"

enum {
	SLOT_PATH = 64,
	/* A worker that waits longer than this lets other mail go on. */
	SLOT_SECONDS = 60
};

/* The file, made if it is missing; -1 with errno. */
static int
open_slot(struct runner *r, const char *path, struct stat *st)
{
	int fd = fsop_open(remote_lock_dir(r), path, O_RDWR, st);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	fd = openat(remote_lock_dir(r), path, O_RDWR | O_CREAT | O_EXCL |
	    O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EEXIST ?
		    fsop_open(remote_lock_dir(r), path, O_RDWR, st) : -1;
	if (fstat(fd, st) == 0 && (geteuid() != 0 ||
	    fchown(fd, r->queue.owner, r->queue.group) == 0))
		return fd;
	(void)close(fd);
	return -1;
}

/* 1: it is ours, *fd; 0: another's; -1 with errno. */
static int
try_slot(struct runner *r, const char *path, int *fd)
{
	struct stat st;

	*fd = open_slot(r, path, &st);
	if (*fd < 0)
		return -1;
	if (fsop_lock(*fd) == 0 &&
	    fsop_is_same(remote_lock_dir(r), path, &st, NULL))
		return 1;
	(void)close(*fd);
	*fd = -1;
	return 0;
}

bool
slot_take(struct runner *r, const struct remote_group *g, int *slot,
    struct why *why)
{
	const struct timespec step = { .tv_nsec = 20000000 };
	uint64_t limit = conf_number(&r->conf, CONF_CONCURRENCY_LIMIT), i;
	int64_t end = clock_monotonic() + SLOT_SECONDS;
	char hash[HOP_HASH], path[SLOT_PATH];
	int got;

	*slot = -1;
	if (limit == 0)
		return true;
	hop_hash(g, hash);
	do {
		for (i = 0; i < limit; i++) {
			(void)snprintf(path, sizeof(path), "slot-%s-%u",
			    hash, (unsigned)i);
			got = try_slot(r, path, slot);
			if (got == 1)
				return true;
			if (got < 0) {
				(void)why_errno(why, errno, "open lock");
				return false;
			}
		}
		(void)nanosleep(&step, NULL);
	} while (clock_monotonic() < end);
	(void)why_set(why, VERDICT_LATER, "4.4.5", "delivery temporarily "
	    "suspended: too many connections to %.200s", g->hop);
	return false;
}
