/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of tlsd share: one connection. */
#ifndef TLSD_H
#define TLSD_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>

#include "store/conf.h"
#include "store/users.h"
#include "sys/tls.h"

enum {
	FD_IN = 0,		/* the connection */
	FD_OUT = 1,
	FD_CLEAR = 3,		/* whoever speaks the protocol inside */
	MAX_PAIRS = 4,		/* certificates side by side */
	MAX_CHAIN = 10
};

/* A certificate with its key: read as root, understood when it is needed,
 * without rights. */
struct pair {
	char cert_file[LIMIT_PATH], key_file[LIMIT_PATH];
	gnutls_datum_t cert_text, key_text;
	gnutls_pcert_st chain[MAX_CHAIN];
	unsigned nchain;	/* 0: not parsed yet */
	gnutls_privkey_t key;
};

struct pairs {
	struct pair pair[MAX_PAIRS];
	size_t n;
};

struct tlsd {
	const char *dir;	/* of main.cf */
	struct conf_options options;
	struct conf conf;
	struct user owner;	/* who we become */
	struct pairs pairs;
	gnutls_datum_t ticket_key; /* size 0: no tickets */
	gnutls_certificate_credentials_t credentials;
	gnutls_session_t session;
	char error[160];	/* what tls_record.error will say */
};

/* certs.c: reads the files that main.cf names.  All return false, with the
 * reason in error. */
bool certs_read(struct tlsd *);
/* The credentials: certificates are parsed and chosen in the handshake. */
bool certs_prepare(struct tlsd *);

/* ticket.c: the key that lets any process resume a session. */
void ticket_read(struct tlsd *);

/* relay.c: the handshake, before seconds are over; then copies until both
 * sides are done, and returns. */
bool relay_handshake(struct tlsd *, int seconds);
void relay_run(struct tlsd *);

#endif
