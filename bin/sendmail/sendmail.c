/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sendmail: the program that other programs call to send mail, with the
 * options they have been giving it for forty years.
 *
 * Started by anyone: users, cron, mailx, PHP.  A message on standard input;
 * everything else it is given, environment included, is the caller's and not
 * trusted.  Runs as the caller; as root it becomes mail_owner before it
 * reads the message.  Exit codes: sysexits; EX_TEMPFAIL when the message
 * could be sent later, and with every code but 0 nothing was taken.
 *
 * sendmail.c	options, and handing over to other programs
 * submit.c	from standard input to the spool
 * service.c	or to the service, where the spool is closed to the caller
 * verify.c	-bv
 * smtp.c	how these two speak
 * input.c	lines
 * rcpts.c	addresses
 * from.c, caller.c	the sender's name
 */
#include "sendmail.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "pure/list.h"
#include "pure/verdict.h"
#include "sys/fsop.h"
#include "sys/log.h"

static const char *progname = "sendmail";
static struct submission submission;

/* What the options ask for. */
struct request {
	char mode;		/* of -b; 'q' for -q */
	char *id, *site;	/* -qI, -qR or -qS */
	const char *dir;	/* -c, -C */
	char path[LIMIT_PATH];
};

void
fatal(int code, const char *fmt, ...)
{
	char text[LIMIT_LOG];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)fprintf(stderr, "%s: fatal: %s\n", progname, text);
	log_line("sendmail", "fatal: %s", text);
	submit_undo();
	exit(code);
}

static void
usage(FILE *to)
{
	(void)fprintf(to,
	    "usage: sendmail [-itv] [-c config_directory] [-F name] "
	    "[-f sender] [recipient ...]\n"
	    "       sendmail -bp | -bs | -q\n"
	    "Sends the message on standard input.  See sendmail(1).\n");
}

static bool
is_one_line(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return false;
	return true;
}

/* What ends in envelopes and header fields: one line, or it is an attack. */
static const char *
one_line(const char *s, const char *what)
{
	if (!is_one_line(s))
		fatal(EX_USAGE, "%s: control character in it", what);
	return s;
}

/* -C names the file, as with Sendmail; we want its directory. */
static void
set_file(struct request *r, const char *file)
{
	const char *slash = strrchr(file, '/');
	size_t n = slash != NULL ? (size_t)(slash - file) : 0;

	r->dir = file;
	if (slash == NULL || strcmp(slash, "/main.cf") != 0)
		return;
	if (n >= sizeof(r->path))
		fatal(EX_USAGE, "-C: path too long");
	memcpy(r->path, file, n);
	r->path[n] = '\0';
	r->dir = n > 0 ? r->path : "/";
}

static void
set_mode(struct request *r, const char *mode)
{
	static const char known[] = "mpsiv";

	if (mode[0] == 'd' || mode[0] == 'D')
		fatal(EX_USAGE, "-b%s: there is no daemon; the super-server "
		    "(xinetd, systemd) starts smtpd for each connection", mode);
	if (mode[0] == '\0' || strchr(known, mode[0]) == NULL)
		fatal(EX_USAGE, "-b%s: no such mode", mode);
	r->mode = mode[0];
}

/* "-q"; "-qIid", "-qRsite", "-qSsite" as Postfix has them. */
static void
set_queue(struct request *r, char *arg)
{
	r->mode = 'q';
	if (arg == NULL)
		return;
	if (arg[0] == 'I')
		r->id = arg + 1;
	else if (arg[0] == 'R' || arg[0] == 'S')
		r->site = arg + 1;
	else
		fatal(EX_USAGE, "-q%s: there is no daemon; let cron or a "
		    "timer start qrun", arg);
}

static void
set_other(struct submission *s, const char *arg)
{
	if (strcmp(arg, "i") == 0)
		s->dot_ends = false;
	else if (strcmp(arg, "t") == 0)
		s->extract = true;
	/* -oem, -odb, -oQ/path ...: nothing of it is ours. */
}

