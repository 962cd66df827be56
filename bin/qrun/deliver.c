/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One recipient: by rename, or by the agent. */
#include "qrun.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>

#include "store/mailbox.h"
#include "store/maildir.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/priv.h"
#include "sys/spawn.h"

/* May we write as this user?  Never as root; without root, only as what we
 * are. */
static enum verdict
check_user(const struct user *u, struct why *why)
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
open_mailbox(struct runner *r, const struct user *u, struct mailbox *mb,
    int *dir, gid_t *extra, struct why *why)
{
	*dir = -1;
	if (check_user(u, why) != VERDICT_OK)
		return why->verdict;
	if (mailbox_locate(mb, &r->conf, u) != 0)
		return why_set(why, VERDICT_LATER, "4.3.5",
		    "home_mailbox or mail_spool_directory is not usable");
	*dir = mailbox_open_dir(mb, u->uid, extra);
	return *dir >= 0 ? VERDICT_OK : why_errno(why, errno, mb->dir);
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
	if ((!change || fchown(m->fd, r->queue.owner, r->queue.group) == 0) &&
	    saved == EXDEV)
		return 0;
	(void)why_errno(why, saved, "rename into maildir");
	return -1;
}

int
deliver_rename(struct runner *r, struct queue_message *m,
    const struct route *route, struct why *why)
{
	const struct user *u = &route->user;
	struct mailbox mb;
	int dir, new, saved, result;
	gid_t extra;

	if (open_mailbox(r, u, &mb, &dir, &extra, why) != VERDICT_OK)
		return -1;
	if (!mb.maildir || m->envelope.private ||
	    (m->st.st_uid != r->queue.owner && m->st.st_uid != u->uid)) {
		(void)close(dir);
		return 0;
	}
	if (priv_become(u->uid, u->gid) != 0) {
		(void)why_errno(why, errno, "become the recipient");
		(void)close(dir);
		return -1;
	}
	new = maildir_open(dir, mb.name, "new");
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

/* What the agent says, until it has closed its end.  False: too late. */
static bool
listen_to(int fd, int seconds, char text[static LIMIT_REASON + 1])
{
	int64_t end = clock_monotonic() + seconds;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t len = 0;
	char spill[64];
	ssize_t n;

	for (;;) {
		int64_t left = end - clock_monotonic();

		if (left <= 0)
			break;
		if (poll(&p, 1, (int)(left > 1000 ? 1000 : left) * 1000) <= 0)
			continue;
		n = len < LIMIT_REASON ? read(fd, text + len,
		    LIMIT_REASON - len) : read(fd, spill, sizeof(spill));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		if (len < LIMIT_REASON)
			len += (size_t)n;
	}
	text[len] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return clock_monotonic() < end;
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
run_agent(struct runner *r, const struct spawn *s, int from_agent,
    struct why *why)
{
	char text[LIMIT_REASON + 1], status[12] = "";
	const char *reason;
	pid_t pid = spawn(s);

	(void)close(s->fd[1]);
	if (pid < 0)
		return why_errno(why, errno, "start local");
	if (!listen_to(from_agent, (int)conf_number(&r->conf,
	    CONF_COMMAND_TIME_LIMIT), text)) {
		(void)kill(pid, SIGKILL);
		(void)spawn_wait(pid);
		return why_set(why, VERDICT_LATER, "4.3.0",
		    "local: command time limit exceeded");
	}
	reason = split_status(text, status);
	(void)why_exit(why, spawn_wait(pid), reason);
	if (status[0] != '\0') {
		status[0] = why->status[0];
		memcpy(why->status, status, sizeof(status));
	}
	return why->verdict;
}

/* local as the user, in the directory the mailbox is in, the message on
 * descriptor 0. */
static enum verdict
start_agent(struct runner *r, struct queue_message *m, size_t number,
    const struct user *u, const struct mailbox *mb, int dir, gid_t extra,
    struct why *why)
{
	char program[] = "local", o_id[] = "-i", o_number[] = "-n",
	    o_host[] = "-m", count[24], host[LIMIT_DOMAIN + 1],
	    mailbox[LIMIT_PATH + 2];
	char *argv[] = { program, o_id, m->id, o_number, count, o_host, host,
	    mailbox, NULL };
	struct spawn s = { .fd_program = r->fd_local, .argv = argv,
	    .fd_cwd = dir, .uid = u->uid, .gid = u->gid, .extra = extra };
	enum verdict verdict;
	int to_us[2], message;

	(void)snprintf(count, sizeof(count), "%zu", number);
	(void)snprintf(host, sizeof(host), "%s",
	    conf_get(&r->conf, CONF_MYHOSTNAME));
	(void)snprintf(mailbox, sizeof(mailbox), "%s%s", mb->name,
	    mb->maildir ? "/" : "");
	message = queue_reopen(m);
	if (message < 0)
		return why_errno(why, errno, "open queue file");
	if (pipe2(to_us, O_CLOEXEC) != 0) {
		(void)why_errno(why, errno, "pipe");
		(void)close(message);
		return why->verdict;
	}
	s.fd[0] = message;
	s.fd[1] = to_us[1];
	s.fd[2] = s.fd[3] = -1;
	verdict = run_agent(r, &s, to_us[0], why);
	(void)close(to_us[0]);
	(void)close(message);
	return verdict;
}

enum verdict
deliver_copy(struct runner *r, struct queue_message *m, size_t number,
    const struct route *route, struct why *why)
{
	struct mailbox mb;
	gid_t extra;
	int dir;

	if (r->fd_local < 0)
		return why_set(why, VERDICT_LATER, "4.3.5",
		    "cannot run local in daemon_directory");
	if (open_mailbox(r, &route->user, &mb, &dir, &extra, why) ==
	    VERDICT_OK)
		(void)start_agent(r, m, number, &route->user, &mb, dir, extra,
		    why);
	if (dir >= 0)
		(void)close(dir);
	return why->verdict;
}
