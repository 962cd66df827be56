/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The file shadow_file, in the form of shadow(5). */
#ifndef SHADOW_H
#define SHADOW_H

#include <stdbool.h>
#include <stdint.h>

#include "pure/limits.h"
#include "store/users.h"

struct shadow {
	char password[LIMIT_USER + 1];
	/* Days since 1970, or days; -1: not given. */
	int64_t changed, max, inactive, expire;
};

/* The row of exactly that name.  A file that cannot be read, or a row with
 * something that is no number, is USERS_LATER. */
enum users_answer shadow_find(int fd, const char *name, struct shadow *);

/* May the account log in on that day?  Not when it has expired, when its
 * password must be changed first, or was not changed for too long. */
bool shadow_usable(const struct shadow *, int64_t today);

#endif
