/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Running relay for a group of recipients: the job it gets on descriptor 3,
 * and its answers, each of which is written down as it comes.
 */
#include "qrun.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pure/num.h"
#include "sys/fsop.h"
#include "sys/log.h"
#include "sys/spawn.h"

struct handover {
	struct runner *r;
	struct queue_message *m;
	const struct remote_group *g;
	bool *told;		/* of the group */
	bool asked;		/* it is known whether somebody answers */
};

static const char *
role(const struct remote_group *g)
{
	return g->lmtp ? "lmtp" : "smtp";
}

/* ---- the job ---- */

/* One line, whatever is in the value. */
static void
put_line(struct str *s, const char *name, const char *value)
{
	size_t i, from;

	str_printf(s, "%s ", name);
	from = s->len;
	str_puts(s, value);
	for (i = from; i < s->len; i++)
		if ((unsigned char)s->s[i] < ' ')
			s->s[i] = ' ';
	str_putc(s, '\n');
}

static void
put_settings(struct str *s, const struct conf *c)
{
	static const struct {
		const char *name;
		enum conf_id id;
	} number[] = {
		{ "recipient_limit", CONF_DEFAULT_RECIPIENT_LIMIT },
		{ "connect_timeout", CONF_SMTP_CONNECT_TIMEOUT },
		{ "data_done_timeout", CONF_SMTP_DATA_DONE_TIMEOUT },
		{ "data_init_timeout", CONF_SMTP_DATA_INIT_TIMEOUT },
		{ "data_xfer_timeout", CONF_SMTP_DATA_XFER_TIMEOUT },
		{ "helo_timeout", CONF_SMTP_HELO_TIMEOUT },
		{ "mail_timeout", CONF_SMTP_MAIL_TIMEOUT },
		{ "mx_address_limit", CONF_SMTP_MX_ADDRESS_LIMIT },
		{ "mx_session_limit", CONF_SMTP_MX_SESSION_LIMIT },
		{ "rcpt_timeout", CONF_SMTP_RCPT_TIMEOUT },
		{ "rset_timeout", CONF_SMTP_RSET_TIMEOUT }
	};
	size_t i;

	put_line(s, "helo", conf_get(c, CONF_SMTP_HELO_NAME));
	put_line(s, "proxy", conf_get(c, CONF_PROXY_INTERFACES));
	put_line(s, "preference", conf_get(c, CONF_SMTP_ADDRESS_PREFERENCE));
	for (i = 0; i < sizeof(number) / sizeof(number[0]); i++)
		str_printf(s, "%s %" PRIu64 "\n", number[i].name,
		    conf_number(c, number[i].id));
}

/* A file that is nowhere, with the job in it; -1 with why. */
static int
make_job(const struct handover *h, struct why *why)
{
	const struct conf *c = &h->r->conf;
	int fd = memfd_create("job", MFD_CLOEXEC);
	struct str s;
	size_t i;

	str_init(&s);
	put_line(&s, "protocol", role(h->g));
	put_line(&s, "hop", h->g->hop);
	put_line(&s, "fallback", h->g->lmtp ? "" :
	    conf_get(c, CONF_SMTP_FALLBACK_RELAY));
	put_settings(&s, c);
	for (i = 0; i < h->g->n; i++)
		str_printf(&s, "rcpt %zu\n", h->g->number[i]);
	if (fd >= 0 && (s.bad || fsop_write(fd, s.s, s.len) != 0)) {
		(void)close(fd);
		fd = -1;
	}
	if (fd < 0)
		(void)why_set(why, VERDICT_LATER, "4.3.0",
		    "cannot write down what relay is to do");
	str_free(&s);
	return fd;
}

/* ---- the answers ---- */

