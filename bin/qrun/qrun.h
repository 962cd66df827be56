/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of qrun share. */
#ifndef QRUN_H
#define QRUN_H

#include "store/conf.h"
#include "store/domain.h"
#include "store/mailbox.h"
#include "store/map.h"
#include "store/queue.h"
#include "store/rewrite.h"
#include "store/users.h"

/* What is to be told of one recipient, or of one target of it. */
struct failure {
	size_t number;		/* of the recipient, from 1 */
	const char *label;	/* of its target in the record, or NULL: all */
	const char *to;		/* where an alias led, or NULL */
	const char *sender;	/* who is told */
	const char *relay;	/* for the log; NULL: it has been logged */
	const char *remote;	/* "host[addr]:port" that said so, or NULL */
	int64_t started;
	bool told;
	struct why why;
};

struct runner {
	struct conf conf;
	struct user owner;	/* mail_owner */
	struct queue queue;
	int fd_local;		/* the program local */
	int fd_relay;		/* the program relay */
	int64_t since;		/* a next hop that was dead before this may
				 * be asked again, microseconds; 0: after
				 * minimal_backoff_time */
	int fd_bounce;		/* the program bounce; -1: there is none */
	int fd_users;		/* passwd_file, for one message */
	bool tables_open;	/* the rest of it, likewise */
	struct why tables_why;	/* why some could not be opened */
	struct domains domains;
	struct rewrite rewrite;
	struct map_list aliases, relocated, virtual_mailbox, virtual_uid,
	    virtual_gid, transport, sender_relay;
	struct failure *failure; /* of the message at hand */
	size_t nfailure;
	size_t *left;		/* of recipient i + 1: what is not finished */
	bool quick;		/* expand may not start anything */
	unsigned workers;	/* children that deliver one message each */
	bool alone;		/* do it all in this process */
	bool serving;		/* it serves a socket, and never waits */
	bool put_off;		/* something is left for want of workers */
};

/* One place that a recipient's mail goes to. */
enum target_kind {
	TARGET_MAILBOX,		/* of user; where: mailbox */
	TARGET_COMMAND,		/* text, as user */
	TARGET_FILE,		/* text, as user */
	TARGET_FORWARD,		/* text: an address for a new message */
	TARGET_FAIL		/* text: an address; why */
};

struct target {
	enum target_kind kind;
	char *text;
	struct user *user;	/* NULL: FORWARD, FAIL */
	struct mailbox *mailbox;	/* MAILBOX only */
	struct why *why;	/* FAIL only */
};

struct expansion {
	struct target *target;
	size_t n;
	/* "owner-list@..." where the alias has an owner, else "". */
	char sender[LIMIT_ADDRESS + 1];
	bool aliased;		/* the address is not just a mailbox */
	bool incomplete;	/* quick, and it would take an agent */
};

/* message.c: hands a message for one mailbox over by rename, or defers it.
 * False: it needs message_by_copy, which does all that is left to do. */
bool message_by_rename(struct runner *, struct queue_message *);
void message_by_copy(struct runner *, struct queue_message *);
/* As queue_record, but what fails is logged; false then. */
bool message_record(struct queue_message *, size_t number,
    const char *target, const struct why *);
/* What became of one recipient elsewhere. */
struct remote_result {
	size_t number;		/* from 1 */
	const char *role;	/* whose log line it is */
	const char *relay;	/* "host[addr]:port", "none" */
	int64_t started;	/* microseconds */
	int64_t setup, transmit;
	struct why why;
};
/* Writes it down and logs it; who is not settled waits. */
void message_settle(struct runner *, struct queue_message *,
    struct remote_result *);

/* rcpt.c: recipient number (1...), from what it stands for to the record. */
void rcpt_deliver(struct runner *, struct queue_message *, size_t number);

/* expand.c: all that one recipient stands for, in whatever files and tables
 * it is written.  VERDICT_OK, or why nothing can be done for it (now). */
enum verdict expand(struct runner *, const char *address, struct expansion *,
    struct why *);
void expansion_free(struct expansion *);

/* tables.c: the files and tables that expand asks, opened for one message
 * and closed after it. */
bool tables_open(struct runner *, struct why *);
void tables_close(struct runner *);

/* remote.c: all recipients whose mail leaves this machine and that are not
 * done; sets done for them, and settles them. */
void message_remote(struct runner *, struct queue_message *, bool *done);

