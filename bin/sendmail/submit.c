/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From standard input to the spool, or to the service where the spool is
 * closed to the caller.  The header is read first, as a whole: with -t it
 * names the recipients, and they stand at the start of the file.
 */
#include "sendmail.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "pure/date.h"
#include "pure/envelope.h"
#include "pure/hdr.h"
#include "store/queue.h"
#include "store/rewrite.h"
#include "store/users.h"
#include "store/wake.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/priv.h"

enum list { LIST_NONE, LIST_PLAIN, LIST_RESENT, LIST_COUNT };

static struct {
	struct queue queue;
	struct queue_file file;
	FILE *spill;			/* instead of file: for the service */
	struct input input;
	struct hdr hdr;
	struct str head;		/* the header as it is stored */
	struct str list[LIST_COUNT];	/* values of recipient fields */
	enum list field;		/* the one being read */
	uint64_t size, limit;		/* octets with CRLF; 0: no limit */
	char date[DATE_SIZE];
	char add_date[DATE_SIZE + 16];
	char add_message_id[LIMIT_DOMAIN + 64];
	struct str add_from;
} sub = { .file = { .fd = -1 } };

void
submit_undo(void)
{
	queue_abort(&sub.file);
	input_drain(&sub.input);
}

static _Noreturn void
no_spool(struct submission *s, int error)
{
	const char *path = conf_get(&s->conf, CONF_QUEUE_DIRECTORY);

	if (error == EACCES || error == EPERM || error == EROFS)
		fatal(EX_TEMPFAIL, "queue_directory %s: %s, and there is no "
		    "sendmail_service; the message was not taken: set "
		    "sendmail_service in %s/main.cf, or run sendmail as root "
		    "or as %s (mail_owner)", path, strerror(error),
		    s->conf.dir, conf_get(&s->conf, CONF_MAIL_OWNER));
	if (error == ENOENT || error == ENOTDIR)
		fatal(EX_TEMPFAIL, "queue_directory %s: %s; the message was "
		    "not taken: correct queue_directory in %s/main.cf or make "
		    "the directory", path, strerror(error), s->conf.dir);
	fatal(EX_TEMPFAIL, "queue_directory %s: %s; the message was not "
	    "taken: try again later", path, strerror(error));
}

/* The message will go to the service.  The id is only for its Message-Id and
 * its Received field. */
static void
open_spill(void)
{
	(void)snprintf(sub.file.id, sizeof(sub.file.id), "%013llX%04X",
	    (unsigned long long)clock_now_us() & 0xfffffffffffff,
	    (unsigned)getpid() & 0xffff);
	sub.spill = service_spill();
}

/* Not ours to write to: then somebody else must do it. */
static void
without_spool(struct submission *s, int error)
{
	if ((error != EACCES && error != EPERM) || geteuid() == 0 ||
	    conf_get(&s->conf, CONF_SENDMAIL_SERVICE)[0] == '\0')
		no_spool(s, error);
	open_spill();
}

/* Opens what needs the rights we have, then gives them away. */
static void
open_spool(struct submission *s)
{
	struct user owner = { .uid = geteuid(), .gid = getegid() };
	const char *name = conf_get(&s->conf, CONF_MAIL_OWNER);
	bool root = geteuid() == 0;

	if (root && (users_system(name, &owner) != USERS_HIT ||
	    owner.uid == 0))
		fatal(EX_TEMPFAIL, "mail_owner: no unprivileged account %s in "
		    "/etc/passwd; make it, or correct %s/main.cf", name,
		    s->conf.dir);
	(void)wake_open(&s->conf);
	tables_open(s);
	if (queue_open(&sub.queue, conf_get(&s->conf, CONF_QUEUE_DIRECTORY),
	    owner.uid, owner.gid, false) != 0) {
		without_spool(s, errno);
		return;
	}
	if (priv_drop(owner.uid, owner.gid, (gid_t)-1) != 0)
		fatal(EX_OSERR, "cannot become %s: %s", name,
		    strerror(errno));
	if (queue_create(&sub.file, &sub.queue) == 0)
		return;
	if (root)
		no_spool(s, errno);
	without_spool(s, errno);
}

