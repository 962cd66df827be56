/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Telling the queue runner that there is a new message, as the parameter
 * qrun_service says: start it ourselves, or send one datagram with the name
 * of the queue file to where the super-server listens.  A hint and no more:
 * if it is lost, the periodic run finds the message.
 */
#ifndef WAKE_H
#define WAKE_H

#include "store/conf.h"

/* Once per process, before privileges go: the socket, or (as root) the
 * program.  Once more after the configuration was read again.  Returns 0,
 * or -1 with errno, logged; the mail then waits for the periodic run. */
int wake_open(struct conf *);

/* Wakes the runner for one file of incoming/, or for all there is (""; one
 * that serves a socket then looks through incoming/); never waits, and
 * nobody has to wait for the runner.  Does wake_open if nobody did.  Returns
 * 0, or -1 with errno; the first failure in a process is logged here.  Who
 * was root, is no more, and would have to start it itself does nothing
 * (EPERM). */
int wake_runner(struct conf *, const char *queue_name);

#endif
