/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The report: multipart/report (RFC 6522) of a text for people, a
 * message/delivery-status (RFC 3464), and the message or its header.  What
 * strangers wrote stands in the third part only, behind a boundary that
 * nobody could know when he wrote it, and in single lines without control
 * characters in the others.
 */
#include "bounce.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/random.h>

#include "pure/date.h"
#include "sys/clock.h"

enum { WIDTH = 79, BOUNDARY = 40 };

static void put(struct queue_file *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
put(struct queue_file *f, const char *fmt, ...)
{
	struct str s;
	va_list ap;

	str_init(&s);
	va_start(ap, fmt);
	str_vprintf(&s, fmt, ap);
	va_end(ap);
	queue_write(f, s.s, s.len);
	if (s.bad)
		f->error = ENOMEM;
	str_free(&s);
}

static void
fail(struct queue_file *f)
{
	f->error = errno != 0 ? errno : EIO;
}

/* A copy in printable ASCII; the caller's until the next call but one. */
static const char *
clean(const char *text)
{
	static char copy[2][LIMIT_REASON + LIMIT_ADDRESS * 2 + 64];
	static unsigned turn;
	char *s = copy[turn ^= 1];
	size_t i;

	for (i = 0; text[i] != '\0' && i < sizeof(copy[0]) - 1; i++)
		s[i] = text[i] < ' ' || text[i] > '~' ? '?' : text[i];
	s[i] = '\0';
	return s;
}

/* RFC 3461 4. */
static void
put_xtext(struct queue_file *f, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s > ' ' && *s <= '~' && *s != '+' && *s != '=')
			queue_write(f, s, 1);
		else
			put(f, "+%02X", (unsigned)(unsigned char)*s);
	}
}

/* Words, the first line after `column' columns, others after four blanks. */
static void
put_wrapped(struct queue_file *f, size_t column, const char *text)
{
	size_t n;

	while (*text != '\0') {
		n = strcspn(text, " ");
		if (column > 4 && column + 1 + n > WIDTH) {
			queue_write(f, "\n   ", 4);
			column = 3;
		}
		queue_write(f, " ", 1);
		queue_write(f, text, n);
		column += 1 + n;
		text += n;
		text += strspn(text, " ");
	}
	queue_write(f, "\n", 1);
}

static void
put_date(struct queue_file *f, const char *name, int64_t seconds)
{
	char date[DATE_SIZE];
	struct tm t;

	clock_local((time_t)seconds, &t);
	date_rfc5322(date, &t);
	put(f, "%s: %s\n", name, date);
}

/* ---- the head ---- */

static const char *
subject(const struct job *j)
{
	if (j->delay)
		return j->postmaster ? "Postmaster Warning: Delayed Mail" :
		    "Delayed Mail (still being retried)";
	return j->postmaster ? "Postmaster Copy: Undelivered Mail" :
	    "Undelivered Mail Returned to Sender";
}

static bool
make_boundary(char boundary[static BOUNDARY], const char *id)
{
	uint64_t chance[1];

	if (getrandom(chance, sizeof(chance), 0) != sizeof(chance))
		return false;
	(void)snprintf(boundary, BOUNDARY, "%s.%016" PRIX64, id, chance[0]);
	return true;
}

static void
put_envelope(struct job *j, struct queue_file *f)
{
	char date[DATE_SIZE];
	struct str s;
	struct tm t;

	clock_local((time_t)(queue_id_us(f->id) / 1000000), &t);
	date_rfc5322(date, &t);
	str_init(&s);
	envelope_put_sender(&s, clean(j->sender));
	envelope_put_rcpt(&s, clean(j->rcpt), "");
	str_printf(&s, "Received: by %s (%s)\n\tid %s; %s\nDate: %s\n",
	    j->host, j->mail_name, f->id, date, date);
	queue_write(f, s.s, s.len);
	if (s.bad)
		f->error = ENOMEM;
	str_free(&s);
}

static void
put_head(struct job *j, struct queue_file *f, const char *boundary,
    bool eight_bit)
{
	put_envelope(j, f);
	put(f, "From: Mail Delivery System <MAILER-DAEMON@%s>\n"
	    "To: %s\n"
	    "Subject: %s\n"
	    "Message-ID: <%s@%s>\n"
	    "Auto-Submitted: auto-replied\n"
	    "MIME-Version: 1.0\n"
	    "Content-Type: multipart/report; report-type=delivery-status;\n"
	    "\tboundary=\"%s\"\n"
	    "Content-Transfer-Encoding: %s\n"
	    "\n"
	    "This is a MIME-encapsulated message.\n",
	    j->host, clean(j->rcpt), subject(j), f->id, j->host, boundary,
	    eight_bit ? "8bit" : "7bit");
}

static void
put_part(struct queue_file *f, const char *boundary, const char *description,
    const char *type)
{
	put(f, "\n--%s\nContent-Description: %s\nContent-Type: %s\n",
	    boundary, description, type);
}

/* ---- for people ---- */

