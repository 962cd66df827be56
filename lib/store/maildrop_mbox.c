/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An mbox as a maildrop.  Opening it is one pass over the file under the
 * locks of mbox.h; then they are let go, so that mail is delivered during
 * the session, and only a flock(2), which deliveries do not use, keeps other
 * sessions out.  What was seen then is looked at again before it is sent or
 * removed when the file is no longer as it was.
 */
#include "store/maildrop_mbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pure/mboxscan.h"
#include "store/mbox.h"
#include "sys/fsop.h"

static char buf[65536];

static int
read_range(struct mboxscan *scan, int fd, uint64_t from, uint64_t to)
{
	ssize_t n;
	size_t len;

	while (from < to && !scan->bad && !scan->stopped) {
		len = to - from < sizeof(buf) ? (size_t)(to - from) :
		    sizeof(buf);
		n = fsop_pread(fd, buf, len, (off_t)from);
		if (n < 0)
			return -1;
		if ((size_t)n < len) {
			errno = EIO;	/* shorter than it was */
			return -1;
		}
		mboxscan_feed(scan, buf, len);
		from += len;
	}
	mboxscan_end(scan);
	return 0;
}

/* ---- opening ---- */

static bool
add(void *ctx, const struct mboxscan_message *found)
{
	struct maildrop *m = ctx;
	struct mbox_drop *d = m->store;
	struct maildrop_message *msg;
	struct mbox_item *more;

	if (found->internal)
		return true;
	if (m->count == d->cap) {
		d->cap = d->cap > 0 ? d->cap * 2 : 64;
		more = reallocarray(d->item, d->cap, sizeof(*more));
		if (more == NULL)
			return false;
		d->item = more;
	}
	msg = maildrop_add(m);
	if (msg == NULL)
		return false;
	msg->size = found->size;
	d->item[m->count - 1] = (struct mbox_item){ .found = *found };
	return true;
}

static int
compare(const void *a, const void *b, void *ctx)
{
	const size_t x = *(const size_t *)a, y = *(const size_t *)b;
	const struct mbox_drop *d = ctx;
	int c = memcmp(d->item[x].found.hash, d->item[y].found.hash,
	    sizeof(d->item[x].found.hash));

	return c != 0 ? c : x < y ? -1 : x > y;
}

/* Messages with the same hash (a copy of a copy) are told apart by their
 * order. */
static int
number_twins(struct mbox_drop *d, size_t count)
{
	size_t *order = calloc(count + 1, sizeof(*order)), i;
	struct mbox_item *x, *y;

	if (order == NULL)
		return -1;
	for (i = 0; i < count; i++)
		order[i] = i;
	qsort_r(order, count, sizeof(*order), compare, d);
	for (i = 1; i < count; i++) {
		x = &d->item[order[i - 1]];
		y = &d->item[order[i]];
		if (memcmp(x->found.hash, y->found.hash,
		    sizeof(x->found.hash)) == 0)
			y->twin = x->twin + 1;
	}
	free(order);
	return 0;
}

static enum verdict
scan_all(struct maildrop *m, struct why *why)
{
	static struct mboxscan scan;
	struct mbox_drop *d = m->store;

	if (fstat(d->mbox.fd, &d->st) != 0)
		return why_errno(why, errno, "read mailbox");
	mboxscan_init(&scan, 0, add, m);
	if (read_range(&scan, d->mbox.fd, 0, (uint64_t)d->st.st_size) != 0)
		return why_errno(why, errno, "read mailbox");
	if (scan.bad)
		return why_set(why, VERDICT_NEVER, "5.2.0", "mailbox is not "
		    "an mbox: it does not begin with a From line");
	if (scan.stopped || number_twins(d, m->count) != 0)
		return why_errno(why, ENOMEM, "read mailbox");
	return why_set(why, VERDICT_OK, "2.0.0", "open");
}

static enum verdict
mbox_drop_open(struct maildrop *m, struct why *why)
{
	struct mbox_drop *d = calloc(1, sizeof(*d));
	struct stat st;

	if (d == NULL)
		return why_errno(why, errno, "open mailbox");
	m->store = d;
	d->mbox.fd = -1;
	if (fstatat(m->dir, m->name, &st, AT_SYMLINK_NOFOLLOW) != 0 &&
	    errno == ENOENT)
		return why_set(why, VERDICT_OK, "2.0.0", "no mail yet");
	if (mbox_open(&d->mbox, m->dir, m->name, false, why) != VERDICT_OK)
		return why->verdict;
	if (fsop_lock(d->mbox.fd) != 0) {
		m->busy = errno == EWOULDBLOCK;
		return why_errno(why, errno, "lock mailbox");
	}
	if (scan_all(m, why) != VERDICT_OK)
		return why->verdict;
	mbox_unlock(&d->mbox);
	return VERDICT_OK;
}

