/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "smtpd.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/statvfs.h>

#include "pure/num.h"
#include "sys/log.h"

/* ---- answers ---- */

void
smtpd_reply(struct smtpd *s, const char *fmt, ...)
{
	char line[LIMIT_REPLY];
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	(void)vsnprintf(line, LIMIT_REPLY - 1, fmt, ap);
	va_end(ap);
	n = strlen(line);
	line[n++] = '\r';
	line[n++] = '\n';
	bio_put(&s->bio, line, n);
}

/* One error more: 421 and out when it is one too many. */
static enum session_step
count_error(struct smtpd *s)
{
	if (++s->errors < conf_number(&s->conf, CONF_SMTPD_HARD_ERROR_LIMIT))
		return SESSION_REFUSED;
	smtpd_reply(s, "421 4.7.0 %s Error: too many errors",
	    conf_get(&s->conf, CONF_MYHOSTNAME));
	log_line("smtpd", "too many errors after %s from %s[%s]",
	    s->session.verb, s->peer.name, s->peer.addr);
	return SESSION_ABORT;
}

enum session_step
smtpd_refuse(struct smtpd *s, const char *fmt, ...)
{
	char line[LIMIT_REPLY];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	smtpd_reply(s, "%s", line);
	return count_error(s);
}

/* Commands that do nothing for mail: beyond a number they count as errors. */
static enum session_step
junk(struct smtpd *s)
{
	if (++s->junk <= conf_number(&s->conf, CONF_SMTPD_JUNK_COMMAND_LIMIT))
		return SESSION_OK;
	return count_error(s) == SESSION_ABORT ? SESSION_ABORT : SESSION_OK;
}

void
smtpd_reset(struct smtpd *s)
{
	s->in_mail = false;
	s->nrcpt = s->naccepted = 0;
	s->rcpt_refused = false;
	str_reset(&s->rcpts);
	str_reset(&s->only_rcpt);
}

/* ---- lines ---- */

/* A session ends its lines in CRLF.  The first line may say otherwise where
 * main.cf allows it; then all of them must.  A mixture is a smuggler's. */
bool
smtpd_line_end(void *ctx, bool crlf)
{
	struct smtpd *s = ctx;

	if (s->lines == LINES_UNKNOWN)
		s->lines = crlf ? LINES_CRLF : LINES_LF;
	return crlf == (s->lines == LINES_CRLF) &&
	    (crlf || s->lf_allowed);
}

enum session_step
smtpd_bad_line(void *ctx, bool too_long)
{
	struct smtpd *s = ctx;

	if (too_long)
		return smtpd_refuse(s, "500 5.5.2 Error: line too long");
	smtpd_reply(s, "521 5.5.2 %s Error: bare <LF> received",
	    conf_get(&s->conf, CONF_MYHOSTNAME));
	log_line("smtpd", "improper line end after %s from %s[%s]",
	    s->session.verb, s->peer.name, s->peer.addr);
	return SESSION_ABORT;
}

/* ---- commands, in the order of a session ---- */

/* What a stranger calls himself goes into a header and the log: only what
 * cannot be mistaken there. */
static void
keep_helo(struct smtpd *s, const char *name)
{
	size_t i;

	str_reset(&s->helo);
	for (i = 0; name[i] != '\0' && i < LIMIT_DOMAIN; i++)
		str_putc(&s->helo, name[i] > ' ' && name[i] <= '~' &&
		    strchr("()<>;,\"\\", name[i]) == NULL ? name[i] : '?');
}

static enum session_step
do_helo(void *ctx, char *arg)
{
	struct smtpd *s = ctx;

	if (*arg == '\0')
		return smtpd_refuse(s, "501 Syntax: HELO hostname");
	keep_helo(s, arg);
	s->esmtp = false;
	smtpd_reset(s);
	smtpd_reply(s, "250 %s", conf_get(&s->conf, CONF_MYHOSTNAME));
	return junk(s);
}

