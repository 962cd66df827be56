/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the record of a message (state/ID) says.  It may be long: only where
 * the last line of each recipient is, is kept.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pure/num.h"
#include "store/queue_look.h"
#include "sys/fsop.h"

/* The word at *s, and behind it and one blank; NULL at the end. */
static const char *
word(const char **s, const char *end, size_t *len)
{
	const char *start = *s, *blank;

	if (start >= end)
		return NULL;
	blank = memchr(start, ' ', (size_t)(end - start));
	*len = (size_t)((blank != NULL ? blank : end) - start);
	*s = blank != NULL ? blank + 1 : end;
	return start;
}

static bool
is(const char *s, size_t len, const char *what)
{
	return len == strlen(what) && memcmp(s, what, len) == 0;
}

/* One whole line, which stands at offset: SECONDS NUMBER WORD STATUS TEXT.
 * NUMBER/TAG is about one target of the recipient only: that it has to wait
 * is why the recipient waits. */
static void
take_line(struct queue_history *h, const char *line, size_t len, off_t offset)
{
	const char *s = line, *end = line + len, *number, *what;
	struct queue_past *past;
	size_t n, number_len, digits, what_len;
	uint64_t i;

	if (word(&s, end, &n) == NULL ||
	    (number = word(&s, end, &number_len)) == NULL)
		return;
	digits = strspn(number, "0123456789");
	if (!num_parse(number, digits, h->n, &i) || i == 0 ||
	    (what = word(&s, end, &what_len)) == NULL ||
	    word(&s, end, &n) == NULL)
		return;
	past = &h->past[i - 1];
	if (digits == number_len && (is(what, what_len, "sent") ||
	    is(what, what_len, "bounced")))
		past->done = true;
	if (!is(what, what_len, "deferred"))
		return;
	past->offset = offset + (s - line);
	past->len = (uint32_t)(end - s);
}

static ssize_t
read_lines(struct queue_history *h)
{
	char buf[8192], *nl;
	size_t kept = 0, i;
	off_t offset = 0;	/* of buf */
	ssize_t got;

	while ((got = fsop_pread(h->fd, buf + kept, sizeof(buf) - kept,
	    offset + (off_t)kept)) > 0) {
		kept += (size_t)got;
		for (i = 0; (nl = memchr(buf + i, '\n', kept - i)) != NULL;
		    i = (size_t)(nl - buf) + 1)
			take_line(h, buf + i, (size_t)(nl - buf) - i,
			    offset + (off_t)i);
		if (i == 0 && kept == sizeof(buf))
			i = kept;	/* no line of ours */
		kept -= i;
		offset += (off_t)i;
		memmove(buf, buf + i, kept);
	}
	return got;
}

int
queue_history_read(struct queue_history *h, const struct queue_message *m)
{
	struct stat st;

	*h = (struct queue_history){ .fd = -1, .n = m->envelope.nrcpt };
	h->past = calloc(h->n + 1, sizeof(*h->past));
	if (h->past == NULL)
		return -1;
	h->fd = queue_open_file(m->queue, "state", m->id, O_RDONLY, &st);
	if (h->fd < 0)
		return errno == ENOENT ? 0 : -1;
	return read_lines(h) < 0 ? -1 : 0;
}

void
queue_history_reason(const struct queue_history *h, size_t i,
    char text[static LIMIT_REASON + 1])
{
	size_t len = h->past[i].len;
	ssize_t n = 0;

	if (len > LIMIT_REASON)
		len = LIMIT_REASON;
	if (len > 0)
		n = fsop_pread(h->fd, text, len, h->past[i].offset);
	text[n > 0 ? n : 0] = '\0';
}

void
queue_history_free(struct queue_history *h)
{
	if (h->fd >= 0)
		(void)close(h->fd);
	free(h->past);
	*h = (struct queue_history){ .fd = -1 };
}
