/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/stuff.h"

#include <string.h>

void
stuff_init(struct stuff *s)
{
	*s = (struct stuff){ .bol = true };
}

/* The octets of in up to the next LF (not with it; *lf says that it is
 * there), up to and with the next lone CR, or all of them. */
static size_t
segment(const char *in, size_t len, bool *lf)
{
	const char *nl = memchr(in, '\n', len), *cr;
	size_t n = nl != NULL ? (size_t)(nl - in) : len;

	cr = memchr(in, '\r', n);
	*lf = nl != NULL;
	if (cr == NULL || (size_t)(cr - in) + 1 == n)
		return n;
	*lf = false;
	return (size_t)(cr - in) + 1;
}

size_t
stuff_feed(struct stuff *s, const char *in, size_t len, char *out)
{
	char *start = out;
	size_t n;
	bool lf;

	while (len > 0) {
		if (*in == '.' && (s->bol || s->cr))
			*out++ = '.';
		n = segment(in, len, &lf);
		if (n > 0) {
			memcpy(out, in, n);
			out += n;
			s->cr = in[n - 1] == '\r';
			s->bol = false;
		}
		if (lf) {
			if (!s->cr)
				*out++ = '\r';
			*out++ = '\n';
			s->bol = true;
			s->cr = false;
			n++;
		}
		in += n;
		len -= n;
	}
	return (size_t)(out - start);
}

size_t
stuff_end(const struct stuff *s, char out[static STUFF_END])
{
	size_t n = s->bol ? 0 : 2;

	memcpy(out, "\r\n", 2);
	memcpy(out + n, ".\r\n", 3);
	return n + 3;
}

uint64_t
stuff_count(struct stuff *s, const char *in, size_t len)
{
	const char *end = in + len, *p = in, *nl;
	uint64_t n = len;

	if (len == 0)
		return 0;
	while ((nl = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		if (nl > in ? nl[-1] != '\r' : !s->cr)
			n++;
		p = nl + 1;
	}
	s->bol = end[-1] == '\n';
	s->cr = end[-1] == '\r';
	return n;
}

uint64_t
stuff_count_end(const struct stuff *s)
{
	return s->bol ? 0 : 2;
}

void
top_init(struct top *t, uint64_t lines)
{
	*t = (struct top){ .lines = lines, .blank = true };
}

/* A line ended. */
static void
top_line(struct top *t)
{
	if (t->body)
		t->lines--;
	else if (t->blank)
		t->body = true;
	t->blank = true;
	t->done = t->body && t->lines == 0;
}

size_t
top_feed(struct top *t, const char *in, size_t len)
{
	size_t used = 0, n;
	const char *nl;

	while (used < len && !t->done) {
		nl = memchr(in + used, '\n', len - used);
		n = nl != NULL ? (size_t)(nl - in) - used : len - used;
		if (n > 1 || (n == 1 && in[used] != '\r'))
			t->blank = false;
		used += n;
		if (nl != NULL) {
			used++;
			top_line(t);
		}
	}
	return used;
}
