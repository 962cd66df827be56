/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/dot.h"

#include <string.h>

void
dot_init(struct dot *d, bool lf_only)
{
	*d = (struct dot){ .state = DOT_BOL, .lf_only = lf_only };
}

/* A LF that no CR came before. */
static enum dot_state
bare_lf(struct dot *d)
{
	if (d->lf_only)
		return DOT_BOL;
	d->bare_lf++;
	return DOT_TEXT;
}

/* Copies text up to the next CR or LF; returns its length.  *lf is where the
 * next LF is, kept between calls: looking for it again behind each CR would
 * make a text of nothing but CRs expensive. */
static size_t
copy_text(const char *in, size_t i, size_t len, size_t *lf, char *out)
{
	const char *p;
	size_t n;

	if (*lf <= i) {
		p = memchr(in + i, '\n', len - i);
		*lf = p != NULL ? (size_t)(p - in) : len;
	}
	n = *lf - i;
	p = memchr(in + i, '\r', n);
	if (p != NULL)
		n = (size_t)(p - in) - i;
	memcpy(out, in + i, n);
	return n;
}

size_t
dot_feed(struct dot *d, const char *in, size_t len, char *out,
    size_t *out_len)
{
	size_t i = 0, o = 0, lf = 0, n;

	/* A case that does not move i only changes the state, so that the
	 * same octet is looked at again in the new one. */
	while (i < len && d->state != DOT_DONE) {
		switch (d->state) {
		case DOT_BOL:
			if (in[i] == '.') {
				d->state = DOT_DOT;
				i++;
			} else
				d->state = DOT_TEXT;
			break;
		case DOT_DOT:
			if (in[i] == '\r') {
				d->state = DOT_DOT_CR;
				i++;
			} else if (in[i] == '\n' && d->lf_only) {
				d->state = DOT_DONE;
				i++;
			} else
				d->state = DOT_TEXT;
			break;
		case DOT_DOT_CR:
			if (in[i] == '\n') {
				d->state = DOT_DONE;
				i++;
			} else
				d->state = DOT_CR;
			break;
		case DOT_TEXT:
			n = copy_text(in, i, len, &lf, out + o);
			i += n;
			o += n;
			if (i == len)
				break;
			if (in[i++] == '\r')
				d->state = DOT_CR;
			else {
				d->state = bare_lf(d);
				out[o++] = '\n';
			}
			break;
		case DOT_CR:
			if (in[i] == '\n') {
				d->state = DOT_BOL;
				out[o++] = '\n';
				i++;
			} else {
				d->state = DOT_TEXT;
				out[o++] = ' ';
			}
			break;
		case DOT_DONE:
			break;
		}
	}
	*out_len = o;
	return i;
}
