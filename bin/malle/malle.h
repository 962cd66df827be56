/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the subcommands of malle share. */
#ifndef MALLE_H
#define MALLE_H

#include "store/conf.h"

/* "malle: fatal: text" on standard error, and the end. */
_Noreturn void fatal(int code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Each is given the configuration directory and its own arguments, and
 * returns the exit code. */
int check(const char *dir, int argc, char **argv);
int status(const char *dir, int argc, char **argv);

/* A fault of the installation: one line, "malle: warning: text". */
void fault(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* check_files.c */
void check_owner(const struct conf *);
void check_spool(const struct conf *);
void check_programs(const struct conf *);
void check_accounts(const struct conf *);

#endif
