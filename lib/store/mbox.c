/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/mbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "pure/date.h"
#include "sys/clock.h"
#include "sys/fsop.h"

static bool
lock_name(char path[static LIMIT_PATH], const char *name)
{
	int n = snprintf(path, LIMIT_PATH, "%s.lock", name);

	return n > 0 && n < LIMIT_PATH;
}

enum { SHORT_WAITS = 8, TRIES = LIMIT_LOCK_TRIES + SHORT_WAITS };

/* Before try number n is made again: 4, 8, ... 512 ms, together a second,
 * then a second each.  Most of those who hold a lock write one message. */
static void
pause_for_others(int n)
{
	struct timespec t = { .tv_sec = 1 };

	if (n < SHORT_WAITS)
		t = (struct timespec){ .tv_nsec = 4000000L << n };
	(void)nanosleep(&t, NULL);
}

/* NAME.lock left by a dead process: older than any delivery. */
static bool
is_stale(int dir, const char *path)
{
	struct stat st;

	return fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode) &&
	    clock_now_us() / 1000000 - st.st_mtime > LIMIT_LOCK_STALE;
}

/* Makes NAME.lock.  A directory that does not let us (EACCES, EROFS) has no
 * other program's dot-locks either: the fcntl lock must do, as in Postfix. */
static enum verdict
dot_lock(struct mbox *m, struct why *why)
{
	char path[LIMIT_PATH];
	int tries, fd;

	m->dotlock = false;
	if (!lock_name(path, m->name))
		return why_errno(why, ENAMETOOLONG, "lock mailbox");
	for (tries = 0; tries < TRIES; tries++) {
		fd = openat(m->dir, path, O_WRONLY | O_CREAT | O_EXCL |
		    O_CLOEXEC | O_NOFOLLOW, 0444);
		if (fd >= 0) {
			m->dotlock = true;
			(void)close(fd);
			return VERDICT_OK;
		}
		if (errno == EACCES || errno == EROFS || errno == EPERM)
			return VERDICT_OK;
		if (errno != EEXIST)
			return why_errno(why, errno, "lock mailbox");
		if (is_stale(m->dir, path))
			(void)unlinkat(m->dir, path, 0);
		else
			pause_for_others(tries);
	}
	return why_set(why, VERDICT_LATER, "4.2.0",
	    "cannot lock mailbox: %.200s exists", path);
}

/* The fcntl lock, of the open file kind: it belongs to this descriptor and
 * excludes the classic one of other programs. */
static enum verdict
file_lock(struct mbox *m, struct why *why)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int tries;

	for (tries = 0; tries < TRIES; tries++) {
		if (fcntl(m->fd, F_OFD_SETLK, &lock) == 0)
			return VERDICT_OK;
		if (errno != EAGAIN && errno != EACCES)
			return why_errno(why, errno, "lock mailbox");
		pause_for_others(tries);
	}
	return why_set(why, VERDICT_LATER, "4.2.0",
	    "cannot lock mailbox: another program holds it");
}

enum verdict
mbox_lock(struct mbox *m, struct why *why)
{
	if (dot_lock(m, why) != VERDICT_OK)
		return why->verdict;
	if (file_lock(m, why) == VERDICT_OK)
		return VERDICT_OK;
	mbox_unlock(m);
	return why->verdict;
}

void
mbox_unlock(struct mbox *m)
{
	struct flock lock = { .l_type = F_UNLCK, .l_whence = SEEK_SET };
	char path[LIMIT_PATH];

	(void)fcntl(m->fd, F_OFD_SETLK, &lock);
	if (m->dotlock && lock_name(path, m->name))
		(void)unlinkat(m->dir, path, 0);
	m->dotlock = false;
}

