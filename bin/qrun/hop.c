/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Next hops that nobody answered at, remembered in the spool: lock/hop-HASH,
 * "TIME STATUS text" with the time in microseconds.  So a queue full of mail
 * for a dead host costs a run one attempt, and the rest only a look.
 */
#include "qrun.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "pure/hash.h"
#include "pure/num.h"
#include "sys/clock.h"
#include "sys/fsop.h"

enum {
	HOP_PATH = 40,
	HOP_AGE = 7 * 86400	/* seconds after which it is rubbish */
};

void
hop_hash(const struct remote_group *g, char hash[static HOP_HASH])
{
	uint64_t value[2];
	struct hash h;

	hash_init(&h);
	hash_put(&h, g->lmtp ? "lmtp:" : "smtp:", 5);
	hash_put(&h, g->hop, strlen(g->hop));
	hash_end(&h, value);
	(void)snprintf(hash, HOP_HASH, "%016" PRIx64, value[0]);
}

static void
hop_path(const struct remote_group *g, char path[static HOP_PATH])
{
	char hash[HOP_HASH];

	hop_hash(g, hash);
	(void)snprintf(path, HOP_PATH, "hop-%s", hash);
}

/* This version has no TLS: mail that may not go without it waits. */
static bool
tls_allows(struct runner *r, struct why *why)
{
	const char *level = conf_get(&r->conf, CONF_SMTP_TLS_SECURITY_LEVEL);
	static const char *const clear[] = { "", "none", "may", "dane" };
	size_t i;

	for (i = 0; i < sizeof(clear) / sizeof(clear[0]); i++)
		if (strcasecmp(level, clear[i]) == 0)
			return true;
	(void)why_set(why, VERDICT_LATER, "4.7.4", "TLS is required by "
	    "smtp_tls_security_level = %.100s, but this version has none",
	    level);
	return false;
}

int
remote_lock_dir(struct runner *r)
{
	static int fd = -1;

	if (fd < 0)
		fd = queue_place(&r->queue, "lock");
	return fd;
}

/* When a dead hop may be asked again, microseconds. */
static int64_t
horizon(struct runner *r)
{
	return r->since > 0 ? r->since : clock_now_us() -
	    (int64_t)conf_number(&r->conf, CONF_MINIMAL_BACKOFF_TIME) *
	    1000000;
}

/* What the file says: 1, the hop is dead, with why; 0, that is long ago, or
 * there is nothing to be read. */
static int
read_note(struct runner *r, int fd, struct why *why)
{
	char text[LIMIT_REASON + 64], *status, *reason;
	ssize_t n = fsop_pread(fd, text, sizeof(text) - 1, 0);
	uint64_t when;

	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	status = strchr(text, ' ');
	reason = status != NULL ? strchr(status + 1, ' ') : NULL;
	if (reason == NULL || !num_parse(text, (size_t)(status - text),
	    INT64_MAX, &when))
		return 0;
	*status++ = *reason++ = '\0';
	(void)why_set(why, VERDICT_LATER, status,
	    "delivery temporarily suspended: %.300s", reason);
	return (int64_t)when >= horizon(r) &&
	    (int64_t)when <= clock_now_us();
}

/* Somebody finds out just now: does he, within two seconds? */
static bool
changes(struct runner *r, const char *path, const struct stat *st)
{
	const struct timespec step = { .tv_nsec = 20000000 };
	int i;

	for (i = 0; i < 100; i++) {
		if (!fsop_is_same(remote_lock_dir(r), path, st, NULL))
			return true;
		(void)nanosleep(&step, NULL);
	}
	return false;
}

bool
remote_may(struct runner *r, const struct remote_group *g, int *probe,
    struct why *why)
{
	char path[HOP_PATH];
	struct stat st;
	bool known, ours;
	int fd, tries;

	*probe = -1;
	if (!g->lmtp && !tls_allows(r, why))
		return false;
	hop_path(g, path);
	for (tries = 0; tries < 3; tries++) {
		fd = fsop_open(remote_lock_dir(r), path, O_RDWR, &st);
		if (fd < 0)
			return true;
		(void)why_set(why, VERDICT_LATER, "4.4.1",
		    "delivery temporarily suspended");
		known = read_note(r, fd, why) == 1;
		ours = !known && fsop_lock(fd) == 0;
		if (known || (!ours && !changes(r, path, &st))) {
			(void)close(fd);
			return false;
		}
		/* Is this still what is known? */
		if (ours && fsop_is_same(remote_lock_dir(r), path, &st, NULL)) {
			*probe = fd;
			return true;
		}
		(void)close(fd);
	}
	return false;
}

void
remote_note(struct runner *r, const struct remote_group *g,
    const struct why *why)
{
	char path[HOP_PATH], made[HOP_PATH + 24], text[LIMIT_REASON + 64];
	int fd, n, dir = remote_lock_dir(r);

	hop_path(g, path);
	if (why == NULL) {
		(void)unlinkat(dir, path, 0);
		return;
	}
	/* A new file, so that it is never another's that is written; and
	 * there is no moment without one. */
	(void)snprintf(made, sizeof(made), "%s-%ld", path, (long)getpid());
	(void)unlinkat(dir, made, 0);
	fd = openat(dir, made, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	n = snprintf(text, sizeof(text), "%" PRId64 " %s %s\n",
	    clock_now_us(), why->status, why->text);
	if ((geteuid() == 0 &&
	    fchown(fd, r->queue.owner, r->queue.group) != 0) || n < 0 ||
	    fsop_write(fd, text, (size_t)n) != 0 ||
	    renameat(dir, made, dir, path) != 0)
		(void)unlinkat(dir, made, 0);
	(void)close(fd);
}

/* A slot that somebody has is younger than it looks. */
static void
remove_old(int dir, const char *name, int64_t before)
{
	struct stat st;
	int fd;

	if ((strncmp(name, "hop-", 4) != 0 && strncmp(name, "slot-", 5) != 0))
		return;
	fd = fsop_open(dir, name, O_RDWR, &st);
	if (fd < 0)
		return;
	if (st.st_mtime < before && fsop_lock(fd) == 0)
		(void)unlinkat(dir, name, 0);
	(void)close(fd);
}

void
remote_sweep(struct runner *r)
{
	int64_t before = clock_now_us() / 1000000 - HOP_AGE;
	int fd = queue_place(&r->queue, "lock");
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;

	if (d == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	while ((e = readdir(d)) != NULL)
		remove_old(fd, e->d_name, before);
	(void)closedir(d);
}
