/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DATA: the message streams from the client into the spool. */
#include "smtpd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "pure/date.h"
#include "pure/dot.h"
#include "pure/hdr.h"
#include "store/wake.h"
#include "sys/clock.h"
#include "sys/log.h"

/* A client must keep up this rate, octets a second, after its first
 * smtpd_timeout seconds. */
enum { MIN_RATE = 500 };

struct receive {
	struct smtpd *s;
	struct addr sender;	/* as the envelope has it */
	struct queue_file file;
	struct hdr hdr;
	struct dot dot;
	uint64_t size;		/* octets of the message, CRLF counted */
	uint64_t limit;		/* 0: none */
	bool too_big;
	char date[DATE_SIZE];
	char add_date[DATE_SIZE + 16];
	char add_from[LIMIT_ADDRESS + 16];
	char add_message_id[LIMIT_DOMAIN + 64];
	char text[LIMIT_READ + 4];
};
static struct receive receive;

/* In the words of Postfix. */
static void
put_tls(const struct smtpd *s, struct str *e)
{
	const struct tls_record *t = &s->tls.record;

	if (!s->tls.active ||
	    conf_number(&s->conf, CONF_SMTPD_TLS_RECEIVED_HEADER) == 0)
		return;
	str_printf(e, "\t(using %s with cipher %s (%d/%d bits)", t->protocol,
	    t->cipher, t->bits, t->bits);
	if (t->group[0] != '\0')
		str_printf(e, "\n\t key-exchange %s", t->group);
	if (t->signature[0] != '\0')
		str_printf(e, " server-signature %s", t->signature);
	str_puts(e, ")\n\t(No client certificate requested)\n");
}

static void
put_login(const struct smtpd *s, struct str *e)
{
	if (s->login[0] != '\0' && conf_number(&s->conf,
	    CONF_SMTPD_SASL_AUTHENTICATED_HEADER) != 0)
		str_printf(e, "\t(Authenticated sender: %s)\n", s->login);
}

static void
log_client(const struct smtpd *s, const char *id)
{
	if (s->login[0] == '\0')
		log_line("smtpd", "%s: client=%s[%s]", id, s->peer.name,
		    s->peer.addr);
	else
		log_line("smtpd", "%s: client=%s[%s], sasl_method=%s, "
		    "sasl_username=%s", id, s->peer.name, s->peer.addr,
		    s->login_method, s->login);
}

/* The envelope, and the trace field that ends it (RFC 5321 4.4). */
static void
put_envelope(struct receive *r)
{
	struct smtpd *s = r->s;
	const char *helo = s->helo.len > 0 ? s->helo.s : s->peer.name;
	struct str e;

	str_init(&e);
	envelope_put_sender(&e, r->sender.text);
	str_put(&e, s->rcpts.s, s->rcpts.len);
	str_printf(&e, "Received: from %s (%s [%s%s])\n", helo, s->peer.name,
	    s->peer.family == AF_INET6 ? "IPv6:" : "", s->peer.addr);
	put_tls(s, &e);
	put_login(s, &e);
	str_printf(&e, "\tby %s (%s) with %s id %s",
	    conf_get(&s->conf, CONF_MYHOSTNAME),
	    conf_get(&s->conf, CONF_MAIL_NAME), smtpd_protocol(s), r->file.id);
	if (s->naccepted == 1)
		str_printf(&e, "\n\tfor <%s>; %s\n", s->only_rcpt.s, r->date);
	else
		str_printf(&e, ";\n\t%s\n", r->date);
	queue_write(&r->file, e.s, e.len);
	if (e.bad)
		r->file.error = ENOMEM;
	str_free(&e);
}

/* What our own machine's programs, and who has logged in, leave out is added
 * for them; other
 * people's mail stays as it is (RFC 6409 8). */
static void
set_missing(struct receive *r)
{
	struct smtpd *s = r->s;
	time_t now = (time_t)(queue_id_us(r->file.id) / 1000000);
	struct tm t;

	clock_local(now, &t);
	date_rfc5322(r->date, &t);
	if (!s->peer.own && s->login[0] == '\0')
		return;
	(void)gmtime_r(&now, &t);
	(void)snprintf(r->add_date, sizeof(r->add_date), "Date: %s\n",
	    r->date);
	(void)snprintf(r->add_from, sizeof(r->add_from), "From: %s\n",
	    r->sender.len > 0 ? r->sender.text : "MAILER-DAEMON");
	(void)snprintf(r->add_message_id, sizeof(r->add_message_id),
	    "Message-Id: <%04d%02d%02d%02d%02d%02d.%s@%s>\n",
	    1900 + t.tm_year, t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min,
	    t.tm_sec, r->file.id, conf_get(&s->conf, CONF_MYHOSTNAME));
	r->hdr.rewrite = rewrite_field;
	r->hdr.ctx = &s->tables.rewrite;
	r->hdr.add_date = r->add_date;
	r->hdr.add_from = r->add_from;
	r->hdr.add_message_id = r->add_message_id;
}