static enum session_step
do_ehlo(void *ctx, char *arg)
{
	struct smtpd *s = ctx;
	uint64_t limit = conf_number(&s->conf, CONF_MESSAGE_SIZE_LIMIT);

	if (*arg == '\0')
		return smtpd_refuse(s, "501 Syntax: EHLO hostname");
	keep_helo(s, arg);
	s->esmtp = true;
	smtpd_reset(s);
	smtpd_reply(s, "250-%s", conf_get(&s->conf, CONF_MYHOSTNAME));
	smtpd_reply(s, "250-PIPELINING");
	if (limit > 0)
		smtpd_reply(s, "250-SIZE %llu", (unsigned long long)limit);
	else
		smtpd_reply(s, "250-SIZE");
	smtpd_reply(s, "250-VRFY");
	if (s->tls.level != STARTTLS_NONE && !s->tls.active)
		smtpd_reply(s, "250-STARTTLS");
	smtpd_offer_auth(s);
	smtpd_reply(s, "250-ENHANCEDSTATUSCODES");
	smtpd_reply(s, "250 8BITMIME");
	return junk(s);
}

static enum session_step
check_size(struct smtpd *s, const char *value)
{
	uint64_t limit = conf_number(&s->conf, CONF_MESSAGE_SIZE_LIMIT);
	uint64_t size;

	if (!num_parse(value, strlen(value), UINT64_MAX / 2, &size))
		return smtpd_refuse(s, "501 5.5.4 Bad message size syntax");
	if (limit > 0 && size > limit)
		return smtpd_refuse(s,
		    "552 5.3.4 Message size exceeds fixed limit");
	return SESSION_OK;
}

/* The ESMTP parameters of MAIL. */
static enum session_step
check_parameters(struct smtpd *s, char *p)
{
	enum session_step step;
	char *word;

	for (; (word = strsep(&p, " \t")) != NULL;) {
		if (*word == '\0')
			continue;
		if (*word == '<')
			return smtpd_refuse(s,
			    "501 5.1.7 Bad sender address syntax");
		if (strncasecmp(word, "SIZE=", 5) == 0) {
			step = check_size(s, word + 5);
			if (step != SESSION_OK)
				return step;
		} else if (strcasecmp(word, "BODY=7BIT") != 0 &&
		    strcasecmp(word, "BODY=8BITMIME") != 0)
			return smtpd_refuse(s,
			    "555 5.5.4 Unsupported option: %.200s", word);
	}
	return SESSION_OK;
}

static bool
has_space(struct smtpd *s)
{
	uint64_t need = conf_number(&s->conf, CONF_QUEUE_MINFREE);
	struct statvfs v;

	return need == 0 || fstatvfs(s->queue.dir, &v) != 0 ||
	    (uint64_t)v.f_bavail * v.f_frsize >= need;
}

/* "FROM:" or "TO:" at arg; returns what follows, or NULL. */
static char *
after_word(char *arg, const char *word)
{
	size_t n = strlen(word);

	return strncasecmp(arg, word, n) == 0 ? arg + n : NULL;
}

static enum session_step
reject_sender(struct smtpd *s, const struct addr *a, const struct why *why)
{
	const char *code = why->verdict == VERDICT_NEVER ? "553" : "451";

	log_line("smtpd", "NOQUEUE: reject: MAIL from %s[%s]: %s %s <%s>: %s; "
	    "from=<%s> proto=%s helo=<%s>", s->peer.name, s->peer.addr, code,
	    why->status, a->text, why->text, a->text, smtpd_protocol(s),
	    s->helo.s);
	return smtpd_refuse(s, "%s %s <%.330s>: %s", code, why->status,
	    a->text, why->text);
}

static enum session_step
do_mail(void *ctx, char *arg)
{
	struct smtpd *s = ctx;
	char *p = after_word(arg, "FROM:");
	enum session_step step;
	struct addr a;
	struct why why;
	size_t n;

	if (s->helo.len == 0 && conf_number(&s->conf,
	    CONF_SMTPD_HELO_REQUIRED) != 0)
		return smtpd_refuse(s, "503 5.5.1 Error: send HELO/EHLO first");
	if (s->in_mail)
		return smtpd_refuse(s, "503 5.5.1 Error: nested MAIL command");
	if (p == NULL || p[strspn(p, " \t")] == '\0')
		return smtpd_refuse(s,
		    "501 5.5.4 Syntax: MAIL FROM:<address>");
	n = addr_parse(&a, p, strlen(p));
	if (n == 0 || (a.len > 0 && a.at < a.len &&
	    addr_domain(&a)[0] == '\0'))
		return smtpd_refuse(s, "501 5.1.7 Bad sender address syntax");
	step = check_parameters(s, p + n);
	if (step != SESSION_OK)
		return step;
	if (!has_space(s))
		return smtpd_refuse(s,
		    "452 4.3.1 Insufficient system storage");
	if (!smtpd_owns_sender(s, &a, &why))
		return reject_sender(s, &a, &why);
	smtpd_reset(s);
	s->sender = a;
	s->in_mail = true;
	smtpd_reply(s, "250 2.1.0 Ok");
	return SESSION_OK;
}

