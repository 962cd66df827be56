/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shows the queue, in the layout of Postfix's mailq, or as JSON lines. */
#include "postqueue.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "pure/date.h"
#include "pure/json.h"
#include "sys/clock.h"

/* The layout for long queue ids: widths 17, 8 and 19; a recipient stands
 * below the sender; a reason ends in column 78. */
enum { RCPT_COLUMN = 47, REASON_WIDTH = 76 };

static const char *
sender_of(const struct queue_message *m)
{
	return m->envelope.sender[0] != '\0' ? m->envelope.sender :
	    "MAILER-DAEMON";
}

static void
show_text(struct command *c, const struct queue_message *m,
    const struct queue_history *h, bool active)
{
	char reason[LIMIT_REASON + 1], last[LIMIT_REASON + 1] = "";
	char date[DATE_SIZE], id[LIMIT_QUEUE_ID + 2];
	char mark = active ? '*' : strcmp(m->place, "hold") == 0 ? '!' : '\0';
	struct tm t;
	size_t i;
	int pad;

	if (c->messages == 1)
		(void)printf("%-17s %8s %-19s %s\n", "----Queue ID-----",
		    "--Size--", "---Arrival Time----",
		    "--Sender/Recipient------");
	clock_local((time_t)(m->arrival / 1000000), &t);
	date_asctime(date, &t);
	(void)snprintf(id, sizeof(id), "%s%c", m->id, mark);
	(void)printf("%-17s %8" PRIu64 " %19.19s %s\n", id,
	    m->octets - m->envelope.len, date, sender_of(m));
	for (i = 0; i < m->envelope.nrcpt; i++) {
		if (h->past[i].done)
			continue;
		queue_history_reason(h, i, reason);
		if (strcmp(reason, last) != 0) {
			memcpy(last, reason, sizeof(last));
			if (reason[0] == '\0')
				memcpy(reason, "reason unavailable", 19);
			pad = REASON_WIDTH - (int)strlen(reason);
			(void)printf("%*s(%s)\n", pad > 0 ? pad : 0, "",
			    reason);
		}
		(void)printf("%*s%s\n", RCPT_COLUMN, "",
		    m->envelope.rcpt[i].address);
	}
	(void)putchar('\n');
}

static void
put_key(struct str *out, const char *key, const char *value)
{
	str_printf(out, "\"%s\": ", key);
	json_put(out, value, strlen(value));
}

static void
show_json(struct command *c, const struct queue_message *m,
    const struct queue_history *h, bool active)
{
	char reason[LIMIT_REASON + 1];
	const char *before = "";
	struct str *out = &c->line;
	const struct rcpt *r;
	size_t i;

	str_reset(out);
	str_putc(out, '{');
	put_key(out, "queue_name", active ? "active" :
	    queue_due(m->place) != 0 ? "deferred" : m->place);
	str_puts(out, ", ");
	put_key(out, "queue_id", m->id);
	str_printf(out, ", \"arrival_time\": %" PRId64 ", \"message_size\": "
	    "%" PRIu64 ", \"forced_expire\": false, ", m->arrival / 1000000,
	    m->octets - m->envelope.len);
	put_key(out, "sender", sender_of(m));
	str_puts(out, ", \"recipients\": [");
	for (i = 0; i < m->envelope.nrcpt; i++) {
		if (h->past[i].done)
			continue;
		r = &m->envelope.rcpt[i];
		str_printf(out, "%s{", before);
		before = ", ";
		if (r->original[0] != '\0') {
			put_key(out, "orig_address", r->original);
			str_puts(out, ", ");
		}
		put_key(out, "address", r->address);
		queue_history_reason(h, i, reason);
		if (reason[0] != '\0') {
			str_puts(out, ", ");
			put_key(out, "delay_reason", reason);
		}
		str_putc(out, '}');
	}
	str_putc(out, ']');
	if (queue_due(m->place) != 0)
		str_printf(out, ", \"next_attempt\": %" PRId64,
		    queue_due(m->place));
	str_puts(out, "}\n");
	if (out->bad)
		warning("%s: too long to show", m->id);
	else
		(void)fwrite(out->s, 1, out->len, stdout);
}

static bool
show_message(void *ctx, const char *place, const char *name)
{
	struct command *c = ctx;
	struct queue_history history;
	struct queue_message m;
	struct why why;
	bool active;
	int found = queue_look(&m, &c->queue, place, name, &why);

	if (found < 0 && !c->active)
		warning("%s", why.text);
	if (found <= 0)
		return true;
	active = queue_locks_has(&c->locks, &m.st);
	if (active != c->active) {
		queue_release(&m);
		return true;
	}
	if (queue_history_read(&history, &m) != 0)
		warning("state/%s: %s", m.id, strerror(errno));
	c->octets += m.octets - m.envelope.len;
	c->messages++;
	if (history.past == NULL)
		fatal(EX_OSERR, "out of memory");
	if (c->json)
		show_json(c, &m, &history, active);
	else
		show_text(c, &m, &history, active);
	queue_history_free(&history);
	queue_release(&m);
	return !ferror(stdout);
}

static void
each(struct command *c, const char *place)
{
	int result = place == NULL ?
	    queue_each_deferred(&c->queue, show_message, c) :
	    queue_each_sorted(&c->queue, place, show_message, c);

	if (result != 0)
		warning("%s: %s", place != NULL ? place : "deferred",
		    strerror(errno));
}

void
show(struct command *c)
{
	str_init(&c->line);
	queue_locks_read(&c->locks);
	if (c->locks.n > 0) {
		c->active = true;
		each(c, "incoming");
		each(c, NULL);
	}
	c->active = false;
	each(c, "incoming");
	each(c, NULL);
	each(c, "hold");
	if (!c->json && c->messages == 0)
		(void)puts("Mail queue is empty");
	else if (!c->json)
		(void)printf("-- %" PRIu64 " Kbytes in %lu Request%s.\n",
		    c->octets / 1024, c->messages,
		    c->messages == 1 ? "" : "s");
	if (fflush(stdout) != 0 || ferror(stdout))
		fatal(EX_IOERR, "standard output: write error");
	queue_locks_free(&c->locks);
	str_free(&c->line);
}
