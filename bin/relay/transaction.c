/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One transaction: MAIL, RCPT for each of a group, DATA, the message.  The
 * commands are steps 0 (MAIL), 1 to n (RCPT) and n + 1 (DATA); with
 * PIPELINING they go out in groups, without it one by one, and the answers
 * come in the same order.
 */
#include "relay.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/clock.h"

enum {
	/* Commands that may be without an answer: two hosts that both wait
	 * until the other reads would wait for ever. */
	WINDOW = 100,
	/* A receiver is slower than this only if it means to be, octets a
	 * second. */
	SLOWEST = 512
};

static const char in_mail[] = "sending MAIL FROM",
    in_rcpt[] = "sending RCPT TO", in_data[] = "sending DATA command",
    in_body[] = "sending message body", in_end[] =
    "sending end of data -- message may be sent more than once";

struct group {
	struct session *s;
	struct target **target;
	size_t n;
	size_t accepted;
	bool mail_refused;
	bool go;		/* DATA was answered with 354 */
};

/* The same for those that the transaction was for, or that it has come to
 * be for. */
static void
set_all(struct group *g, const struct why *why, bool accepted_only,
    bool final)
{
	int64_t now = clock_now_us();
	struct target *t;
	size_t i;

	for (i = 0; i < g->n; i++) {
		t = g->target[i];
		if (t->final || (accepted_only && !t->accepted))
			continue;
		t->why = *why;
		t->final = final || why->verdict != VERDICT_LATER;
		t->setup = g->s->ready - g->s->started;
		t->transmit = now - g->s->ready;
		(void)snprintf(t->relay, sizeof(t->relay), "%s", g->s->relay);
	}
}

static void
set_one(struct group *g, struct target *t, const struct why *why)
{
	struct group one = { .s = g->s, .target = &t, .n = 1 };

	set_all(&one, why, false, false);
}

/* ---- the commands ---- */

static void
send_step(struct group *g, size_t step)
{
	struct session *s = g->s;

	if (step == 0) {
		bio_printf(s->bio, "MAIL FROM:<%s>", s->job->sender);
		if (s->has_size)
			bio_printf(s->bio, " SIZE=%" PRIu64, s->job->size);
		if (s->eightbit && s->job->eightbit)
			bio_puts(s->bio, " BODY=8BITMIME");
		bio_puts(s->bio, "\r\n");
	} else if (step <= g->n)
		bio_printf(s->bio, "RCPT TO:<%s>\r\n",
		    g->target[step - 1]->address);
	else
		bio_puts(s->bio, "DATA\r\n");
}

static void
take_rcpt(struct group *g, struct target *t)
{
	struct reply *r = &g->s->reply;
	struct why why;

	if (r->code / 100 == 2) {
		t->accepted = !g->mail_refused;
		g->accepted += t->accepted;
		return;
	}
	if (g->mail_refused)
		return;
	reply_why(g->s, "RCPT TO command", &why);
	/* RFC 5321 4.5.3.1.10: 552 was once used for too many of them. */
	if (r->code == 552 && strcmp(r->status, "5.0.0") == 0)
		(void)why_set(&why, VERDICT_LATER, "4.5.3", "%s",
		    strdupa(why.text));
	set_one(g, t, &why);
	/* Too many for one transaction: the rest in another. */
	if (g->accepted > 0 && (r->code == 452 || r->code == 552))
		t->tried = t->final;
}

static bool
read_step(struct group *g, size_t step)
{
	struct session *s = g->s;
	const int *value = s->job->value;
	struct why why;
	bool got;

	got = reply_get(s, value[step == 0 ? SET_MAIL_TIMEOUT : step <= g->n ?
	    SET_RCPT_TIMEOUT : SET_DATA_INIT_TIMEOUT], step == 0 ? in_mail :
	    step <= g->n ? in_rcpt : in_data, &why);
	if (!got) {
		set_all(g, &why, false, false);
		return false;
	}
	if (s->reply.code == 421) {
		s->over = true;
		reply_why(s, "a command", &why);
		set_all(g, &why, false, false);
	}
	if (step == 0) {
		g->mail_refused = s->reply.code / 100 != 2;
		reply_why(s, "MAIL FROM command", &why);
		if (g->mail_refused)
			set_all(g, &why, false, false);
	} else if (step <= g->n)
		take_rcpt(g, g->target[step - 1]);
	else {
		g->go = s->reply.code == 354;
		if (g->go || g->accepted == 0)
			return true;
		reply_why(s, "DATA command", &why);
		if (why.verdict == VERDICT_OK)
			(void)why_set(&why, VERDICT_LATER, "4.5.0",
			    "host %s did not answer DATA with 354", s->peer);
		set_all(g, &why, true, false);
	}
	return true;
}

