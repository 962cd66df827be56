/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The TRANSACTION and UPDATE states, RFC 1939 section 5 and 6.  Messages
 * keep their numbers for the whole session, deleted or not.
 */
#include "pop3d.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "pure/num.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/priv.h"

/* The message whose number is s[0..len), as its index.  False: there is none
 * (any more). */
static bool
find(struct pop3 *p, const char *s, size_t len, size_t *i)
{
	uint64_t n;

	if (!num_parse(s, len, LIMIT_MESSAGES, &n) || n < 1 ||
	    n > p->drop.count || p->drop.message[n - 1].deleted)
		return false;
	*i = (size_t)n - 1;
	return true;
}

static enum session_step
no_such(struct pop3 *p)
{
	return pop3_err(p, "No such message");
}

static void
totals(const struct pop3 *p, size_t *count, uint64_t *octets)
{
	size_t i;

	*count = 0;
	*octets = 0;
	for (i = 0; i < p->drop.count; i++)
		if (!p->drop.message[i].deleted) {
			++*count;
			*octets += p->drop.message[i].size;
		}
}

static enum session_step
do_stat(void *ctx, char *arg)
{
	struct pop3 *p = ctx;
	uint64_t octets;
	size_t count;

	(void)arg;
	totals(p, &count, &octets);
	return pop3_ok(p, "%zu %" PRIu64, count, octets);
}

static enum session_step
do_list(void *ctx, char *arg)
{
	struct pop3 *p = ctx;
	size_t i;

	if (*arg != '\0') {
		if (!find(p, arg, strlen(arg), &i))
			return no_such(p);
		return pop3_ok(p, "%s %" PRIu64, arg, p->drop.message[i].size);
	}
	bio_deadline(&p->bio, 0);
	(void)pop3_ok(p, "Mailbox scan listing follows");
	for (i = 0; i < p->drop.count; i++)
		if (!p->drop.message[i].deleted)
			bio_printf(&p->bio, "%zu %" PRIu64 "\r\n", i + 1,
			    p->drop.message[i].size);
	bio_puts(&p->bio, ".\r\n");
	return SESSION_OK;
}

static enum session_step
do_uidl(void *ctx, char *arg)
{
	struct pop3 *p = ctx;
	char id[MAILDROP_UIDL];
	size_t i;

	if (*arg != '\0') {
		if (!find(p, arg, strlen(arg), &i))
			return no_such(p);
		maildrop_uidl(&p->drop, i, id);
		return pop3_ok(p, "%zu %s", i + 1, id);
	}
	bio_deadline(&p->bio, 0);
	(void)pop3_ok(p, "Unique-ID listing follows");
	for (i = 0; i < p->drop.count; i++)
		if (!p->drop.message[i].deleted) {
			maildrop_uidl(&p->drop, i, id);
			bio_printf(&p->bio, "%zu %s\r\n", i + 1, id);
		}
	bio_puts(&p->bio, ".\r\n");
	return SESSION_OK;
}

/* A message that broke off cannot be ended: what follows would look whole. */
static enum session_step
send_message(struct pop3 *p, size_t i, struct top *top)
{
	struct maildrop_source src;
	bool whole;

	if (maildrop_begin(&p->drop, i, &src) != 0)
		return pop3_err(p, "[SYS/TEMP] Message %zu cannot be read: %s",
		    i + 1, strerror(errno));
	if (top == NULL)
		(void)pop3_ok(p, "%" PRIu64 " octets",
		    p->drop.message[i].size);
	else
		(void)pop3_ok(p, "Top of message follows");
	whole = pop3_send(p, &src, top);
	maildrop_end(&p->drop, &src);
	if (whole)
		return SESSION_OK;
	log_warning("pop3d", "user=%s: message %zu became shorter while it "
	    "was sent", p->account.name, i + 1);
	return SESSION_ABORT;
}

static enum session_step
do_retr(void *ctx, char *arg)
{
	struct pop3 *p = ctx;
	size_t i;

	if (!find(p, arg, strlen(arg), &i))
		return no_such(p);
	p->retr++;
	return send_message(p, i, NULL);
}

static enum session_step
do_top(void *ctx, char *arg)
{
	struct pop3 *p = ctx;
	const char *lines;
	struct top top;
	uint64_t n;
	size_t i;

	lines = strchr(arg, ' ');
	if (lines == NULL || !num_parse(lines + 1, strlen(lines + 1),
	    INT64_MAX, &n))
		return pop3_err(p, "TOP needs a message and a number of lines");
	if (!find(p, arg, (size_t)(lines - arg), &i))
		return no_such(p);
	top_init(&top, n);
	p->top++;
	return send_message(p, i, &top);
}

static enum session_step
do_dele(void *ctx, char *arg)
{
	struct pop3 *p = ctx;
	size_t i;

	if (!find(p, arg, strlen(arg), &i))
		return no_such(p);
	p->drop.message[i].deleted = true;
	return pop3_ok(p, "Message deleted");
}

static enum session_step
do_rset(void *ctx, char *arg)
{
	struct pop3 *p = ctx;
	size_t i;

	(void)arg;
	for (i = 0; i < p->drop.count; i++)
		p->drop.message[i].deleted = false;
	return pop3_ok(p, "Reset state");
}

