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

static void
hop_path(const struct remote_group *g, char path[static HOP_PATH])
{
	uint64_t value[2];
	struct hash h;

	hash_init(&h);
	hash_put(&h, g->lmtp ? "lmtp:" : "smtp:", 5);
	hash_put(&h, g->hop, strlen(g->hop));
	hash_end(&h, value);
	(void)snprintf(path, HOP_PATH, "lock/hop-%016" PRIx64, value[0]);
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

/* When a dead hop may be asked again, microseconds. */
static int64_t
horizon(struct runner *r)
{
	return r->since > 0 ? r->since : clock_now_us() -
	    (int64_t)conf_number(&r->conf, CONF_MINIMAL_BACKOFF_TIME) *
	    1000000;
}

bool
remote_may(struct runner *r, const struct remote_group *g, struct why *why)
{
	char path[HOP_PATH], text[LIMIT_REASON + 64], *status, *reason;
	struct stat st;
	uint64_t when;
	ssize_t n;
	int fd;

	if (!g->lmtp && !tls_allows(r, why))
		return false;
	hop_path(g, path);
	fd = fsop_open(r->queue.dir, path, O_RDONLY, &st);
	if (fd < 0)
		return true;
	n = fsop_pread(fd, text, sizeof(text) - 1, 0);
	(void)close(fd);
	if (n <= 0)
		return true;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	status = strchr(text, ' ');
	reason = status != NULL ? strchr(status + 1, ' ') : NULL;
	if (reason == NULL || !num_parse(text, (size_t)(status - text),
	    INT64_MAX, &when) || (int64_t)when < horizon(r) ||
	    (int64_t)when > clock_now_us())
		return true;
	*status++ = *reason++ = '\0';
	(void)why_set(why, VERDICT_LATER, status,
	    "delivery temporarily suspended: %.300s", reason);
	return false;
}

void
remote_note(struct runner *r, const struct remote_group *g,
    const struct why *why)
{
	char path[HOP_PATH], text[LIMIT_REASON + 64];
	int fd, n;

	hop_path(g, path);
	(void)unlinkat(r->queue.dir, path, 0);
	if (why == NULL)
		return;
	/* New, so that it is never another's file that is written. */
	fd = openat(r->queue.dir, path, O_WRONLY | O_CREAT | O_EXCL |
	    O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	n = snprintf(text, sizeof(text), "%" PRId64 " %s %s\n",
	    clock_now_us(), why->status, why->text);
	if ((geteuid() == 0 &&
	    fchown(fd, r->queue.owner, r->queue.group) != 0) || n < 0 ||
	    fsop_write(fd, text, (size_t)n) != 0)
		(void)unlinkat(r->queue.dir, path, 0);
	(void)close(fd);
}

void
remote_sweep(struct runner *r)
{
	int64_t now = clock_now_us() / 1000000;
	int fd = openat(r->queue.dir, "lock", O_RDONLY | O_DIRECTORY |
	    O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;
	struct stat st;

	if (d == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	while ((e = readdir(d)) != NULL)
		if (strncmp(e->d_name, "hop-", 4) == 0 && fstatat(fd,
		    e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    st.st_mtime < now - HOP_AGE)
			(void)unlinkat(fd, e->d_name, 0);
	(void)closedir(d);
}