static bool
commands(struct group *g)
{
	bool pipelining = g->s->pipelining;
	size_t step, read = 0, last = g->n + 1;

	for (step = 0; step <= last; step++) {
		if (!pipelining && (g->mail_refused || g->s->over ||
		    (step == last && g->accepted == 0)))
			return true;
		send_step(g, step);
		if (pipelining && step < last && step - read < WINDOW)
			continue;
		for (; read <= step; read++)
			if (!read_step(g, read))
				return false;
	}
	return true;
}

/* ---- the message ---- */

/* SMTP: one answer for all of them.  LMTP: one for each. */
static void
read_end(struct group *g)
{
	struct session *s = g->s;
	int seconds = s->job->value[SET_DATA_DONE_TIMEOUT];
	struct why why;
	size_t i;

	for (i = 0; i < g->n; i++) {
		if (!g->target[i]->accepted)
			continue;
		if (!reply_get(s, seconds, in_end, &why)) {
			/* It may have been taken: no other host is asked,
			 * and the log says it. */
			set_all(g, &why, true, true);
			return;
		}
		if (s->reply.code == 421)
			s->over = true;
		reply_why(s, "end of DATA command", &why);
		if (!s->job->lmtp) {
			set_all(g, &why, true, false);
			return;
		}
		g->target[i]->accepted = false;
		set_one(g, g->target[i], &why);
	}
}

static void
message(struct group *g)
{
	struct session *s = g->s;
	int seconds = s->job->value[SET_DATA_XFER_TIMEOUT];
	bool read_error = false;
	struct why why;

	bio_timeout(s->bio, seconds);
	bio_deadline(s->bio, seconds + (int)(s->job->size / SLOWEST));
	if (body_send(s, &read_error)) {
		read_end(g);
		return;
	}
	/* No end was sent: the other side throws away what it has. */
	if (read_error) {
		s->over = true;
		(void)why_set(&why, VERDICT_LATER, "4.3.0",
		    "queue file read error");
	} else
		reply_lost(s, in_body, &why);
	set_all(g, &why, true, false);
}

/* An empty message for nobody, where a server began to read one; or RSET. */
static void
clear(struct group *g)
{
	struct session *s = g->s;
	struct why ignored;

	bio_puts(s->bio, g->go ? ".\r\n" : "RSET\r\n");
	(void)reply_get(s, s->job->value[SET_RSET_TIMEOUT],
	    "sending RSET command", &ignored);
}

/* Those that are next, at most as many as one transaction may have. */
static size_t
take_group(struct session *s, struct target **target, size_t max)
{
	struct job *j = s->job;
	size_t i, n = 0;

	for (i = 0; i < j->n && n < max; i++) {
		if (j->target[i].final || j->target[i].tried)
			continue;
		j->target[i].tried = true;
		j->target[i].accepted = false;
		target[n++] = &j->target[i];
	}
	return n;
}

static bool
too_large(struct group *g)
{
	struct session *s = g->s;
	struct why why;

	if (s->size == 0 || s->job->size <= s->size)
		return false;
	(void)why_set(&why, VERDICT_NEVER, "5.3.4", "message size %" PRIu64
	    " exceeds size limit %" PRIu64 " of server %s", s->job->size,
	    s->size, s->peer);
	set_all(g, &why, false, false);
	return true;
}

bool
transaction(struct session *s)
{
	size_t max = (size_t)s->job->value[SET_RECIPIENT_LIMIT];
	struct group g = { .s = s };

	if (max == 0 || max > s->job->n)
		max = s->job->n;
	g.target = s->over ? NULL : calloc(max, sizeof(*g.target));
	if (g.target == NULL)
		return false;
	g.n = take_group(s, g.target, max);
	if (g.n > 0 && !too_large(&g) && commands(&g) && !s->over) {
		if (g.go && g.accepted > 0)
			message(&g);
		else
			clear(&g);
	}
	free(g.target);
	return g.n > 0;
}
