/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sys/fsop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

int
fsop_write(int fd, const void *buf, size_t len)
{
	const char *p = buf;
	ssize_t n;

	while (len > 0) {
		n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			if (n == 0)
				errno = ENOSPC;
			return -1;
		}
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

ssize_t
fsop_pread(int fd, void *buf, size_t len, off_t offset)
{
	char *p = buf;
	size_t got = 0;
	ssize_t n;

	while (got < len) {
		n = pread(fd, p + got, len - got, offset + (off_t)got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

int
fsop_open(int dir, const char *name, int flags, struct stat *st)
{
	int fd = openat(dir, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC |
	    O_NOCTTY);

	if (fd < 0)
		return -1;
	if (fstat(fd, st) == 0) {
		if (S_ISREG(st->st_mode) && st->st_nlink == 1)
			return fd;
		/* No name at all: removed since the open. */
		errno = st->st_nlink == 0 ? ENOENT : EMLINK;
	}
	(void)close(fd);
	return -1;
}

const char *
fsop_strerror(int error)
{
	return error == EMLINK ? "not a regular file with one name" :
	    strerror(error);
}

int
fsop_rename(int from_dir, const char *from, int to_dir, const char *to)
{
	struct stat before, after;
	int error;

	if (renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE) == 0)
		return 0;
	error = errno;
	if (error == EINVAL || error == ENOSYS) {
		/* A file system without NOREPLACE. */
		if (fstatat(to_dir, to, &after, AT_SYMLINK_NOFOLLOW) == 0) {
			errno = EEXIST;
			return -1;
		}
		return renameat(from_dir, from, to_dir, to);
	}
	if (error == ENOENT &&
	    fstatat(from_dir, from, &before, AT_SYMLINK_NOFOLLOW) != 0 &&
	    fstatat(to_dir, to, &after, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	errno = error;
	return -1;
}

int
fsop_sync_dir(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result, saved;

	if (fd < 0)
		return -1;
	result = fsync(fd);
	saved = errno;
	(void)close(fd);
	errno = saved;
	return result;
}

int
fsop_lock(int fd)
{
	return flock(fd, LOCK_EX | LOCK_NB);
}

bool
fsop_is_same(int dir, const char *name, const struct stat *st,
    struct stat *now)
{
	struct stat unused;

	if (now == NULL)
		now = &unused;
	return fstatat(dir, name, now, AT_SYMLINK_NOFOLLOW) == 0 &&
	    now->st_ino == st->st_ino && now->st_dev == st->st_dev;
}

void
fsop_std_fds(void)
{
	struct stat in, err;
	int fd, i;

	for (i = 0; i <= 2; i++)
		if (fcntl(i, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
			_exit(71);
	if (fstat(0, &in) != 0 || fstat(2, &err) != 0 ||
	    !S_ISSOCK(err.st_mode))
		return;
	/* xinetd makes the client's socket 0, 1 and 2: what a library
	 * writes to standard error would go to the client. */
	if (in.st_ino != err.st_ino)
		return;
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (fd < 0 || dup2(fd, 2) < 0)
		_exit(71);
	(void)close(fd);
}
