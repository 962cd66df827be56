/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * qrun: the queue runner.  Finds what is due, locks it, delivers or defers.
 *
 *	qrun		one run over the queue, by cron or a timer
 *	qrun NAME...	these files of incoming/
 *	qrun, with a datagram socket on fd 0: each datagram is such a name;
 *			ends when idle (xinetd dgram/wait, systemd)
 *
 * Any number may run at once: the lock on a message decides.  As root it
 * becomes the recipient before it opens anything of his, and never reads
 * more of a message than the envelope, which only we write.  Exit codes:
 * sysexits.
 *
 * qrun.c	starting, finding messages
 * message.c	one message: its recipients, its record, its end
 * rcpt.c	one recipient of it
 * expand*.c	what does an address stand for?
 * deliver.c	one target: by rename, or by the agent (agent.c)
 * route.c	is it for here, and if not, where does it go?
 * remote.c	those that leave; handover.c: by relay
 * hop.c		or not now; slot.c: or not so many at once
 * forward.c	a new message for other addresses
 * failure.c	who is told what could not be delivered (notice.c)
 * report.c	the log
 */
#include "qrun.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/fsop.h"
#include "sys/inetd.h"
#include "sys/log.h"

/* ---- workers: an agent may take long, and others' mail must not wait ---- */

static void
reap(struct runner *r, bool wait)
{
	pid_t pid;

	while (r->workers > 0 && (pid = waitpid(-1, NULL, wait ? 0 :
	    WNOHANG)) != 0) {
		if (pid > 0)
			r->workers--;
		else if (errno != EINTR)
			return;
		wait = false;
	}
}

static bool
is_full(const struct runner *r)
{
	return r->workers >= conf_number(&r->conf, CONF_DEFAULT_PROCESS_LIMIT);
}

/* The child holds the lock on the message through the descriptor it
 * inherits; ours is closed by the caller. */
static void
by_worker(struct runner *r, struct queue_message *m)
{
	pid_t pid;

	reap(r, false);
	/* The service must not wait: slow agents of one recipient would
	 * stop the mail of all. */
	if (r->serving && is_full(r)) {
		r->put_off = true;
		return;
	}
	reap(r, is_full(r));
	pid = r->alone ? -1 : fork();
	if (pid > 0) {
		r->workers++;
		return;
	}
	message_by_copy(r, m);
	if (pid == 0) {
		queue_release(m);
		_exit(EX_OK);
	}
}

static bool
one_message(void *ctx, const char *place, const char *name)
{
	struct runner *r = ctx;
	struct queue_message m;
	struct why why;

	switch (queue_claim(&m, &r->queue, place, name, &why)) {
	case QUEUE_CLAIMED:
		break;
	case QUEUE_BUSY:
		return true;
	case QUEUE_CORRUPT:
	case QUEUE_LATER:
		log_warning("qmgr", "%s/%s: %s", place, name, why.text);
		return true;
	}
	report_active(&m);
	if (!message_by_rename(r, &m))
		by_worker(r, &m);
	tables_close(r);
	queue_release(&m);
	return true;
}

/* ---- finding messages ---- */

static void
incoming(struct runner *r)
{
	if (queue_each(&r->queue, "incoming", one_message, r) != 0)
		log_warning("qmgr", "read incoming: %s", strerror(errno));
}

static int
whole_run(struct runner *r)
{
	int64_t now = clock_now_us() / 1000000;

	r->since = clock_now_us();
	incoming(r);
	if (queue_each_due(&r->queue, now, one_message, r) != 0)
		log_warning("qmgr", "read deferred: %s", strerror(errno));
	queue_sweep(&r->queue, now);
	remote_sweep(r);
	while (r->workers > 0)
		reap(r, true);
	return EX_OK;
}

static bool load(struct runner *, const char *dir);
static void open_log(struct runner *);

static void
refresh(struct runner *r)
{
	char dir[LIMIT_PATH];

	if (!conf_changed(&r->conf))
		return;
	memcpy(dir, r->conf.dir, sizeof(dir));
	conf_free(&r->conf);
	(void)close(r->queue.dir);
	if (r->fd_local >= 0)
		(void)close(r->fd_local);
	if (r->fd_relay >= 0)
		(void)close(r->fd_relay);
	if (r->fd_bounce >= 0)
		(void)close(r->fd_bounce);
	if (!load(r, dir))
		exit(EX_CONFIG);	/* the next wake-up tries again */
}

