/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of smtpd share: one session. */
#ifndef SMTPD_H
#define SMTPD_H

#include "pure/addr.h"
#include "pure/str.h"
#include "store/conf.h"
#include "store/queue.h"
#include "store/users.h"
#include "sys/bio.h"
#include "sys/peer.h"
#include "sys/session.h"

enum smtpd_lines {
	LINES_UNKNOWN,		/* nothing read yet */
	LINES_CRLF,
	LINES_LF		/* "nc" from the LAN */
};

struct smtpd {
	const char *dir;	/* of main.cf */
	struct conf conf;
	struct user owner;	/* mail_owner */
	int max_idle, max_children, max_per_client;

	/* the connection */
	struct bio bio;
	struct peer peer;
	struct queue queue;
	int fd_users;
	bool trusted;		/* in mynetworks */
	bool lf_allowed;
	enum smtpd_lines lines;
	bool esmtp;
	struct str helo;
	unsigned errors, junk;
	struct session session;

	/* the transaction; begins with MAIL */
	bool in_mail;
	struct addr sender;	/* as given */
	struct str rcpts;	/* envelope fields of the recipients */
	size_t nrcpt;
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

/* rcpt.c: RCPT. */
enum session_step smtpd_rcpt(void *ctx, char *arg);

/* data.c: DATA, from 354 to the answer after the dot. */
enum session_step smtpd_data(void *ctx, char *arg);

#endif
