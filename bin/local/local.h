/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of local share: one delivery. */
#ifndef LOCAL_H
#define LOCAL_H

#include <stdbool.h>
#include <stdint.h>

#include "pure/envelope.h"
#include "pure/limits.h"
#include "pure/str.h"
#include "pure/verdict.h"

struct job {
	const char *id, *host;
	const char *sender;	/* instead of the envelope's; NULL: that */
	uint64_t number;	/* which recipient, 1... */
	uint64_t size_limit;	/* of an mbox, 0: none */
	char target[LIMIT_TARGET];
	struct envelope envelope;
	struct str head;	/* what replaces the envelope block */
};

/* mailbox.c */
enum verdict local_to_maildir(struct job *, struct why *);
enum verdict local_to_mbox(struct job *, struct why *);

/* command.c: becomes the command; returns only when that fails. */
enum verdict local_to_command(struct job *, const char *command,
    struct why *);

/* forward.c: prints what the .forward of this user (with the extension, if
 * not "") says, a target a line: its kind ("A", "C", "F", "I"), a blank and
 * the text.  Returns the exit code. */
int local_print_forward(const char *extension);
/* The same for the targets in a file of :include:. */
int local_print_include(const char *path);

#endif
