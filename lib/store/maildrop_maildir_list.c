/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/maildrop_maildir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pure/num.h"
#include "pure/stuff.h"
#include "store/maildir.h"
#include "sys/fsop.h"

static char *
entry(const struct maildir_drop *s, const struct maildrop_message *m)
{
	return s->names + m->at;
}

const char *
maildir_drop_name(const struct maildrop *m, size_t i)
{
	return entry(m->store, &m->message[i]) + 1;
}

int
maildir_drop_sub(const struct maildrop *m, size_t i)
{
	return entry(m->store, &m->message[i])[0] - '0';
}

size_t
maildir_unique_len(const char *name)
{
	return strcspn(name, ":");
}

size_t
maildir_base_len(const char *name)
{
	return strcspn(name, ",:");
}

static bool
put_entry(struct maildir_drop *s, int sub, const char *name, uint64_t *at)
{
	size_t n = strlen(name) + 1, cap = s->cap > 0 ? s->cap : 4096;
	char *more;

	while (cap < s->len + n + 1)
		cap *= 2;
	if (cap != s->cap) {
		more = realloc(s->names, cap);
		if (more == NULL)
			return false;
		s->names = more;
		s->cap = cap;
	}
	*at = s->len;
	s->names[s->len] = (char)('0' + sub);
	memcpy(s->names + s->len + 1, name, n);
	s->len += n + 1;
	return true;
}

/* ",W=" among the parts of the name before the flags. */
static bool
size_in_name(const char *name, uint64_t *size)
{
	const char *end = name + maildir_unique_len(name), *p = name;

	while ((p = memchr(p, ',', (size_t)(end - p))) != NULL) {
		p++;
		if (end - p > 2 && memcmp(p, "W=", 2) == 0)
			return num_parse(p + 2, strcspn(p + 2, ",:"),
			    INT64_MAX, size);
	}
	return false;
}

int
maildir_drop_open_file(int dir, const char *name, struct stat *st)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (fstat(fd, st) == 0) {
		if (S_ISREG(st->st_mode) && st->st_uid == geteuid())
			return fd;
		errno = EPERM;
	}
	(void)close(fd);
	return -1;
}

/* Reads the file for its size.  False: it is gone, or no message. */
static bool
count_size(int dir, const char *name, uint64_t *size)
{
	static char buf[16384];
	struct stuff stuff;
	struct stat st;
	off_t offset = 0;
	ssize_t n;
	int fd = maildir_drop_open_file(dir, name, &st);

	if (fd < 0)
		return false;
	stuff_init(&stuff);
	*size = 0;
	while ((n = fsop_pread(fd, buf, sizeof(buf), offset)) > 0) {
		*size += stuff_count(&stuff, buf, (size_t)n);
		offset += n;
	}
	*size += stuff_count_end(&stuff);
	(void)close(fd);
	return n == 0;
}

static bool
is_regular(int dir, const struct dirent *d)
{
	struct stat st;

	if (d->d_type != DT_UNKNOWN)
		return d->d_type == DT_REG;
	return fstatat(dir, d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode);
}

static DIR *
open_dir(int fd)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy >= 0 ? fdopendir(copy) : NULL;

	if (d == NULL && copy >= 0)
		(void)close(copy);
	return d;
}

static int
add(struct maildrop *m, int sub, const struct dirent *d)
{
	struct maildir_drop *s = m->store;
	struct maildrop_message *msg;
	uint64_t size;

	if (d->d_name[0] == '.' || !is_regular(s->sub[sub], d))
		return 0;
	if (!size_in_name(d->d_name, &size) &&
	    !count_size(s->sub[sub], d->d_name, &size))
		return 0;
	msg = maildrop_add(m);
	if (msg == NULL)
		return -1;
	msg->size = size;
	return put_entry(s, sub, d->d_name, &msg->at) ? 0 : -1;
}

static int
list(struct maildrop *m, int sub)
{
	struct maildir_drop *s = m->store;
	DIR *dir = open_dir(s->sub[sub]);
	struct dirent *d;
	int result = 0, saved;

	if (dir == NULL)
		return -1;
	while (result == 0 && (errno = 0, d = readdir(dir)) != NULL)
		result = add(m, sub, d);
	if (errno != 0)
		result = -1;
	saved = errno;
	(void)closedir(dir);
	errno = saved;
	return result;
}

/* By the seconds that a name begins with, then by name, flags last: the
 * order is the same in every session. */
static int
compare(const void *a, const void *b, void *ctx)
{
	const char *x = entry(ctx, a) + 1, *y = entry(ctx, b) + 1;
	size_t n = strspn(x, "0123456789"), k = strspn(y, "0123456789");
	int c;

	if (n != k)
		return n < k ? -1 : 1;
	n = maildir_base_len(x);
	k = maildir_base_len(y);
	c = memcmp(x, y, n < k ? n : k);
	if (c != 0)
		return c;
	if (n != k)
		return n < k ? -1 : 1;
	c = strcmp(x, y);
	return c != 0 ? c : x[-1] - y[-1];
}

static bool
same_unique(const char *x, const char *y)
{
	size_t n = maildir_unique_len(x);

	return n == maildir_unique_len(y) && memcmp(x, y, n) == 0;
}

/* A message that another program moved to cur/ between our two looks is
 * there twice: the later name counts. */
static void
drop_doubles(struct maildrop *m)
{
	size_t i, n = 0;

	for (i = 0; i < m->count; i++) {
		if (n > 0 && same_unique(maildir_drop_name(m, n - 1),
		    maildir_drop_name(m, i)))
			n--;
		m->message[n++] = m->message[i];
	}
	m->count = n;
}

int
maildir_drop_list(struct maildrop *m)
{
	/* new/ first: what moves, moves to cur/, and is not missed. */
	if (list(m, MAILDIR_NEW) != 0 || list(m, MAILDIR_CUR) != 0)
		return -1;
	if (m->count > 0)
		qsort_r(m->message, m->count, sizeof(*m->message), compare,
		    m->store);
	drop_doubles(m);
	return 0;
}

bool
maildir_drop_find(struct maildrop *m, size_t i)
{
	struct maildir_drop *s = m->store;
	char name[MAILDIR_NAME];
	struct dirent *d = NULL;
	DIR *dir;

	(void)snprintf(name, sizeof(name), "%s", maildir_drop_name(m, i));
	dir = open_dir(s->sub[MAILDIR_CUR]);
	if (dir == NULL)
		return false;
	while ((d = readdir(dir)) != NULL)
		if (same_unique(d->d_name, name))
			break;
	if (d != NULL && !put_entry(s, MAILDIR_CUR, d->d_name,
	    &m->message[i].at))
		d = NULL;
	(void)closedir(dir);
	return d != NULL;
}
