/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of pop3d share: one session. */
#ifndef POP3D_H
#define POP3D_H

#include <stdbool.h>
#include <stdint.h>

#include "pure/stuff.h"
#include "store/conf.h"
#include "store/mailbox.h"
#include "store/maildrop.h"
#include "store/starttls.h"
#include "store/users.h"
#include "sys/bio.h"
#include "sys/monitor.h"
#include "sys/peer.h"
#include "sys/session.h"

/* What an idle client makes us write stands at the end, together, so that
 * the process that waits for its login keeps few pages of its own. */
struct pop3 {
	const char *dir;	/* of main.cf */
	struct conf_options options;
	struct conf conf;
	struct user owner;	/* mail_owner: who speaks before the login */
	int max_idle, max_children, max_per_client;
	struct peer peer;
	int64_t started;

	/* TRANSACTION */
	struct user account;
	struct mailbox mailbox;
	bool is_virtual;	/* of virtual_mailbox_maps */
	struct maildrop drop;
	uint64_t sent;		/* octets of messages */
	unsigned retr, top;
	size_t deleted;

	/* AUTHORIZATION */
	char user[LIMIT_USER + 1];	/* as given; "": no USER yet */
	unsigned tries;		/* refused so far */
	bool logged_in;
	bool quit;
	struct starttls tls;
	bool passwords;		/* they may be sent */
	bool monitored;		/* this is the child: questions go there */
	struct monitor monitor;
	struct bio bio;
};

/* reply.c: one line each; CRLF is added. */
enum session_step pop3_ok(struct pop3 *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
enum session_step pop3_err(struct pop3 *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
enum session_step pop3_capa(void *ctx, char *arg);
enum session_step pop3_bad_line(void *ctx, bool too_long);
/* The message, from where the source says; with top only its beginning.
 * False: it could not be read to its end, and no end was sent. */
bool pop3_send(struct pop3 *, const struct maildrop_source *, struct top *);

/* authorization.c: until the login (logged_in), QUIT, or the end. */
enum session_end pop3_authorization(struct pop3 *);
/* To a client that sends a password where it may not. */
enum session_step pop3_needs_tls(struct pop3 *);

/* sasl.c: AUTH. */
enum session_step pop3_auth(void *ctx, char *arg);

/* login.c: a name and a password from the client, wiped afterwards. */
enum session_step pop3_login(struct pop3 *, const char *user, char *password);

/* locate.c: fills mailbox (and is_virtual) for account, with the rights that
 * reading the tables may need. */
enum verdict pop3_locate(struct pop3 *, struct why *);

/* transaction.c: as the owner of the mailbox, from the answer to the login
 * to the end.  Returns the exit code. */
int pop3_transaction(struct pop3 *);

#endif
