/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Running bounce: as mail_owner, in the spool, so that it needs no path.
 * Who is told: the sender; for a message without one, which is a report
 * itself, the postmaster; for a report about a report nobody, so that there
 * is an end.
 */
#include "qrun.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <unistd.h>

#include "pure/list.h"
#include "store/wake.h"
#include "sys/log.h"
#include "sys/spawn.h"

enum { NUMBER = 24 };

/* One report to be made. */
struct letter {
	const char *from, *to;
	const char *what;	/* in the log */
	bool postmaster, header_only;
};

static bool
has_class(struct runner *r, const char *name)
{
	const char *list = conf_get(&r->conf, CONF_NOTIFY_CLASSES), *word;
	size_t len;

	while ((word = list_next(&list, &len)) != NULL)
		if (strlen(name) == len && strncasecmp(word, name, len) == 0)
			return true;
	return false;
}

static void
double_bounce(struct runner *r, char address[static LIMIT_ADDRESS + 1])
{
	(void)snprintf(address, LIMIT_ADDRESS + 1, "%s@%s",
	    conf_get(&r->conf, CONF_DOUBLE_BOUNCE_SENDER),
	    conf_get(&r->conf, CONF_MYHOSTNAME));
}

bool
notice_is_double_bounce(struct runner *r, const char *sender)
{
	char address[LIMIT_ADDRESS + 1];

	double_bounce(r, address);
	return strcasecmp(address, sender) == 0;
}

static void
report_sent(struct runner *r, const struct queue_message *m,
    const struct notice *n, const struct letter *l, const char *id)
{
	log_line("cleanup", "%s: message-id=<%s@%s>", id, id,
	    conf_get(&r->conf, CONF_MYHOSTNAME));
	log_line("bounce", "%s: %s %s notification: %s", m->id, l->what,
	    n->delay ? "delay" : "non-delivery", id);
}

/* What bounce said: the name of a queue file, or why not. */
static enum verdict
judge(struct runner *r, const struct queue_message *m,
    const struct notice *n, const struct letter *l, int code,
    struct str *said, struct why *why)
{
	char id[LIMIT_QUEUE_ID + 1];
	uint64_t octets, crlf_octets;

	said->s[strcspn(said->s, "\n")] = '\0';
	if (code != EX_OK || said->len < LIMIT_QUEUE_ID ||
	    !queue_parse_name(said->s, id, &octets, &crlf_octets))
		return why_set(why, VERDICT_LATER, "4.3.0",
		    "bounce failed (%d): %s", code, said->s);
	report_sent(r, m, n, l, id);
	(void)wake_runner(&r->conf, said->s);
	return why_set(why, VERDICT_OK, "2.0.0", "reported as %s", id);
}

static enum verdict
run_bounce(struct runner *r, struct queue_message *m,
    const struct notice *n, const struct letter *l, struct spawn *s,
    struct why *why)
{
	struct str said;
	int code;

	s->fd[0] = queue_reopen(m);
	if (s->fd[0] < 0)
		return why_errno(why, errno, "open queue file");
	str_init(&said);
	(void)why_set(why, VERDICT_LATER, "4.3.0", "bounce was ended");
	code = agent_run(r, s, "bounce", LIMIT_REASON, &said, why);
	if (code >= 0)
		(void)judge(r, m, n, l, code, &said, why);
	str_free(&said);
	(void)close(s->fd[0]);
	return why->verdict;
}

static enum verdict
send_letter(struct runner *r, struct queue_message *m,
    const struct notice *n, const struct letter *l, struct why *why)
{
	char arg[12][LIMIT_ADDRESS + 1], size[NUMBER], until[NUMBER];
	const char *text[] = { "bounce", "-i", m->id, "-m",
	    conf_get(&r->conf, CONF_MYHOSTNAME), "-n",
	    conf_get(&r->conf, CONF_MAIL_NAME), "-f", l->from, "-t", l->to,
	    n->delay ? "delay" : "failure" };
	char o_size[] = "-s", o_until[] = "-u", o_header[] = "-H",
	    o_postmaster[] = "-p", *argv[20];
	struct spawn s = { .fd_program = r->fd_bounce, .argv = argv,
	    .fd = { -1, -1, -1, n->reasons }, .fd_cwd = r->queue.dir,
	    .uid = r->owner.uid, .gid = r->owner.gid, .extra = (gid_t)-1 };
	size_t i, count = 0;

	(void)snprintf(size, sizeof(size), "%" PRIu64,
	    conf_number(&r->conf, CONF_BOUNCE_SIZE_LIMIT));
	(void)snprintf(until, sizeof(until), "%" PRId64, n->until);
	for (i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
		(void)snprintf(arg[i], sizeof(arg[i]), "%s", text[i]);
		argv[count++] = arg[i];
		if (i > 0)
			continue;
		argv[count++] = o_size;
		argv[count++] = size;
		if (n->delay) {
			argv[count++] = o_until;
			argv[count++] = until;
		}
		if (l->postmaster)
			argv[count++] = o_postmaster;
		if (l->header_only)
			argv[count++] = o_header;
	}
	argv[count] = NULL;
	return run_bounce(r, m, n, l, &s, why);
}

/* To an address that the configuration names. */
static enum verdict
to_postmaster(struct runner *r, struct queue_message *m,
    const struct notice *n, enum conf_id rcpt, bool header_only,
    struct why *why)
{
	const char *name = conf_get(&r->conf, rcpt);
	char from[LIMIT_ADDRESS + 1];
	struct addr to;
	struct letter l = { .from = from, .to = to.text,
	    .what = "postmaster", .postmaster = true,
	    .header_only = header_only };

	double_bounce(r, from);
	if (addr_parse(&to, name, strlen(name)) == 0 || to.len == 0 ||
	    !addr_complete(&to, conf_get(&r->conf, CONF_MYORIGIN)))
		return why_set(why, VERDICT_LATER, "4.3.5",
		    "%s is no address: %s", conf_parameter[rcpt].name, name);
	return send_letter(r, m, n, &l, why);
}

/* A copy that is not worth trying twice. */
static void
copy(struct runner *r, struct queue_message *m, const struct notice *n)
{
	struct why why;

	if (!has_class(r, n->delay ? "delay" : "bounce"))
		return;
	if (to_postmaster(r, m, n, n->delay ? CONF_DELAY_NOTICE_RECIPIENT :
	    CONF_BOUNCE_NOTICE_RECIPIENT, true, &why) != VERDICT_OK)
		log_warning("bounce", "%s: postmaster copy: %s", m->id,
		    why.text);
}

enum verdict
notice_send(struct runner *r, struct queue_message *m,
    const struct notice *n, struct why *why)
{
	struct letter l = { .from = "", .to = n->sender, .what = "sender" };

	(void)why_set(why, VERDICT_OK, "2.0.0", "nobody is told");
	if (notice_is_double_bounce(r, n->sender)) {
		if (!n->delay)
			log_warning("bounce", "%s: undeliverable postmaster "
			    "notification discarded", m->id);
		return why->verdict;
	}
	if (n->sender[0] == '\0' && n->delay)
		return why->verdict;
	if (n->sender[0] == '\0' && (has_class(r, "2bounce") ||
	    has_class(r, "bounce")))
		return to_postmaster(r, m, n, CONF_DOUBLE_NOTICE_RECIPIENT,
		    false, why);
	if (n->sender[0] == '\0') {
		log_warning("bounce", "%s: undeliverable mail without a "
		    "sender discarded", m->id);
		return why->verdict;
	}
	if (send_letter(r, m, n, &l, why) == VERDICT_OK)
		copy(r, m, n);
	return why->verdict;
}
