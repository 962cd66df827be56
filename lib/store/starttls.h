/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The way from a connection in clear to one that tlsd(8) serves, as main.cf
 * says, for every server that offers it.  The server forgets what it was told
 * before; here its buffer and descriptors are seen to.
 */
#ifndef STARTTLS_H
#define STARTTLS_H

#include <stdbool.h>

#include "store/conf.h"
#include "sys/bio.h"
#include "sys/monitor.h"
#include "sys/peer.h"
#include "sys/tls.h"

enum starttls_level {
	STARTTLS_NONE,		/* not offered */
	STARTTLS_MAY,
	STARTTLS_ENCRYPT,	/* nothing that matters without */
	STARTTLS_WRAPPER	/* from the first octet */
};

struct starttls {
	const char *role;	/* for the log */
	const struct conf *conf;
	const struct conf_options *options;
	const struct peer *peer;
	struct monitor *monitor; /* to be asked; NULL: we start it ourselves */
	enum starttls_level level;
	bool active;
	struct tls_record record; /* of the handshake */
};

/* What these two parameters, xxx_tls_security_level and _wrappermode, say. */
enum starttls_level starttls_level(const struct conf *, enum conf_id level,
    enum conf_id wrapper);

/* The helper's socket, when it is ready; -1: it cannot be, the log says why,
 * and the connection can go on in clear. */
int starttls_begin(struct starttls *);

/* The conversation becomes fd, and nothing that was read of the old one is
 * left.  True: the handshake is done.  False: there will be no more input. */
bool starttls_shake(struct starttls *, struct bio *, int fd);

/* In the monitor: answers MONITOR_TLS, once.  Its own 0 and 1 become the
 * helper's socket too. */
void starttls_answer(struct starttls *, struct monitor *);

#endif
