/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The inetd contract, in all its forms, found out without a flag.  fd 0 is
 *  - a connected socket, a pipe or a terminal (inetd "nowait", systemd
 *    Accept=yes, tests): one session, then the end;
 *  - a listening stream socket (inetd "wait", systemd Accept=no): accept,
 *    fork a session per connection, exit when idle;
 *  - LISTEN_FDS from systemd: the same with fd 3 moved to 0.
 */
#ifndef INETD_H
#define INETD_H

#include <stdbool.h>

struct inetd {
	/* One conversation on fd 0 and fd 1; returns the exit code.  In the
	 * listening form it runs in a child of its own. */
	int (*session)(void *ctx);
	/* Called in the listening form before each accepted connection is
	 * served: reads again what has changed (main.cf).  False: cannot
	 * serve; the client gets the broken line. */
	bool (*refresh)(void *ctx);
	void *ctx;
	/* The limits of the listening form, as they are after refresh;
	 * 0: none.  max_idle in seconds. */
	int *max_idle;
	int *max_children;
	int *max_per_client;
	/* A reply line with CRLF; NULL: the connection is just closed. */
	const char *busy;	/* for one too many */
	const char *broken;	/* when refresh failed */
};

/* Returns the exit code for main. */
int inetd_run(const struct inetd *);

/* Instead of it, for a program that cannot serve (main.cf): the line goes to
 * the client, in the listening form to the one that is waiting.  Returns the
 * exit code for main, EX_CONFIG. */
int inetd_refuse(const char *line);

/* Is fd 0 a listening or a datagram socket (qrun asks)? */
enum inetd_form { INETD_SESSION, INETD_LISTEN, INETD_DATAGRAM };
enum inetd_form inetd_form(void);

#endif
