/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The AUTHORIZATION state, RFC 1939 section 4 and 7. */
#include "pop3d.h"

#include <stdio.h>
#include <string.h>

#include "sys/log.h"

enum session_step
pop3_needs_tls(struct pop3 *p)
{
	return pop3_err(p, p->tls.level == STARTTLS_NONE ?
	    "[AUTH] Passwords are refused without TLS" :
	    "[AUTH] Passwords are refused without TLS: STLS first");
}

static enum session_step
do_user(void *ctx, char *arg)
{
	struct pop3 *p = ctx;
	size_t len = strlen(arg);

	if (!p->passwords)
		return pop3_needs_tls(p);
	while (len > 0 && arg[len - 1] == ' ')
		arg[--len] = '\0';
	if (len == 0)
		return pop3_err(p, "Missing username argument");
	/* Too long a name is no account: the password will be refused. */
	(void)snprintf(p->user, sizeof(p->user), "%s",
	    len < sizeof(p->user) ? arg : "?");
	return pop3_ok(p, "User name accepted, password please");
}

static enum session_step
do_pass(void *ctx, char *arg)
{
	struct pop3 *p = ctx;
	char user[LIMIT_USER + 1];

	if (p->user[0] == '\0') {
		explicit_bzero(arg, strlen(arg));
		return pop3_err(p, "USER first");
	}
	memcpy(user, p->user, sizeof(user));
	p->user[0] = '\0';
	return pop3_login(p, user, arg);
}

/* RFC 2595 4: what was said before is forgotten, and what came with the
 * command was sent in clear. */
static enum session_step
do_stls(void *ctx, char *arg)
{
	struct pop3 *p = ctx;
	int fd;

	if (p->tls.level == STARTTLS_NONE)
		return pop3_err(p, "STLS is not configured");
	if (*arg != '\0')
		return pop3_err(p, "STLS takes no argument");
	if (p->tls.active)
		return pop3_err(p, "TLS already active");
	p->bio.pos = p->bio.len = 0;
	if (bio_flush(&p->bio) != 0)
		return SESSION_OK;	/* the next read finds it again */
	fd = starttls_begin(&p->tls);
	if (fd < 0)
		return pop3_err(p, "[SYS/TEMP] TLS not available due to local "
		    "problem");
	(void)pop3_ok(p, "Begin TLS negotiation");
	(void)bio_flush(&p->bio);
	p->user[0] = '\0';
	p->passwords = starttls_shake(&p->tls, &p->bio, fd);
	return SESSION_OK;
}

static enum session_step
do_quit(void *ctx, char *arg)
{
	struct pop3 *p = ctx;

	(void)arg;
	p->quit = true;
	(void)pop3_ok(p, "Sayonara");
	return SESSION_END;
}

static enum session_step
do_unknown(void *ctx, char *arg)
{
	(void)arg;
	return pop3_err(ctx, "Unknown AUTHORIZATION state command");
}

static const struct session_command table[] = {
	{ "USER", do_user },
	{ "PASS", do_pass },
	{ "AUTH", pop3_auth },
	{ "CAPA", pop3_capa },
	{ "STLS", do_stls },
	{ "QUIT", do_quit },
	{ NULL, do_unknown }
};

enum session_end
pop3_authorization(struct pop3 *p)
{
	static struct session_count count[sizeof(table) / sizeof(table[0])];
	struct session session = {
		.bio = &p->bio, .table = table, .count = count,
		.bad_line = pop3_bad_line, .blanks = true, .ctx = p
	};
	int seconds = (int)conf_number(&p->conf, CONF_POP3_LOGIN_TIMEOUT);
	int fd;

	p->passwords = conf_number(&p->conf, CONF_POP3_TLS_AUTH_ONLY) == 0;
	bio_init(&p->bio, 0, 1);
	bio_timeout(&p->bio, seconds);
	/* All of it must be over by then, so each wait is for what is left,
	 * and not for the same time again. */
	p->bio.poll = true;
	bio_deadline(&p->bio, seconds);
	if (p->tls.level == STARTTLS_WRAPPER) {
		fd = starttls_begin(&p->tls);
		if (fd < 0 || !starttls_shake(&p->tls, &p->bio, fd))
			return SESSION_EOF;
		p->passwords = true;
	}
	(void)pop3_ok(p, "POP3 %s %s server ready", conf_get(&p->conf,
	    CONF_MYHOSTNAME), conf_get(&p->conf, CONF_MAIL_NAME));
	return session_run(&session);
}
