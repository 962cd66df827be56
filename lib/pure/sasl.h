/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What SASL mechanisms send, decoded from base64 already. */
#ifndef SASL_H
#define SASL_H

#include <stdbool.h>
#include <stddef.h>

struct sasl_login {
	const char *user;	/* both NUL-ended, within the message */
	const char *password;
};

/* PLAIN, RFC 4616: [authzid] NUL authcid NUL passwd, where msg[len] is a NUL
 * that does not count.  False: not that, or an authzid that is not the
 * authcid (nobody may log in for another). */
bool sasl_plain(const char *msg, size_t len, struct sasl_login *);

#endif
