/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Giving up privileges, and borrowing a user's for a moment. */
#ifndef PRIV_H
#define PRIV_H

#include <sys/types.h>

/* For good: groups, gid, uid, each checked, and that there is no way back.
 * extra is one supplementary group to keep, or (gid_t)-1.  A process that
 * is not root stays what it is, and succeeds if that is uid already.
 * Returns 0, or -1 with errno; the caller must then not go on. */
int priv_drop(uid_t uid, gid_t gid, gid_t extra);

/* The effective ids of a user, and back to root's: around one system call
 * that opens what is the user's.  Without root both do nothing.
 * priv_become returns 0, or -1 with errno (and is root again);
 * priv_return ends the process if it fails. */
int priv_become(uid_t uid, gid_t gid);
void priv_return(void);

/* Resource limits and no_new_privs for a program that parses a stranger's
 * octets; failures are ignored (the limits are a second line). */
void priv_confine(void);

#endif
