/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the two halves of the mbox maildrop share: listing and rewriting. */
#ifndef MAILDROP_MBOX_H
#define MAILDROP_MBOX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "pure/mboxscan.h"
#include "store/maildrop.h"
#include "store/mbox.h"

struct mbox_item {
	struct mboxscan_message found;
	size_t twin;		/* how many before it have the same hash */
};

struct mbox_drop {
	struct mbox mbox;	/* fd is -1 where there is no file */
	struct stat st;		/* as it was listed */
	uint64_t tail;		/* at QUIT: where new mail begins */
	struct mbox_item *item;
	size_t cap;
};

/* Where the room of message i ends, its separator included. */
uint64_t mbox_drop_next(const struct maildrop *, size_t i);

/* Takes out what is marked deleted, under the lock, from the file that st
 * describes and whose listed part has not changed. */
enum verdict mbox_drop_rewrite(struct maildrop *, const struct stat *st,
    struct why *);

#endif
