/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/mapbuild.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "store/mapread.h"
#include "sys/clock.h"
#include "sys/fsop.h"

static int
fail(struct why *why, const char *what, const char *path)
{
	(void)why_set(why, VERDICT_LATER, "4.3.0", "%s %s: %s", what, path,
	    strerror(errno));
	return -1;
}

/* name.gdbm, or where a link of that name leads to. */
static char *
find_path(const char *name)
{
	char *path, *real;

	if (asprintf(&path, "%s.gdbm", name) < 0)
		return NULL;
	real = realpath(path, NULL);
	if (real == NULL)
		return path;
	free(path);
	return real;
}

static int
open_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir;
	int fd;

	if (slash == NULL)
		dir = strdup(".");
	else
		dir = strndup(path, slash == path ? 1 :
		    (size_t)(slash - path));
	if (dir == NULL)
		return -1;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	return fd;
}

/* What an interrupted builder left is written over. */
static int
open_locked(const char *path)
{
	struct stat st;
	int fd;

	for (;;) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW |
		    O_NONBLOCK, 0600);
		if (fd < 0)
			return -1;
		if (flock(fd, LOCK_EX) != 0 || fstat(fd, &st) != 0)
			break;
		if (!S_ISREG(st.st_mode) || st.st_nlink > 1 ||
		    st.st_uid != geteuid()) {
			/* Renamed while we waited, or not of ours. */
			if (fsop_is_same(AT_FDCWD, path, &st, NULL)) {
				errno = EEXIST;
				break;
			}
		} else if (fsop_is_same(AT_FDCWD, path, &st, NULL)) {
			if (ftruncate(fd, 0) == 0)
				return fd;
			break;
		}
		(void)close(fd);
	}
	(void)close(fd);
	return -1;
}

int
mapbuild_begin(struct mapbuild *b, const char *name, struct why *why)
{
	*b = (struct mapbuild){ .dir = -1, .fd = -1, .records.fd = -1,
	    .pages.fd = -1 };
	b->path = find_path(name);
	if (b->path == NULL || asprintf(&b->temp, "%s.tmp", b->path) < 0) {
		b->temp = NULL;
		return fail(why, "open", name);
	}
	b->dir = open_directory(b->path);
	b->fd = b->dir >= 0 ? open_locked(b->temp) : -1;
	if (b->fd < 0)
		return fail(why, "open", b->temp);
	if (mapsort_init(&b->records, b->dir) != 0 ||
	    mapsort_init(&b->pages, b->dir) != 0)
		return fail(why, "make", b->path);
	b->head.stamp = (uint64_t)clock_now_us();
	return 0;
}

void
mapbuild_end(struct mapbuild *b)
{
	/* The lock is ours for as long as it is open. */
	if (b->fd >= 0) {
		(void)unlink(b->temp);
		(void)close(b->fd);
	}
	if (b->dir >= 0)
		(void)close(b->dir);
	mapsort_free(&b->records);
	mapsort_free(&b->pages);
	free(b->path);
	free(b->temp);
}

int
mapbuild_add(struct mapbuild *b, const char *key, const char *value,
    unsigned line, bool keep_case)
{
	struct mapsort_record r = { .line = line };
	char folded[LIMIT_MAP_KEY + 1];
	size_t len = strlen(key), value_len = strlen(value), i;

	if (len == 0 || len > LIMIT_MAP_KEY || maprecord_reserved(key, len) ||
	    value_len > LIMIT_STR / 2) {
		errno = EINVAL;
		return -1;
	}
	for (i = 0; i < len; i++)
		folded[i] = !keep_case && key[i] >= 'A' && key[i] <= 'Z' ?
		    (char)(key[i] | 0x20) : key[i];
	r.key = folded;
	r.key_len = (uint32_t)len;
	r.value = value;
	r.len = (uint32_t)value_len;
	r.hash = maprecord_hash(folded, len);
	b->all++;
	return mapsort_put(&b->records, &r);
}

struct old {
	struct mapbuild *b;
	bool (*skip)(void *, const char *, size_t);
	void *ctx;
	bool failed;
};

static bool
add_old(void *ctx, const char *key, size_t key_len, const char *value,
    size_t len)
{
	struct old *o = ctx;
	struct mapsort_record r = { .hash = maprecord_hash(key, key_len),
	    .key_len = (uint32_t)key_len, .len = (uint32_t)len, .key = key,
	    .value = value };

	if (o->skip != NULL && o->skip(o->ctx, key, key_len))
		return true;
	o->b->all++;
	o->failed = mapsort_put(&o->b->records, &r) != 0;
	return !o->failed;
}

int
mapbuild_add_old(struct mapbuild *b, bool (*skip)(void *, const char *,
    size_t), void *ctx, struct why *why)
{
	struct old o = { .b = b, .skip = skip, .ctx = ctx };
	int rc;

	if (access(b->path, F_OK) != 0 && errno == ENOENT)
		return 0;
	rc = mapbuild_each(b->path, add_old, &o, why);
	if (rc == 0 && o.failed)
		return fail(why, "write", b->temp);
	return rc;
}

/* As long as the source is what it was, the map is not older; and when the
 * source changed while we read it, it is. */
static void
set_time(const struct mapbuild *b, const char *name, const struct stat *then)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT } };
	struct stat now, map;

	times[1] = then->st_mtim;
	if (stat(name, &now) != 0 || fstat(b->fd, &map) != 0)
		return;
	if (memcmp(&now.st_mtim, &then->st_mtim, sizeof(now.st_mtim)) != 0 ||
	    now.st_ino != then->st_ino ||
	    then->st_mtim.tv_sec >= map.st_mtim.tv_sec)
		(void)futimens(b->fd, times);
}

static int
set_owner(const struct mapbuild *b, mode_t mode)
{
	struct stat old;

	if (stat(b->path, &old) == 0) {
		mode = old.st_mode;
		if (fchown(b->fd, old.st_uid, old.st_gid) != 0 &&
		    errno != EPERM)
			return -1;
	}
	/* Readers refuse a map that everybody may write to. */
	return fchmod(b->fd, mode & 0775);
}

int
mapbuild_commit(struct mapbuild *b, mode_t mode, const char *source_name,
    const struct stat *source, struct why *why)
{
	int rc;

	if (mapbuild_write(b) != 0 || set_owner(b, mode) != 0)
		return fail(why, "write", b->temp);
	if (source != NULL)
		set_time(b, source_name, source);
	if (fsync(b->fd) != 0)
		return fail(why, "write", b->temp);
	if (rename(b->temp, b->path) != 0)
		return fail(why, "rename to", b->path);
	(void)close(b->fd);
	b->fd = -1;
	rc = fsync(b->dir);
	return rc != 0 ? fail(why, "sync the directory of", b->path) : 0;
}

int
mapbuild_each(const char *path, bool (*each)(void *, const char *, size_t,
    const char *, size_t), void *ctx, struct why *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct mapread r;
	bool good;

	if (fd < 0)
		return fail(why, "open", path);
	good = mapread_open(&r, fd) && mapread_each(&r, each, ctx) !=
	    MAP_LATER;
	mapread_close(&r);
	(void)close(fd);
	if (!good)
		(void)why_set(why, VERDICT_LATER, "4.3.0", "%s is damaged, or "
		    "was not made by postmap or postalias of malle; make it "
		    "again", path);
	return good ? 0 : -1;
}
