/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A Maildir as a maildrop.  Listing it opens no message: the size with CRLF
 * stands in the name (",W="), and only names without one are read.  Messages
 * stay in new/: POP3 has no flags to keep, and a rename per message is work.
 */
#include "store/maildrop_maildir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pure/hash.h"
#include "store/maildir.h"
#include "sys/fsop.h"

/* Dies with the process; a name of ours, no message, no folder. */
#define LOCK_NAME	"malle-pop3.lock"

static const char *const sub_name[MAILDIR_NSUB] = { "new", "cur" };

/* One session at a time.  Where the lock file cannot be made (the disk is
 * full, and this session may be the one that makes room) the directory
 * itself is locked. */
static int
lock(struct maildrop *m, struct maildir_drop *s)
{
	int root = openat(m->dir, m->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int saved;

	if (root < 0)
		return -1;
	s->lock = openat(root, LOCK_NAME, O_RDWR | O_CREAT | O_NOFOLLOW |
	    O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
	saved = errno;
	if (s->lock < 0 && (saved == ENOSPC || saved == EDQUOT ||
	    saved == EROFS))
		s->lock = root;
	else
		(void)close(root);
	errno = saved;
	if (s->lock < 0)
		return -1;
	if (fsop_lock(s->lock) == 0)
		return 0;
	m->busy = errno == EWOULDBLOCK;
	return -1;
}

static enum verdict
maildir_drop_open(struct maildrop *m, struct why *why)
{
	struct maildir_drop *s = calloc(1, sizeof(*s));
	int i;

	if (s == NULL)
		return why_errno(why, errno, "open mailbox");
	m->store = s;
	s->lock = s->sub[MAILDIR_NEW] = s->sub[MAILDIR_CUR] = -1;
	for (i = 0; i < MAILDIR_NSUB; i++) {
		s->sub[i] = maildir_open(m->dir, m->name, sub_name[i]);
		if (s->sub[i] < 0)
			return why_errno(why, errno, "open mailbox");
	}
	if (lock(m, s) != 0)
		return why_errno(why, errno, "lock mailbox");
	if (maildir_drop_list(m) != 0)
		return why_errno(why, errno, "read mailbox");
	return why_set(why, VERDICT_OK, "2.0.0", "open");
}

static bool
same_base(const struct maildrop *m, size_t i, size_t k)
{
	const char *x, *y;
	size_t n;

	if (k >= m->count)	/* also the one before the first */
		return false;
	x = maildir_drop_name(m, i);
	y = maildir_drop_name(m, k);
	n = maildir_base_len(x);
	return n == maildir_base_len(y) && memcmp(x, y, n) == 0;
}

static void
maildir_drop_uidl(struct maildrop *m, size_t i, char id[static MAILDROP_UIDL])
{
	const char *name = maildir_drop_name(m, i);
	size_t n = maildir_base_len(name), k;
	struct hash h;
	uint64_t value[2];

	for (k = 0; k < n && name[k] >= '!' && name[k] <= '~'; k++)
		continue;
	if (n > 0 && k == n && n < MAILDROP_UIDL && !same_base(m, i, i - 1) &&
	    !same_base(m, i, i + 1)) {
		memcpy(id, name, n);
		id[n] = '\0';
		return;
	}
	hash_init(&h);
	hash_put(&h, name, maildir_unique_len(name));
	hash_end(&h, value);
	hash_hex(value, id);
}

static int
open_listed(const struct maildrop *m, size_t i, struct stat *st)
{
	const struct maildir_drop *s = m->store;

	return maildir_drop_open_file(s->sub[maildir_drop_sub(m, i)],
	    maildir_drop_name(m, i), st);
}

static int
maildir_drop_begin(struct maildrop *m, size_t i, struct maildrop_source *src)
{
	struct stat st;

	src->fd = open_listed(m, i, &st);
	if (src->fd < 0 && errno == ENOENT && maildir_drop_find(m, i))
		src->fd = open_listed(m, i, &st);
	if (src->fd < 0)
		return -1;
	src->offset = 0;
	src->len = (uint64_t)st.st_size;
	return 0;
}

static void
maildir_drop_end(struct maildrop *m, struct maildrop_source *src)
{
	(void)m;
	(void)close(src->fd);
}

/* 0 when the message is not there any more. */
static int
remove_message(struct maildrop *m, size_t i)
{
	struct maildir_drop *s = m->store;
	int tries, sub;

	for (tries = 0; tries < 3; tries++) {
		sub = maildir_drop_sub(m, i);
		if (unlinkat(s->sub[sub], maildir_drop_name(m, i), 0) == 0) {
			s->unsynced[sub] = true;
			return 0;
		}
		if (errno != ENOENT)
			return -1;
		if (!maildir_drop_find(m, i))
			return 0;
	}
	return -1;
}

static enum verdict
maildir_drop_update(struct maildrop *m, struct why *why)
{
	struct maildir_drop *s = m->store;
	size_t i, stayed = 0;
	int error = 0;

	for (i = 0; i < m->count; i++)
		if (m->message[i].deleted && remove_message(m, i) != 0) {
			error = errno;
			stayed++;
		}
	if (stayed > 0)
		why_set(why, VERDICT_LATER, "4.2.0", "%zu of %zu deleted "
		    "messages were not removed: %s", stayed,
		    maildrop_deleted(m), strerror(error));
	for (i = 0; i < MAILDIR_NSUB; i++)
		if (s->unsynced[i] && fsync(s->sub[i]) != 0 && stayed++ == 0)
			why_set(why, VERDICT_LATER, "4.3.0", "deleted "
			    "messages may come back: %s", strerror(errno));
	return stayed > 0 ? why->verdict :
	    why_set(why, VERDICT_OK, "2.0.0", "removed");
}

static void
maildir_drop_close(struct maildrop *m)
{
	struct maildir_drop *s = m->store;
	int i;

	if (s == NULL)
		return;
	for (i = 0; i < MAILDIR_NSUB; i++)
		if (s->sub[i] >= 0)
			(void)close(s->sub[i]);
	if (s->lock >= 0)
		(void)close(s->lock);
	free(s->names);
	free(s);
	m->store = NULL;
}

const struct maildrop_ops maildrop_maildir = {
	.open = maildir_drop_open,
	.uidl = maildir_drop_uidl,
	.begin = maildir_drop_begin,
	.end = maildir_drop_end,
	.update = maildir_drop_update,
	.close = maildir_drop_close
};
