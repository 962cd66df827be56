/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pop3d.h"

#include "sys/fsop.h"

static void line(struct pop3 *, const char *word, const char *fmt, va_list)
    __attribute__((format(printf, 3, 0)));

static void
line(struct pop3 *p, const char *word, const char *fmt, va_list ap)
{
	bio_puts(&p->bio, word);
	bio_vprintf(&p->bio, fmt, ap);
	bio_puts(&p->bio, "\r\n");
}

enum session_step
pop3_ok(struct pop3 *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line(p, "+OK ", fmt, ap);
	va_end(ap);
	return SESSION_OK;
}

enum session_step
pop3_err(struct pop3 *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line(p, "-ERR ", fmt, ap);
	va_end(ap);
	return SESSION_REFUSED;
}

/* The same in both states: some clients ask before the login only. */
enum session_step
pop3_capa(void *ctx, char *arg)
{
	struct pop3 *p = ctx;

	(void)arg;
	(void)pop3_ok(p, "Capability list follows");
	bio_puts(&p->bio, "TOP\r\nUIDL\r\n");
	if (p->passwords)
		bio_puts(&p->bio, "USER\r\nSASL PLAIN LOGIN\r\n");
	if (p->tls.level != STARTTLS_NONE && !p->tls.active && !p->logged_in)
		bio_puts(&p->bio, "STLS\r\n");
	bio_puts(&p->bio, "RESP-CODES\r\nAUTH-RESP-CODE\r\n"
	    "PIPELINING\r\n");
	bio_printf(&p->bio, "IMPLEMENTATION %s\r\n.\r\n",
	    conf_get(&p->conf, CONF_MAIL_NAME));
	return SESSION_OK;
}

enum session_step
pop3_bad_line(void *ctx, bool too_long)
{
	(void)too_long;		/* a bare LF is taken */
	return pop3_err(ctx, "Command line too long");
}

bool
pop3_send(struct pop3 *p, const struct maildrop_source *src, struct top *top)
{
	static char in[LIMIT_READ], out[2 * LIMIT_READ];
	uint64_t at = src->offset, end = src->offset + src->len;
	struct stuff stuff;
	size_t len;

	/* The client may take its time; each wait is limited. */
	bio_deadline(&p->bio, 0);
	stuff_init(&stuff);
	while (at < end && p->bio.error == 0 && (top == NULL || !top->done)) {
		len = end - at < sizeof(in) ? (size_t)(end - at) : sizeof(in);
		if (fsop_pread(src->fd, in, len, (off_t)at) != (ssize_t)len)
			return false;
		at += len;
		if (top != NULL)
			len = top_feed(top, in, len);
		len = stuff_feed(&stuff, in, len, out);
		bio_put(&p->bio, out, len);
		p->sent += len;
	}
	bio_put(&p->bio, out, stuff_end(&stuff, out));
	return true;
}
