/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * smtpd: one SMTP session per process, RFC 5321; messages go to the spool.
 *
 * Started by xinetd or systemd, once per connection or with the listening
 * socket on fd 0, or by anyone on a pipe.  Started as root it opens what it
 * needs and becomes mail_owner for good before the first octet is read; what
 * it could then damage is the spool.  Where TLS or AUTH is configured it is
 * two, and the other half, monitor.c, can be asked for these.  Exit codes:
 * sysexits.
 *
 * smtpd.c	starting, the greeting, the last log lines
 * commands.c	the table of commands and the simple ones
 * rcpt.c	RCPT
 * recipient.c	who may be written to
 * data.c	receiving, the commit
 * monitor.c	the half that is not confined
 * tls.c	STARTTLS
 * auth.c	AUTH
 */
#include "smtpd.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "pure/list.h"
#include "store/wake.h"
#include "sys/fsop.h"
#include "sys/inetd.h"
#include "sys/log.h"
#include "sys/priv.h"
#include "sys/sandbox.h"

#define CANNOT_SERVE	"421 4.3.5 Error: server configuration error\r\n"
#define BUSY		"421 4.7.0 Error: too many connections\r\n"

/* Static: the buffers cost memory only once they are used. */
static struct smtpd smtpd;

/* Reads main.cf.  False, and the log says why. */
static bool
load(struct smtpd *s)
{
	struct why why;

	if (conf_load_with(&s->conf, s->dir, &s->options, &why) != 0) {
		conf_log_fault("smtpd", s->dir, &why);
		return false;
	}
	tzset();	/* reads a file: once, not in each session */
	s->max_idle = (int)conf_number(&s->conf, CONF_MAX_IDLE);
	s->max_children = (int)conf_number(&s->conf,
	    CONF_DEFAULT_PROCESS_LIMIT);
	s->max_per_client = (int)conf_number(&s->conf, CONF_SMTPD_CLIENT_LIMIT);
	if (geteuid() != 0) {
		s->owner.uid = geteuid();
		s->owner.gid = getegid();
		return true;
	}
	if (users_system(conf_get(&s->conf, CONF_MAIL_OWNER), &s->owner) ==
	    USERS_HIT && s->owner.uid != 0)
		return true;
	log_warning("smtpd", "mail_owner: no unprivileged account %s in "
	    "/etc/passwd", conf_get(&s->conf, CONF_MAIL_OWNER));
	return false;
}

static bool
refresh(void *ctx)
{
	struct smtpd *s = ctx;

	if (!conf_changed(&s->conf))
		return true;
	conf_free(&s->conf);
	return load(s);
}

/* Opens what the session needs, then gives the rights away. */
static bool
prepare(struct smtpd *s)
{
	const char *spool = conf_get(&s->conf, CONF_QUEUE_DIRECTORY);

	if (queue_open(&s->queue, spool, s->owner.uid, s->owner.gid,
	    false) != 0) {
		log_warning("smtpd", "queue_directory %s: %s", spool,
		    strerror(errno));
		return false;
	}
	s->fd_users = users_open(conf_get(&s->conf, CONF_PASSWD_FILE));
	if (s->fd_users < 0)
		log_warning("smtpd", "passwd_file %s: %s",
		    conf_get(&s->conf, CONF_PASSWD_FILE), strerror(errno));
	if (!smtpd_open_tables(s))
		return false;
	if (geteuid() == 0)
		(void)wake_open(&s->conf);	/* what fails is logged */
	if (priv_drop(s->owner.uid, s->owner.gid, (gid_t)-1) != 0) {
		log_warning("smtpd", "cannot become %s: %s", s->owner.name,
		    strerror(errno));
		return false;
	}
	/* A runner that we must start ourselves could not live in it. */
	if (conf_get(&s->conf, CONF_QRUN_SERVICE)[0] != '\0')
		sandbox_enter(s->queue.dir);
	return true;
}

/* Is the peer in a list of networks?  A bad entry is no, and a warning. */
static bool
is_in(struct smtpd *s, enum conf_id id)
{
	const char *bad = NULL;
	size_t len = 0;
	int in = list_has_network(conf_get(&s->conf, id), s->peer.family,
	    s->peer.raw, &bad, &len);

	if (in < 0)
		log_warning("smtpd", "%s: bad network \"%.*s\"",
		    conf_parameter[id].name, (int)len, bad);
	return in == 1;
}

static void
log_end(struct smtpd *s, enum session_end end)
{
	static struct str line;
	unsigned ok = 0, total = 0;
	const char *how = NULL;
	const char *p;
	size_t i;

	if (end == SESSION_EOF || end == SESSION_LOST)
		how = "lost connection";
	if (end == SESSION_TIMEOUT)
		how = "timeout";
	if (how != NULL)
		log_line("smtpd", "%s after %s from %s[%s]", how,
		    s->session.verb, s->peer.name, s->peer.addr);
	str_init(&line);
	for (i = 0; i < SMTPD_NCOMMANDS; i++) {
		const struct session_count *c = &s->session.count[i];

		ok += c->ok;
		total += c->total;
		if (c->total == 0)
			continue;
		str_putc(&line, ' ');
		p = smtpd_commands[i].verb;
		for (p = p != NULL ? p : "unknown"; *p != '\0'; p++)
			str_putc(&line, *p >= 'A' && *p <= 'Z' ?
			    (char)(*p - 'A' + 'a') : *p);
		str_printf(&line, c->ok == c->total ? "=%u" : "=%u/%u", c->ok,
		    c->total);
	}
	str_printf(&line, ok == total ? " commands=%u" : " commands=%u/%u",
	    ok, total);
	log_line("smtpd", "disconnect from %s[%s]%s", s->peer.name,
	    s->peer.addr, line.s);
	str_free(&line);
}

