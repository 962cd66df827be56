/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * postsuper: removes (-d), holds (-h), releases (-H) and requeues (-r)
 * messages by their ids.  For root and the owner of the spool; can remove
 * all mail in it.
 *
 * Whoever has a message's lock is delivering it, and what he has is left
 * alone: we wait for him, for a while, and then say so.  Exit codes:
 * sysexits; EX_TEMPFAIL when a message was busy to the end.
 */
#include "postsuper.h"

#include <errno.h>
#include <getopt.h>
#include <search.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "store/conf.h"
#include "store/queue_look.h"
#include "store/wake.h"
#include "sys/clock.h"
#include "sys/log.h"

/* How long to wait in all for messages that are being delivered. */
enum { WAIT_SECONDS = 10, WAIT_STEP_MS = 50 };

enum action_id { DELETE, HOLD, RELEASE, REQUEUE, ACTION_COUNT };

enum place { INCOMING = 1, DEFERRED = 2, HELD = 4, CORRUPT = 8, ACTIVE = 16 };

static const struct action {
	char option;
	unsigned places;	/* where it looks unless told */
	const char *done;	/* "ID: done" */
	const char *total;
} actions[ACTION_COUNT] = {
	{ 'd', INCOMING | DEFERRED | HELD, "removed", "Deleted" },
	{ 'h', INCOMING | DEFERRED, "placed on hold", "Placed on hold" },
	{ 'H', HELD, "released from hold", "Released from hold" },
	{ 'r', INCOMING | DEFERRED | HELD, "requeued", "Requeued" }
};

static const struct {
	const char *name;
	enum place place;
} places[] = {
	{ "incoming", INCOMING }, { "deferred", DEFERRED }, { "hold", HELD },
	{ "corrupt", CORRUPT },
	/* What is active lies in the other two. */
	{ "active", ACTIVE }, { "maildrop", ACTIVE }
};

struct command {
	struct conf conf;
	struct queue queue;
	struct task task[ACTION_COUNT];
	unsigned places;	/* told on the command line */
	enum action_id now;
	unsigned pass;
	size_t busy;		/* in this pass */
	int64_t deadline;
	char name[LIMIT_QUEUE_NAME];	/* of the last one for the runner */
	unsigned long to_try;
	int code;
};
static struct command command;

