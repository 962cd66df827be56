/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * state/ID: what became of each recipient so far, a line each time:
 *
 *	TIME NUMBER STATUSWORD DSN text
 *	TIME NUMBER/TAG STATUSWORD DSN text
 *
 * The second form is for one of the targets that a recipient stands for
 * (aliases, .forward); TAG is a hash of the target, so that it is known
 * again when the alias was edited meanwhile.  NUMBER 0 is the message, and
 * its target something that was done with it.
 */
#include "store/queue.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pure/hash.h"
#include "pure/num.h"
#include "sys/clock.h"
#include "sys/fsop.h"

enum { TAG = 20 };

/* "/" and 16 digits, or "" for no target. */
static void
make_tag(char tag[static TAG], const char *target)
{
	uint64_t value[2];
	struct hash h;

	tag[0] = '\0';
	if (target == NULL)
		return;
	hash_init(&h);
	hash_put(&h, target, strlen(target));
	hash_end(&h, value);
	(void)snprintf(tag, TAG, "/%016" PRIx64, value[0]);
}

void
queue_forget(struct queue_message *m)
{
	(void)queue_unlink(m->queue, "state", m->id);
}

/* The record for appending, in the directory dir; *made: it is new. */
static int
open_state(struct queue_message *m, int dir, bool *made)
{
	struct queue *q = m->queue;
	struct stat st;
	int fd = fsop_open(dir, m->id, O_RDWR | O_APPEND, &st);

	*made = false;
	if (fd >= 0 || errno != ENOENT)
		return fd;
	*made = true;
	fd = openat(dir, m->id, O_RDWR | O_APPEND | O_CREAT | O_EXCL |
	    O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || geteuid() != 0 || fchown(fd, q->owner, q->group) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

/* A crash may have left half a line, which must not swallow ours. */
static bool
ends_within_line(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char c = '\n';

	return size > 0 && fsop_pread(fd, &c, 1, size - 1) == 1 && c != '\n';
}

static int
append(struct queue_message *m, int dir, const char *line, size_t len,
    bool final)
{
	int fd, result = -1, saved;
	bool made;

	fd = open_state(m, dir, &made);
	if (fd < 0)
		return -1;
	if ((!ends_within_line(fd) || fsop_write(fd, "\n", 1) == 0) &&
	    fsop_write(fd, line, len) == 0 && (!final ||
	    (fdatasync(fd) == 0 && (!made || fsync(dir) == 0))))
		result = 0;
	saved = errno;
	(void)close(fd);
	errno = saved;
	return result;
}

int
queue_record(struct queue_message *m, size_t number, const char *target,
    const struct why *why)
{
	char line[LIMIT_REASON + 160], tag[TAG];
	int dir, n, result = -1, saved;

	dir = queue_place(m->queue, "state");
	if (dir < 0)
		return -1;
	make_tag(tag, target);
	n = snprintf(line, sizeof(line), "%" PRId64 " %zu%s %s %s %s\n",
	    clock_now_us() / 1000000, number, tag,
	    verdict_word(why->verdict), why->status, why->text);
	if (n > 0)
		result = append(m, dir, line, (size_t)n,
		    why->verdict != VERDICT_LATER);
	saved = errno;
	(void)close(dir);
	errno = saved;
	return result;
}

/* What a reader of the record looks for. */
struct wanted {
	bool *done;		/* recipients 1 to n as a whole */
	size_t n;
	size_t number;		/* or: this one's target */
	const char *tag;
	bool found;
};

/* One whole line. */
static void
take_line(const char *line, size_t len, struct wanted *w)
{
	const char *p = memchr(line, ' ', len), *end;
	size_t digits;
	uint64_t number;

	if (p == NULL)
		return;
	p++;
	end = memchr(p, ' ', len - (size_t)(p - line));
	if (end == NULL || (strncmp(end, " sent ", 6) != 0 &&
	    strncmp(end, " bounced ", 9) != 0))
		return;
	digits = strspn(p, "0123456789");
	if (!num_parse(p, digits, SIZE_MAX, &number))
		return;
	if (p + digits == end && number > 0 && number <= w->n)
		w->done[number - 1] = true;
	else if (w->tag != NULL && number == w->number &&
	    strlen(w->tag) == (size_t)(end - p) - digits &&
	    memcmp(p + digits, w->tag, strlen(w->tag)) == 0)
		w->found = true;
}

static int
read_state(struct queue_message *m, struct wanted *w)
{
	char buf[8192];
	size_t kept = 0, i;
	off_t offset = 0;
	struct stat st;
	char *nl;
	ssize_t got;
	int fd;

	fd = queue_open_file(m->queue, "state", m->id, O_RDONLY, &st);
	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	while ((got = fsop_pread(fd, buf + kept, sizeof(buf) - kept,
	    offset)) > 0) {
		offset += got;
		kept += (size_t)got;
		for (i = 0; (nl = memchr(buf + i, '\n', kept - i)) != NULL;
		    i = (size_t)(nl - buf) + 1)
			take_line(buf + i, (size_t)(nl - buf) - i, w);
		if (i == 0 && kept == sizeof(buf))
			i = kept;	/* no line of ours */
		kept -= i;
		memmove(buf, buf + i, kept);
	}
	(void)close(fd);
	return got < 0 ? -1 : 0;
}

int
queue_recorded(struct queue_message *m, bool *done, size_t n)
{
	struct wanted w = { .done = done, .n = n };

	memset(done, 0, n * sizeof(*done));
	return read_state(m, &w);
}

bool
queue_recorded_target(struct queue_message *m, size_t number,
    const char *target)
{
	char tag[TAG];
	struct wanted w = { .number = number, .tag = tag };

	make_tag(tag, target);
	return read_state(m, &w) == 0 && w.found;
}
