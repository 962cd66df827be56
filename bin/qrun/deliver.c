/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One recipient: by rename, or by the agent. */
#include "qrun.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/mailbox.h"
#include "store/maildir.h"
#include "sys/log.h"
#include "sys/priv.h"
#include "sys/spawn.h"

enum verdict
deliver_check_user(const struct user *u, struct why *why)
{
	if (u->uid == 0)
		return why_set(why, VERDICT_LATER, "4.3.5",
		    "mail for %s is not delivered as root: give it an alias",
		    u->name);
	if (geteuid() != 0 && geteuid() != u->uid)
		return why_set(why, VERDICT_LATER, "4.3.5",
		    "not root, cannot deliver as %s", u->name);
	return VERDICT_OK;
}

static enum verdict
open_mailbox(const struct target *t, int *dir, gid_t *extra, struct why *why)
{
	*dir = -1;
	if (deliver_check_user(t->user, why) != VERDICT_OK)
		return why->verdict;
	*dir = mailbox_open_dir(t->mailbox, t->user->uid, extra);
	return *dir >= 0 ? VERDICT_OK :
	    why_errno(why, errno, t->mailbox->dir);
}

/* Gives the file to the user and renames it; on failure it is as before. */
static int
give(struct runner *r, struct queue_message *m, const struct user *u,
    int dir, struct why *why)
{
	bool change = geteuid() == 0 && m->st.st_uid != u->uid;
	char name[MAILDIR_NAME];
	int saved;

	maildir_name(name, m->id, 0, conf_get(&r->conf, CONF_MYHOSTNAME),
	    m->octets, m->crlf_octets);
	if (change && fchown(m->fd, u->uid, u->gid) != 0) {
		(void)why_errno(why, errno, "give message to its owner");
		return -1;
	}
	if (queue_give(m, dir, name) == 0)
		return 1;
	saved = errno;
	/* The name is made from the queue id: an agent that died before it
	 * could tell has copied this message. */
	if (saved == EEXIST && fsync(dir) == 0 && queue_remove(m) == 0)
		return 1;
	if ((!change || fchown(m->fd, r->queue.owner, r->queue.group) == 0) &&
	    saved == EXDEV)
		return 0;
	(void)why_errno(why, saved, "rename into maildir");
	return -1;
}

int
deliver_rename(struct runner *r, struct queue_message *m,
    const struct target *t, struct why *why)
{
	const struct user *u = t->user;
	int dir, new, saved, result;
	gid_t extra;

	if (open_mailbox(t, &dir, &extra, why) != VERDICT_OK)
		return -1;
	if (!t->mailbox->maildir || m->envelope.private ||
	    (m->st.st_uid != r->queue.owner && m->st.st_uid != u->uid)) {
		(void)close(dir);
		return 0;
	}
	if (priv_become(u->uid, u->gid) != 0) {
		(void)why_errno(why, errno, "become the recipient");
		(void)close(dir);
		return -1;
	}
	new = maildir_open(dir, t->mailbox->name, "new");
	saved = errno;
	priv_return();
	(void)close(dir);
	if (new < 0) {
		(void)why_errno(why, saved, "open maildir");
		return -1;
	}
	result = give(r, m, u, new, why);
	(void)close(new);
	if (result == 1)
		(void)why_set(why, VERDICT_OK, "2.0.0", "delivered to maildir");
	return result;
}

/* "4.2.0 text": an agent may say its status before the text. */
static const char *
split_status(char *text, char status[static 12])
{
	size_t n = strcspn(text, " ");

	if (n < 5 || n > 11 || strspn(text, "0123456789.") != n ||
	    text[n] == '\0')
		return text;
	memcpy(status, text, n);
	status[n] = '\0';
	return text + n + 1;
}

static enum verdict
judge(const struct target *t, int code, struct str *said, struct why *why)
{
	char status[12] = "";
	const char *text;

	str_cut(said, LIMIT_REASON);
	said->s[strcspn(said->s, "\n")] = '\0';
	if (t->kind == TARGET_COMMAND && code == 0)
		return why_set(why, VERDICT_OK, "2.0.0",
		    "delivered to command: %.300s", t->text);
	text = split_status(said->s, status);
	if (t->kind == TARGET_FILE && code == 0)
		return why_set(why, VERDICT_OK, "2.0.0",
		    "delivered to file: %.300s", t->text);
	if (code < 0)
		return why_set(why, VERDICT_LATER, "4.3.0",
		    "died of a signal: %.300s", t->text);
	(void)why_exit(why, code, text);
	if (status[0] != '\0') {
		status[0] = why->status[0];
		memcpy(why->status, status, sizeof(status));
	}
	return why->verdict;
}