static void
say(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

static void
say(const char *fmt, va_list ap)
{
	char text[LIMIT_LOG];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	(void)fprintf(stderr, "postsuper: %s\n", text);
	log_line("postsuper", "%s", text);
}

void
info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void
fatal(int code, const char *fmt, ...)
{
	char text[LIMIT_LOG];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	info("fatal: %s", text);
	exit(code);
}

static void
ask(struct command *c, enum action_id id, const char *arg)
{
	struct task *t = &c->task[id];

	t->asked = true;
	if (strcmp(arg, "ALL") == 0)
		t->all = true;
	else if (strcmp(arg, "-") == 0)
		wanted_read(t);
	else if (wanted_is_id(arg))
		(void)wanted_add(t, arg);
	else if (strcasecmp(arg, "ALL") == 0)
		fatal(EX_USAGE, "-%c %s: to mean all messages, write ALL",
		    actions[id].option, arg);
	else
		info("warning: invalid mail queue id: %.100s", arg);
}

/* ---- what happens to them ---- */

static int
act(struct command *c, struct queue_message *m)
{
	switch (c->now) {
	case DELETE:
		return queue_remove(m);
	case HOLD:
		return queue_move(m, "hold");
	case RELEASE:
	case REQUEUE:
		if (queue_move(m, "incoming") != 0)
			return -1;
		c->to_try++;
		memcpy(c->name, m->name, sizeof(c->name));
		return 0;
	case ACTION_COUNT:
		break;
	}
	return -1;
}

static bool
one(void *ctx, const char *place, const char *name)
{
	struct command *c = ctx;
	struct task *t = &c->task[c->now];
	struct wanted *w = wanted_find(t, name);
	struct queue_message m;
	struct why why;

	if (w == NULL)
		return true;
	switch (queue_lock(&m, &c->queue, place, name, &why)) {
	case QUEUE_CLAIMED:
		break;
	case QUEUE_BUSY:
		w->busy = c->pass;
		c->busy++;
		return true;
	case QUEUE_CORRUPT:
	case QUEUE_LATER:
		info("warning: %s/%s: %s", place, name, why.text);
		c->code = EX_OSERR;
		wanted_settle(t, w);
		return true;
	}
	if (act(c, &m) == 0) {
		info("%s: %s", m.id, actions[c->now].done);
		t->count++;
	} else {
		info("warning: %s/%s: %s", place, name, strerror(errno));
		c->code = EX_OSERR;
	}
	queue_release(&m);
	wanted_settle(t, w);
	return t->all || t->left > 0;
}

static void
look_through(struct command *c)
{
	unsigned where = c->places != 0 ? c->places : actions[c->now].places;
	int result = 0;

	c->busy = 0;
	c->pass++;
	if (where & INCOMING)
		result |= queue_each_sorted(&c->queue, "incoming", one, c);
	if (where & DEFERRED)
		result |= queue_each_deferred(&c->queue, one, c);
	if (where & HELD)
		result |= queue_each_sorted(&c->queue, "hold", one, c);
	if (where & CORRUPT)
		result |= queue_each_sorted(&c->queue, "corrupt", one, c);
	if (result != 0)
		fatal(EX_OSERR, "queue_directory %s: %s",
		    conf_get(&c->conf, CONF_QUEUE_DIRECTORY),
		    strerror(errno));
}

static void
complain(const void *node, VISIT visit, int depth)
{
	const struct wanted *w = *(const struct wanted *const *)node;

	(void)depth;
	if (w->busy != command.pass || (visit != postorder && visit != leaf))
		return;
	info("warning: %s: being delivered now, left alone; try again later",
	    w->id);
	command.code = EX_TEMPFAIL;
}

static void
run(struct command *c, enum action_id id)
{
	const struct timespec step = { 0, WAIT_STEP_MS * 1000000L };
	struct task *t = &c->task[id];

	c->now = id;
	(void)snprintf(t->all_until, sizeof(t->all_until), "%013llXFFFF",
	    (unsigned long long)clock_now_us());
	look_through(c);
	/* From here on only the busy ones: what is left of the others is
	 * not there. */
	t->all = false;
	while (c->busy > 0 && clock_monotonic() < c->deadline) {
		(void)nanosleep(&step, NULL);
		look_through(c);
	}
	if (c->busy > 0)
		twalk(t->ids, complain);
	info("%s: %lu message%s", actions[id].total, t->count,
	    t->count == 1 ? "" : "s");
}

/* ---- starting ---- */

static _Noreturn void
usage(FILE *to, int code)
{
	(void)fputs("usage: postsuper [-c config_directory] "
	    "[-d id] [-h id] [-H id] [-r id] [queue ...]\n"
	    "Removes, holds, releases or requeues messages; an id may be ALL, "
	    "or - for ids on\nstandard input.  See postsuper(1).\n", to);
	exit(code);
}

static void
start(struct command *c, const char *dir)
{
	const char *file;
	struct stat st;
	struct why why;

	if (conf_load(&c->conf, dir, &why) != 0)
		fatal(EX_CONFIG, "%s", why.text);
	file = conf_get(&c->conf, CONF_MAILLOG_FILE);
	(void)log_open(conf_get(&c->conf, CONF_SYSLOG_NAME),
	    strncmp(file, "/dev/", 5) == 0 ? "" : file);
	if (queue_open_conf(&c->queue, &c->conf, &why) != 0)
		fatal(geteuid() != 0 && errno == EACCES ? EX_NOPERM :
		    EX_UNAVAILABLE, "%s", why.text);
	if (geteuid() != 0 && (fstat(c->queue.dir, &st) != 0 ||
	    st.st_uid != geteuid()))
		fatal(EX_NOPERM, "use of this command is reserved for the "
		    "superuser and the owner of %s",
		    conf_get(&c->conf, CONF_QUEUE_DIRECTORY));
}

static void
set_place(struct command *c, const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (strcmp(name, places[i].name) == 0) {
			c->places |= places[i].place;
			return;
		}
	fatal(EX_USAGE, "unknown queue: %.100s; there are incoming, deferred, "
	    "hold, corrupt", name);
}

/* Twice: the first time only for -c and for what is wrong, since the others
 * need the configuration. */
static const char *
options(struct command *c, int argc, char **argv, bool act_on_them)
{
	static const struct option longopts[] = {
		{ "help", no_argument, NULL, 1 },
		{ NULL, 0, NULL, 0 }
	};
	const char *dir = NULL;
	bool any = false;
	int opt, i;

	optind = 1;
	while ((opt = getopt_long(argc, argv, "c:d:h:H:r:v", longopts,
	    NULL)) != -1) {
		if (opt == 1)
			usage(stdout, EX_OK);
		if (opt == '?')
			usage(stderr, EX_USAGE);
		if (opt == 'c')
			dir = optarg;
		for (i = 0; i < ACTION_COUNT; i++)
			if (opt == actions[i].option) {
				any = true;
				if (act_on_them)
					ask(c, (enum action_id)i, optarg);
			}
	}
	if (!any)
		usage(stderr, EX_USAGE);
	return dir;
}

int
main(int argc, char **argv)
{
	struct command *c = &command;
	const char *dir = options(c, argc, argv, false);
	int i;

	for (i = optind; i < argc; i++)
		set_place(c, argv[i]);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)umask(077);
	start(c, conf_dir(dir));
	(void)options(c, argc, argv, true);
	c->deadline = clock_monotonic() + WAIT_SECONDS;
	for (i = 0; i < ACTION_COUNT; i++)
		if (c->task[i].asked)
			run(c, (enum action_id)i);
	/* Whoever asked for it counts on it, also after a power cut. */
	if (syncfs(c->queue.dir) != 0)
		fatal(EX_IOERR, "queue_directory %s: %s",
		    conf_get(&c->conf, CONF_QUEUE_DIRECTORY),
		    strerror(errno));
	if (c->to_try > 0)
		(void)wake_runner(&c->conf, c->to_try == 1 ? c->name : "");
	conf_free(&c->conf);
	return c->code;
}
