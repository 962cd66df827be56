/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What of the message goes back: all of it, or its header when it is larger
 * than the limit; of a header that is larger too, the lines that fit.
 */
#include "bounce.h"

#include <errno.h>
#include <string.h>

#include "sys/fsop.h"

static char buf[1 << 16];

/* Where the header ends, or the last line that ends before end does. */
static int
find_header_end(off_t start, off_t *end)
{
	off_t at = start, line_end = start;
	bool empty = true;	/* is the line so far? */
	ssize_t n, i;

	while (at < *end) {
		n = fsop_pread(0, buf, sizeof(buf), at);
		if (n < 0)
			return -1;
		if (n > *end - at)
			n = (ssize_t)(*end - at);
		for (i = 0; i < n; i++) {
			if (buf[i] != '\n') {
				empty = false;
				continue;
			}
			if (empty) {
				*end = at + i;
				return 0;
			}
			line_end = at + i + 1;
			empty = true;
		}
		if (n == 0)
			break;
		at += n;
	}
	*end = line_end;
	return 0;
}

int
original_measure(struct job *j, struct original *o)
{
	off_t size = j->m.st.st_size, at;
	ssize_t n = 1, i;

	*o = (struct original){ .start = (off_t)j->m.envelope.len,
	    .end = size };
	o->whole = !j->header_only && (uint64_t)(size - o->start) <= j->limit;
	if (!o->whole && (uint64_t)(size - o->start) > j->limit)
		o->end = o->start + (off_t)j->limit;
	if (!o->whole && find_header_end(o->start, &o->end) != 0)
		return -1;
	for (at = o->start; at < o->end && n > 0 && !o->eight_bit; at += n) {
		n = fsop_pread(0, buf, sizeof(buf), at);
		for (i = 0; i < n && i < o->end - at; i++)
			o->eight_bit |= (unsigned char)buf[i] >= 0x80;
	}
	return n < 0 ? -1 : 0;
}

void
original_write(const struct original *o, struct queue_file *f)
{
	off_t at = o->start;
	char last = '\n';
	ssize_t n;

	while (at < o->end) {
		n = fsop_pread(0, buf, sizeof(buf), at);
		if (n > o->end - at)
			n = (ssize_t)(o->end - at);
		if (n <= 0) {
			f->error = n < 0 ? errno : EIO;
			return;
		}
		queue_write(f, buf, (size_t)n);
		last = buf[n - 1];
		at += n;
	}
	if (last != '\n')
		queue_write(f, "\n", 1);
}
