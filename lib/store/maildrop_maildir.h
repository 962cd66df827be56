/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the two halves of the Maildir maildrop share: the list of names, and
 * the session that works on it. */
#ifndef MAILDROP_MAILDIR_H
#define MAILDROP_MAILDIR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "store/maildrop.h"

enum { MAILDIR_NEW, MAILDIR_CUR, MAILDIR_NSUB };

struct maildir_drop {
	int lock;
	int sub[MAILDIR_NSUB];
	bool unsynced[MAILDIR_NSUB];
	/* For each message (its "at" points here): the digit of its
	 * directory, its name, NUL. */
	char *names;
	size_t len, cap;
};

/* Of a message: its name, and which directory it is in. */
const char *maildir_drop_name(const struct maildrop *, size_t i);
int maildir_drop_sub(const struct maildrop *, size_t i);

/* The part of a name that never changes: up to the flags. */
size_t maildir_unique_len(const char *name);
/* The part that is the unique-id: up to what we and others hang on. */
size_t maildir_base_len(const char *name);

/* Lists both directories in the order of the numbers.  0, or -1 with errno. */
int maildir_drop_list(struct maildrop *);

/* Another program gave message i flags, that is another name: finds it.
 * False: it is gone. */
bool maildir_drop_find(struct maildrop *, size_t i);

/* Opens a message, never a link to something else, and only of our user, so
 * that a second name of another's file gives nothing away. */
int maildir_drop_open_file(int dir, const char *name, struct stat *);

#endif
