/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/sasl.h"

#include <string.h>

bool
sasl_plain(const char *msg, size_t len, struct sasl_login *l)
{
	const char *end = msg + len, *authzid = msg, *nul;

	nul = memchr(msg, '\0', len);
	if (nul == NULL)
		return false;
	l->user = nul + 1;
	nul = memchr(l->user, '\0', (size_t)(end - l->user));
	if (nul == NULL || nul == l->user)
		return false;
	l->password = nul + 1;
	/* A third NUL would hide what follows it. */
	if (l->password == end ||
	    memchr(l->password, '\0', (size_t)(end - l->password)) != NULL)
		return false;
	return authzid[0] == '\0' || strcmp(authzid, l->user) == 0;
}