static void
mbox_drop_close(struct maildrop *m)
{
	struct mbox_drop *d = m->store;

	if (d == NULL)
		return;
	mbox_close(&d->mbox);
	free(d->item);
	free(d);
	m->store = NULL;
}

/* ---- looking again ---- */

struct recheck {
	const struct mbox_drop *d;
	size_t next, end;	/* the messages that must come now */
};

static bool
same_again(void *ctx, const struct mboxscan_message *found)
{
	struct recheck *r = ctx;
	const struct mboxscan_message *was;

	if (found->internal)
		return true;
	if (r->next == r->end)
		return false;
	was = &r->d->item[r->next].found;
	if (was->from != found->from || was->start != found->start ||
	    was->end != found->end || was->size != found->size ||
	    memcmp(was->hash, found->hash, sizeof(was->hash)) != 0)
		return false;
	r->next++;
	return true;
}

uint64_t
mbox_drop_next(const struct maildrop *m, size_t i)
{
	const struct mbox_drop *d = m->store;

	return i + 1 < m->count ? d->item[i + 1].found.from :
	    (uint64_t)d->st.st_size;
}

/* Are the messages [i..end) still what and where they were? */
static bool
is_unchanged(struct maildrop *m, size_t i, size_t end)
{
	static struct mboxscan scan;
	struct mbox_drop *d = m->store;
	struct recheck r = { d, i, end };
	struct stat st;
	uint64_t from = i > 0 ? d->item[i].found.from : 0;

	if (fstat(d->mbox.fd, &st) != 0)
		return false;
	if (st.st_size == d->st.st_size &&
	    st.st_mtim.tv_sec == d->st.st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec == d->st.st_mtim.tv_nsec)
		return true;
	mboxscan_init(&scan, from, same_again, &r);
	return read_range(&scan, d->mbox.fd, from,
	    mbox_drop_next(m, end - 1)) == 0 && !scan.bad && !scan.stopped &&
	    r.next == end;
}

/* ---- the session ---- */

static void
mbox_drop_uidl(struct maildrop *m, size_t i, char id[static MAILDROP_UIDL])
{
	const struct mbox_drop *d = m->store;
	size_t n = HASH_HEX - 1;

	hash_hex(d->item[i].found.hash, id);
	if (d->item[i].twin > 0)
		(void)snprintf(id + n, MAILDROP_UIDL - n, ".%zu",
		    d->item[i].twin);
}

static int
mbox_drop_begin(struct maildrop *m, size_t i, struct maildrop_source *src)
{
	const struct mbox_drop *d = m->store;

	if (!is_unchanged(m, i, i + 1)) {
		errno = ESTALE;
		return -1;
	}
	src->fd = d->mbox.fd;
	src->offset = d->item[i].found.start;
	src->len = d->item[i].found.end - src->offset;
	return 0;
}

static void
mbox_drop_end(struct maildrop *m, struct maildrop_source *src)
{
	(void)m;
	src->fd = -1;
}

/* Under the lock.  Mail may have been appended; anything else means that
 * another program has rewritten the file, and we do not know it any more. */
static bool
is_ours(struct maildrop *m, uint64_t size)
{
	struct mbox_drop *d = m->store;
	char tail[8];
	ssize_t n;
	size_t i;

	if (!fsop_is_same(m->dir, m->name, &d->st, NULL) ||
	    size < (uint64_t)d->st.st_size || !is_unchanged(m, 0, m->count))
		return false;
	d->tail = (uint64_t)d->st.st_size;
	if (size == d->tail)
		return true;
	n = fsop_pread(d->mbox.fd, tail, sizeof(tail), d->st.st_size);
	for (i = 0; i < 2 && (ssize_t)i < n && tail[i] == '\n'; i++)
		d->tail++;
	return n - (ssize_t)i >= 5 && memcmp(tail + i, "From ", 5) == 0;
}

static enum verdict
mbox_drop_update(struct maildrop *m, struct why *why)
{
	struct mbox_drop *d = m->store;
	struct stat st;

	if (mbox_lock(&d->mbox, why) != VERDICT_OK)
		return why->verdict;
	if (fstat(d->mbox.fd, &st) != 0)
		why_errno(why, errno, "read mailbox");
	else if (!is_ours(m, (uint64_t)st.st_size))
		why_set(why, VERDICT_LATER, "4.2.0", "another program has "
		    "changed the mailbox; nothing was deleted");
	else
		mbox_drop_rewrite(m, &st, why);
	mbox_unlock(&d->mbox);
	return why->verdict;
}

const struct maildrop_ops maildrop_mbox = {
	.open = mbox_drop_open,
	.uidl = mbox_drop_uidl,
	.begin = mbox_drop_begin,
	.end = mbox_drop_end,
	.update = mbox_drop_update,
	.close = mbox_drop_close
};
