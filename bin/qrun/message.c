/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One message: each recipient's targets, what is written down, the end. */
#include "qrun.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/wake.h"
#include "sys/clock.h"
#include "sys/log.h"

/* There is no bounce agent: what will never be delivered is kept. */
static void
soften(struct why *why)
{
	struct why never = *why;

	if (never.verdict == VERDICT_NEVER)
		(void)why_set(why, VERDICT_LATER, never.status, "%s",
		    never.text);
}

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

static bool
record(struct queue_message *m, size_t number, const char *target,
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

bool
message_by_rename(struct runner *r, struct queue_message *m)
{
	const struct rcpt *rcpt = &m->envelope.rcpt[0];
	int64_t started = clock_now_us();
	const struct target *t;
	struct expansion e;
	struct why why;
	int given;

	if (m->envelope.nrcpt != 1 || !tables_open(r, &why))
		return false;
	t = one_mailbox(r, rcpt->address, &e, &why);
	given = t != NULL ? deliver_rename(r, m, t, &why) : 0;
	expansion_free(&e);
	if (given == 0)
		return false;
	soften(&why);
	report_rcpt(m, rcpt, NULL, "local", started, &why);
	if (given == 1) {
		if (strcmp(m->place, "incoming") != 0)
			queue_forget(m);
		report_removed(m);
		return true;
	}
	(void)record(m, 1, NULL, &why);
	defer(r, m);
	return true;
}

/* ---- by copy ---- */

enum { LABEL = LIMIT_TARGET + 32 };

/* The name of a target in the record. */
static void
label_of(const struct target *t, char label[static LABEL])
{
	static const char letter[] = {
		[TARGET_MAILBOX] = 'm', [TARGET_COMMAND] = 'c',
		[TARGET_FILE] = 'f', [TARGET_FORWARD] = 'a',
		[TARGET_FAIL] = 'x'
	};

	(void)snprintf(label, LABEL, "%c:%lu:%.*s", letter[t->kind],
	    t->user != NULL ? (unsigned long)t->user->uid : 0, LIMIT_TARGET,
	    t->text);
}

struct one {
	struct runner *r;
	struct queue_message *m;
	size_t number;
	const struct rcpt *rcpt;
	struct expansion e;
	const char *sender;
	size_t left;		/* targets that are not finished */
};

/* The address that the log names for a target. */
static const char *
name_in_log(struct one *o, const struct target *t,
    char buf[static LIMIT_ADDRESS * 2])
{
	if (t->kind == TARGET_COMMAND || t->kind == TARGET_FILE ||
	    !o->e.aliased)
		return NULL;
	(void)snprintf(buf, LIMIT_ADDRESS * 2, "%.*s%s%.*s", LIMIT_ADDRESS,
	    t->text, strchr(t->text, '@') != NULL ? "" : "@",
	    strchr(t->text, '@') != NULL ? 0 : LIMIT_DOMAIN,
	    conf_get(&o->r->conf, CONF_MYORIGIN));
	return buf;
}

static void
one_target(struct one *o, const struct target *t)
{
	char label[LABEL], name[LIMIT_ADDRESS * 2];
	int64_t started = clock_now_us();
	struct why why;

	label_of(t, label);
	if (queue_recorded_target(o->m, o->number, label))
		return;
	if (t->kind == TARGET_FAIL)
		why = *t->why;
	else
		(void)deliver_copy(o->r, o->m, o->number, t, o->sender,
		    &why);
	soften(&why);
	report_rcpt(o->m, o->rcpt, name_in_log(o, t, name),
	    t->kind == TARGET_FAIL ? "none" : "local", started, &why);
	/* A success that cannot be written down may be repeated later;
	 * that is better than a loss. */
	if (!record(o->m, o->number, label, &why) ||
	    why.verdict == VERDICT_LATER)
		o->left++;
}

/* A new message for the targets in batch, whose Delivered-To fields are in
 * rcpts. */
static void
forward(struct one *o, const struct target **batch, size_t n,
    const struct str *rcpts)
{
	char label[LABEL], name[LIMIT_QUEUE_NAME] = "";
	int64_t started = clock_now_us();
	struct why why;
	size_t i;

	if (rcpts->bad)
		(void)why_errno(&why, ENOMEM, "forward message");
	else
		(void)forward_message(o->r, o->m, o->rcpt, o->sender, rcpts,
		    name, &why);
	soften(&why);
	report_rcpt(o->m, o->rcpt, NULL, "local", started, &why);
	for (i = 0; i < n; i++) {
		label_of(batch[i], label);
		if (!record(o->m, o->number, label, &why))
			o->left++;
	}
	if (why.verdict == VERDICT_OK)
		(void)wake_runner(&o->r->conf, name);
	else
		o->left++;
}

/* The addresses elsewhere: as many in one new message as its envelope may
 * hold. */
static void
forward_all(struct one *o)
{
	const struct target **batch = calloc(o->e.n, sizeof(*batch));
	char label[LABEL];
	struct str rcpts;
	size_t i, n = 0;

	str_init(&rcpts);
	rcpts.bad = batch == NULL;
	for (i = 0; i < o->e.n; i++) {
		if (o->e.target[i].kind != TARGET_FORWARD)
			continue;
		label_of(&o->e.target[i], label);
		if (queue_recorded_target(o->m, o->number, label))
			continue;
		envelope_put_rcpt(&rcpts, o->e.target[i].text, "");
		if (batch != NULL)
			batch[n++] = &o->e.target[i];
		if (rcpts.len > LIMIT_ENVELOPE / 2 && !rcpts.bad) {
			forward(o, batch, n, &rcpts);
			str_reset(&rcpts);
			n = 0;
		}
	}
	if (n > 0 || rcpts.bad)
		forward(o, batch, n, &rcpts);
	str_free(&rcpts);
	free(batch);
}

static void
all_targets(struct one *o)
{
	struct why done;
	size_t i;

	o->sender = o->e.sender[0] != '\0' ? o->e.sender :
	    o->m->envelope.sender;
	for (i = 0; i < o->e.n; i++)
		if (o->e.target[i].kind != TARGET_FORWARD)
			one_target(o, &o->e.target[i]);
	forward_all(o);
	(void)why_set(&done, VERDICT_OK, "2.0.0", "all of it");
	if (o->left == 0 && !record(o->m, o->number, NULL, &done))
		o->left++;
}

/* One recipient.  True: nothing is left to do for it. */
static bool
one_rcpt(struct runner *r, struct queue_message *m, size_t i)
{
	struct one o = { .r = r, .m = m, .number = i + 1,
	    .rcpt = &m->envelope.rcpt[i] };
	int64_t started = clock_now_us();
	struct why why;

	if (!tables_open(r, &why))
		(void)why_set(&why, VERDICT_LATER, "4.3.5", "%s",
		    strdupa(why.text));
	else if (expand(r, o.rcpt->address, &o.e, &why) == VERDICT_OK &&
	    o.e.n > 0) {
		all_targets(&o);
		expansion_free(&o.e);
		return o.left == 0;
	}
	soften(&why);
	report_rcpt(m, o.rcpt, NULL, o.e.aliased ? "local" : "none", started,
	    &why);
	(void)record(m, i + 1, NULL, &why);
	return why.verdict != VERDICT_LATER;
}

bool
message_settle(struct runner *r, struct queue_message *m,
    struct remote_result *result)
{
	bool recorded;

	(void)r;
	soften(&result->why);
	/* First of all: what is not written down may be sent again. */
	recorded = record(m, result->number, NULL, &result->why);
	report_remote(m, result);
	return recorded && result->why.verdict != VERDICT_LATER;
}

void
message_by_copy(struct runner *r, struct queue_message *m)
{
	size_t n = m->envelope.nrcpt, i, left;
	bool *done = calloc(n, sizeof(*done));

	if (done == NULL || queue_recorded(m, done, n) != 0) {
		log_warning("qmgr", "%s: state: %s", m->id, strerror(errno));
		free(done);
		defer(r, m);
		return;
	}
	left = message_remote(r, m, done);
	for (i = 0; i < n; i++)
		if (!done[i] && !one_rcpt(r, m, i))
			left++;
	free(done);
	if (left == 0)
		finish(m);
	else
		defer(r, m);
}
