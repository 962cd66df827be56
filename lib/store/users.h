/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Accounts: the file passwd_file, in the form of passwd(5).  For mail of
 * system accounts it is /etc/passwd; a file of its own (with the password
 * hash in the second field) makes accounts that the system does not know.
 * The file is read by us and not through NSS, so that programs can be
 * linked statically and need no daemon.
 */
#ifndef USERS_H
#define USERS_H

#include <sys/types.h>

#include "pure/limits.h"

struct user {
	char name[LIMIT_USER + 1];
	char password[LIMIT_USER + 1];	/* the hash, or "x": in shadow_file */
	char home[LIMIT_PATH];
	uid_t uid;
	gid_t gid;
};

enum users_answer {
	USERS_HIT,
	USERS_MISS,
	USERS_LATER	/* unreadable, empty or half written: nobody knows */
};

/* A descriptor of the file, to be opened before privileges go; -1 with
 * errno.  users_find then takes it (-1 gives USERS_LATER). */
int users_open(const char *path);

/* The account of that name (in lower case, as addr_local_key gives it; an
 * account with capitals in its name is found too). */
enum users_answer users_find(int fd, const char *name, struct user *);

/* The system account name in /etc/passwd, for mail_owner. */
enum users_answer users_system(const char *name, struct user *);

/* The account of that number in /etc/passwd. */
enum users_answer users_system_uid(uid_t, struct user *);

#endif
