/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What could not be delivered in this run: for good, or (a message that has
 * waited too long) at all.  All that one sender has to know is one report.
 * First the report is durable, then it is written down that he knows: a
 * crash in between makes two reports, none never.
 */
#include "qrun.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/log.h"

#define WARNED	"delay warning"

/* A failure for good, where nobody could or should be told so. */
void
failure_soften(struct runner *r, struct why *why)
{
	struct why never = *why;

	if (never.verdict == VERDICT_NEVER && (r->fd_bounce < 0 ||
	    conf_number(&r->conf, CONF_SOFT_BOUNCE) != 0))
		(void)why_set(why, VERDICT_LATER, never.status, "%s",
		    never.text);
}

static char *
keep(const char *text)
{
	return text != NULL ? strdup(text) : NULL;
}

static void
drop(struct failure *f)
{
	free((char *)f->label);
	free((char *)f->to);
	free((char *)f->sender);
	free((char *)f->relay);
	free((char *)f->remote);
}

static struct failure *
room(struct runner *r)
{
	struct failure *more = r->failure;

	/* Doubles: a power of two is full. */
	if ((r->nfailure & (r->nfailure - 1)) == 0)
		more = realloc(more, (r->nfailure > 0 ? r->nfailure * 2 : 1) *
		    sizeof(*more));
	if (more == NULL)
		return NULL;
	r->failure = more;
	return &more[r->nfailure];
}

void
failure_add(struct runner *r, const struct queue_message *m,
    const struct failure *f)
{
	struct failure *new = room(r);

	/* The recipient itself waits already. */
	if (f->label != NULL)
		r->left[f->number - 1]++;
	if (new != NULL) {
		*new = *f;
		new->label = keep(f->label);
		new->to = keep(f->to);
		new->sender = keep(f->sender);
		new->relay = keep(f->relay);
		new->remote = keep(f->remote);
		if (new->sender != NULL && (!f->label || new->label) &&
		    (!f->to || new->to) && (!f->relay || new->relay)) {
			r->nfailure++;
			return;
		}
		drop(new);
	}
	log_warning("qmgr", "%s: %s", m->id, strerror(ENOMEM));
}

/* ---- is it time? ---- */

static int64_t
age_us(const struct queue_message *m)
{
	return clock_now_us() - m->arrival;
}

static bool
older_than(const struct queue_message *m, uint64_t seconds)
{
	return age_us(m) > (int64_t)seconds * 1000000;
}

static uint64_t
lifetime(struct runner *r, const struct queue_message *m)
{
	const char *sender = m->envelope.sender;

	return conf_number(&r->conf, sender[0] == '\0' ||
	    notice_is_double_bounce(r, sender) ? CONF_BOUNCE_QUEUE_LIFETIME :
	    CONF_MAXIMAL_QUEUE_LIFETIME);
}

static bool
is_slow(struct runner *r, const struct queue_message *m)
{
	uint64_t seconds = conf_number(&r->conf, CONF_DELAY_WARNING_TIME);

	return seconds > 0 && older_than(m, seconds);
}

bool
failure_is_old(struct runner *r, const struct queue_message *m)
{
	return older_than(m, lifetime(r, m)) || is_slow(r, m);
}

/* ---- the reasons, for bounce ---- */

static void
put_reason(FILE *to, const struct failure *f)
{
	const char *remote = f->remote != NULL ? f->remote : "none";
	size_t host = strcspn(remote, "[");

	(void)fprintf(to, "%zu\t%s\t%s\t%.*s\t%s\n", f->number,
	    f->why.status, f->to != NULL ? f->to : "",
	    remote[host] == '[' ? (int)host : 0, remote, f->why.text);
}

/* A file in memory with a line for each failure of that verdict that this
 * sender has to know; -1 with errno. */
