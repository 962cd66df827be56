/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * malle: what an administrator asks the whole installation.
 *
 *	malle check	what is wrong with it, one line a fault
 *	malle status	what is in the queue
 *
 * Runs as whoever calls it and changes nothing.  Exit codes: sysexits;
 * EX_CONFIG when check has found a fault.
 *
 * malle.c		the table of subcommands
 * check.c		main.cf
 * check_files.c	files, directories, accounts, programs
 * status.c
 */
#include "malle.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static const struct {
	const char *name;
	int (*run)(const char *dir, int argc, char **argv);
	const char *what;
} commands[] = {
	{ "check", check, "say what is wrong with the installation" },
	{ "status", status, "say what is in the queue" }
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

void
fatal(int code, const char *fmt, ...)
{
	va_list ap;

	(void)fflush(stdout);
	(void)fputs("malle: fatal: ", stderr);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	exit(code);
}

static _Noreturn void
usage(FILE *to, int code)
{
	size_t i;

	(void)fputs("usage: malle [-c config_directory] command\n", to);
	for (i = 0; i < COMMANDS; i++)
		(void)fprintf(to, "    %-10s %s\n", commands[i].name,
		    commands[i].what);
	(void)fputs("See malle(1).\n", to);
	exit(code);
}

int
main(int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "help", no_argument, NULL, 1 },
		{ NULL, 0, NULL, 0 }
	};
	const char *dir = NULL;
	size_t i;
	int opt;

	/* "+": what follows the command is the command's. */
	while ((opt = getopt_long(argc, argv, "+c:", longopts, NULL)) != -1)
		switch (opt) {
		case 1:
			usage(stdout, EX_OK);
		case 'c':
			dir = optarg;
			break;
		default:
			usage(stderr, EX_USAGE);
		}
	if (optind == argc)
		usage(stderr, EX_USAGE);
	for (i = 0; i < COMMANDS; i++)
		if (strcmp(argv[optind], commands[i].name) == 0)
			return commands[i].run(conf_dir(dir), argc - optind,
			    argv + optind);
	fatal(EX_USAGE, "%s: no such command; \"malle --help\" lists them",
	    argv[optind]);
}