/* Serves what is in the socket; the number of names. */
static unsigned
drain(struct runner *r)
{
	char name[LIMIT_QUEUE_NAME + 1];
	unsigned count = 0;
	ssize_t n;

	while ((n = recv(0, name, sizeof(name) - 1, MSG_DONTWAIT)) >= 0) {
		name[n] = '\0';
		if (count++ == 0) {
			refresh(r);
			open_log(r);	/* it may have been rotated */
		}
		/* Anyone on this machine may write here: it is a hint. */
		(void)one_message(r, "incoming", name);
		reap(r, false);
	}
	return count;
}

static int
service(struct runner *r)
{
	struct pollfd p = { .fd = 0, .events = POLLIN };
	bool look = true;
	int idle_ms;

	r->serving = true;
	for (;;) {
		idle_ms = (int)conf_number(&r->conf, CONF_MAX_IDLE) * 1000;
		/* A burst may have overrun the socket: look once more a
		 * second after the last.  What was put off is looked at
		 * when a worker has ended. */
		if ((look || r->put_off) && idle_ms > 1000)
			idle_ms = 1000;
		if (poll(&p, 1, idle_ms) > 0) {
			look = true;
			if (drain(r) == 0)
				return EX_OSERR;
			continue;
		}
		reap(r, false);
		if (look || (r->put_off && !is_full(r))) {
			look = r->put_off = false;
			incoming(r);
		} else if (r->workers == 0 && !r->put_off)
			return EX_OK;
	}
}

/* ---- starting ---- */

static int
open_program(struct conf *c, const char *name)
{
	char path[LIMIT_PATH];
	int n = snprintf(path, sizeof(path), "%s/%s",
	    conf_get(c, CONF_DAEMON_DIRECTORY), name);

	if (n < 0 || (size_t)n >= sizeof(path))
		return -1;
	return open(path, O_PATH | O_CLOEXEC);
}

/* Says why on the terminal of an administrator, else in the log. */
static bool
fail(const char *what, const char *text)
{
	log_warning("qmgr", "%s: %s", what, text);
	if (isatty(2))
		(void)fprintf(stderr, "qrun: fatal: %s: %s\n", what, text);
	return false;
}

static void
open_log(struct runner *r)
{
	const char *file = conf_get(&r->conf, CONF_MAILLOG_FILE);

	if (log_open(conf_get(&r->conf, CONF_SYSLOG_NAME), file) != 0)
		(void)fail(file, strerror(errno));
}

static bool
load(struct runner *r, const char *dir)
{
	const char *file;
	struct why why;

	if (conf_load(&r->conf, dir, &why) != 0)
		return fail("configuration", why.text);
	open_log(r);
	r->owner.uid = geteuid();
	r->owner.gid = getegid();
	if (geteuid() == 0 && users_system(conf_get(&r->conf,
	    CONF_MAIL_OWNER), &r->owner) != USERS_HIT)
		return fail("mail_owner: no such account in /etc/passwd",
		    conf_get(&r->conf, CONF_MAIL_OWNER));
	file = conf_get(&r->conf, CONF_QUEUE_DIRECTORY);
	if (queue_open(&r->queue, file, r->owner.uid, r->owner.gid, true) != 0)
		return fail(file, strerror(errno));
	r->fd_local = open_program(&r->conf, "local");
	if (r->fd_local < 0)
		(void)fail("daemon_directory: local", strerror(errno));
	r->fd_relay = open_program(&r->conf, "relay");
	if (r->fd_relay < 0)
		(void)fail("daemon_directory: relay", strerror(errno));
	r->fd_bounce = open_program(&r->conf, "bounce");
	if (r->fd_bounce < 0)
		(void)fail("daemon_directory: bounce", strerror(errno));
	return true;
}

static void
usage(FILE *to)
{
	(void)fprintf(to, "usage: qrun [-c config_directory] [name ...]\n"
	    "Deliver what is due in the queue, or the named files of "
	    "incoming/.  See qrun(8).\n");
}

int
main(int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	static struct runner r;
	const char *dir = NULL;
	int opt;

	fsop_std_fds();
	while ((opt = getopt_long(argc, argv, "c:", longopts, NULL)) != -1)
		switch (opt) {
		case 'c':
			dir = optarg;
			break;
		case 'h':
			usage(stdout);
			return EX_OK;
		default:
			usage(stderr);
			return EX_USAGE;
		}
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)umask(077);
	if (!load(&r, conf_dir(dir))) {
		/* Unread, it would have us started again and again. */
		(void)recv(0, &opt, sizeof(opt), MSG_DONTWAIT);
		return EX_CONFIG;
	}
	if (optind == argc && inetd_form() == INETD_DATAGRAM)
		return service(&r);
	if (optind == argc)
		return whole_run(&r);
	r.alone = true;
	for (; optind < argc; optind++)
		(void)one_message(&r, "incoming", argv[optind]);
	return EX_OK;
}
