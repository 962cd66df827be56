/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Taking messages out of an mbox: by cutting its end off where that is all,
 * else into a new file that replaces the old one, so that a crash leaves one
 * or the other.  Only where the directory does not let us make a file is the
 * old one written over: no octet that is kept is overwritten before it stands
 * elsewhere, but dying then leaves pieces twice, and a power cut may lose some.
 */
#include "store/maildrop_mbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sys/fsop.h"

#define NEW_SUFFIX	".malle-new"

struct copy {
	int in, out;
	uint64_t to;		/* where the next octet goes */
};

static int
write_at(int fd, const char *s, size_t len, uint64_t at)
{
	ssize_t n;

	while (len > 0) {
		n = pwrite(fd, s, len, (off_t)at);
		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0) {
			s += n;
			len -= (size_t)n;
			at += (uint64_t)n;
		}
	}
	return 0;
}

static int
copy_range(struct copy *c, uint64_t from, uint64_t end)
{
	static char buf[65536];
	size_t len;

	if (c->in == c->out && c->to == from) {
		c->to += end - from;
		return 0;
	}
	while (from < end) {
		len = end - from < sizeof(buf) ? (size_t)(end - from) :
		    sizeof(buf);
		if (fsop_pread(c->in, buf, len, (off_t)from) != (ssize_t)len) {
			errno = EIO;
			return -1;
		}
		if (write_at(c->out, buf, len, c->to) != 0)
			return -1;
		from += len;
		c->to += len;
	}
	return 0;
}

/* Everything that is not deleted: what is before the first message, the
 * messages with their separators, what came since. */
static int
copy_kept(struct maildrop *m, struct copy *c, uint64_t size)
{
	const struct mbox_drop *d = m->store;
	uint64_t from = 0;
	size_t i;

	for (i = 0; i < m->count; i++) {
		if (!m->message[i].deleted)
			continue;
		if (copy_range(c, from, d->item[i].found.from) != 0)
			return -1;
		from = mbox_drop_next(m, i);
	}
	/* The last one took its separator with it. */
	if (m->message[m->count - 1].deleted)
		from = d->tail;
	return copy_range(c, from, size);
}

/* Is all that is deleted at the end?  *cut is where it begins. */
static bool
is_at_end(const struct maildrop *m, uint64_t size, uint64_t *cut)
{
	const struct mbox_drop *d = m->store;
	size_t i = m->count;

	if (size != (uint64_t)d->st.st_size)
		return false;
	while (i > 0 && m->message[i - 1].deleted)
		i--;
	if (i == m->count || m->count - i != maildrop_deleted(m))
		return false;
	*cut = d->item[i].found.from;
	return true;
}

static enum verdict
cut_end(struct mbox_drop *d, uint64_t cut, struct why *why)
{
	if (ftruncate(d->mbox.fd, (off_t)cut) != 0)
		return why_errno(why, errno, "delete from mailbox");
	if (fsync(d->mbox.fd) != 0)
		return why_errno(why, errno, "deleted messages may come back");
	return why_set(why, VERDICT_OK, "2.0.0", "removed");
}

static enum verdict
write_over(struct maildrop *m, uint64_t size, struct why *why)
{
	struct mbox_drop *d = m->store;
	struct copy c = { d->mbox.fd, d->mbox.fd, 0 };

	if (copy_kept(m, &c, size) != 0)
		return why_errno(why, errno, "delete from mailbox");
	return cut_end(d, c.to, why);
}

/* The new file, with the rights of the old one.  -1 with errno. */
static int
make_file(const struct maildrop *m, const char *name, const struct stat *st)
{
	int fd, saved;

	/* Left by a crash: the locks say that nobody is at work here. */
	(void)unlinkat(m->dir, name, 0);
	fd = openat(m->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	if (fchown(fd, (uid_t)-1, st->st_gid) == 0 &&
	    fchmod(fd, st->st_mode & 0777) == 0)
		return fd;
	saved = errno;
	(void)unlinkat(m->dir, name, 0);
	(void)close(fd);
	errno = saved;
	return -1;
}

/* The directory of the mailbox, below dir. */
static int
sync_parent(const struct maildrop *m)
{
	char parent[LIMIT_PATH];
	char *slash;

	(void)snprintf(parent, sizeof(parent), "%s", m->name);
	slash = strrchr(parent, '/');
	if (slash == NULL)
		return fsop_sync_dir(m->dir, ".");
	*slash = '\0';
	return fsop_sync_dir(m->dir, parent);
}

static enum verdict
replace(struct maildrop *m, const char *name, int fd, uint64_t size,
    struct why *why)
{
	struct mbox_drop *d = m->store;
	struct copy c = { d->mbox.fd, fd, 0 };

	if (copy_kept(m, &c, size) != 0 || fsync(fd) != 0 ||
	    renameat(m->dir, name, m->dir, m->name) != 0) {
		why_errno(why, errno, "delete from mailbox");
		(void)unlinkat(m->dir, name, 0);
		return why->verdict;
	}
	if (sync_parent(m) != 0)
		return why_errno(why, errno, "deleted messages may come back");
	return why_set(why, VERDICT_OK, "2.0.0", "removed");
}

enum verdict
mbox_drop_rewrite(struct maildrop *m, const struct stat *st, struct why *why)
{
	uint64_t size = (uint64_t)st->st_size, cut;
	char name[LIMIT_PATH + sizeof(NEW_SUFFIX)];
	enum verdict verdict;
	int fd;

	if (is_at_end(m, size, &cut))
		return cut_end(m->store, cut, why);
	(void)snprintf(name, sizeof(name), "%s" NEW_SUFFIX, m->name);
	fd = make_file(m, name, st);
	if (fd < 0)
		return errno == EACCES || errno == EPERM ?
		    write_over(m, size, why) :
		    why_errno(why, errno, "delete from mailbox");
	verdict = replace(m, name, fd, size, why);
	(void)close(fd);
	return verdict;
}
