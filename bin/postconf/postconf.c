/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * postconf: shows and changes main.cf, see postconf(1).  An administrator's
 * command; it runs as whoever calls it and can damage what he may write.
 * Exit codes: 0, EX_USAGE, EX_CONFIG (main.cf cannot be read), EX_CANTCREAT
 * or EX_IOERR (it cannot be changed, and is what it was).
 */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "postconf.h"
#include "store/map.h"

static const char usage_text[] =
    "usage: postconf [-dfhHjnx] [-c dir] [-o name=value] [name ...]\n"
    "       postconf [-c dir] [-e] name=value ...\n"
    "       postconf [-c dir] -# | -X name ...\n"
    "       postconf -l | -m\n";

struct options {
	const char *dir;
	struct show show;
	enum edit edit;
	bool lock_types, map_types;
	char **override;
	size_t noverride;
};

static void
say(const char *kind, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

static void
say(const char *kind, const char *fmt, va_list ap)
{
	(void)fflush(stdout);
	(void)fprintf(stderr, "postconf: %s: ", kind);
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
	(void)fputs(usage_text, to);
	exit(code);
}

static bool
read_show_option(struct show *s, int option)
{
	switch (option) {
	case 'd': s->defaults = true; return true;
	case 'f': s->fold = true; return true;
	case 'h': s->value_only = true; return true;
	case 'H': s->name_only = true; return true;
	case 'j': s->json = true; return true;
	case 'n': s->set_only = true; return true;
	case 'x': s->expand = true; return true;
	case 'p': return true;	/* main.cf, which is all there is */
	default: return false;
	}
}

static void
set_edit(struct options *o, enum edit how)
{
	if (o->edit != EDIT_NONE && o->edit != how)
		fatal(EX_USAGE, "specify one of -e, -X, or -#");
	o->edit = how;
}

static void
read_options(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "help", no_argument, NULL, '?' + 256 },
		{ NULL, 0, NULL, 0 }
	};
	int option;

	while ((option = getopt_long(argc, argv, "c:dfhHjnxpelmo:X#", longs,
	    NULL)) != -1) {
		if (read_show_option(&o->show, option))
			continue;
		switch (option) {
		case 'c': o->dir = optarg; break;
		case 'e': set_edit(o, EDIT_SET); break;
		case '#': set_edit(o, EDIT_COMMENT); break;
		case 'X': set_edit(o, EDIT_DELETE); break;
		case 'l': o->lock_types = true; break;
		case 'm': o->map_types = true; break;
		case 'o': o->override[o->noverride++] = optarg; break;
		case '?' + 256: usage(stdout, EX_OK); break;
		default: usage(stderr, EX_USAGE);
		}
	}
	if (o->show.defaults && o->show.set_only)
		fatal(EX_USAGE, "specify one of -d and -n");
	if (o->show.json && (o->show.value_only || o->show.name_only))
		fatal(EX_USAGE, "-j shows names and values: specify neither "
		    "-h nor -H");
}

static void
print_warnings(const struct conf *c)
{
	const char *s, *end;

	for (s = c->warning.s; (end = strchr(s, '\n')) != NULL; s = end + 1)
		warning("%.*s", (int)(end - s), s);
}

static void
show(const struct options *o, char *const *names)
{
	static struct conf conf;
	bool file = !o->show.defaults || o->show.expand;
	struct why why;
	size_t i;

	/* Defaults are to be had without a file. */
	if (!file) {
		str_init(&conf.warning);
	} else {
		if (conf_read(&conf, o->dir, &why) != 0)
			fatal(EX_CONFIG, "%s", why.text);
		print_warnings(&conf);
		for (i = 0; i < o->noverride; i++)
			if (conf_override(&conf, o->override[i], &why) != 0)
				fatal(EX_USAGE, "%s", why.text);
	}
	/* A file with an error in it can still be shown as it is. */
	if (file && conf_check(&conf, &why) != 0 && o->show.expand)
		fatal(EX_CONFIG, "%s", why.text);
	if (names[0] != NULL)
		show_names(&conf, &o->show, names);
	else
		show_all(&conf, &o->show);
	conf_free(&conf);
}

int
main(int argc, char **argv)
{
	static char name[] = "postconf";
	const char *const *type;
	struct options o = { 0 };

	if (argc > 0)
		argv[0] = name;		/* what getopt_long says it is */
	o.override = calloc((size_t)argc + 1, sizeof(*o.override));
	if (o.override == NULL)
		fatal(EX_OSERR, "out of memory");
	read_options(&o, argc, argv);
	argv += optind;
	if (o.edit == EDIT_NONE && argv[0] != NULL &&
	    strchr(argv[0], '=') != NULL)
		o.edit = EDIT_SET;
	if (o.lock_types)
		(void)puts("dotlock\nfcntl");
	else if (o.map_types)
		for (type = map_types; *type != NULL; type++)
			(void)puts(*type);
	else if (o.edit != EDIT_NONE)
		edit(o.dir, o.edit, argv);
	else
		show(&o, argv);
	free(o.override);
	if (fflush(stdout) != 0)
		fatal(EX_IOERR, "standard output: write error");
	return EX_OK;
}
