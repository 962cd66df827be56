/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Maildir: delivery into it.  Names are
 * SECONDS.QUEUEID[.N].HOST,S=octets,W=octets-with-CRLF, made from the queue
 * id, which never repeats: a delivery that is tried again after a crash
 * finds its own name.
 */
#ifndef MAILDIR_H
#define MAILDIR_H

#include <stddef.h>
#include <stdint.h>

#include "pure/limits.h"

enum { MAILDIR_NAME = 256 };

/* The name for recipient number (1...; 0: the only one). */
void maildir_name(char name[static MAILDIR_NAME], const char *queue_id,
    size_t number, const char *host, uint64_t octets, uint64_t crlf_octets);

/* A descriptor of NAME/SUB ("new", "tmp") below dir, made with its parents
 * (mode 0700, synced) if missing.  The process acts as the owner; the
 * directory must belong to its effective uid.  -1 with errno. */
int maildir_open(int dir, const char *name, const char *sub);

#endif