/* Recipients of a message that go the same way. */
struct remote_group {
	const size_t *number;
	size_t n;
	const char *hop;	/* a list of next hops */
	bool lmtp;
	int64_t started;
};
/* hop.c: may this next hop be tried now?  Else why.  Of a hop that was dead,
 * only one process may find out whether it is: *probe is then a lock that it
 * closes afterwards, or -1. */
bool remote_may(struct runner *, const struct remote_group *, int *probe,
    struct why *);
/* What is known of it now: it is dead, or (why NULL) it is not. */
void remote_note(struct runner *, const struct remote_group *,
    const struct why *);
enum { HOP_HASH = 17 };
/* lock/, opened once in a process; -1 with errno. */
int remote_lock_dir(struct runner *);
void hop_hash(const struct remote_group *, char hash[static HOP_HASH]);
/* slot.c: one of the places that a next hop has; waits a while for it.
 * *slot is then a lock that the caller closes afterwards, or -1. */
bool slot_take(struct runner *, const struct remote_group *, int *slot,
    struct why *);
/* Forgets what is old. */
void remote_sweep(struct runner *);
/* handover.c: runs relay for the group. */
void relay_run(struct runner *, struct queue_message *,
    const struct remote_group *);

/* deliver.c: one target.  deliver_rename hands the message over whole, and
 * returns 1; 0 when it must be copied instead (another file system, an
 * mbox); -1 with why when it cannot be delivered now. */
int deliver_rename(struct runner *, struct queue_message *,
    const struct target *, struct why *);
/* Runs local for recipient number (1...) and one of its targets; sender is
 * the envelope's, or the owner of the list. */
enum verdict deliver_copy(struct runner *, struct queue_message *,
    size_t number, const struct target *, const char *sender, struct why *);
/* May we write as this user?  Never as root; without root, only as what we
 * are. */
enum verdict deliver_check_user(const struct user *, struct why *);

/* environment.c: what a command may know, NULL at the end.  NULL: no
 * memory. */
char **environment(const struct conf *, const struct rcpt *,
    const char *sender, const struct user *);
void environment_free(char **);

/* failure.c: a failure for good, where nobody could or should be told so,
 * becomes one for now. */
void failure_soften(struct runner *, struct why *);
/* Takes down a failure of the message at hand, which counts as
 * not finished.  LATER: it is only told when it is time; NEVER: it is told
 * and recorded by failure_report. */
void failure_add(struct runner *, const struct queue_message *,
    const struct failure *);
/* Tells whoever has to be told, and then writes it down.  Forgets all
 * failures, but not what is left. */
void failure_report(struct runner *, struct queue_message *);
/* Has the message waited so long that failure_report may have to tell? */
bool failure_is_old(struct runner *, const struct queue_message *);

/* notice.c: runs bounce.  VERDICT_OK: the report is durable, or there is
 * nobody to be told. */
struct notice {
	const char *sender;	/* of the message: who is to be told */
	bool delay;
	int64_t until;		/* delay: it is tried until then, seconds */
	int reasons;		/* a file with a line for each failure */
};
enum verdict notice_send(struct runner *, struct queue_message *,
    const struct notice *, struct why *);
/* Is it the sender of a report about a report? */
bool notice_is_double_bounce(struct runner *, const char *sender);

/* agent.c: runs a program of ours (name) as spawn says; what it prints (max
 * octets) goes to out.  Returns its exit code; -1 for a signal, or with why
 * (LATER) when it could not run or took too long. */
struct spawn;
int agent_run(struct runner *, struct spawn *, const char *name, size_t max,
    struct str *out, struct why *why);
/* local as the user, in dir, with the two arguments ask[1] and ask[2]. */
int agent_ask(struct runner *, const struct user *, int dir,
    char *const *ask, struct str *out, struct why *);

/* forward.c: a new message to the addresses (each a Delivered-To field in
 * rcpts), from sender, with the text of m; the new queue file's name in
 * name. */
enum verdict forward_message(struct runner *, struct queue_message *m,
    const struct rcpt *from, const char *sender, const struct str *rcpts,
    char name[static LIMIT_QUEUE_NAME], struct why *);

/* report.c: the log lines of a delivery. */
void report_active(const struct queue_message *);
/* started: when this attempt began, microseconds.  to: where an alias led,
 * or NULL. */
void report_rcpt(const struct queue_message *, const struct rcpt *,
    const char *to, const char *relay, int64_t started, const struct why *);
void report_remote(const struct queue_message *, const struct remote_result *);
void report_removed(const struct queue_message *);

#endif