static const char *
opening(const struct job *j)
{
	if (j->postmaster && j->delay)
		return "A message waits here that could not be delivered yet "
		    "to the recipients below.\n";
	if (j->postmaster)
		return "A message could not be delivered to the recipients "
		    "below, and has been\ngiven up.\n";
	if (j->delay)
		return "Your message could not be delivered yet to the "
		    "recipients below.  It is still\nbeing tried: you need "
		    "not send it again.\n";
	return "Your message could not be delivered to the recipients below, "
	    "and has been given\nup.  For each of them the reason is given; "
	    "if it does not tell you what to do,\nask the postmaster, and "
	    "quote this report.\n";
}

/* As the recipient was given. */
static const char *
given(const struct rcpt *rcpt)
{
	return rcpt->original[0] != '\0' ? rcpt->original : rcpt->address;
}

static int
put_text(struct job *j, struct queue_file *f)
{
	struct reason r;
	int more;

	put(f, "\nThis is the mail system at %s.\n\n%s", j->host, opening(j));
	if (j->until > 0)
		put_date(f, "\nIt is tried until", (int64_t)j->until);
	while ((more = reason_next(j, &r)) == 1) {
		put(f, "\n<%s>", clean(r.address));
		if (strcmp(r.address, given(r.rcpt)) != 0)
			put(f, " (expanded from <%s>)", clean(given(r.rcpt)));
		put(f, ":\n   ");
		put_wrapped(f, 3, clean(r.text));
	}
	return more;
}

/* ---- for programs ---- */

/* What another host answered, as it did; or our own words. */
static void
put_diagnostic(struct queue_file *f, const struct reason *r)
{
	static const char said[] = " said: ", in[] = " (in reply to ";
	const char *text = clean(r->text), *at = strstr(text, said), *end;
	char reply[LIMIT_REASON + 1];

	if (r->host[0] == '\0' || at == NULL) {
		put(f, "Diagnostic-Code: x-malle;");
		put_wrapped(f, sizeof("Diagnostic-Code: x-malle;") - 1, text);
		return;
	}
	at += strlen(said);
	end = strstr(at, in);
	(void)snprintf(reply, sizeof(reply), "%.*s",
	    (int)(end != NULL ? (size_t)(end - at) : strlen(at)), at);
	put(f, "Remote-MTA: dns; %s\nDiagnostic-Code: smtp;", clean(r->host));
	put_wrapped(f, sizeof("Diagnostic-Code: smtp;") - 1, reply);
}

static void
put_recipient(struct job *j, struct queue_file *f, const struct reason *r)
{
	put(f, "\nFinal-Recipient: rfc822; %s\n", clean(r->address));
	if (strcmp(r->address, given(r->rcpt)) != 0) {
		put(f, "Original-Recipient: rfc822;");
		put_xtext(f, given(r->rcpt));
		put(f, "\n");
	}
	put(f, "Action: %s\nStatus: %s\n", j->delay ? "delayed" : "failed",
	    clean(r->status));
	put_diagnostic(f, r);
	if (j->until > 0)
		put_date(f, "Will-Retry-Until", (int64_t)j->until);
}

static int
put_status(struct job *j, struct queue_file *f)
{
	struct reason r;
	int more;

	put(f, "\nReporting-MTA: dns; %s\nX-Malle-Queue-ID: %s\n"
	    "X-Malle-Sender: rfc822; %s\n", j->host, j->id,
	    clean(j->m.envelope.sender));
	put_date(f, "Arrival-Date", j->m.arrival / 1000000);
	while ((more = reason_next(j, &r)) == 1)
		put_recipient(j, f, &r);
	return more;
}

/* ---- the message ---- */

static void
put_original(struct job *j, struct queue_file *f, const char *boundary,
    const struct original *o)
{
	put_part(f, boundary, o->whole ? j->delay ? "Delayed Message" :
	    "Undelivered Message" : j->delay ? "Delayed Message Headers" :
	    "Undelivered Message Headers",
	    o->whole ? "message/rfc822" : "text/rfc822-headers");
	put(f, "Content-Transfer-Encoding: %s\n\nReturn-Path: <%s>\n",
	    o->eight_bit ? "8bit" : "7bit", clean(j->m.envelope.sender));
	original_write(o, f);
	put(f, "\n--%s--\n", boundary);
}

void
report_write(struct job *j, struct queue_file *f)
{
	char boundary[BOUNDARY];
	struct original o;

	if (original_measure(j, &o) != 0 || !make_boundary(boundary, f->id) ||
	    fseek(j->reasons, 0, SEEK_SET) != 0) {
		fail(f);
		return;
	}
	put_head(j, f, boundary, o.eight_bit);
	put_part(f, boundary, "Notification", "text/plain; charset=us-ascii");
	if (put_text(j, f) != 0)
		fail(f);
	put_part(f, boundary, "Delivery report", "message/delivery-status");
	if (fseek(j->reasons, 0, SEEK_SET) != 0 || put_status(j, f) != 0)
		fail(f);
	put_original(j, f, boundary, &o);
}
