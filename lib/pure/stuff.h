/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A stored message as POP3 sends it (RFC 1939 section 3): each LF becomes
 * CRLF, a dot that begins a line is doubled, and "." CRLF ends it.  A lone CR
 * stays what it is, but a dot after it is doubled too: there are readers for
 * whom it ends a line, and what looks like the end must not be in the text.
 */
#ifndef STUFF_H
#define STUFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stuff {
	bool bol;	/* at the beginning of a line */
	bool cr;	/* the last octet was a CR */
};

void stuff_init(struct stuff *);

/* Writes what becomes of in[0..len) to out, at most 2 * len octets, and
 * returns how many. */
size_t stuff_feed(struct stuff *, const char *in, size_t len, char *out);
enum { STUFF_END = 5 };
/* The end: CRLF if the text did not end in one, then "." CRLF. */
size_t stuff_end(const struct stuff *, char out[static STUFF_END]);

/* The octets that stuff_feed would write, doubled dots not counted: the
 * size of a message is the sum of these and of stuff_count_end. */
uint64_t stuff_count(struct stuff *, const char *in, size_t len);
uint64_t stuff_count_end(const struct stuff *);

/* TOP: the header, the empty line, and so many lines of the body. */
struct top {
	uint64_t lines;	/* of the body, still to come */
	bool body;
	bool blank;	/* the line so far has nothing but a CR */
	bool done;
};

void top_init(struct top *, uint64_t lines);
/* How many of in[0..len) belong to it; done is set when no more will. */
size_t top_feed(struct top *, const char *in, size_t len);

#endif
