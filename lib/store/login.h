/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a name and a password that a client gave to an account. */
#ifndef LOGIN_H
#define LOGIN_H

#include <stdbool.h>

#include "store/conf.h"
#include "store/users.h"
#include "sys/monitor.h"

/* The account that a name means: in lower case, and without a domain if that
 * is one of ours.  False: it can be none. */
bool login_key(const struct conf *, const char *given,
    char key[static LIMIT_USER + 1]);

/* For the log, where readers look for commas and brackets: a name may not
 * pretend to be the rest of the line. */
void login_clean(const char *given, char out[static LIMIT_USER + 1]);

/* Asks checkpw(8), by whoever may, and finds the account; that of root is
 * refused.  What is wrong with us goes to the log under role. */
enum monitor_answer login_verify(const struct conf *, const char *role,
    const char *user, const char *password, struct user *account);

#endif
