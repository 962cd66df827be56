/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One message: by rename or by copy, what is written down, the end. */
#include "qrun.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/wake.h"
#include "sys/clock.h"
#include "sys/log.h"

static void
defer(struct runner *r, struct queue_message *m)
{
	int64_t now = clock_now_us() / 1000000;
	int64_t wait = now - m->arrival / 1000000;
	int64_t min = (int64_t)conf_number(&r->conf, CONF_MINIMAL_BACKOFF_TIME);
	int64_t max = (int64_t)conf_number(&r->conf, CONF_MAXIMAL_BACKOFF_TIME);

	if (wait > max)
		wait = max;
	if (wait < min)
		wait = min;
	if (queue_defer(m, now + wait) != 0)
		log_warning("qmgr", "%s: defer: %s", m->id, strerror(errno));
}

static void
finish(struct queue_message *m)
{
	if (queue_remove(m) == 0)
		report_removed(m);
	else
		log_warning("qmgr", "%s: remove: %s", m->id, strerror(errno));
}

bool
message_record(struct queue_message *m, size_t number, const char *target,
    const struct why *why)
{
	if (queue_record(m, number, target, why) == 0)
		return true;
	log_warning("qmgr", "%s: state: %s", m->id, strerror(errno));
	return false;
}

/* ---- by rename ---- */

/* The one mailbox that an address is, found without starting anything; or
 * NULL. */
static const struct target *
one_mailbox(struct runner *r, const char *address, struct expansion *e,
    struct why *why)
{
	enum verdict verdict;

	r->quick = true;
	verdict = expand(r, address, e, why);
	r->quick = false;
	if (verdict != VERDICT_OK || e->n != 1 || e->incomplete ||
	    e->sender[0] != '\0' || e->target[0].kind != TARGET_MAILBOX)
		return NULL;
	return &e->target[0];
}

/* Only mail_owner puts files into the spool; one that was on its way to a
 * mailbox when a runner died belongs to the recipient t already (NULL: not
 * known now). */
static bool
is_foreign(const struct runner *r, const struct queue_message *m,
    const struct target *t)
{
	if (m->st.st_uid == r->queue.owner)
		return false;
	return m->envelope.nrcpt != 1 ||
	    (t != NULL && t->user->uid != m->st.st_uid);
}

static bool
set_aside(struct queue_message *m)
{
	struct why why;

	(void)queue_set_aside(m, &why, "neither mail_owner's nor its "
	    "recipient's");
	log_warning("qmgr", "%s/%s", m->place, why.text);
	return true;
}

bool
message_by_rename(struct runner *r, struct queue_message *m)
{
	const struct rcpt *rcpt = &m->envelope.rcpt[0];
	int64_t started = clock_now_us();
	const struct target *t;
	struct expansion e;
	struct why why;
	bool virtual;
	int given;

	if (m->envelope.nrcpt != 1)
		return is_foreign(r, m, NULL) && set_aside(m);
	if (!tables_open(r, &why))
		return false;
	t = one_mailbox(r, rcpt->address, &e, &why);
	if (is_foreign(r, m, t)) {
		expansion_free(&e);
		return set_aside(m);
	}
	virtual = t != NULL && t->user->home[0] == '\0';
	given = t != NULL ? deliver_rename(r, m, t, &why) : 0;
	expansion_free(&e);
	/* The other way knows when to give up. */
	if (given == 0 || (given < 0 && failure_is_old(r, m)))
		return false;
	report_rcpt(m, rcpt, NULL, virtual ? "virtual" : "local", started,
	    &why);
	if (given == 1) {
		queue_forget(m);	/* postsuper -r leaves one, too */
		report_removed(m);
		return true;
	}
	(void)message_record(m, 1, NULL, &why);
	defer(r, m);
	return true;
}

/* ---- by copy ---- */

void
message_settle(struct runner *r, struct queue_message *m,
    struct remote_result *result)
{
	struct failure f = { .number = result->number,
	    .sender = m->envelope.sender, .remote = result->relay,
	    .started = result->started };
	bool recorded;

	failure_soften(r, &result->why);
	f.why = result->why;
	/* First of all: what is not written down may be sent again. */
	recorded = result->why.verdict != VERDICT_NEVER &&
	    message_record(m, result->number, NULL, &result->why);
	report_remote(m, result);
	if (result->why.verdict != VERDICT_OK)
		failure_add(r, m, &f);
	else if (recorded)
		r->left[result->number - 1] = 0;
}

static void
all_rcpts(struct runner *r, struct queue_message *m, bool *done)
{
	size_t n = m->envelope.nrcpt, i;

	/* Until something else is known, and written down, it waits. */
	for (i = 0; i < n; i++)
		r->left[i] = done[i] ? 0 : 1;
	message_remote(r, m, done);
	for (i = 0; i < n; i++)
		if (!done[i])
			rcpt_deliver(r, m, i + 1);
	failure_report(r, m);
}

void
message_by_copy(struct runner *r, struct queue_message *m)
{
	size_t n = m->envelope.nrcpt, i, left = 0;
	bool *done = calloc(n, sizeof(*done));

	r->left = calloc(n, sizeof(*r->left));
	if (done != NULL && r->left != NULL && queue_recorded(m, done, n) == 0)
		all_rcpts(r, m, done);
	else {
		log_warning("qmgr", "%s: state: %s", m->id, strerror(errno));
		left = 1;
	}
	for (i = 0; r->left != NULL && i < n; i++)
		left += r->left[i];
	free(done);
	free(r->left);
	r->left = NULL;
	if (left == 0)
		finish(m);
	else
		defer(r, m);
}