static int
put_reasons(const struct runner *r, const char *sender, enum verdict verdict)
{
	int fd = memfd_create("reasons", MFD_CLOEXEC), copy;
	size_t i;
	FILE *to;

	if (fd < 0)
		return -1;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	to = copy >= 0 ? fdopen(copy, "w") : NULL;
	if (to == NULL) {
		if (copy >= 0)
			(void)close(copy);
		(void)close(fd);
		return -1;
	}
	for (i = 0; i < r->nfailure; i++)
		if (r->failure[i].why.verdict == verdict &&
		    strcmp(r->failure[i].sender, sender) == 0)
			put_reason(to, &r->failure[i]);
	if (fclose(to) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

static enum verdict
tell(struct runner *r, struct queue_message *m, const char *sender,
    bool delay, struct why *why)
{
	struct notice n = { .sender = sender, .delay = delay,
	    .until = m->arrival / 1000000 + (int64_t)lifetime(r, m) };

	n.reasons = put_reasons(r, sender,
	    delay ? VERDICT_LATER : VERDICT_NEVER);
	if (n.reasons < 0)
		return why_errno(why, errno, "write down the reasons");
	(void)notice_send(r, m, &n, why);
	(void)close(n.reasons);
	return why->verdict;
}

/* ---- failed for good ---- */

/* What the sender knows now, or why he does not. */
static void
settle(struct runner *r, struct queue_message *m, const struct failure *f,
    const struct why *told)
{
	size_t *left = &r->left[f->number - 1];
	struct why why = f->why;

	if (told->verdict != VERDICT_OK)
		(void)why_set(&why, VERDICT_LATER, told->status,
		    "no report: %.100s: %.250s", told->text, f->why.text);
	/* That an attempt failed has been said of what has expired. */
	if (f->relay != NULL)
		report_rcpt(m, &m->envelope.rcpt[f->number - 1], f->to,
		    f->relay, f->started, &why);
	if (!message_record(m, f->number, f->label, &why) ||
	    why.verdict == VERDICT_LATER)
		return;
	(*left)--;
	if (*left == 0 && f->label != NULL &&
	    !message_record(m, f->number, NULL, &why))
		(*left)++;
}

/* One report for each sender who has to know of failures of that verdict.
 * True: at least one of them knows. */
static bool
tell_all(struct runner *r, struct queue_message *m, enum verdict verdict)
{
	struct failure *end = r->failure + r->nfailure, *f, *same;
	bool delay = verdict == VERDICT_LATER, any = false;
	struct why told;

	for (f = r->failure; f < end; f++) {
		if (f->told || f->why.verdict != verdict)
			continue;
		if (tell(r, m, f->sender, delay, &told) != VERDICT_OK)
			log_warning("bounce", "%s: no report: %s", m->id,
			    told.text);
		any |= told.verdict == VERDICT_OK;
		for (same = f; same < end; same++) {
			if (same->why.verdict != verdict ||
			    strcmp(same->sender, f->sender) != 0)
				continue;
			same->told = true;
			if (!delay)
				settle(r, m, same, &told);
		}
	}
	return any;
}

/* ---- waiting too long ---- */

static size_t
count_waiting(const struct runner *r)
{
	size_t i, n = 0;

	for (i = 0; i < r->nfailure; i++)
		n += r->failure[i].why.verdict == VERDICT_LATER;
	return n;
}

static void
expire(struct runner *r, struct queue_message *m)
{
	struct failure *f;

	for (f = r->failure; f < r->failure + r->nfailure; f++) {
		if (f->why.verdict != VERDICT_LATER)
			continue;
		/* Its status still says that it was a matter of time. */
		f->why.verdict = VERDICT_NEVER;
		free((char *)f->relay);
		f->relay = NULL;
	}
	log_line("qmgr", "%s: from=<%s>, status=expired, returned to sender",
	    m->id, m->envelope.sender);
}

static void
warn(struct runner *r, struct queue_message *m)
{
	struct why why;

	(void)why_set(&why, VERDICT_OK, "2.0.0", WARNED);
	if (!queue_recorded_target(m, 0, WARNED) &&
	    tell_all(r, m, VERDICT_LATER))
		(void)message_record(m, 0, WARNED, &why);
}

void
failure_report(struct runner *r, struct queue_message *m)
{
	size_t i;

	if (count_waiting(r) > 0) {
		if (older_than(m, lifetime(r, m)))
			expire(r, m);
		else if (is_slow(r, m))
			warn(r, m);
	}
	(void)tell_all(r, m, VERDICT_NEVER);
	for (i = 0; i < r->nfailure; i++)
		drop(&r->failure[i]);
	free(r->failure);
	r->failure = NULL;
	r->nfailure = 0;
}
