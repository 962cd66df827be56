/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Log lines, in the words of Postfix's qmgr and local. */
#include "qrun.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sys/clock.h"
#include "sys/log.h"

enum { DELAY = 24 };

/* Two significant digits, at most two decimals, no zeros at the end. */
static void
format_delay(char buf[static DELAY], int64_t us)
{
	int64_t cs = us < 0 ? 0 : us / 10000;	/* hundredths */

	if (cs >= 1000)
		(void)snprintf(buf, DELAY, "%" PRId64, (cs + 50) / 100);
	else if (cs >= 100 && (cs + 5) / 10 % 10 != 0)
		(void)snprintf(buf, DELAY, "%" PRId64 ".%" PRId64,
		    (cs + 5) / 100, (cs + 5) / 10 % 10);
	else if (cs >= 100)
		(void)snprintf(buf, DELAY, "%" PRId64, (cs + 5) / 100);
	else if (cs == 0)
		(void)snprintf(buf, DELAY, "0");
	else if (cs % 10 == 0)
		(void)snprintf(buf, DELAY, "0.%" PRId64, cs / 10);
	else
		(void)snprintf(buf, DELAY, "0.%02" PRId64, cs);
}

void
report_active(const struct queue_message *m)
{
	log_line("qmgr", "%s: from=<%s>, size=%" PRIu64 ", nrcpt=%zu "
	    "(queue active)", m->id, m->envelope.sender,
	    m->octets - m->envelope.len, m->envelope.nrcpt);
}

void
report_rcpt(const struct queue_message *m, const struct rcpt *rcpt,
    const char *to, const char *relay, int64_t started, const struct why *why)
{
	char all[DELAY], before[DELAY], during[DELAY];
	const char *original = rcpt->original[0] != '\0' ? rcpt->original :
	    rcpt->address;
	int64_t now = clock_now_us();
	bool other;

	if (to == NULL)
		to = rcpt->address;
	other = strcasecmp(original, to) != 0;

	format_delay(all, now - m->arrival);
	format_delay(before, started - m->arrival);
	format_delay(during, now - started);
	log_line(strcmp(relay, "none") == 0 ? "error" : relay,
	    "%s: to=<%s>%s%s%s, relay=%s, delay=%s, delays=%s/0/0/%s, "
	    "dsn=%s, status=%s (%s)", m->id, to,
	    other ? ", orig_to=<" : "", other ? original : "",
	    other ? ">" : "", relay, all, before, during, why->status,
	    verdict_word(why->verdict), why->text);
}

void
report_remote(const struct queue_message *m, const struct remote_result *res)
{
	const struct rcpt *rcpt = &m->envelope.rcpt[res->number - 1];
	char all[DELAY], before[DELAY], setup[DELAY], transmit[DELAY];
	const char *original = rcpt->original;
	bool other = original[0] != '\0' &&
	    strcasecmp(original, rcpt->address) != 0;

	format_delay(all, clock_now_us() - m->arrival);
	format_delay(before, res->started - m->arrival);
	format_delay(setup, res->setup);
	format_delay(transmit, res->transmit);
	log_line(res->role, "%s: to=<%s>%s%s%s, relay=%s, delay=%s, "
	    "delays=%s/0/%s/%s, dsn=%s, status=%s (%s)", m->id, rcpt->address,
	    other ? ", orig_to=<" : "", other ? original : "",
	    other ? ">" : "", res->relay, all, before, setup, transmit,
	    res->why.status, verdict_word(res->why.verdict), res->why.text);
}

void
report_removed(const struct queue_message *m)
{
	log_line("qmgr", "%s: removed", m->id);
}
