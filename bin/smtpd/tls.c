/* SPDX-License-Identifier: GPL-3.0-or-later */
/* STARTTLS, RFC 3207: everything that was said before is forgotten. */
#include "smtpd.h"

#include <string.h>

static void
forget(struct smtpd *s)
{
	smtpd_reset(s);
	str_reset(&s->helo);
	s->esmtp = false;
	s->lines = LINES_UNKNOWN;
}

enum session_step
smtpd_starttls(void *ctx, char *arg)
{
	struct smtpd *s = ctx;
	int fd;

	if (s->tls.level == STARTTLS_NONE)
		return smtpd_refuse(s,
		    "502 5.5.1 Error: command not implemented");
	if (*arg != '\0')
		return smtpd_refuse(s, "501 5.5.4 Syntax: STARTTLS");
	if (s->tls.active)
		return smtpd_refuse(s, "554 5.5.1 Error: TLS already active");
	if (s->in_mail)
		return smtpd_refuse(s,
		    "503 5.5.1 Error: MAIL transaction in progress");
	/* What came with the command was sent in clear. */
	s->bio.pos = s->bio.len = 0;
	if (bio_flush(&s->bio) != 0)
		return SESSION_OK;	/* the next read finds it again */
	fd = starttls_begin(&s->tls);
	if (fd < 0)
		return smtpd_refuse(s, "454 4.7.0 TLS not available due to "
		    "local problem");
	smtpd_reply(s, "220 2.0.0 Ready to start TLS");
	(void)bio_flush(&s->bio);
	if (starttls_shake(&s->tls, &s->bio, fd))
		forget(s);
	return SESSION_OK;
}

bool
smtpd_wrapper(struct smtpd *s)
{
	int fd = starttls_begin(&s->tls);

	return fd >= 0 && starttls_shake(&s->tls, &s->bio, fd);
}

/* What a client may say before TLS, or AUTH, where mail needs it. */
static bool
is_early(const char *verb)
{
	static const char *const early[] = { "EHLO", "HELO", "STARTTLS",
	    "NOOP", "QUIT", "HELP" };
	size_t i;

	for (i = 0; i < sizeof(early) / sizeof(early[0]); i++)
		if (strcmp(verb, early[i]) == 0)
			return true;
	return false;
}

bool
smtpd_may(void *ctx, const char *verb, enum session_step *step)
{
	struct smtpd *s = ctx;

	if (is_early(verb))
		return true;
	if (s->tls.level == STARTTLS_ENCRYPT && !s->tls.active) {
		*step = smtpd_refuse(s, "530 5.7.0 Must issue a STARTTLS "
		    "command first");
		return false;
	}
	if (s->auth_required && s->login[0] == '\0' &&
	    strcmp(verb, "AUTH") != 0 && strcmp(verb, "RSET") != 0) {
		*step = smtpd_refuse(s, "530 5.7.0 Authentication required");
		return false;
	}
	return true;
}

const char *
smtpd_protocol(const struct smtpd *s)
{
	if (!s->esmtp)
		return "SMTP";
	if (s->login[0] != '\0')
		return s->tls.active ? "ESMTPSA" : "ESMTPA";
	return s->tls.active ? "ESMTPS" : "ESMTP";
}