static void
set_missing(struct submission *s)
{
	time_t now = (time_t)(queue_id_us(sub.file.id) / 1000000);
	const char *host = conf_get(&s->conf, CONF_MYHOSTNAME);
	struct addr bounce;
	struct tm t;

	clock_local(now, &t);
	date_rfc5322(sub.date, &t);
	(void)snprintf(sub.add_date, sizeof(sub.add_date), "Date: %s\n",
	    sub.date);
	(void)gmtime_r(&now, &t);
	(void)snprintf(sub.add_message_id, sizeof(sub.add_message_id),
	    "Message-Id: <%04d%02d%02d%02d%02d%02d.%s@%s>\n",
	    1900 + t.tm_year, t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min,
	    t.tm_sec, sub.file.id, host);
	if (s->sender.len > 0)
		from_field(&sub.add_from, s->name, s->sender.text);
	else {
		sender_parse(&bounce, "MAILER-DAEMON");
		(void)addr_complete(&bounce, s->rcpts.origin);
		from_field(&sub.add_from, "Mail Delivery System", bounce.text);
	}
	sub.hdr.add_date = sub.add_date;
	sub.hdr.add_from = sub.add_from.s;
	sub.hdr.add_message_id = sub.add_message_id;
}

/* Which list do the addresses of this field go to? */
static enum list
list_of(const char *line, size_t len)
{
	static const struct {
		const char *name;
		enum list list;
	} field[] = {
		{ "To:", LIST_PLAIN }, { "Cc:", LIST_PLAIN },
		{ "Bcc:", LIST_PLAIN }, { "Resent-To:", LIST_RESENT },
		{ "Resent-Cc:", LIST_RESENT }, { "Resent-Bcc:", LIST_RESENT }
	};
	size_t i;

	for (i = 0; i < sizeof(field) / sizeof(field[0]); i++)
		if (hdr_is(line, len, field[i].name))
			return field[i].list;
	return LIST_NONE;
}

/* A piece of the header; start: it begins a line. */
static void
collect(const char *line, size_t len, bool start)
{
	const char *colon = memchr(line, ':', len);

	if (start && line[0] != ' ' && line[0] != '\t') {
		/* Fields of one list are joined as if they were one. */
		str_putc(&sub.list[sub.field], ',');
		sub.field = list_of(line, len);
		if (sub.field != LIST_NONE && colon != NULL) {
			len -= (size_t)(colon - line) + 1;
			line = colon + 1;
		}
	}
	if (sub.field != LIST_NONE)
		str_put(&sub.list[sub.field], line, len);
}

/* The size grows as SMTP would count it. */
static void
count(struct submission *s, const char *line, size_t len)
{
	sub.size += len + (line[len - 1] == '\n');
	if (sub.limit > 0 && sub.size > sub.limit)
		fatal(EX_DATAERR, "%s(%lu): message file too big; "
		    "message_size_limit is %llu", s->caller.login,
		    (unsigned long)s->caller.uid,
		    (unsigned long long)sub.limit);
}

/* The "From bob Mon Jan  6 12:34:56 2025" that is no part of a message.  With
 * a time of day in it, or it may be text that begins with this word. */
static bool
is_from_line(const char *line, size_t len)
{
	size_t i;

	if (!hdr_is(line, len, "From ") && !hdr_is(line, len, ">From "))
		return false;
	for (i = 6; i + 1 < len; i++)
		if (line[i] == ':' && isdigit((unsigned char)line[i - 1]) &&
		    isdigit((unsigned char)line[i + 1]))
			return true;
	return false;
}

/* Reads up to the end of the header, and stores it in head, with what else
 * came in the same piece. */
static void
read_header(struct submission *s)
{
	bool start = true, first = true;
	size_t len, used;
	char *line;

	while (!sub.hdr.body && (len = input_line(&sub.input, &line)) > 0) {
		if (first && is_from_line(line, len)) {
			if (sub.input.inside)
				fatal(EX_DATAERR, "first line too long");
			continue;
		}
		first = false;
		count(s, line, len);
		if (s->extract)
			collect(line, len, start);
		used = hdr_feed(&sub.hdr, line, len, &sub.head);
		str_put(&sub.head, line + used, len - used);
		start = !sub.input.inside;
	}
	hdr_end(&sub.hdr, &sub.head);
	if (sub.head.bad)
		fatal(EX_DATAERR, "message header too large");
}