/* The file, which may appear and be replaced (POP3 at QUIT) meanwhile. */
static int
open_file(struct mbox *m, bool create, struct stat *st)
{
	int fd = fsop_open(m->dir, m->name, O_RDWR, st);

	if (fd >= 0 || errno != ENOENT || !create)
		return fd;
	fd = openat(m->dir, m->name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EEXIST ?
		    fsop_open(m->dir, m->name, O_RDWR, st) : -1;
	if (fstat(fd, st) == 0 && fsop_sync_dir(m->dir, ".") == 0)
		return fd;
	(void)close(fd);
	return -1;
}

enum verdict
mbox_open(struct mbox *m, int dir, const char *name, bool create,
    struct why *why)
{
	struct stat st;
	int tries;

	*m = (struct mbox){ .dir = dir, .name = name, .fd = -1 };
	for (tries = 0; tries < LIMIT_LOCK_TRIES; tries++) {
		m->fd = open_file(m, create, &st);
		if (m->fd < 0 && errno == EMLINK)
			return why_set(why, VERDICT_LATER, "4.2.0",
			    "open mailbox: %s", fsop_strerror(errno));
		if (m->fd < 0)
			return why_errno(why, errno, "open mailbox");
		if (st.st_uid != geteuid()) {
			mbox_close(m);
			return why_set(why, VERDICT_LATER, "4.2.0",
			    "mailbox is not owned by its user");
		}
		if (mbox_lock(m, why) != VERDICT_OK) {
			mbox_close(m);
			return why->verdict;
		}
		if (fsop_is_same(dir, name, &st, NULL))
			return VERDICT_OK;
		mbox_close(m);
	}
	return why_set(why, VERDICT_LATER, "4.2.0",
	    "mailbox is being replaced again and again");
}

void
mbox_close(struct mbox *m)
{
	if (m->fd < 0)
		return;
	mbox_unlock(m);
	(void)close(m->fd);
	m->fd = -1;
}

/* ---- appending ---- */

struct writer {
	int fd;
	bool bol;		/* at the beginning of a line */
	bool failed;
	size_t len;
	char buf[LIMIT_WRITE];
};

static void
flush(struct writer *w)
{
	if (!w->failed && fsop_write(w->fd, w->buf, w->len) != 0)
		w->failed = true;
	w->len = 0;
}

static void
put(struct writer *w, const char *s, size_t len)
{
	while (len > 0 && !w->failed) {
		size_t n = sizeof(w->buf) - w->len;

		if (n > len)
			n = len;
		memcpy(w->buf + w->len, s, n);
		w->len += n;
		s += n;
		len -= n;
		if (w->len == sizeof(w->buf))
			flush(w);
	}
}

/* Octets of s that complete lines, quoting "From " at their start; a start
 * of a line that is too short to tell is left for the next call unless this
 * is the last one.  Returns the octets used. */
static size_t
put_quoted(struct writer *w, const char *s, size_t len, bool last)
{
	size_t i = 0, n;
	const char *nl;

	while (i < len) {
		if (w->bol && len - i < 5 && !last &&
		    memchr(s + i, '\n', len - i) == NULL)
			break;
		if (w->bol && len - i >= 5 && memcmp(s + i, "From ", 5) == 0)
			put(w, ">", 1);
		nl = memchr(s + i, '\n', len - i);
		n = nl != NULL ? (size_t)(nl - s) + 1 - i : len - i;
		put(w, s + i, n);
		w->bol = nl != NULL;
		i += n;
	}
	return i;
}

/* The message from offset on.  0, or -1 with errno. */
static int
copy_quoted(struct writer *w, int fd, off_t offset)
{
	static char buf[LIMIT_READ];
	size_t kept = 0, used;
	ssize_t n;

	do {
		n = fsop_pread(fd, buf + kept, sizeof(buf) - kept, offset);
		if (n < 0)
			return -1;
		offset += n;
		used = put_quoted(w, buf, kept + (size_t)n, n == 0);
		kept = kept + (size_t)n - used;
		memmove(buf, buf + used, kept);
	} while (n > 0 && !w->failed);
	return w->failed ? -1 : 0;
}

static void
put_from_line(struct writer *w, const char *sender)
{
	char line[LIMIT_ADDRESS + DATE_SIZE + 16], when[DATE_SIZE];
	struct tm t;
	char *p;

	clock_local((time_t)(clock_now_us() / 1000000), &t);
	date_asctime(when, &t);
	(void)snprintf(line, sizeof(line), "From %s  %s\n",
	    sender[0] != '\0' ? sender : "MAILER-DAEMON", when);
	/* A quoted local part may hold blanks; readers split at them. */
	for (p = line + 5; sender[0] != '\0' && p < line + 5 + strlen(sender);
	    p++)
		if (*p == ' ')
			*p = '_';
	put(w, line, strlen(line));
}

/* What the last writer left half is ended, so that our From_ line begins a
 * line and has an empty one before it. */
static void
put_separator(struct writer *w, off_t size)
{
	char end[2] = { '\n', '\n' };

	if (size == 0 || fsop_pread(w->fd, end, 2, size > 1 ? size - 2 : 0) < 1)
		return;
	if (size == 1)
		end[1] = end[0];
	if (end[1] != '\n')
		put(w, "\n\n", 2);
	else if (end[0] != '\n')
		put(w, "\n", 1);
}

enum verdict
mbox_append(struct mbox *m, const char *sender, const char *head,
    size_t head_len, int fd_message, off_t offset, struct why *why)
{
	static struct writer w;
	off_t size = lseek(m->fd, 0, SEEK_END);
	int saved;

	if (size < 0)
		return why_errno(why, errno, "write mailbox");
	w = (struct writer){ .fd = m->fd, .bol = true };
	put_separator(&w, size);
	put_from_line(&w, sender);
	(void)put_quoted(&w, head, head_len, true);
	if (copy_quoted(&w, fd_message, offset) != 0)
		w.failed = true;
	put(&w, "\n\n", w.bol ? 1 : 2);
	flush(&w);
	if (!w.failed && fsync(m->fd) == 0)
		return why_set(why, VERDICT_OK, "2.0.0",
		    "delivered to mailbox");
	saved = errno;
	/* A failed fsync is final for these octets; the ones before them
	 * were synced by their own writers. */
	if (ftruncate(m->fd, size) != 0 || fsync(m->fd) != 0)
		return why_errno(why, saved,
		    "write mailbox (and it could not be cut back)");
	return why_errno(why, saved, "write mailbox");
}
