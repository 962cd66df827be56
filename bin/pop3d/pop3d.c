/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pop3d: one POP3 session per process, RFC 1939.
 *
 * Started by xinetd or systemd, once per connection or with the listening
 * socket on fd 0, or by anyone on a pipe.  Started as root it is two: the
 * child becomes mail_owner and speaks with the client until the login; the
 * parent, root, does nothing but wait for a name and a password, asks
 * checkpw, and if they are right becomes the owner of the mailbox for good
 * and goes on itself.  Not started as root it is one, with what rights it
 * has.  What can contain code run as root: this file, monitor.c,
 * login_verify, locate.c, and open_mailbox in transaction.c.  Exit codes:
 * sysexits.
 *
 * pop3d.c		starting, the two processes
 * authorization.c	the table of commands before the login
 * sasl.c		AUTH
 * login.c		from a password to an account
 * locate.c		where its mail is
 * transaction.c	the table of commands after it
 * reply.c		answers, and sending a message
 */
#include "pop3d.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "store/login.h"
#include "sys/clock.h"
#include "sys/fsop.h"
#include "sys/inetd.h"
#include "sys/log.h"
#include "sys/priv.h"

#define CANNOT_SERVE	"-ERR [SYS/PERM] Server configuration error\r\n"
#define CANNOT_START	"-ERR [SYS/TEMP] Cannot start a session now\r\n"
#define BUSY		"-ERR [SYS/TEMP] Too many connections\r\n"

/* Static: the buffers cost memory only once they are used. */
static struct pop3 pop3;

/* Reads main.cf.  False, and the log says why. */
static bool
load(struct pop3 *p)
{
	struct why why;

	if (conf_load_with(&p->conf, p->dir, &p->options, &why) != 0) {
		conf_log_fault("pop3d", p->dir, &why);
		return false;
	}
	p->max_idle = (int)conf_number(&p->conf, CONF_MAX_IDLE);
	p->max_children = (int)conf_number(&p->conf,
	    CONF_DEFAULT_PROCESS_LIMIT);
	p->max_per_client = (int)conf_number(&p->conf, CONF_POP3_CLIENT_LIMIT);
	if (geteuid() != 0)
		return true;
	if (users_system(conf_get(&p->conf, CONF_MAIL_OWNER), &p->owner) ==
	    USERS_HIT && p->owner.uid != 0)
		return true;
	log_warning("pop3d", "mail_owner: no unprivileged account %s in "
	    "/etc/passwd", conf_get(&p->conf, CONF_MAIL_OWNER));
	return false;
}

static bool
refresh(void *ctx)
{
	struct pop3 *p = ctx;

	if (!conf_changed(&p->conf))
		return true;
	conf_free(&p->conf);
	return load(p);
}

static void
log_gone(struct pop3 *p, enum session_end end)
{
	log_line("pop3d", "%s, ip=[%s], time=%lld", end == SESSION_TIMEOUT ?
	    "TIMEOUT" : p->quit ? "LOGOUT" : "DISCONNECTED", p->peer.addr,
	    (long long)(clock_monotonic() - p->started));
}

/* What is not root: speaks until the login. */
static int
before_login(struct pop3 *p)
{
	enum session_end end = pop3_authorization(p);

	(void)bio_flush(&p->bio);
	if (!p->logged_in)
		log_gone(p, end);
	return EX_OK;
}

/* What is root: waits. */
static int
watch(struct pop3 *p)
{
	static struct monitor_request r;
	enum monitor_answer answer = MONITOR_NO;
	unsigned tries = 0;
	size_t len = 0;

	while (answer != MONITOR_YES && tries < LIMIT_LOGIN_TRIES) {
		if (!monitor_next(&p->monitor, &r, p->bio.in, LIMIT_READ,
		    &len))
			break;
		if (r.kind == MONITOR_TLS) {
			starttls_answer(&p->tls, &p->monitor);
			continue;
		}
		tries++;
		answer = r.kind != MONITOR_PASSWORD ? MONITOR_LATER :
		    login_verify(&p->conf, "pop3d", r.user, r.password,
		    &p->account);
		explicit_bzero(&r, sizeof(r));
		monitor_answer(&p->monitor, answer);
	}
	if (monitor_end(&p->monitor) != EX_OK)
		log_warning("pop3d", "ip=[%s]: the session process failed",
		    p->peer.addr);
	if (answer != MONITOR_YES)
		return EX_OK;
	p->logged_in = p->passwords = true;
	bio_init(&p->bio, 0, 1);
	p->bio.len = len;
	return pop3_transaction(p);
}

static int
session(void *ctx)
{
	struct pop3 *p = ctx;
	const char *file = conf_get(&p->conf, CONF_MAILLOG_FILE);

	if (peer_get(&p->peer, 0) != 0)
		return EX_OK;		/* it has gone already */
	p->started = clock_monotonic();
	if (log_open(conf_get(&p->conf, CONF_SYSLOG_NAME), file) != 0)
		log_warning("pop3d", "maillog_file %s: %s", file,
		    strerror(errno));
	p->tls = (struct starttls){
		.role = "pop3d", .conf = &p->conf, .options = &p->options,
		.peer = &p->peer,
		.level = starttls_level(&p->conf,
		    CONF_POP3_TLS_SECURITY_LEVEL, CONF_POP3_TLS_WRAPPERMODE)
	};
	if (geteuid() != 0) {
		priv_confine();
		(void)before_login(p);
		return p->logged_in ? pop3_transaction(p) : EX_OK;
	}
	/* What the child needs is made before there are two copies of it. */
	(void)conf_get(&p->conf, CONF_MYHOSTNAME);
	(void)conf_get(&p->conf, CONF_MAIL_NAME);
	if (monitor_start(&p->monitor, p->owner.uid, p->owner.gid) != 0) {
		(void)fsop_write(1, CANNOT_START, strlen(CANNOT_START));
		return EX_OSERR;
	}
	if (p->monitor.child != 0)
		return watch(p);
	p->monitored = true;
	p->tls.monitor = &p->monitor;
	/* Not through main: a child of inetd_run's session ends here. */
	_exit(before_login(p));
}

static void
usage(FILE *to)
{
	(void)fprintf(to, "usage: pop3d [-c config_directory] "
	    "[-o name=value]...\nOne POP3 session on standard input and "
	    "output, or sessions accepted from\na listening socket there.  "
	    "See pop3d(8).\n");
}

int
main(int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	const struct inetd svc = {
		.session = session, .refresh = refresh, .ctx = &pop3,
		.max_idle = &pop3.max_idle,
		.max_children = &pop3.max_children,
		.max_per_client = &pop3.max_per_client, .busy = BUSY,
		.broken = CANNOT_SERVE
	};
	int opt;

	fsop_std_fds();
	/* It reads a file, which the child cannot; and first, so that the
	 * memory it gives back is used again. */
	tzset();
	while ((opt = getopt_long(argc, argv, "c:o:", longopts, NULL)) != -1)
		switch (opt) {
		case 'c':
			pop3.dir = optarg;
			break;
		case 'o':
			if (conf_option(&pop3.options, optarg))
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
	pop3.dir = conf_dir(pop3.dir);
	if (!load(&pop3))
		return inetd_refuse(CANNOT_SERVE);
	return inetd_run(&svc);
}
