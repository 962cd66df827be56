/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of relay share. */
#ifndef RELAY_H
#define RELAY_H

#include <sys/socket.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "pure/envelope.h"
#include "pure/nexthop.h"
#include "pure/str.h"
#include "pure/verdict.h"
#include "sys/bio.h"

enum {
	LIMIT_RELAY = 2 * LIMIT_DOMAIN + 16,
	LIMIT_HOSTS = 100	/* addresses of one next hop */
};

/* ---- what is to be done ---- */

/* Seconds and counts, by the names of main.cf. */
enum setting {
	SET_RECIPIENT_LIMIT,
	SET_CONNECT_TIMEOUT,
	SET_DATA_DONE_TIMEOUT,
	SET_DATA_INIT_TIMEOUT,
	SET_DATA_XFER_TIMEOUT,
	SET_HELO_TIMEOUT,
	SET_MAIL_TIMEOUT,
	SET_MX_ADDRESS_LIMIT,
	SET_MX_SESSION_LIMIT,
	SET_RCPT_TIMEOUT,
	SET_RSET_TIMEOUT,
	SET_COUNT
};

/* One recipient.  It is final when no other host can change its verdict. */
struct target {
	size_t number;		/* in the envelope, from 1 */
	const char *address;
	struct why why;
	char relay[LIMIT_RELAY];	/* who said so */
	int64_t setup, transmit;	/* microseconds */
	bool final;
	bool printed;
	bool tried;		/* in this session */
	bool accepted;		/* in this transaction */
};

struct job {
	bool lmtp;
	const char *hop;	/* where to: a list of next hops */
	const char *fallback;	/* and if they fail for now */
	const char *helo;	/* our name */
	const char *proxy;	/* proxy_interfaces */
	const char *preference;	/* "any", "ipv4", "ipv6" */
	int value[SET_COUNT];
	/* The message: a queue file on descriptor 0, from offset on. */
	int fd;
	off_t offset;
	uint64_t size;		/* as it is sent, CRLF */
	bool eightbit;		/* has octets beyond ASCII */
	const char *sender;
	struct target *target;
	size_t n;
	struct envelope envelope;	/* what the addresses point into */
	char *text;		/* what the settings point into */
};

/* job.c: reads the job from descriptor 3, and the envelope.  0, or an exit
 * code. */
int job_read(struct job *);
/* Is anything left to do? */
bool job_pending(const struct job *);
/* The same verdict for all that are not final. */
void job_set(struct job *, const struct why *, const char *relay, bool final);
/* Prints those that are final, or all of them. */
void job_print(struct job *, bool all);
void job_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Somebody answers there; or nobody did. */
void job_alive(void);
void job_dead(const struct why *);

/* ---- where to ---- */

struct host {
	char name[LIMIT_DOMAIN + 1];
	char addr[LIMIT_DOMAIN + 1];	/* numeric, or the path */
	unsigned preference;
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_un local;
	};
	socklen_t len;
};

struct hosts {
	struct host host[LIMIT_HOSTS];	/* in the order to try */
	size_t n;
};

/* resolve.c: the hosts of a next hop.  VERDICT_OK, or why there are none. */
enum verdict resolve(const struct job *, const struct nexthop *,
    struct hosts *, struct why *);

/* self.c: is it an address of this machine? */
void self_open(const char *proxy);
bool self_has(const struct host *);

/* connect.c: a socket connected to the first of n hosts that answers (the
 * second is only tried beside it when it takes long); *which of them.  -1
 * with why, of the last of them; failures are noted. */
int connect_to(const struct job *, const struct host *, size_t n,
    size_t *which, struct why *);

/* ---- one connection ---- */

struct reply {
	int code;
	char status[12];	/* "5.1.1", or made from the code */
	struct str text;	/* all of it, lines joined by LF */
};

struct session {
	struct bio *bio;
	struct job *job;
	const struct host *host;
	char peer[LIMIT_RELAY];		/* host[addr] */
	char relay[LIMIT_RELAY];	/* host[addr]:port */
	bool pipelining, eightbit, has_size;
	uint64_t size;		/* most that it takes, 0: any */
	bool detect_loop;
	bool over;		/* nothing more can be asked */
	int64_t started, ready;	/* microseconds */
	struct reply reply;
};

/* reply.c: reads one reply within so many seconds.  False: why says what
 * happened while it was waited for (stage), and the session is over. */
bool reply_get(struct session *, int seconds, const char *stage,
    struct why *);
/* Its text in one line. */
void reply_text(const struct session *, char text[static LIMIT_REASON + 1]);
/* Why, from a reply: "host x[y] said: 550 ... (in reply to WHAT)". */
void reply_why(const struct session *, const char *what, struct why *);
/* The session broke off; bio says how. */
void reply_lost(struct session *, const char *stage, struct why *);

/* session.c: greeting and EHLO.  VERDICT_OK, or why not. */
enum verdict session_open(struct session *, struct why *);
void session_close(struct session *);

/* transaction.c: one message for a group of the recipients that were not
 * tried in this session; false: there are none, or the session is over. */
bool transaction(struct session *);

/* body.c: looks through the message for its size and what is in it; false:
 * it cannot be read. */
bool body_measure(struct job *);
/* What follows DATA, the end with it.  False: bio has an error, or the file
 * cannot be read (*read_error). */
bool body_send(struct session *, bool *read_error);

#endif
