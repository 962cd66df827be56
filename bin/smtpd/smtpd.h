/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of smtpd share: one session. */
#ifndef SMTPD_H
#define SMTPD_H

#include "pure/addr.h"
#include "pure/str.h"
#include "store/conf.h"
#include "store/domain.h"
#include "store/map.h"
#include "store/queue.h"
#include "store/rewrite.h"
#include "store/starttls.h"
#include "store/users.h"
#include "sys/bio.h"
#include "sys/monitor.h"
#include "sys/peer.h"
#include "sys/session.h"

enum smtpd_lines {
	LINES_UNKNOWN,		/* nothing read yet */
	LINES_CRLF,
	LINES_LF		/* "nc" from the LAN */
};

/* The look-up tables, opened before the rights are given away. */
struct smtpd_tables {
	struct domains domains;
	struct rewrite rewrite;
	struct map_list known[DOMAIN_OTHER];	/* recipients of each class */
	bool accounts;		/* passwd_file is one of the local ones */
	struct map_list relocated;
	struct map_list sender_login;
};

struct smtpd {
	const char *dir;	/* of main.cf */
	struct conf_options options;
	struct conf conf;
	struct user owner;	/* mail_owner */
	int max_idle, max_children, max_per_client;

	/* the connection */
	struct bio bio;
	struct peer peer;
	struct queue queue;
	int fd_users;
	struct smtpd_tables tables;
	bool trusted;		/* in mynetworks */
	bool lf_allowed;
	enum smtpd_lines lines;
	bool esmtp;
	struct str helo;
	unsigned errors, junk;
	struct session session;

	/* TLS */
	struct starttls tls;
	struct monitor monitor;	/* only where this or AUTH is configured */

	/* AUTH */
	bool auth_enabled, auth_required;
	unsigned login_tries;	/* that failed */
	char login[LIMIT_USER + 1]; /* the account, or "" */
	const char *login_method;

	/* the transaction; begins with MAIL */
	bool in_mail;
	struct addr sender;	/* as given */
	struct str rcpts;	/* envelope fields of the recipients */
	size_t nrcpt;		/* of them */
	size_t naccepted;	/* RCPT commands */
	bool rcpt_refused;
	struct str only_rcpt;	/* the first recipient as given */
};

/* commands.c: the table of commands, and the last word of a session. */
extern const struct session_command smtpd_commands[];
enum { SMTPD_NCOMMANDS = 16 };	/* with the last, the unknown one */
bool smtpd_line_end(void *ctx, bool crlf);
enum session_step smtpd_bad_line(void *ctx, bool too_long);
void smtpd_reset(struct smtpd *);

/* One reply line; CRLF is added.  An error counts, and too many end the
 * session. */
void smtpd_reply(struct smtpd *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
enum session_step smtpd_refuse(struct smtpd *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* recipient.c: is there anyone at this (completed) address, and may this
 * client write there?  VERDICT_OK, or the refusal. */
bool smtpd_open_tables(struct smtpd *);
enum verdict smtpd_check_recipient(struct smtpd *, const struct addr *,
    struct why *);

/* rcpt.c: RCPT.  smtpd_add_rcpt is a rewrite_add; ctx is the smtpd, and
 * given what the client typed ("" for a copy). */
struct smtpd_add {
	struct smtpd *s;
	const char *given;
};
void smtpd_add_rcpt(void *ctx, const char *address);
enum session_step smtpd_rcpt(void *ctx, char *arg);

/* data.c: DATA, from 354 to the answer after the dot. */
enum session_step smtpd_data(void *ctx, char *arg);

/* monitor.c: the half of the session that is not confined, until the other
 * one ends; returns its exit code. */
int smtpd_watch(struct smtpd *);

/* tls.c: STARTTLS, the start of a session that is TLS from the beginning
 * (false: it failed), and which commands must wait for TLS. */
enum session_step smtpd_starttls(void *ctx, char *arg);
bool smtpd_wrapper(struct smtpd *);
bool smtpd_may(void *ctx, const char *verb, enum session_step *);
/* auth.c: AUTH; may it be used now; the lines of EHLO about it. */
enum session_step smtpd_auth(void *ctx, char *arg);
bool smtpd_may_auth(const struct smtpd *);
void smtpd_offer_auth(struct smtpd *);
/* May who has logged in use this sender?  Else why not. */
bool smtpd_owns_sender(struct smtpd *, const struct addr *, struct why *);

/* "ESMTPS" and the like, RFC 3848. */
const char *smtpd_protocol(const struct smtpd *);

#endif
