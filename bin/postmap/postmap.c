/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * postmap and postalias (its name says which): make, change and ask look-up
 * tables, see postmap(1) and postalias(1).  Administrator's commands; they
 * run as whoever calls them, and root becomes the owner of a source file
 * before anything of his is opened.  Exit codes: 0, 1 (no such key, or it
 * could not be done, and the map is what it was), EX_USAGE.
 */
#include "postmap.h"

#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "store/conf.h"

static const char *program = "postmap";

static void
say(const char *kind, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

static void
say(const char *kind, const char *fmt, va_list ap)
{
	(void)fflush(stdout);
	(void)fprintf(stderr, "%s: %s: ", program, kind);
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

static void
usage(FILE *to, int code)
{
	(void)fprintf(to, "usage: %s [-finNoprsuvw] [-c config_dir] [-d key] "
	    "[-q key] [map_type:]file...\n", program);
	exit(code);
}

const char *
default_type(struct options *o)
{
	static struct conf conf;
	struct why why;

	if (o->type == NULL) {
		if (conf_load(&conf, o->config, &why) != 0)
			fatal(1, "%s", why.text);
		o->type = conf_get(&conf, CONF_DEFAULT_DATABASE_TYPE);
	}
	return o->type;
}

static void
set_key(const char **key, const char *value)
{
	if (*key != NULL)
		fatal(EX_USAGE, "specify only one of -s or -q or -d");
	*key = value;
}

static void
read_options(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "help", no_argument, NULL, '?' + 256 },
		{ NULL, 0, NULL, 0 }
	};
	int option;

	while ((option = getopt_long(argc, argv, "c:d:finNopq:rsuvw", longs,
	    NULL)) != -1) {
		switch (option) {
		case 'c': o->config = optarg; break;
		case 'd': set_key(&o->delete, optarg); break;
		case 'f': o->keep_case = true; break;
		case 'i': o->incremental = true; break;
		case 'o': o->keep_root = true; break;
		case 'p': o->default_mode = true; break;
		case 'q': set_key(&o->query, optarg); break;
		case 'r': o->replace = true; break;
		case 's': o->sequence = true; break;
		case 'w': o->quiet = true; break;
		/* NULs at the end of keys, UTF-8 checks, chatter. */
		case 'n': case 'N': case 'u': case 'v': break;
		case '?' + 256: usage(stdout, EX_OK); break;
		default: usage(stderr, EX_USAGE);
		}
	}
	if ((o->query != NULL) + (o->delete != NULL) + o->sequence > 1)
		fatal(EX_USAGE, "specify only one of -s or -q or -d");
}

static bool
is_called(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');

	return strcmp(slash != NULL ? slash + 1 : path, name) == 0;
}

int
main(int argc, char **argv)
{
	static char postmap[] = "postmap", postalias[] = "postalias";
	struct options o = { 0 };
	int code = EX_OK;

	o.alias = argc > 0 && is_called(argv[0], postalias);
	program = o.alias ? postalias : postmap;
	if (argc > 0)	/* what getopt_long says it is */
		argv[0] = o.alias ? postalias : postmap;
	/* Too large a file is an error to report, not a death. */
	(void)signal(SIGXFSZ, SIG_IGN);
	read_options(&o, argc, argv);
	argv += optind;
	if (argv[0] == NULL)
		usage(stderr, EX_USAGE);
	if (o.query != NULL)
		code = query(&o, argv);
	else if (o.sequence)
		code = sequence(&o, argv);
	else if (o.delete != NULL)
		code = delete_keys(&o, argv);
	else
		for (; *argv != NULL && code == EX_OK; argv++)
			code = make_map(&o, *argv);
	if (fflush(stdout) != 0)
		fatal(1, "standard output: write error");
	return code;
}
