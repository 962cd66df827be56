/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/mboxscan.h"

#include <string.h>

#include "pure/hdr.h"

/* The first field of each of these names goes into the hash.  Status,
 * X-Status, X-UID, X-Keywords, Content-Length and their like do not: mail
 * readers write them into the file. */
static const char *const field[] = {
	"Received:", "Delivered-To:", "Date:", "From:", "Subject:",
	"Message-ID:", "X-Delivery-ID:"
};

void
mboxscan_init(struct mboxscan *s, uint64_t offset,
    bool (*each)(void *, const struct mboxscan_message *), void *ctx)
{
	memset(s, 0, offsetof(struct mboxscan, line));
	s->each = each;
	s->ctx = ctx;
	s->offset = offset;
	s->blank = true;
}

static void
finish(struct mboxscan *s)
{
	if (!s->in_message)
		return;
	s->in_message = false;
	s->m.end = s->offset;
	if (s->blank && s->separator) {
		s->m.end = s->blank_at;
		s->m.size -= 2;
	}
	hash_end(&s->hash, s->m.hash);
	if (!s->each(s->ctx, &s->m))
		s->stopped = true;
}

static void
begin(struct mboxscan *s, uint64_t from_line)
{
	s->m = (struct mboxscan_message){
		.from = s->offset,
		.start = s->offset + from_line
	};
	s->in_message = s->in_header = true;
	s->hashing = false;
	s->seen = 0;
	hash_init(&s->hash);
}

/* A line of the header; len octets of it are known. */
static void
header_line(struct mboxscan *s, const char *line, size_t len)
{
	size_t i;

	if (line[0] != ' ' && line[0] != '\t') {
		s->hashing = false;
		for (i = 0; i < sizeof(field) / sizeof(field[0]); i++)
			if ((s->seen & 1u << i) == 0 &&
			    hdr_is(line, len, field[i])) {
				s->seen |= 1u << i;
				s->hashing = true;
			}
		if (s->m.from == 0 && hdr_is(line, len, "X-IMAP:"))
			s->m.internal = true;
	}
	if (s->hashing) {
		hash_put(&s->hash, line, len);
		hash_put(&s->hash, "\n", 1);
	}
}

/* A whole line of total octets (without its LF, if it has one); known: how
 * many of them are at line. */
static void
one_line(struct mboxscan *s, const char *line, uint64_t total, bool cr, bool lf)
{
	size_t known = total < LIMIT_HEADER ? (size_t)total : LIMIT_HEADER;
	bool empty = total == (cr ? 1 : 0);
	uint64_t octets = total + (lf ? 1 : 0);

	if (s->blank && known >= 5 && memcmp(line, "From ", 5) == 0) {
		finish(s);
		begin(s, octets);
		empty = false;
	} else if (!s->in_message) {
		s->bad = s->bad || !empty;
	} else {
		/* CR LF is two octets already; else the line end is. */
		s->m.size += total + (cr && lf ? 1 : 2);
		if (empty) {
			s->blank_at = s->offset;
			s->separator = !s->in_header;
			s->in_header = false;
		} else if (s->in_header)
			header_line(s, line, known - (cr && known == total));
	}
	s->blank = empty;
	s->offset += octets;
}

/* Keeps the part of a line. */
static void
keep(struct mboxscan *s, const char *buf, size_t len)
{
	size_t room = 0, n = len;

	if (len == 0)
		return;
	if (s->line_len < sizeof(s->line))
		room = sizeof(s->line) - (size_t)s->line_len;
	if (n > room)
		n = room;
	if (n > 0)
		memcpy(s->line + s->line_len, buf, n);
	s->line_len += len;
	s->last = buf[len - 1];
}

static void
kept_line(struct mboxscan *s, bool lf)
{
	uint64_t len = s->line_len;

	s->line_len = 0;
	one_line(s, s->line, len, len > 0 && s->last == '\r', lf);
}

void
mboxscan_feed(struct mboxscan *s, const char *buf, size_t len)
{
	const char *end = buf + len, *nl;

	while (buf < end && !s->stopped && !s->bad) {
		nl = memchr(buf, '\n', (size_t)(end - buf));
		if (nl == NULL) {
			keep(s, buf, (size_t)(end - buf));
			return;
		}
		if (s->line_len > 0) {
			keep(s, buf, (size_t)(nl - buf));
			kept_line(s, true);
		} else
			one_line(s, buf, (uint64_t)(nl - buf), nl > buf &&
			    nl[-1] == '\r', true);
		buf = nl + 1;
	}
}

void
mboxscan_end(struct mboxscan *s)
{
	if (s->stopped || s->bad)
		return;
	if (s->line_len > 0)
		kept_line(s, false);
	finish(s);
}
