/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One recipient of a message that is copied: all that it stands for. */
#include "qrun.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/wake.h"
#include "sys/clock.h"

enum { LABEL = LIMIT_TARGET + LIMIT_USER + 32 };

/* The name of a target in the record. */
static void
label_of(const struct target *t, char label[static LABEL])
{
	static const char letter[] = {
		[TARGET_MAILBOX] = 'm', [TARGET_COMMAND] = 'c',
		[TARGET_FILE] = 'f', [TARGET_FORWARD] = 'a',
		[TARGET_FAIL] = 'x'
	};

	(void)snprintf(label, LABEL, "%c:%lu:%s:%.*s", letter[t->kind],
	    t->user != NULL ? (unsigned long)t->user->uid : 0,
	    t->user != NULL ? t->user->name : "", LIMIT_TARGET, t->text);
}

struct one {
	struct runner *r;
	struct queue_message *m;
	size_t number;
	const struct rcpt *rcpt;
	struct expansion e;
	const char *sender;
};

/* Who is told of a failure: of a list that has an owner, the owner; but of
 * a report always who is told of reports, lest there be no end. */
static const char *
who_is_told(struct one *o)
{
	const char *sender = o->m->envelope.sender;

	return o->e.sender[0] == '\0' || sender[0] == '\0' ||
	    notice_is_double_bounce(o->r, sender) ? sender : o->e.sender;
}

/* Whose work the log says it was to deliver to an address. */
static const char *
relay_of(struct one *o, const char *address)
{
	const char *at = strrchr(address, '@');
	struct why why;

	switch (domains_class(&o->r->domains, at != NULL ? at + 1 : "",
	    &why)) {
	case DOMAIN_LOCAL:
		return "local";
	case DOMAIN_VIRTUAL_MAILBOX:
		return "virtual";
	default:
		return "none";
	}
}

/* Writes down what became of a target (label), or of the recipient. */
static void
settle(struct one *o, const char *label, const char *to, const char *relay,
    int64_t started, const struct why *why)
{
	struct failure f = { .number = o->number, .label = label, .to = to,
	    .sender = who_is_told(o), .relay = relay, .started = started,
	    .why = *why };
	/* A success that cannot be written down may be repeated later;
	 * that is better than a loss. */
	bool recorded = why->verdict != VERDICT_NEVER &&
	    message_record(o->m, o->number, label, why);

	if (why->verdict != VERDICT_OK)
		failure_add(o->r, o->m, &f);
	else if (label == NULL && recorded)
		o->r->left[o->number - 1] = 0;
	else if (label != NULL && !recorded)
		o->r->left[o->number - 1]++;
}

/* The address that the log names for a target. */
static const char *
name_in_log(struct one *o, const struct target *t,
    char buf[static LIMIT_ADDRESS * 2])
{
	if (t->kind == TARGET_COMMAND || t->kind == TARGET_FILE ||
	    !o->e.aliased || strchr("/|:", t->text[0]) != NULL)
		return NULL;
	(void)snprintf(buf, LIMIT_ADDRESS * 2, "%.*s%s%.*s", LIMIT_ADDRESS,
	    t->text, strchr(t->text, '@') != NULL ? "" : "@",
	    strchr(t->text, '@') != NULL ? 0 : LIMIT_DOMAIN,
	    conf_get(&o->r->conf, CONF_MYORIGIN));
	return buf;
}

/* One attempt is over. */
static void
attempted(struct one *o, const char *label, const char *to,
    const char *relay, int64_t started, struct why *why)
{
	failure_soften(o->r, why);
	if (why->verdict != VERDICT_NEVER)
		report_rcpt(o->m, o->rcpt, to, relay, started, why);
	settle(o, label, to, relay, started, why);
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
	attempted(o, label, name_in_log(o, t, name),
	    t->kind == TARGET_FAIL || t->kind == TARGET_MAILBOX ?
	    relay_of(o, t->text) : "local", started, &why);
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
	failure_soften(o->r, &why);
	if (why.verdict != VERDICT_NEVER)
		report_rcpt(o->m, o->rcpt, NULL, "local", started, &why);
	for (i = 0; i < n; i++) {
		label_of(batch[i], label);
		settle(o, label, batch[i]->text, "local", started, &why);
	}
	if (why.verdict == VERDICT_OK)
		(void)wake_runner(&o->r->conf, name);
	else if (n == 0)
		o->r->left[o->number - 1]++;
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
	size_t *left = &o->r->left[o->number - 1];
	struct why done;
	size_t i;

	*left = 0;	/* of the targets */
	o->sender = o->e.sender[0] != '\0' ? o->e.sender :
	    o->m->envelope.sender;
	for (i = 0; i < o->e.n; i++)
		if (o->e.target[i].kind != TARGET_FORWARD)
			one_target(o, &o->e.target[i]);
	forward_all(o);
	(void)why_set(&done, VERDICT_OK, "2.0.0", "all of it");
	if (*left == 0 && !message_record(o->m, o->number, NULL, &done))
		(*left)++;
}

void
rcpt_deliver(struct runner *r, struct queue_message *m, size_t number)
{
	struct one o = { .r = r, .m = m, .number = number,
	    .rcpt = &m->envelope.rcpt[number - 1] };
	int64_t started = clock_now_us();
	const char *relay = "none";
	struct why why;

	if (!tables_open(r, &why))
		(void)why_set(&why, VERDICT_LATER, "4.3.5", "%s",
		    strdupa(why.text));
	else if (expand(r, o.rcpt->address, &o.e, &why) == VERDICT_OK &&
	    o.e.n > 0) {
		all_targets(&o);
		expansion_free(&o.e);
		return;
	} else
		relay = relay_of(&o, o.rcpt->address);
	attempted(&o, NULL, NULL, relay, started, &why);
}