static int
by_number(const void *a, const void *b)
{
	const size_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static enum verdict
verdict_of(const char *word)
{
	return strcmp(word, verdict_word(VERDICT_OK)) == 0 ? VERDICT_OK :
	    strcmp(word, verdict_word(VERDICT_NEVER)) == 0 ? VERDICT_NEVER :
	    VERDICT_LATER;
}

/* "number sent 2.0.0 host[addr]:port setup transmit text". */
static void
take_rcpt(struct handover *h, char *s)
{
	struct remote_result result = { .role = role(h->g),
	    .started = h->g->started };
	char *field[7];
	uint64_t value[3];
	const size_t *at;
	size_t i;

	for (i = 0; i < 7; i++)
		if ((field[i] = i < 6 ? strsep(&s, "\t") : s) == NULL)
			return;
	for (i = 0; i < 3; i++)
		if (!num_parse(field[i == 0 ? 0 : 3 + i],
		    strlen(field[i == 0 ? 0 : 3 + i]), INT64_MAX, &value[i]))
			return;
	result.number = (size_t)value[0];
	result.relay = field[3];
	result.setup = (int64_t)value[1];
	result.transmit = (int64_t)value[2];
	(void)why_set(&result.why, verdict_of(field[1]), field[2], "%s",
	    field[6]);
	at = bsearch(&result.number, h->g->number, h->g->n,
	    sizeof(*h->g->number), by_number);
	if (at == NULL || h->told[at - h->g->number])
		return;
	h->told[at - h->g->number] = true;
	message_settle(h->r, h->m, &result);
}

static void
take_dead(struct handover *h, char *s)
{
	const char *status = strsep(&s, "\t");
	struct why why;

	(void)why_set(&why, VERDICT_LATER, status, "%s", s != NULL ? s : "");
	remote_note(h->r, h->g, &why);
	h->asked = true;
}

static void
take_line(struct handover *h, char *line)
{
	const char *kind = strsep(&line, "\t");

	if (line == NULL)
		return;
	if (strcmp(kind, "rcpt") == 0)
		take_rcpt(h, line);
	else if (strcmp(kind, "note") == 0)
		log_line(role(h->g), "%s", line);
	else if (strcmp(kind, "dead") == 0)
		take_dead(h, line);
	else if (strcmp(kind, "alive") == 0) {
		remote_note(h->r, h->g, NULL);
		h->asked = true;
	}
}

/* Relay limits every wait of its own: no time limit here. */
static void
listen_to(struct handover *h, int fd)
{
	char buf[8192], *line, *nl;
	size_t kept = 0;
	ssize_t n;

	while ((n = TEMP_FAILURE_RETRY(read(fd, buf + kept,
	    sizeof(buf) - kept))) > 0) {
		kept += (size_t)n;
		for (line = buf; (nl = memchr(line, '\n', kept)) != NULL;
		    line = nl + 1) {
			*nl = '\0';
			kept -= (size_t)(nl + 1 - line);
			take_line(h, line);
		}
		if (kept == sizeof(buf))
			kept = 0;	/* no line of relay's */
		memmove(buf, line, kept);
	}
}

/* ---- the process ---- */

/* Those that nothing was said of. */
static void
untold(struct handover *h, int code, const struct why *failed)
{
	struct remote_result result = { .role = role(h->g), .relay = "none",
	    .started = h->g->started };
	size_t i;

	for (i = 0; i < h->g->n; i++) {
		if (h->told[i])
			continue;
		result.number = h->g->number[i];
		if (failed != NULL)
			result.why = *failed;
		else if (code < 0)
			(void)why_set(&result.why, VERDICT_LATER, "4.3.0",
			    "relay was ended by a signal");
		else
			(void)why_set(&result.why, VERDICT_LATER, "4.3.0",
			    "relay said nothing, exit code %d", code);
		message_settle(h->r, h->m, &result);
	}
}

static pid_t
start(struct handover *h, int from_us, int job, int to_us)
{
	char program[] = "relay";
	char *argv[] = { program, NULL };
	struct spawn s = { .fd_program = h->r->fd_relay, .argv = argv,
	    .fd = { from_us, to_us, -1, job }, .fd_cwd = -1,
	    .uid = h->r->owner.uid, .gid = h->r->owner.gid,
	    .extra = (gid_t)-1 };

	return spawn(&s);
}

/* 0 and *code, or -1 with why. */
static int
run(struct handover *h, int *code, struct why *why)
{
	int job = -1, message = -1, to_us[2] = { -1, -1 };
	pid_t pid = -1;

	if (h->r->fd_relay < 0)
		(void)why_set(why, VERDICT_LATER, "4.3.5",
		    "cannot run relay in daemon_directory");
	else if ((job = make_job(h, why)) >= 0) {
		message = queue_reopen(h->m);
		if (message < 0 || pipe2(to_us, O_CLOEXEC) != 0 ||
		    (pid = start(h, message, job, to_us[1])) < 0)
			(void)why_errno(why, errno, "start relay");
	}
	if (to_us[1] >= 0)
		(void)close(to_us[1]);
	if (pid > 0) {
		listen_to(h, to_us[0]);
		*code = spawn_wait(pid);
	}
	if (to_us[0] >= 0)
		(void)close(to_us[0]);
	if (message >= 0)
		(void)close(message);
	if (job >= 0)
		(void)close(job);
	return pid > 0 ? 0 : -1;
}

void
relay_run(struct runner *r, struct queue_message *m,
    const struct remote_group *g)
{
	struct handover h = { .r = r, .m = m, .g = g };
	struct why why;
	int code = 0, ran;

	h.told = calloc(g->n, sizeof(*h.told));
	if (h.told == NULL)
		return;
	ran = run(&h, &code, &why);
	untold(&h, code, ran == 0 ? NULL : &why);
	free(h.told);
	if (ran == 0 && code == 0 && !h.asked)
		remote_note(r, g, NULL);
}
