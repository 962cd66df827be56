/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * DATA framing, RFC 5321 4.1.1.4 and 4.5.2: takes the octets off the wire,
 * gives lines with LF, undoes dot-stuffing, and finds the one end there is:
 * CRLF "." CRLF.  A bare LF is a line break in the text and nothing more; a
 * bare CR becomes a blank.  NUL and 8-bit octets pass.
 */
#ifndef DOT_H
#define DOT_H

#include <stdbool.h>
#include <stddef.h>

enum dot_state {
	DOT_BOL,	/* after CRLF: a dot here is framing */
	DOT_DOT,	/* CRLF "." */
	DOT_DOT_CR,	/* CRLF "." CR */
	DOT_TEXT,
	DOT_CR,		/* text, then CR */
	DOT_DONE	/* the end was seen */
};

struct dot {
	enum dot_state state;
	bool lf_only;		/* the whole session ends lines in LF */
	size_t bare_lf;		/* how many were seen (CRLF sessions) */
};

/* lf_only: for a client that has never sent a CR ("nc" on the LAN); then
 * LF "." LF ends the message too. */
void dot_init(struct dot *, bool lf_only);

/* Reads in[0..len), writes at most len + 2 octets to out and their number
 * to *out_len; returns how many of in were used: all of them, or up to and
 * with the end, when state has become DOT_DONE. */
size_t dot_feed(struct dot *, const char *in, size_t len, char *out,
    size_t *out_len);

#endif
