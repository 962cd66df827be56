/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Asking a password checker, in the way of DJB's checkpassword: it reads
 * "user NUL password NUL timestamp NUL" from descriptor 3 and says by its
 * exit code what it found.
 */
#ifndef PASSWORD_H
#define PASSWORD_H

enum password_answer {
	PASSWORD_RIGHT,
	PASSWORD_REFUSED,
	PASSWORD_LATER	/* killed, missing, anything unknown: nobody knows */
};

/* fd_program and argv as for spawn.  Neither string is longer than
 * LIMIT_USER and LIMIT_PASSWORD.  What was copied of them is wiped. */
enum password_answer password_check(int fd_program, char *const argv[],
    const char *user, const char *password);

#endif