/* ---- one target ---- */

struct place {
	int dir;		/* the agent's working directory */
	gid_t extra;
};

/* local as the user, the message on descriptor 0. */
static enum verdict
start_agent(struct runner *r, struct queue_message *m, size_t number,
    const struct target *t, const char *sender, char *where,
    const struct place *at, struct why *why)
{
	char program[] = "local", o_id[] = "-i", o_number[] = "-n",
	    o_host[] = "-m", o_size[] = "-s", o_sender[] = "-r", count[24],
	    size[24], host[LIMIT_DOMAIN + 1], from[LIMIT_ADDRESS + 1];
	char *argv[] = { program, o_id, m->id, o_number, count, o_host, host,
	    o_size, size, o_sender, from, where, NULL };
	char **env = environment(&r->conf, &m->envelope.rcpt[number - 1],
	    sender, t->user);
	struct spawn s = { .fd_program = r->fd_local, .argv = argv,
	    .env = env, .fd = { -1, -1, -1, -1 }, .fd_cwd = at->dir,
	    .uid = t->user->uid, .gid = t->user->gid, .extra = at->extra };
	struct str said;
	int code;

	if (env == NULL)
		return why_errno(why, ENOMEM, "make environment");

	(void)snprintf(count, sizeof(count), "%zu", number);
	(void)snprintf(size, sizeof(size), "%" PRIu64, conf_number(&r->conf,
	    t->user->home[0] != '\0' ? CONF_MAILBOX_SIZE_LIMIT :
	    CONF_VIRTUAL_MAILBOX_LIMIT));
	(void)snprintf(host, sizeof(host), "%s",
	    conf_get(&r->conf, CONF_MYHOSTNAME));
	(void)snprintf(from, sizeof(from), "%s", sender);
	s.fd[0] = queue_reopen(m);
	if (s.fd[0] < 0)
		(void)why_errno(why, errno, "open queue file");
	else {
		str_init(&said);
		code = agent_run(r, &s, "local", LIMIT_REASON, &said, why);
		if (code >= 0 || why->verdict == VERDICT_OK)
			(void)judge(t, code, &said, why);
		str_free(&said);
		(void)close(s.fd[0]);
	}
	environment_free(env);
	return why->verdict;
}

static enum verdict
to_mailbox(struct runner *r, struct queue_message *m, size_t number,
    const struct target *t, const char *sender, struct why *why)
{
	char where[LIMIT_PATH + 2];
	struct place at;

	if (open_mailbox(t, &at.dir, &at.extra, why) != VERDICT_OK)
		return why->verdict;
	(void)snprintf(where, sizeof(where), "%s%s", t->mailbox->name,
	    t->mailbox->maildir ? "/" : "");
	(void)start_agent(r, m, number, t, sender, where, &at, why);
	(void)close(at.dir);
	return why->verdict;
}

/* A command starts in the home, if there is one to start in. */
static enum verdict
to_agent(struct runner *r, struct queue_message *m, size_t number,
    const struct target *t, const char *sender, struct why *why)
{
	char where[LIMIT_TARGET + 2];
	struct place at = { .dir = -1, .extra = (gid_t)-1 };

	if (deliver_check_user(t->user, why) != VERDICT_OK)
		return why->verdict;
	if (t->user->home[0] != '\0')
		at.dir = open(t->user->home, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (at.dir < 0)
		at.dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	(void)snprintf(where, sizeof(where), "%s%s",
	    t->kind == TARGET_COMMAND ? "|" : "", t->text);
	(void)start_agent(r, m, number, t, sender, where, &at, why);
	if (at.dir >= 0)
		(void)close(at.dir);
	return why->verdict;
}

enum verdict
deliver_copy(struct runner *r, struct queue_message *m, size_t number,
    const struct target *t, const char *sender, struct why *why)
{
	(void)why_set(why, VERDICT_OK, "2.0.0", "nothing said");
	switch (t->kind) {
	case TARGET_MAILBOX:
		return to_mailbox(r, m, number, t, sender, why);
	case TARGET_COMMAND:
	case TARGET_FILE:
		return to_agent(r, m, number, t, sender, why);
	case TARGET_FORWARD:
	case TARGET_FAIL:
		break;
	}
	return why_set(why, VERDICT_LATER, "4.3.0", "not for an agent");
}
