/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * postqueue: shows the queue (-p as mailq, -j as JSON lines), and has mail
 * that waits tried now (-f all, -i one message, -s a domain's).
 *
 * An administrator's command; runs as whoever calls it, who must be allowed
 * into the spool.  Showing takes no locks.  Trying now is: lock a message,
 * move it to incoming/, wake the runner.  Exit codes: sysexits.
 */
#include "postqueue.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "store/wake.h"
#include "sys/log.h"

static struct command command;

static void
say(const char *kind, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

static void
say(const char *kind, const char *fmt, va_list ap)
{
	(void)fflush(stdout);
	(void)fprintf(stderr, "postqueue: %s: ", kind);
	(void)vfprintf(stderr, fmt, ap);
	(void)fputc('\n', stderr);
}

void
warning(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("warning", fmt, ap);
	va_end(ap);
}

void
fatal(int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("fatal", fmt, ap);
	va_end(ap);
	exit(code);
}

/* ---- trying now ---- */

static bool
is_for(const struct queue_message *m, const char *site)
{
	const char *at;
	size_t i;

	for (i = 0; i < m->envelope.nrcpt; i++) {
		at = strrchr(m->envelope.rcpt[i].address, '@');
		if (at != NULL && strcasecmp(at + 1, site) == 0)
			return true;
	}
	return false;
}

/* What somebody else has is being tried anyway. */
static bool
try_now(void *ctx, const char *place, const char *name)
{
	struct command *c = ctx;
	struct queue_message m;
	struct why why;

	if (c->id != NULL && strncmp(name, c->id, LIMIT_QUEUE_ID) != 0)
		return true;
	switch (queue_claim(&m, &c->queue, place, name, &why)) {
	case QUEUE_CLAIMED:
		break;
	case QUEUE_BUSY:
		return true;
	case QUEUE_CORRUPT:
	case QUEUE_LATER:
		warning("%s/%s: %s", place, name, why.text);
		return true;
	}
	if (c->site == NULL || is_for(&m, c->site)) {
		if (queue_move(&m, "incoming") != 0)
			warning("%s/%s: %s", place, name, strerror(errno));
		else {
			c->moved++;
			memcpy(c->name, m.name, sizeof(c->name));
		}
	}
	queue_release(&m);
	return c->id == NULL;
}

static void
flush(struct command *c)
{
	bool good = queue_each_deferred(&c->queue, try_now, c) == 0;

	/* Not tried yet: with -i or -s, the wake-up may have been lost. */
	if (c->moved == 0 && (c->id != NULL || c->site != NULL) &&
	    queue_each(&c->queue, "incoming", try_now, c) != 0)
		good = false;
	if (!good)
		fatal(EX_OSERR, "queue_directory %s: %s",
		    conf_get(&c->conf, CONF_QUEUE_DIRECTORY),
		    strerror(errno));
	if (c->id != NULL && c->moved == 0)
		return;
	/* One message by its name, more as all of incoming. */
	if (wake_runner(&c->conf, c->moved == 1 ? c->name : "") != 0)
		warning("cannot wake the queue runner: %s; the next periodic "
		    "run tries the mail", strerror(errno));
}

/* ---- starting ---- */

static _Noreturn void
usage(FILE *to, int code)
{
	(void)fputs("usage: postqueue [-c config_directory] -p | -j | -f | "
	    "-i queue_id | -s site\n"
	    "Shows the queue, or has it tried now.  See postqueue(1).\n", to);
	exit(code);
}

static void
start(struct command *c, const char *dir, bool showing)
{
	const char *file;
	struct why why;

	if (conf_load(&c->conf, dir, &why) != 0)
		fatal(EX_CONFIG, "%s", why.text);
	file = conf_get(&c->conf, CONF_MAILLOG_FILE);
	(void)log_open(conf_get(&c->conf, CONF_SYSLOG_NAME),
	    strncmp(file, "/dev/", 5) == 0 ? "" : file);
	if (queue_open_conf(&c->queue, &c->conf, &why) != 0)
		fatal(EX_UNAVAILABLE, "%s: %s", showing ?
		    "Queue report unavailable" : "Cannot flush mail queue",
		    why.text);
}

/* The service for one domain is there for those that mail is relayed to. */
static void
check_site(const char *site)
{
	if (site[0] == '\0' || strchr(site, '@') != NULL ||
	    strchr(site, '/') != NULL)
		fatal(EX_USAGE, "Cannot flush mail queue - invalid "
		    "destination: \"%.100s\"", site);
}

static bool
is_id(const char *s)
{
	return strlen(s) == LIMIT_QUEUE_ID &&
	    strspn(s, "0123456789ABCDEF") == LIMIT_QUEUE_ID;
}

int
main(int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "help", no_argument, NULL, 1 },
		{ NULL, 0, NULL, 0 }
	};
	struct command *c = &command;
	const char *dir = NULL;
	int opt, mode = 0;

	while ((opt = getopt_long(argc, argv, "c:fi:jps:v", longopts,
	    NULL)) != -1) {
		if (opt == 1)
			usage(stdout, EX_OK);
		else if (opt == 'c')
			dir = optarg;
		else if (opt == '?' || (opt != 'v' && mode != 0))
			usage(stderr, EX_USAGE);
		else if (opt != 'v')
			mode = opt;
		if (opt == 'i')
			c->id = optarg;
		else if (opt == 's')
			c->site = optarg;
	}
	if (mode == 0 || optind != argc)
		usage(stderr, EX_USAGE);
	if (c->site != NULL)
		check_site(c->site);
	if (c->id != NULL && !is_id(c->id))
		fatal(EX_USAGE, "Cannot flush queue file - invalid queue id: "
		    "\"%.100s\"", c->id);
	(void)signal(SIGPIPE, mode == 'p' || mode == 'j' ? SIG_DFL : SIG_IGN);
	(void)umask(077);
	start(c, conf_dir(dir), mode == 'p' || mode == 'j');
	c->json = mode == 'j';
	if (mode == 'p' || mode == 'j')
		show(c);
	else
		flush(c);
	conf_free(&c->conf);
	(void)close(c->queue.dir);
	return EX_OK;
}
