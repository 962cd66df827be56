/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Into a mailbox: Maildir or mbox. */
#include "local.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/maildir.h"
#include "store/mbox.h"
#include "sys/fsop.h"

/* Head and message into fd, synced.  0, or -1 with errno. */
static int
copy(const struct job *j, int fd, uint64_t *octets, uint64_t *lines)
{
	static char buf[1 << 16];
	off_t offset = (off_t)j->envelope.len;
	ssize_t n;

	*octets = j->head.len;
	*lines = str_count_lf(j->head.s, j->head.len);
	if (fsop_write(fd, j->head.s, j->head.len) != 0)
		return -1;
	while ((n = fsop_pread(0, buf, sizeof(buf), offset)) > 0) {
		if (fsop_write(fd, buf, (size_t)n) != 0)
			return -1;
		offset += n;
		*octets += (uint64_t)n;
		*lines += str_count_lf(buf, (size_t)n);
	}
	return n < 0 ? -1 : fsync(fd);
}

/* What an earlier try left in tmp/ is rubbish, unless its maker lives on
 * (when his runner has died, our runner got the lock on the message): he
 * holds the lock on it then. */
static int
remove_rubbish(int tmp, const char *name)
{
	struct stat st;
	int fd = fsop_open(tmp, name, O_RDWR, &st), result = -1;

	if (fd < 0 && errno != EMLINK && errno != ELOOP)
		return errno == ENOENT ? 0 : -1;
	if (fd < 0)
		return unlinkat(tmp, name, 0);
	if (fsop_lock(fd) == 0)
		result = fsop_is_same(tmp, name, &st, NULL) ?
		    unlinkat(tmp, name, 0) : 0;
	(void)close(fd);
	return result;
}

/* The file in tmp/, locked: nobody else renames or removes it. */
static int
create_tmp(int tmp, const char *name)
{
	int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(tmp, name, flags, 0600);
	struct stat st;

	if (fd < 0 && errno == EEXIST && remove_rubbish(tmp, name) == 0)
		fd = openat(tmp, name, flags, 0600);
	if (fd < 0)
		return -1;
	/* Someone may have taken it for rubbish before the lock was ours. */
	if (fsop_lock(fd) == 0 && fstat(fd, &st) == 0 &&
	    fsop_is_same(tmp, name, &st, NULL))
		return fd;
	(void)close(fd);
	errno = EAGAIN;
	return -1;
}

static enum verdict
into_maildir(struct job *j, int tmp, int new, struct why *why)
{
	char from[MAILDIR_NAME], to[MAILDIR_NAME];
	size_t number = j->envelope.nrcpt > 1 ? j->number : 0;
	uint64_t octets = 0, lines = 0;
	int fd, saved;

	maildir_name(from, j->id, number, j->host, 0, 0);
	fd = create_tmp(tmp, from);
	if (fd < 0)
		return why_errno(why, errno, "create maildir file");
	if (copy(j, fd, &octets, &lines) != 0)
		goto fail;
	maildir_name(to, j->id, number, j->host, octets, octets + lines);
	/* A name that is there already is this message, delivered before a
	 * crash that came before the record of it. */
	if (fsop_rename(tmp, from, new, to) != 0) {
		if (errno != EEXIST)
			goto fail;
		(void)unlinkat(tmp, from, 0);
	}
	(void)close(fd);
	if (fsync(new) != 0)
		return why_errno(why, errno, "sync maildir");
	return why_set(why, VERDICT_OK, "2.0.0", "delivered to maildir");
fail:
	saved = errno;
	(void)unlinkat(tmp, from, 0);
	(void)close(fd);
	return why_errno(why, saved, "write maildir file");
}

enum verdict
local_to_maildir(struct job *j, struct why *why)
{
	int tmp = maildir_open(AT_FDCWD, j->target, "tmp"), new;
	enum verdict verdict;

	if (tmp < 0)
		return why_errno(why, errno, "open maildir");
	new = maildir_open(AT_FDCWD, j->target, "new");
	if (new < 0)
		verdict = why_errno(why, errno, "open maildir");
	else
		verdict = into_maildir(j, tmp, new, why);
	(void)close(tmp);
	if (new >= 0)
		(void)close(new);
	return verdict;
}

/* Would the mailbox grow beyond its limit?  It is full, then, until its
 * owner has made room. */
static bool
is_full(const struct job *j, int fd)
{
	struct stat box, message;

	return j->size_limit > 0 && fstat(fd, &box) == 0 &&
	    fstat(0, &message) == 0 &&
	    (uint64_t)box.st_size + (uint64_t)message.st_size > j->size_limit;
}

/* The directory of a target, its name in there in *name.  One that may only
 * be searched (a spool directory) gives AT_FDCWD. */
static int
open_parent(char *target, const char **name)
{
	char *slash = strrchr(target, '/');
	int dir;

	*name = target;
	if (slash == NULL)
		dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	else {
		*slash = '\0';
		dir = open(slash == target ? "/" : target,
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		*slash = '/';
		if (dir >= 0)
			*name = slash + 1;
	}
	return dir >= 0 ? dir : AT_FDCWD;
}

enum verdict
local_to_mbox(struct job *j, struct why *why)
{
	const char *name;
	struct mbox m;
	int dir = open_parent(j->target, &name);

	if (mbox_open(&m, dir, name, true, why) == VERDICT_OK) {
		if (is_full(j, m.fd))
			(void)why_set(why, VERDICT_NEVER, "5.2.2",
			    "mailbox is full");
		else
			(void)mbox_append(&m, j->envelope.sender, j->head.s,
			    j->head.len, 0, (off_t)j->envelope.len, why);
		mbox_close(&m);
	}
	if (dir >= 0)
		(void)close(dir);
	return why->verdict;
}