/* Some text of the message, lines in LF. */
static void
put_text(struct receive *r, const char *text, size_t len)
{
	struct str head;
	size_t used;

	r->size += len + str_count_lf(text, len);
	r->too_big |= r->limit > 0 && r->size > r->limit;
	if (r->too_big)
		return;
	if (!r->hdr.body) {
		str_init(&head);
		used = hdr_feed(&r->hdr, text, len, &head);
		queue_write(&r->file, head.s, head.len);
		if (head.bad)
			r->file.error = ENOMEM;
		str_free(&head);
		text += used;
		len -= used;
	}
	queue_write(&r->file, text, len);
}

/* Reads up to the end of data.  False: the client is gone, or too slow. */
static bool
read_message(struct receive *r)
{
	struct bio *b = &r->s->bio;
	int64_t start = clock_monotonic() + b->timeout;
	const char *in;
	size_t used, len;
	ssize_t n;

	while (r->dot.state != DOT_DONE) {
		b->deadline = start + (int64_t)(r->size / MIN_RATE);
		n = bio_peek(b, &in);
		if (n <= 0)
			return false;
		used = dot_feed(&r->dot, in, (size_t)n, r->text, &len);
		put_text(r, r->text, len);
		bio_used(b, used);
	}
	b->deadline = 0;
	return true;
}

static void
end_text(struct receive *r)
{
	struct str head;

	str_init(&head);
	hdr_end(&r->hdr, &head);
	queue_write(&r->file, head.s, head.len);
	if (head.bad)
		r->file.error = ENOMEM;
	str_free(&head);
}

/* The message is here: what becomes of it? */
static enum session_step
finish(struct receive *r)
{
	struct smtpd *s = r->s;
	struct why why;

	if (r->too_big) {
		queue_abort(&r->file);
		return smtpd_refuse(s,
		    "552 5.3.4 Error: message file too big");
	}
	end_text(r);
	if (r->hdr.hops > conf_number(&s->conf, CONF_HOPCOUNT_LIMIT)) {
		queue_abort(&r->file);
		return smtpd_refuse(s, "554 5.4.0 Error: too many hops");
	}
	log_line("cleanup", "%s: message-id=%s", r->file.id,
	    r->hdr.message_id.len > 0 ? r->hdr.message_id.s : "<>");
	if (queue_commit(&r->file, &why) != VERDICT_OK) {
		log_warning("smtpd", "%s: %s: %s", r->file.id, why.text,
		    strerror(r->file.error));
		return smtpd_refuse(s, "%s %s %s",
		    strcmp(why.status, "4.3.1") == 0 ? "452" : "451",
		    why.status, why.text);
	}
	s->junk = 0;
	smtpd_reply(s, "250 %s %s", why.status, why.text);
	wake_runner(&s->conf, r->file.name);
	return SESSION_OK;
}

/* The sender as others see it, and the copies that the archive gets. */
static bool
map_envelope(struct receive *r)
{
	struct smtpd *s = r->s;
	struct smtpd_add add = { s, "" };
	struct why why;

	r->sender = s->sender;
	if (rewrite_sender(&s->tables.rewrite, &r->sender, &why) ==
	    VERDICT_OK && rewrite_bcc(&s->tables.rewrite, &r->sender, NULL,
	    smtpd_add_rcpt, &add, &why) == VERDICT_OK)
		return true;
	log_warning("smtpd", "%s", why.text);
	return false;
}

enum session_step
smtpd_data(void *ctx, char *arg)
{
	struct smtpd *s = ctx;
	struct receive *r = &receive;
	enum session_step step;
	int error;

	if (*arg != '\0')
		return smtpd_refuse(s, "501 5.5.4 Syntax: DATA");
	if (s->nrcpt == 0 && s->rcpt_refused)
		return smtpd_refuse(s, "554 5.5.1 Error: no valid recipients");
	if (s->nrcpt == 0)
		return smtpd_refuse(s, "503 5.5.1 Error: need RCPT command");
	r->s = s;
	if (!map_envelope(r))
		return smtpd_refuse(s,
		    "451 4.3.0 Error: temporary lookup failure");
	if (queue_create(&r->file, &s->queue) != 0) {
		error = errno;
		log_warning("smtpd", "create queue file: %s", strerror(error));
		return error == ENOSPC || error == EDQUOT ?
		    smtpd_refuse(s, "452 4.3.1 Insufficient system storage") :
		    smtpd_refuse(s, "451 4.3.0 Error: queue file write error");
	}
	log_client(s, r->file.id);
	r->size = 0;
	r->too_big = false;
	r->limit = conf_number(&s->conf, CONF_MESSAGE_SIZE_LIMIT);
	dot_init(&r->dot, s->lines == LINES_LF);
	hdr_init(&r->hdr);
	set_missing(r);
	put_envelope(r);
	smtpd_reply(s, "354 End data with <CR><LF>.<CR><LF>");
	if (read_message(r))
		step = finish(r);
	else {
		queue_abort(&r->file);
		step = SESSION_REFUSED;	/* session_run sees the same */
	}
	hdr_free(&r->hdr);
	smtpd_reset(s);
	return step;
}
