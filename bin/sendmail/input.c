/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Standard input as lines in LF. */
#include "sendmail.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static ssize_t
fill(struct input *in, char *to, size_t size)
{
	ssize_t n;

	in->begun = true;
	do
		n = read(0, to, size);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		in->eof = true;
	return n;
}

/* CRLF becomes LF, and a CR that is alone a blank: in SMTP it would be
 * neither text nor a line end.  Returns the new length. */
static size_t
plain(char *s, size_t len)
{
	char *cr = memchr(s, '\r', len), *to = cr, *end = s + len;

	if (cr == NULL)
		return len;
	for (; cr < end; cr++) {
		if (*cr != '\r')
			*to++ = *cr;
		else if (cr + 1 == end || cr[1] != '\n')
			*to++ = ' ';
	}
	return (size_t)(to - s);
}

static size_t
give(struct input *in, char **line, size_t len)
{
	char *s = in->buf + in->pos;
	bool start = !in->inside;

	in->pos += len;
	len = plain(s, len);
	in->inside = s[len - 1] != '\n';
	*line = s;
	if (!start || !in->dot_ends || len != 2 || s[0] != '.')
		return len;
	in->eof = true;
	in->pos = in->len;
	return 0;
}

size_t
input_line(struct input *in, char **line)
{
	const size_t size = sizeof(in->buf) - 1;
	size_t left;
	char *nl;
	ssize_t n;

	for (;;) {
		left = in->len - in->pos;
		nl = memchr(in->buf + in->pos, '\n', left);
		if (nl != NULL)
			return give(in, line,
			    (size_t)(nl - in->buf) - in->pos + 1);
		if (in->eof) {
			if (left == 0)
				return 0;
			/* The last line may lack its end. */
			in->buf[in->len++] = '\n';
			return give(in, line, left + 1);
		}
		if (left == size)
			/* Keep one: a CR must see what follows it, and the
			 * line must get its end. */
			return give(in, line, left - 1);
		memmove(in->buf, in->buf + in->pos, left);
		in->pos = 0;
		in->len = left;
		n = fill(in, in->buf + left, size - left);
		if (n < 0)
			fatal(EX_IOERR, "reading the message: %s",
			    strerror(errno));
		in->len += (size_t)n;
	}
}

void
input_drain(struct input *in)
{
	while (in->begun && !in->eof)
		(void)fill(in, in->buf, sizeof(in->buf));
}
