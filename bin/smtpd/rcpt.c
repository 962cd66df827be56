/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RCPT: is the address ours and known, or may this client relay? */
#include "smtpd.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "pure/list.h"
#include "sys/log.h"

/* Refuses, and tells the log in the words that log readers look for.  The
 * address stands as it was typed. */
static enum session_step
reject(struct smtpd *s, const struct addr *a, const char *code,
    const char *text)
{
	log_line("smtpd", "NOQUEUE: reject: RCPT from %s[%s]: %s <%s>: %s; "
	    "from=<%s> to=<%s> proto=%s helo=<%s>", s->peer.name,
	    s->peer.addr, code, a->text, text, s->sender.text, a->text,
	    s->esmtp ? "ESMTP" : "SMTP", s->helo.s);
	s->rcpt_refused = true;
	return smtpd_refuse(s, "%s <%.330s>: %s", code, a->text, text);
}

/* user@[our own address] is user@myhostname: whoever delivers the message
 * later does not know which address the client came to. */
static void
name_literal(struct smtpd *s, struct addr *a)
{
	char literal[INET6_ADDRSTRLEN + 8];

	(void)snprintf(literal, sizeof(literal),
	    s->peer.family == AF_INET6 ? "[IPv6:%s]" : "[%s]", s->peer.self);
	if (a->at == a->len || strcasecmp(addr_domain(a), literal) != 0)
		return;
	a->len = a->at;
	a->text[a->len] = '\0';
	(void)addr_complete(a, conf_get(&s->conf, CONF_MYHOSTNAME));
}

static bool
is_local(struct smtpd *s, const char *domain)
{
	return list_has_domain(conf_get(&s->conf, CONF_MYDESTINATION), domain);
}

/* RFC 5321 4.5.1: postmaster is always there. */
static enum users_answer
find(struct smtpd *s, const struct addr *a)
{
	char key[LIMIT_USER + 1];
	struct user u;

	if (!addr_local_key(a, key, sizeof(key)))
		return USERS_MISS;
	if (strcmp(key, "postmaster") == 0)
		return USERS_HIT;
	return users_find(s->fd_users, key, &u);
}

/* Twice the same is once. */
static bool
has_already(const struct smtpd *s, const char *address)
{
	char field[LIMIT_ADDRESS + 32];

	(void)snprintf(field, sizeof(field), "Delivered-To: %s\n", address);
	return strcasestr(s->rcpts.s, field) != NULL;
}

static enum session_step
accept_rcpt(struct smtpd *s, const struct addr *given, const struct addr *full)
{
	if (!has_already(s, full->text)) {
		envelope_put_rcpt(&s->rcpts, full->text, given->text);
		if (s->nrcpt++ == 0)
			str_puts(&s->only_rcpt, given->text);
	}
	if (s->rcpts.bad || s->only_rcpt.bad) {
		smtpd_reset(s);
		return smtpd_refuse(s, "452 4.3.0 Error: out of memory");
	}
	smtpd_reply(s, "250 2.1.5 Ok");
	return SESSION_OK;
}

enum session_step
smtpd_rcpt(void *ctx, char *arg)
{
	struct smtpd *s = ctx;
	char *p = strncasecmp(arg, "TO:", 3) == 0 ? arg + 3 : NULL;
	struct addr given, full;
	size_t n;

	if (!s->in_mail)
		return smtpd_refuse(s, "503 5.5.1 Error: need MAIL command");
	if (p == NULL || p[strspn(p, " \t")] == '\0')
		return smtpd_refuse(s, "501 5.5.4 Syntax: RCPT TO:<address>");
	n = addr_parse(&given, p, strlen(p));
	full = given;
	if (n == 0 || given.len == 0 || p[n + strspn(p + n, " \t")] == '<' ||
	    !addr_complete(&full, conf_get(&s->conf, CONF_MYORIGIN)))
		return smtpd_refuse(s,
		    "501 5.1.3 Bad recipient address syntax");
	n += strspn(p + n, " \t");
	if (p[n] != '\0')
		return smtpd_refuse(s, "555 5.5.4 Unsupported option: %.200s",
		    p + n);
	name_literal(s, &full);
	if (s->nrcpt >= conf_number(&s->conf, CONF_SMTPD_RECIPIENT_LIMIT))
		return smtpd_refuse(s,
		    "452 4.5.3 Error: too many recipients");
	if (!is_local(s, addr_domain(&full))) {
		if (s->trusted || list_has_domain(conf_get(&s->conf,
		    CONF_RELAY_DOMAINS), addr_domain(&full)))
			return accept_rcpt(s, &given, &full);
		return reject(s, &given, "454 4.7.1", "Relay access denied");
	}
	switch (find(s, &full)) {
	case USERS_HIT:
		return accept_rcpt(s, &given, &full);
	case USERS_MISS:
		return reject(s, &given, "550 5.1.1", "Recipient address "
		    "rejected: User unknown in local recipient table");
	case USERS_LATER:
		break;
	}
	return reject(s, &given, "451 4.3.0", "Temporary lookup failure");
}
