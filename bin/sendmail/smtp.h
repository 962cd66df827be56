/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The client's side of an SMTP dialogue with our own server, on a socket or
 * on pipes.  Each call returns the code of the reply; 0: there was none that
 * is one, and what went wrong is in its place.
 */
#ifndef SMTP_H
#define SMTP_H

#include <stdbool.h>
#include <stdio.h>

#include "sys/bio.h"

/* For each wait; RFC 5321 4.5.3.2 has five to ten minutes. */
enum { SMTP_SECONDS = 600 };

struct smtp {
	struct bio bio;
	const char *name;	/* borrowed: the server, for complaints */
	bool eight_bit, size;	/* it has 8BITMIME, SIZE */
	int code;
	char reply[LIMIT_REPLY];	/* its last line */
};

void smtp_open(struct smtp *, const char *name, int fd_in, int fd_out);
/* Reads the greeting and says EHLO, or else HELO. */
int smtp_hello(struct smtp *, const char *host);
/* A command, without its line end; NULL: only reads. */
int smtp_say(struct smtp *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The text after DATA, from lines with LF, and its end. */
int smtp_data(struct smtp *, FILE *);
void smtp_quit(struct smtp *);

/* The exit code (sysexits) for a refusal. */
int smtp_exit_code(const struct smtp *);

#endif