/* RFC 5322 3.6.6: once resent, the new recipients are meant. */
static void
take_recipients(struct submission *s)
{
	struct str *resent = &sub.list[LIST_RESENT];
	struct str *list = resent->len > strspn(resent->s, ", \t\n") ?
	    resent : &sub.list[LIST_PLAIN];

	if (list->bad)
		fatal(EX_DATAERR, "message header too large");
	if (s->extract)
		rcpts_add(&s->rcpts, list->s, list->len, EX_DATAERR,
		    "recipients in the message header");
	if (s->rcpts.n == 0)
		fatal(EX_USAGE, "%s(%lu): No recipient addresses found in "
		    "message header", s->caller.login,
		    (unsigned long)s->caller.uid);
}

static void
put(const void *buf, size_t len)
{
	if (sub.spill == NULL)
		queue_write(&sub.file, buf, len);
	else if (sub.file.error == 0 && fwrite(buf, 1, len, sub.spill) != len)
		sub.file.error = errno;
}

/* The service makes an envelope of its own; our trace field goes with the
 * message. */
static void
put_envelope(struct submission *s)
{
	struct str e;

	str_init(&e);
	if (sub.spill == NULL) {
		envelope_put_sender(&e, s->sender.text);
		str_put(&e, s->rcpts.fields.s, s->rcpts.fields.len);
	}
	str_printf(&e, "Received: by %s (%s, from userid %lu)\n\tid %s; %s\n",
	    conf_get(&s->conf, CONF_MYHOSTNAME),
	    conf_get(&s->conf, CONF_MAIL_NAME),
	    (unsigned long)s->caller.uid, sub.file.id, sub.date);
	if (e.bad)
		fatal(EX_TEMPFAIL, "out of memory");
	put(e.s, e.len);
	str_free(&e);
}

static void
commit(struct submission *s)
{
	char id[LIMIT_QUEUE_ID + 1];
	struct why why;

	memcpy(id, sub.file.id, sizeof(id));
	if (queue_commit(&sub.file, &why) != VERDICT_OK)
		fatal(EX_TEMPFAIL, "queue_directory %s: %s: %s; the message "
		    "was not taken: try again later",
		    conf_get(&s->conf, CONF_QUEUE_DIRECTORY), why.text,
		    strerror(sub.file.error));
	log_line("pickup", "%s: uid=%lu from=<%s>", id,
	    (unsigned long)s->caller.uid, s->sender_text);
	log_line("cleanup", "%s: message-id=%s", id,
	    sub.hdr.message_id.len > 0 ? sub.hdr.message_id.s : "<>");
	(void)wake_runner(&s->conf, sub.file.name);
}

static void
finish(struct submission *s)
{
	if (sub.hdr.hops > conf_number(&s->conf, CONF_HOPCOUNT_LIMIT))
		fatal(EX_DATAERR, "too many hops; the message goes in a loop");
	if (sub.spill == NULL)
		commit(s);
	else if (sub.file.error == 0)
		service_send(s, sub.spill, sub.size);
	else
		fatal(EX_TEMPFAIL, "temporary file: %s; the message was not "
		    "taken: try again later", strerror(sub.file.error));
}

void
submit(struct submission *s)
{
	size_t len, i;
	char *line;

	open_spool(s);
	for (i = 0; i < LIST_COUNT; i++)
		str_init(&sub.list[i]);
	str_init(&sub.head);
	str_init(&sub.add_from);
	hdr_init(&sub.hdr);
	sub.hdr.drop_bcc = true;
	sub.input.dot_ends = s->dot_ends;
	sub.limit = conf_number(&s->conf, CONF_MESSAGE_SIZE_LIMIT);
	/* Else it is the service that does this. */
	if (sub.spill == NULL) {
		tables_sender(s);
		sub.hdr.rewrite = rewrite_field;
		sub.hdr.ctx = tables_header();
	}
	set_missing(s);
	read_header(s);
	take_recipients(s);
	if (sub.spill == NULL)
		tables_rcpts(s);
	put_envelope(s);
	put(sub.head.s, sub.head.len);
	while (sub.file.error == 0 &&
	    (len = input_line(&sub.input, &line)) > 0) {
		count(s, line, len);
		put(line, len);
	}
	finish(s);
}
