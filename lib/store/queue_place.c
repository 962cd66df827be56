/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The directories of the spool.  mail_owner owns it, and whoever gets into a
 * receiving process is mail_owner: he may put a link where a place was, and
 * a runner that is root must not follow it.  So a place is opened step by
 * step, never through a link, must belong to mail_owner, and what is done in
 * it is done by its descriptor.
 */
#include "store/queue.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "sys/fsop.h"
#include "sys/priv.h"

static const char *const places[] = {
	"tmp", "incoming", "deferred", "hold", "corrupt", "state", "lock"
};

/* One step.  -1 with errno. */
static int
step(const struct queue *q, int dir, const char *name)
{
	struct stat st;
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0) {
		if (st.st_uid == q->owner)
			return fd;
		errno = EPERM;
	}
	(void)close(fd);
	return -1;
}

int
queue_place(const struct queue *q, const char *place)
{
	char first[sizeof(((struct queue_message *)0)->place)];
	const char *slash = strchr(place, '/');
	size_t n = slash != NULL ? (size_t)(slash - place) : strlen(place);
	int dir, fd, saved;

	errno = ENAMETOOLONG;
	if (n >= sizeof(first))
		return -1;
	memcpy(first, place, n);
	first[n] = '\0';
	dir = step(q, q->dir, first);
	if (dir < 0 || slash == NULL)
		return dir;
	fd = step(q, dir, slash + 1);
	saved = errno;
	(void)close(dir);
	errno = saved;
	return fd;
}

/* A directory that is mail_owner's from its first moment: made as root and
 * given away, it could be another thing by then.  Only where nobody but root
 * can write is that the way. */
static int
make(const struct queue *q, int dir, const char *name)
{
	struct stat st;
	int result;

	if (geteuid() != 0)
		return mkdirat(dir, name, 0700);
	if (fstat(dir, &st) != 0)
		return -1;
	if (st.st_uid == 0 && q->owner != 0)
		return mkdirat(dir, name, 0700) != 0 ? -1 : fchownat(dir,
		    name, q->owner, q->group, AT_SYMLINK_NOFOLLOW);
	if (priv_become(q->owner, q->group) != 0)
		return -1;
	result = mkdirat(dir, name, 0700);
	priv_return();
	return result;
}

int
queue_make_places(const struct queue *q)
{
	size_t i;

	/* The last one is made last. */
	if (faccessat(q->dir, "lock", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (make(q, q->dir, places[i]) != 0 && errno != EEXIST)
			return -1;
	return fsop_sync_dir(q->dir, ".");
}

int
queue_make_bucket(const struct queue *q, const char *place)
{
	const char *slash = strchr(place, '/');
	int dir = queue_place(q, "deferred"), result, saved;

	if (dir < 0)
		return -1;
	result = make(q, dir, slash != NULL ? slash + 1 : place);
	saved = errno;
	(void)close(dir);
	errno = saved;
	return result == 0 || saved == EEXIST ? 0 : -1;
}

int
queue_open(struct queue *q, const char *path, uid_t owner, gid_t group,
    bool create)
{
	int saved;

	q->owner = owner;
	q->group = group;
	q->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (q->dir < 0)
		return -1;
	if (!create || queue_make_places(q) == 0)
		return 0;
	saved = errno;
	(void)close(q->dir);
	q->dir = -1;
	errno = saved;
	return -1;
}

int
queue_rename(const struct queue *q, const char *from, const char *name,
    const char *to)
{
	int old = queue_place(q, from), new = -1, result = -1, saved;

	if (old >= 0)
		new = queue_place(q, to);
	if (new >= 0)
		result = fsop_rename(old, name, new, name);
	saved = errno;
	if (old >= 0)
		(void)close(old);
	if (new >= 0)
		(void)close(new);
	errno = saved;
	return result;
}

int
queue_unlink(const struct queue *q, const char *place, const char *name)
{
	int dir = queue_place(q, place), result, saved;

	if (dir < 0)
		return -1;
	result = unlinkat(dir, name, 0);
	saved = errno;
	(void)close(dir);
	errno = saved;
	return result;
}

int
queue_open_file(const struct queue *q, const char *place, const char *name,
    int flags, struct stat *st)
{
	int dir = queue_place(q, place), fd, saved;

	if (dir < 0)
		return -1;
	fd = fsop_open(dir, name, flags, st);
	saved = errno;
	(void)close(dir);
	errno = saved;
	return fd;
}