static enum session_step
do_noop(void *ctx, char *arg)
{
	(void)arg;
	return pop3_ok(ctx, "No-op to you too!");
}

/* The lock goes before the answer: a client that comes again at once finds
 * its mailbox free. */
static enum session_step
do_quit(void *ctx, char *arg)
{
	struct pop3 *p = ctx;
	enum verdict verdict;
	struct why why;

	(void)arg;
	p->quit = true;
	p->deleted = maildrop_deleted(&p->drop);
	verdict = maildrop_update(&p->drop, &why);
	maildrop_close(&p->drop);
	if (verdict == VERDICT_OK) {
		(void)pop3_ok(p, "Sayonara");
		return SESSION_END;
	}
	log_warning("pop3d", "user=%s: %s", p->account.name, why.text);
	(void)pop3_err(p, "[SYS/TEMP] %s", why.text);
	return SESSION_ABORT;
}

static enum session_step
do_unknown(void *ctx, char *arg)
{
	(void)arg;
	return pop3_err(ctx, "Unknown TRANSACTION state command");
}

static const struct session_command table[] = {
	{ "STAT", do_stat },
	{ "LIST", do_list },
	{ "UIDL", do_uidl },
	{ "RETR", do_retr },
	{ "TOP", do_top },
	{ "DELE", do_dele },
	{ "RSET", do_rset },
	{ "NOOP", do_noop },
	{ "CAPA", pop3_capa },
	{ "QUIT", do_quit },
	{ NULL, do_unknown }
};

/* What others have put there is not shown, so it would look empty. */
static bool
is_anothers(const struct pop3 *p, int dir)
{
	struct stat st;

	return p->is_virtual && fstatat(dir, p->mailbox.name, &st, 0) == 0 &&
	    st.st_uid != p->account.uid;
}

/* Becomes the owner of the mailbox, for good, and opens it. */
static enum verdict
open_mailbox(struct pop3 *p, struct why *why)
{
	const struct user *u = &p->account;
	gid_t extra;
	int dir;

	if (pop3_locate(p, why) != VERDICT_OK)
		return why->verdict;
	dir = mailbox_open_dir(&p->mailbox, u->uid, &extra);
	if (dir < 0)
		return why_errno(why, errno, "open mailbox directory");
	/* That group is for the dot-lock of an mbox. */
	if (p->mailbox.maildir)
		extra = (gid_t)-1;
	if (priv_drop(u->uid, u->gid, extra) != 0)
		return why_errno(why, errno, "become the user");
	priv_confine();
	(void)umask(077);
	if (is_anothers(p, dir))
		return why_set(why, VERDICT_NEVER, "5.3.5", "mailbox does not "
		    "belong to the user id %ld of passwd_file", (long)u->uid);
	return maildrop_open(&p->drop, p->mailbox.maildir ?
	    &maildrop_maildir : &maildrop_mbox, dir, p->mailbox.name, why);
}

static int
cannot_open(struct pop3 *p, const struct why *why)
{
	if (p->drop.busy)
		(void)pop3_err(p, "[IN-USE] Mailbox is open in another "
		    "session");
	else
		(void)pop3_err(p, why->verdict == VERDICT_NEVER ?
		    "[SYS/PERM] %s" : "[SYS/TEMP] %s", why->text);
	(void)bio_flush(&p->bio);
	log_warning("pop3d", "user=%s, ip=[%s]: %s", p->account.name,
	    p->peer.addr, p->drop.busy ? "mailbox is in use" : why->text);
	return EX_TEMPFAIL;
}

static void
log_end(struct pop3 *p, enum session_end end)
{
	const char *how = end == SESSION_TIMEOUT ? "TIMEOUT" :
	    p->quit ? "LOGOUT" : "DISCONNECTED";

	log_line("pop3d", "%s, user=%s, ip=[%s], top=%u, retr=%u, sent=%"
	    PRIu64 ", deleted=%zu, time=%" PRId64, how, p->account.name,
	    p->peer.addr, p->top, p->retr, p->sent, p->deleted,
	    clock_monotonic() - p->started);
}

int
pop3_transaction(struct pop3 *p)
{
	static struct session_count count[sizeof(table) / sizeof(table[0])];
	struct session session = {
		.bio = &p->bio, .table = table, .count = count,
		.bad_line = pop3_bad_line, .ctx = p,
		.line_seconds = (int)conf_number(&p->conf, CONF_POP3_TIMEOUT)
	};
	enum session_end end;
	struct why why;
	int on = 1;

	bio_timeout(&p->bio, session.line_seconds);
	/* All that can be one write is one; the last part of a long answer
	 * need not wait for anything (Nagle: 44 ms per RETR). */
	(void)setsockopt(1, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (open_mailbox(p, &why) != VERDICT_OK)
		return cannot_open(p, &why);
	log_line("pop3d", "LOGIN, user=%s, ip=[%s]", p->account.name,
	    p->peer.addr);
	(void)pop3_ok(p, "Mailbox open, %zu messages", p->drop.count);
	end = session_run(&session);
	(void)bio_flush(&p->bio);
	/* Without QUIT nothing is deleted. */
	if (!p->quit)
		maildrop_close(&p->drop);
	log_end(p, end);
	return EX_OK;
}
