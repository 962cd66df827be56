/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Replies, RFC 5321 4.2, read strictly: three digits in their bounds, the
 * same code in every line, CRLF.  Whatever else comes is no reply, and what
 * follows it cannot be trusted: later, and the connection is over.
 */
#include "relay.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	MAX_LINES = 200,
	MAX_TEXT = 16384
};

static bool
is_digit(char c, char max)
{
	return c >= '0' && c <= max;
}

/* "250-text" or "250 text" or "250". */
static bool
is_reply_line(const char *line, size_t len)
{
	size_t i;

	if (len < 3 || line[0] < '2' || !is_digit(line[0], '5') ||
	    !is_digit(line[1], '5') || !is_digit(line[2], '9') ||
	    (len > 3 && line[3] != ' ' && line[3] != '-'))
		return false;
	for (i = 3; i < len; i++)
		if ((unsigned char)line[i] < ' ' && line[i] != '\t')
			return false;
	return true;
}

/* The status in the text, if it has one of the reply's class. */
static void
take_status(struct reply *r)
{
	const char *s = r->text.s + (r->text.len > 4 ? 4 : r->text.len);
	size_t n = strspn(s, "0123456789."), a, b;

	a = strspn(s + (n > 2 ? 2 : n), "0123456789");
	b = n > 3 + a ? strspn(s + 3 + a, "0123456789") : 0;
	if (n >= 5 && n < sizeof(r->status) && s[0] == r->text.s[0] &&
	    s[1] == '.' && a > 0 && s[2 + a] == '.' && b > 0 &&
	    n == 3 + a + b) {
		memcpy(r->status, s, n);
		r->status[n] = '\0';
		return;
	}
	(void)snprintf(r->status, sizeof(r->status), "%c.0.0", r->text.s[0]);
}

static bool
malformed(struct session *s, const char *stage, struct why *why)
{
	s->over = true;
	(void)why_set(why, VERDICT_LATER, "4.5.0",
	    "host %s sent a malformed reply while %s", s->peer, stage);
	return false;
}

void
reply_lost(struct session *s, const char *stage, struct why *why)
{
	s->over = true;
	if (s->bio->error == ETIMEDOUT)
		(void)why_set(why, VERDICT_LATER, "4.4.2",
		    "conversation with %s timed out while %s", s->peer,
		    stage);
	else
		(void)why_set(why, VERDICT_LATER, "4.4.2",
		    "lost connection with %s while %s", s->peer, stage);
}

bool
reply_get(struct session *s, int seconds, const char *stage, struct why *why)
{
	struct reply *r = &s->reply;
	unsigned lines = 0;
	char *line;
	size_t len;
	bool crlf;

	str_reset(&r->text);
	if (s->bio->timeout != seconds)
		bio_timeout(s->bio, seconds);
	bio_deadline(s->bio, seconds);
	for (;;) {
		switch (bio_getline(s->bio, &line, &len, &crlf)) {
		case BIO_LINE:
			break;
		case BIO_LONG:
			return malformed(s, stage, why);
		case BIO_EOF:
		case BIO_ERROR:
			reply_lost(s, stage, why);
			return false;
		}
		if (!crlf || !is_reply_line(line, len) ||
		    lines++ >= MAX_LINES || (lines > 1 &&
		    memcmp(line, r->text.s, 3) != 0))
			return malformed(s, stage, why);
		if (r->text.len + len < MAX_TEXT) {
			if (lines > 1)
				str_putc(&r->text, '\n');
			str_put(&r->text, line, len);
		}
		if (len == 3 || line[3] == ' ')
			break;
	}
	if (r->text.bad)
		return malformed(s, stage, why);
	r->code = (line[0] - '0') * 100 + (line[1] - '0') * 10 +
	    (line[2] - '0');
	take_status(r);
	return true;
}

void
reply_text(const struct session *s, char text[static LIMIT_REASON + 1])
{
	char *p;

	(void)snprintf(text, LIMIT_REASON + 1, "%s", s->reply.text.s);
	for (p = text; *p != '\0'; p++)
		if (*p == '\n')
			*p = ' ';
}

void
reply_why(const struct session *s, const char *what, struct why *why)
{
	const struct reply *r = &s->reply;
	enum verdict verdict = r->code / 100 == 5 ? VERDICT_NEVER :
	    VERDICT_LATER;
	char text[LIMIT_REASON + 1];

	reply_text(s, text);
	if (r->code / 100 == 2)
		(void)why_set(why, VERDICT_OK, r->status, "%s", text);
	else	/* also a 3xx where there is no place for it */
		(void)why_set(why, verdict, r->status,
		    "host %s said: %.250s (in reply to %s)", s->peer, text,
		    what);
}