static void
options(struct request *r, struct submission *s, int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "help", no_argument, NULL, 1 },
		{ NULL, 0, NULL, 0 }
	};
	int opt;

	while ((opt = getopt_long(argc, argv,
	    "A:B:C:D:F:GIL:N:O:R:UV:X:b:c:d::e:f:h:imno:p:q::r:tvx", longopts,
	    NULL)) != -1)
		switch (opt) {
		case 1:
			usage(stdout);
			exit(EX_OK);
		case 'C':
			set_file(r, optarg);
			break;
		case 'F':
			s->name = one_line(optarg, "-F");
			if (strlen(s->name) > LIMIT_ADDRESS)
				fatal(EX_USAGE, "-F: name too long");
			break;
		case 'I':
			r->mode = 'i';
			break;
		case 'b':
			set_mode(r, optarg);
			break;
		case 'c':
			r->dir = optarg;
			break;
		case 'f':
		case 'r':
			s->sender_text = one_line(optarg, "-f");
			break;
		case 'i':
			s->dot_ends = false;
			break;
		case 'o':
			set_other(s, optarg);
			break;
		case 'q':
			set_queue(r, optarg);
			break;
		case 't':
			s->extract = true;
			break;
		case '?':
			usage(stderr);
			exit(EX_USAGE);
		default:	/* known to our peers, no use to us */
			break;
		}
}

/* Hands the process over to another program of ours: "%s/%s" its path, and
 * more its arguments after "-c DIR". */
static _Noreturn void
become(struct submission *s, enum conf_id directory, const char *program,
    char *const more[], size_t n)
{
	static char zone[LIMIT_PATH], **argv;
	char c[] = "-c", search[] = "PATH=/usr/bin:/bin", path[LIMIT_PATH];
	char *env[] = { search, zone, NULL };
	const char *tz = getenv("TZ");

	argv = calloc(n + 4, sizeof(*argv));
	if (argv == NULL)
		fatal(EX_OSERR, "out of memory");
	if (tz == NULL || (size_t)snprintf(zone, sizeof(zone), "TZ=%s", tz) >=
	    sizeof(zone))
		env[1] = NULL;
	(void)snprintf(path, sizeof(path), "%s/%s",
	    conf_get(&s->conf, directory), program);
	argv[0] = path;
	argv[1] = c;
	argv[2] = s->conf.dir;
	if (n > 0)
		memcpy(argv + 3, more, n * sizeof(*argv));
	(void)execve(path, argv, env);
	fatal(EX_UNAVAILABLE, "%s: %s; correct %s in %s/main.cf", path,
	    strerror(errno), conf_parameter[directory].name, s->conf.dir);
}

/* newaliases: every table of alias_database, at once. */
static _Noreturn void
build_aliases(struct submission *s)
{
	const char *list = conf_get(&s->conf, CONF_ALIAS_DATABASE), *word;
	static char **table;
	size_t n = 0, len;
	int more;

	table = calloc(strlen(list) / 2 + 2, sizeof(*table));
	while (table != NULL &&
	    (more = list_next_element(&list, &word, &len)) != 0) {
		if (more < 0)
			fatal(EX_CONFIG, "%s/main.cf: alias_database: braces "
			    "do not match", s->conf.dir);
		if ((table[n++] = strndup(word, len)) == NULL)
			table = NULL;
	}
	if (table == NULL)
		fatal(EX_OSERR, "out of memory");
	if (n == 0)
		exit(EX_OK);
	become(s, CONF_COMMAND_DIRECTORY, "postalias", table, n);
}

static void
queue(struct submission *s, const struct request *r)
{
	char flush[] = "-f", id[] = "-i", site[] = "-s", list[] = "-p";
	char *arg[2] = { flush, NULL };

	if (r->mode == 'p')
		arg[0] = list;
	else if (r->id != NULL)
		arg[0] = id, arg[1] = r->id;
	else if (r->site != NULL)
		arg[0] = site, arg[1] = r->site;
	become(s, CONF_COMMAND_DIRECTORY, "postqueue", arg,
	    arg[1] != NULL ? 2 : 1);
}

