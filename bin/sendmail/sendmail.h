/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of sendmail share: one submission. */
#ifndef SENDMAIL_H
#define SENDMAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "pure/addr.h"
#include "pure/str.h"
#include "store/conf.h"

/* sendmail.c: says so on standard error and in the log, lets the spool file
 * go, and exits. */
_Noreturn void fatal(int code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* caller.c: who started us, from /etc/passwd; names are "" if unknown. */
struct caller {
	uid_t uid;
	char login[LIMIT_USER + 1];
	char name[LIMIT_USER + 1];	/* the person's, from the fifth field */
};
void caller_get(struct caller *);

/* rcpts.c: the recipients, completed, each once, as envelope fields. */
struct rcpts {
	const char *origin;	/* what completes a bare name */
	struct str fields;
	struct str list;	/* address NUL given NUL, each */
	size_t n;
	void *seen;		/* tsearch(3) */
};
void rcpts_init(struct rcpts *, const char *origin);
void rcpts_free(struct rcpts *);
/* Adds the addresses of a list; code and where are for the complaint. */
void rcpts_add(struct rcpts *, const char *list, size_t len, int code,
    const char *where);
/* One that is complete already, and how it was given. */
void rcpts_put(struct rcpts *, const char *address, const char *given,
    int code);
/* The one address in text ("", "<>": the null one), not completed. */
void sender_parse(struct addr *, const char *text);

/* from.c: "From: NAME <address>\n", the name quoted or encoded as it needs
 * (RFC 5322 3.2.3, RFC 2047). */
void from_field(struct str *out, const char *name, const char *address);

/* input.c: standard input, line by line. */
struct input {
	bool dot_ends;		/* a line with only "." is the end */
	bool eof, inside;	/* inside: the last piece had no LF */
	bool begun;
	size_t pos, len;
	char buf[65536 + 1];
};
/* The next line with LF, or a piece of a long one; valid until the next
 * call.  CRLF has become LF, and CR alone a blank.  0 at the end. */
size_t input_line(struct input *, char **line);
/* Reads what is left, so that the writer need not die of SIGPIPE before it
 * has asked how we ended. */
void input_drain(struct input *);

/* submit.c: from standard input to the spool. */
struct submission {
	struct conf conf;
	struct caller caller;
	struct rcpts rcpts;
	struct addr sender;	/* completed */
	const char *sender_text; /* -f; NULL: the caller */
	const char *name;	/* -F; NULL: the caller's */
	bool extract;		/* -t */
	bool dot_ends;
};
void submit(struct submission *);
/* tables.c: what smtpd does to addresses.  The tables are opened while we
 * have our rights; then the sender, the fields of the header (for hdr's
 * rewrite, with the context) and the recipients are rewritten.  What cannot
 * be done is fatal. */
struct rewrite;
void tables_open(struct submission *);
void tables_sender(struct submission *);
struct rewrite *tables_header(void);
void tables_rcpts(struct submission *);
/* service.c: a file without a name for a message; a connection to a service
 * (a parameter's value); sends the message in the file, size octets as SMTP
 * counts them.  What cannot be done is fatal. */
FILE *service_spill(void);
int service_connect(const char *name);
void service_send(struct submission *, FILE *, uint64_t size);
/* verify.c: asks about the recipients; returns the exit code. */
int verify(struct submission *);
/* For fatal: no message is left half written. */
void submit_undo(void);

#endif
