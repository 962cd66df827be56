/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The client's side of an SMTP dialogue with our own server. */
#include "smtp.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <unistd.h>

#include "pure/stuff.h"

void
smtp_open(struct smtp *c, const char *name, int fd_in, int fd_out)
{
	/* A server that is gone is an error of writing, not our end. */
	(void)signal(SIGPIPE, SIG_IGN);
	c->name = name;
	c->eight_bit = c->size = false;
	bio_init(&c->bio, fd_in, fd_out);
	bio_timeout(&c->bio, SMTP_SECONDS);
}

/* What the server can, one line of its answer to EHLO. */
static void
take_extension(struct smtp *c, const char *line)
{
	if (strncasecmp(line, "8BITMIME", 8) == 0)
		c->eight_bit = true;
	else if (strncasecmp(line, "SIZE", 4) == 0)
		c->size = true;
}

static int
lost(struct smtp *c)
{
	(void)snprintf(c->reply, sizeof(c->reply), "%s", c->bio.error != 0 ?
	    strerror(c->bio.error) : "the connection was closed");
	return c->code = 0;
}

static int
reply(struct smtp *c)
{
	char *line;
	size_t len;
	bool crlf;

	do {
		if (bio_getline(&c->bio, &line, &len, &crlf) != BIO_LINE)
			return lost(c);
		if (len < 3 || !isdigit((unsigned char)line[0]) ||
		    !isdigit((unsigned char)line[1]) ||
		    !isdigit((unsigned char)line[2]) ||
		    (len > 3 && line[3] != ' ' && line[3] != '-')) {
			(void)snprintf(c->reply, sizeof(c->reply),
			    "not an SMTP reply: %.100s", line);
			return c->code = 0;
		}
		if (len > 4)
			take_extension(c, line + 4);
	} while (len > 3 && line[3] == '-');
	(void)snprintf(c->reply, sizeof(c->reply), "%s", line);
	c->code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + line[2] - '0';
	return c->code;
}

int
smtp_say(struct smtp *c, const char *fmt, ...)
{
	va_list ap;

	if (fmt != NULL) {
		va_start(ap, fmt);
		bio_vprintf(&c->bio, fmt, ap);
		va_end(ap);
		bio_puts(&c->bio, "\r\n");
	}
	return reply(c);
}

int
smtp_hello(struct smtp *c, const char *host)
{
	if (smtp_say(c, NULL) != 220)
		return c->code;
	if (smtp_say(c, "EHLO %s", host) / 100 == 5)
		(void)smtp_say(c, "HELO %s", host);
	return c->code;
}

int
smtp_data(struct smtp *c, FILE *f)
{
	static char in[LIMIT_WRITE], out[2 * LIMIT_WRITE];
	char end[STUFF_END];
	struct stuff s;
	size_t n;

	stuff_init(&s);
	while (c->bio.error == 0 && (n = fread(in, 1, sizeof(in), f)) > 0)
		bio_put(&c->bio, out, stuff_feed(&s, in, n, out));
	/* An end we have not come to must not be told. */
	if (c->bio.error != 0 || ferror(f)) {
		if (c->bio.error == 0)
			c->bio.error = EIO;
		return lost(c);
	}
	bio_put(&c->bio, end, stuff_end(&s, end));
	return reply(c);
}

void
smtp_quit(struct smtp *c)
{
	bio_timeout(&c->bio, 5);
	(void)smtp_say(c, "QUIT");
}

int
smtp_exit_code(const struct smtp *c)
{
	const char *status = strlen(c->reply) > 4 ? c->reply + 4 : "";

	/* What nobody understands is later. */
	if (c->code / 100 != 5)
		return EX_TEMPFAIL;
	if (c->code == 552 || strncmp(status, "5.3.4", 5) == 0)
		return EX_DATAERR;
	return strncmp(status, "5.1.1", 5) == 0 ? EX_NOUSER : EX_UNAVAILABLE;
}