static void
other_modes(struct submission *s, const struct request *r)
{
	switch (r->mode) {
	case 's':
		become(s, CONF_DAEMON_DIRECTORY, "smtpd", NULL, 0);
	case 'q':
	case 'p':
		queue(s, r);
		break;
	case 'i':
		build_aliases(s);
	default:
		break;
	}
}

/* The sender, in the envelope and by name. */
static void
identify(struct submission *s)
{
	static char kept[LIMIT_USER + 1];
	const char *name = getenv("NAME");

	caller_get(&s->caller);
	if (s->name == NULL && name != NULL && is_one_line(name) &&
	    strlen(name) <= LIMIT_USER) {
		(void)snprintf(kept, sizeof(kept), "%s", name);
		s->name = kept;
	}
	if (s->name == NULL)
		s->name = s->sender_text == NULL ? s->caller.name : "";
	if (s->sender_text == NULL)
		s->sender_text = s->caller.login;
	sender_parse(&s->sender, s->sender_text);
	s->sender_text = s->sender.len > 0 ? s->sender_text : "";
	if (!addr_complete(&s->sender, s->rcpts.origin))
		fatal(EX_USAGE, "sender address too long");
}

/* The environment is the caller's; we and what we start need little of it. */
static void
clean_environment(void)
{
	static char zone[LIMIT_PATH];
	const char *tz = getenv("TZ");

	if (tz != NULL)
		(void)snprintf(zone, sizeof(zone), "%s", tz);
	(void)clearenv();
	if (tz != NULL)
		(void)setenv("TZ", zone, 1);
}

/* What else we inherit.  With SIGXFSZ ignored, a file size limit is a failed
 * write like any other. */
static void
clean_process(void)
{
	sigset_t none;

	(void)umask(077);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)signal(SIGCHLD, SIG_DFL);
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void
read_conf(struct submission *s, const char *dir)
{
	const char *file;
	struct why why;

	if (conf_load(&s->conf, conf_dir(dir), &why) != 0)
		fatal(EX_TEMPFAIL, "%s", why.text);
	file = conf_get(&s->conf, CONF_MAILLOG_FILE);
	/* Our standard output is the caller's; and a caller may not be
	 * allowed to write the log: then it goes to syslog. */
	if (strncmp(file, "/dev/", 5) == 0)
		file = "";
	(void)log_open(conf_get(&s->conf, CONF_SYSLOG_NAME), file);
}

int
main(int argc, char **argv)
{
	struct submission *s = &submission;
	struct request r = { .mode = 'm' };
	const char *slash;
	int i;

	fsop_std_fds();
	clean_process();
	if (argc < 1)
		return EX_USAGE;
	slash = strrchr(argv[0], '/');
	slash = slash != NULL ? slash + 1 : argv[0];
	if (strcmp(slash, "mailq") == 0) {
		progname = "mailq";
		r.mode = 'p';
	} else if (strcmp(slash, "newaliases") == 0) {
		progname = "newaliases";
		r.mode = 'i';
	}
	s->dot_ends = true;
	options(&r, s, argc, argv);
	read_conf(s, r.dir);
	other_modes(s, &r);
	rcpts_init(&s->rcpts, conf_get(&s->conf, CONF_MYORIGIN));
	identify(s);
	clean_environment();
	for (i = optind; i < argc; i++)
		rcpts_add(&s->rcpts, one_line(argv[i], "recipient"),
		    strlen(argv[i]), EX_USAGE,
		    "recipient on the command line");
	if (!s->extract && s->rcpts.n == 0)
		fatal(EX_USAGE, "Recipient addresses must be specified on the "
		    "command line or via the -t option");
	if (r.mode == 'v')
		return verify(s);
	submit(s);
	return EX_OK;
}
