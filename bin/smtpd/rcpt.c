/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RCPT: is the address ours and known, or may this client relay? */
#include "smtpd.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "pure/list.h"
#include "sys/log.h"

/* The reply code that goes with a status (RFC 5321 4.2.2). */
static const char *
reply_code(const struct why *why)
{
	if (why->verdict == VERDICT_NEVER)
		return "550";
	if (strcmp(why->status, "4.5.3") == 0)
		return "452";
	return strcmp(why->status, "4.7.1") == 0 ? "454" : "451";
}

/* Refuses, and tells the log in the words that log readers look for.  The
 * address stands as it was typed. */
static enum session_step
reject(struct smtpd *s, const struct addr *a, const struct why *why)
{
	const char *code = reply_code(why);

	log_line("smtpd", "NOQUEUE: reject: RCPT from %s[%s]: %s %s <%s>: %s; "
	    "from=<%s> to=<%s> proto=%s helo=<%s>", s->peer.name,
	    s->peer.addr, code, why->status, a->text, why->text,
	    s->sender.text, a->text, smtpd_protocol(s),
	    s->helo.s);
	s->rcpt_refused = true;
	return smtpd_refuse(s, "%s %s <%.330s>: %s", code, why->status,
	    a->text, why->text);
}

/* user@[our own address] is user@myhostname: whoever delivers the message
 * later does not know which address the client came to.  A bare postmaster
 * is here, wherever other bare names are (RFC 5321 4.5.1). */
static void
name_host(struct smtpd *s, const struct addr *given, struct addr *a)
{
	char literal[INET6_ADDRSTRLEN + 8];

	if (strcasecmp(given->text, "postmaster") == 0 &&
	    !list_has_domain(conf_get(&s->conf, CONF_MYDESTINATION),
	    addr_domain(a))) {
		*a = *given;
		(void)addr_complete(a, conf_get(&s->conf, CONF_MYHOSTNAME));
		return;
	}
	(void)snprintf(literal, sizeof(literal),
	    s->peer.family == AF_INET6 ? "[IPv6:%s]" : "[%s]", s->peer.self);
	if (a->at == a->len || strcasecmp(addr_domain(a), literal) != 0)
		return;
	a->len = a->at;
	a->text[a->len] = '\0';
	(void)addr_complete(a, conf_get(&s->conf, CONF_MYHOSTNAME));
}

/* Twice the same is once. */
static bool
has_already(const struct smtpd *s, const char *address)
{
	char field[LIMIT_ADDRESS + 32];

	(void)snprintf(field, sizeof(field), "Delivered-To: %s\n", address);
	return strcasestr(s->rcpts.s, field) != NULL;
}

void
smtpd_add_rcpt(void *ctx, const char *address)
{
	struct smtpd_add *add = ctx;
	struct smtpd *s = add->s;

	if (has_already(s, address))
		return;
	envelope_put_rcpt(&s->rcpts, address, add->given);
	s->nrcpt++;
}

/* All that the recipient stands for goes into the envelope, or nothing. */
static enum session_step
accept_rcpt(struct smtpd *s, const struct addr *given, const struct addr *full)
{
	struct smtpd_add add = { s, given->text };
	struct rewrite *r = &s->tables.rewrite;
	size_t len = s->rcpts.len, n = s->nrcpt;
	struct why why;

	why.verdict = rewrite_rcpt(r, full, smtpd_add_rcpt, &add, &why);
	if (why.verdict == VERDICT_OK) {
		add.given = "";
		why.verdict = rewrite_bcc(r, NULL, full, smtpd_add_rcpt, &add,
		    &why);
	}
	if (why.verdict == VERDICT_LATER)
		log_warning("smtpd", "%s", why.text);
	if (why.verdict == VERDICT_LATER && strcmp(why.status, "4.6.0") != 0)
		(void)why_set(&why, VERDICT_LATER, "4.3.0",
		    "Temporary lookup failure");
	else if (why.verdict == VERDICT_LATER)
		(void)why_set(&why, VERDICT_LATER, "4.6.0",
		    "Alias expansion error");
	if (why.verdict == VERDICT_OK && (s->rcpts.bad ||
	    s->rcpts.len > LIMIT_ENVELOPE / 2))
		(void)why_set(&why, VERDICT_LATER, "4.5.3",
		    "Too many recipients");
	if (why.verdict != VERDICT_OK) {
		str_cut(&s->rcpts, len);
		s->nrcpt = n;
		return reject(s, given, &why);
	}
	/* Twice the same counts once. */
	if (s->nrcpt > n && s->naccepted++ == 0)
		str_puts(&s->only_rcpt, given->text);
	smtpd_reply(s, "250 2.1.5 Ok");
	return SESSION_OK;
}

enum session_step
smtpd_rcpt(void *ctx, char *arg)
{
	struct smtpd *s = ctx;
	char *p = strncasecmp(arg, "TO:", 3) == 0 ? arg + 3 : NULL;
	struct addr given, full;
	struct why why;
	size_t n;

	if (!s->in_mail)
		return smtpd_refuse(s, "503 5.5.1 Error: need MAIL command");
	if (p == NULL || p[strspn(p, " \t")] == '\0')
		return smtpd_refuse(s, "501 5.5.4 Syntax: RCPT TO:<address>");
	n = addr_parse(&given, p, strlen(p));
	full = given;
	if (n == 0 || given.len == 0 || p[n + strspn(p + n, " \t")] == '<' ||
	    !rewrite_complete(&s->tables.rewrite, &full))
		return smtpd_refuse(s,
		    "501 5.1.3 Bad recipient address syntax");
	n += strspn(p + n, " \t");
	if (p[n] != '\0')
		return smtpd_refuse(s, "555 5.5.4 Unsupported option: %.200s",
		    p + n);
	name_host(s, &given, &full);
	if (s->naccepted >= conf_number(&s->conf,
	    CONF_SMTPD_RECIPIENT_LIMIT))
		return smtpd_refuse(s,
		    "452 4.5.3 Error: too many recipients");
	if (smtpd_check_recipient(s, &full, &why) != VERDICT_OK)
		return reject(s, &given, &why);
	return accept_rcpt(s, &given, &full);
}