static enum session_end
converse(struct smtpd *s)
{
	static struct session_count count[SMTPD_NCOMMANDS];

	s->session = (struct session){
		.bio = &s->bio, .table = smtpd_commands, .count = count,
		.verb = "CONNECT", .bad_line = smtpd_bad_line,
		.line_end = smtpd_line_end, .ctx = s,
		.may = s->tls.level == STARTTLS_ENCRYPT || s->auth_required ?
		    smtpd_may : NULL,
		.line_seconds = (int)conf_number(&s->conf, CONF_SMTPD_TIMEOUT)
	};
	if (s->tls.level == STARTTLS_WRAPPER && !smtpd_wrapper(s))
		return SESSION_EOF;
	smtpd_reply(s, "220 %s", conf_get(&s->conf, CONF_SMTPD_BANNER));
	return session_run(&s->session);
}

/* What is confined: speaks. */
static int
speak(struct smtpd *s)
{
	enum session_end end;

	if (!prepare(s)) {
		/* A client that waits for TLS would not understand it. */
		if (s->tls.level != STARTTLS_WRAPPER)
			(void)fsop_write(1, CANNOT_SERVE,
			    strlen(CANNOT_SERVE));
		return EX_CONFIG;
	}
	bio_init(&s->bio, 0, 1);
	bio_timeout(&s->bio, (int)conf_number(&s->conf, CONF_SMTPD_TIMEOUT));
	str_init(&s->helo);
	str_init(&s->rcpts);
	str_init(&s->only_rcpt);
	s->trusted = is_in(s, CONF_MYNETWORKS);
	s->lf_allowed = is_in(s, CONF_SMTPD_BARE_NEWLINE);
	log_line("smtpd", "connect from %s[%s]", s->peer.name, s->peer.addr);
	end = converse(s);
	if (end == SESSION_TIMEOUT) {
		s->bio.error = 0;
		bio_deadline(&s->bio, 0);
		smtpd_reply(s, "421 4.4.2 %s Error: timeout exceeded",
		    conf_get(&s->conf, CONF_MYHOSTNAME));
	}
	(void)bio_flush(&s->bio);
	log_end(s, end);
	return EX_OK;
}

static int
session(void *ctx)
{
	struct smtpd *s = ctx;
	const char *file = conf_get(&s->conf, CONF_MAILLOG_FILE);

	if (peer_get(&s->peer, 0) != 0)
		return EX_OK;		/* it has gone already */
	if (log_open(conf_get(&s->conf, CONF_SYSLOG_NAME), file) != 0)
		log_warning("smtpd", "maillog_file %s: %s", file,
		    strerror(errno));
	s->tls = (struct starttls){
		.role = "smtpd", .conf = &s->conf, .options = &s->options,
		.peer = &s->peer, .monitor = &s->monitor,
		.level = starttls_level(&s->conf,
		    CONF_SMTPD_TLS_SECURITY_LEVEL, CONF_SMTPD_TLS_WRAPPERMODE)
	};
	s->auth_required = conf_number(&s->conf,
	    CONF_SMTPD_SASL_AUTH_REQUIRED) != 0;
	s->auth_enabled = s->auth_required || conf_number(&s->conf,
	    CONF_SMTPD_SASL_AUTH_ENABLE) != 0;
	if (s->tls.level == STARTTLS_NONE && !s->auth_enabled)
		return speak(s);
	if (monitor_fork(&s->monitor) != 0) {
		(void)fsop_write(1, CANNOT_SERVE, strlen(CANNOT_SERVE));
		return EX_OSERR;
	}
	return s->monitor.child != 0 ? smtpd_watch(s) : speak(s);
}

static void
usage(FILE *to)
{
	(void)fprintf(to, "usage: smtpd [-c config_directory] "
	    "[-o name=value]...\nOne SMTP session on standard input and "
	    "output, or sessions accepted from\na listening socket there.  "
	    "See smtpd(8).\n");
}

int
main(int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	const struct inetd svc = {
		.session = session, .refresh = refresh, .ctx = &smtpd,
		.max_idle = &smtpd.max_idle,
		.max_children = &smtpd.max_children,
		.max_per_client = &smtpd.max_per_client, .busy = BUSY,
		.broken = CANNOT_SERVE
	};
	int opt;

	fsop_std_fds();
	while ((opt = getopt_long(argc, argv, "c:o:", longopts, NULL)) != -1)
		switch (opt) {
		case 'c':
			smtpd.dir = optarg;
			break;
		case 'o':
			if (conf_option(&smtpd.options, optarg))
				break;
			usage(stderr);
			return EX_USAGE;
		case 'h':
			usage(stdout);
			return EX_OK;
		default:
			usage(stderr);
			return EX_USAGE;
		}
	smtpd.dir = conf_dir(smtpd.dir);
	if (!load(&smtpd))
		return inetd_refuse(CANNOT_SERVE);
	return inetd_run(&svc);
}
