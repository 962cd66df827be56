/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/maildir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/queue.h"
#include "sys/fsop.h"

void
maildir_name(char name[static MAILDIR_NAME], const char *queue_id,
    size_t number, const char *host, uint64_t octets, uint64_t crlf_octets)
{
	char many[24] = "";

	if (number > 0)
		(void)snprintf(many, sizeof(many), "R%zu", number);
	/* A host name has neither "/" nor ":" (conf checks it); the id is
	 * what makes the name unique. */
	(void)snprintf(name, MAILDIR_NAME,
	    "%" PRIu64 ".Q%s%s.%.100s,S=%" PRIu64 ",W=%" PRIu64,
	    queue_id_us(queue_id) / 1000000, queue_id, many, host, octets,
	    crlf_octets);
}

static int
open_own(int dir, const char *path)
{
	struct stat st;
	int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0) {
		if (st.st_uid == geteuid())
			return fd;
		errno = EPERM;
	}
	(void)close(fd);
	return -1;
}

/* mkdir that is content with what is there.  The name is durable then: what is
 * renamed into the directory must not outlive it. */
static int
make(int dir, const char *path)
{
	char parent[LIMIT_PATH];
	const char *slash = strrchr(path, '/');
	bool made = mkdirat(dir, path, 0700) == 0;
	int n = 0;

	if (!made && errno != EEXIST)
		return -1;
	if (slash != NULL)
		n = snprintf(parent, sizeof(parent), "%.*s",
		    slash == path ? 1 : (int)(slash - path), path);
	if (fsop_sync_dir(dir, n > 0 ? parent : ".") == 0)
		return 0;
	/* Not ours, like the directory of all homes: nor is it new. */
	return !made && errno == EACCES ? 0 : -1;
}

/* The parents of path below dir, then path/{tmp,new,cur}. */
static int
make_all(int dir, const char *path)
{
	static const char *const sub[] = { "tmp", "new", "cur" };
	char part[LIMIT_PATH];
	const char *p;
	size_t i;
	int n;

	for (p = strchr(path + 1, '/'); p != NULL; p = strchr(p + 1, '/')) {
		(void)snprintf(part, sizeof(part), "%.*s", (int)(p - path),
		    path);
		if (make(dir, part) != 0)
			return -1;
	}
	if (make(dir, path) != 0)
		return -1;
	for (i = 0; i < sizeof(sub) / sizeof(sub[0]); i++) {
		n = snprintf(part, sizeof(part), "%s/%s", path, sub[i]);
		if (n < 0 || (size_t)n >= sizeof(part)) {
			errno = ENAMETOOLONG;
			return -1;
		}
		if (make(dir, part) != 0)
			return -1;
	}
	return 0;
}

int
maildir_open(int dir, const char *name, const char *sub)
{
	char path[LIMIT_PATH];
	int n = snprintf(path, sizeof(path), "%s/%s", name, sub), fd;

	if (n < 0 || (size_t)n >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = open_own(dir, path);
	if (fd >= 0 || errno != ENOENT)
		return fd;
	if (make_all(dir, name) != 0)
		return -1;
	return open_own(dir, path);
}
