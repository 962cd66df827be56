/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where an account's mail is: home_mailbox below its home, or else its name
 * below mail_spool_directory; a Maildir if the parameter ends in "/".
 */
#ifndef MAILBOX_H
#define MAILBOX_H

#include <stdbool.h>

#include "store/conf.h"
#include "store/users.h"

struct mailbox {
	char dir[LIMIT_PATH];	/* the directory that name is below */
	char name[LIMIT_PATH];	/* relative, without a slash at its end */
	bool maildir;
	bool in_home;		/* dir is the account's home */
};

/* Returns 0, or -1 (the parameter has "..", or is too long). */
int mailbox_locate(struct mailbox *, const struct conf *, const struct user *);

/* path below base (virtual_mailbox_base), a Maildir if it ends in "/". */
int mailbox_virtual(struct mailbox *, const char *base, const char *path);

/* A descriptor (O_PATH) of dir, opened with the rights of the caller.  A
 * home must belong to uid.  A spool directory that the account may not
 * write to and its group may gives that group in *extra (for the dot-lock),
 * else (gid_t)-1.  Returns -1 with errno. */
int mailbox_open_dir(const struct mailbox *, uid_t uid, gid_t *extra);

#endif