static enum session_step
do_rset(void *ctx, char *arg)
{
	struct smtpd *s = ctx;

	if (*arg != '\0')
		return smtpd_refuse(s, "501 5.5.4 Syntax: RSET");
	smtpd_reset(s);
	smtpd_reply(s, "250 2.0.0 Ok");
	return junk(s);
}

static enum session_step
do_noop(void *ctx, char *arg)
{
	(void)arg;
	smtpd_reply(ctx, "250 2.0.0 Ok");
	return junk(ctx);
}

/* Says nothing: the answer to RCPT is the one that counts. */
static enum session_step
do_vrfy(void *ctx, char *arg)
{
	struct addr a;
	size_t n = strlen(arg);

	if (*arg == '\0')
		return smtpd_refuse(ctx, "501 5.5.4 Syntax: VRFY address");
	if (addr_parse(&a, arg, n) != n || a.len == 0)
		return smtpd_refuse(ctx,
		    "501 5.1.3 Bad recipient address syntax");
	smtpd_reply(ctx, "252 2.0.0 %s", a.text);
	return junk(ctx);
}

static enum session_step
do_help(void *ctx, char *arg)
{
	(void)arg;
	smtpd_reply(ctx, "214 2.0.0 Commands: EHLO HELO MAIL RCPT DATA RSET "
	    "NOOP QUIT VRFY HELP");
	return junk(ctx);
}

static enum session_step
do_quit(void *ctx, char *arg)
{
	(void)arg;
	smtpd_reply(ctx, "221 2.0.0 Bye");
	return SESSION_END;
}

static enum session_step
do_not_here(void *ctx, char *arg)
{
	(void)arg;
	return smtpd_refuse(ctx, "502 5.5.1 Error: command not implemented");
}

/* A web browser, or a message without a DATA in front of it: whatever comes
 * next is not meant for us. */
static enum session_step
do_foreign(void *ctx, char *arg)
{
	struct smtpd *s = ctx;

	(void)arg;
	smtpd_reply(s, "221 2.7.0 Error: I can break rules, too. Goodbye.");
	log_line("smtpd", "non-SMTP command from %s[%s]", s->peer.name,
	    s->peer.addr);
	return SESSION_ABORT;
}

static enum session_step
do_unknown(void *ctx, char *verb)
{
	size_t n = strlen(verb);

	if (n == 0)
		return smtpd_refuse(ctx, "500 5.5.2 Error: bad syntax");
	if (n > 1 && verb[n - 1] == ':')
		return do_foreign(ctx, verb);
	return smtpd_refuse(ctx, "500 5.5.2 Error: command not recognized");
}

const struct session_command smtpd_commands[] = {
	{ "HELO", do_helo },
	{ "EHLO", do_ehlo },
	{ "MAIL", do_mail },
	{ "RCPT", smtpd_rcpt },
	{ "DATA", smtpd_data },
	{ "RSET", do_rset },
	{ "NOOP", do_noop },
	{ "VRFY", do_vrfy },
	{ "HELP", do_help },
	{ "QUIT", do_quit },
	{ "AUTH", smtpd_auth },
	{ "STARTTLS", smtpd_starttls },
	{ "ETRN", do_not_here },
	{ "GET", do_foreign },
	{ "POST", do_foreign },
	{ NULL, do_unknown }
};
_Static_assert(sizeof(smtpd_commands) / sizeof(smtpd_commands[0]) ==
    SMTPD_NCOMMANDS, "SMTPD_NCOMMANDS");
