/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * For a caller who may not write to the spool: to sendmail_service, by SMTP.
 * The whole message is there before the dialogue begins, since what writes
 * it may take hours (a job of cron does) and a server waits for minutes.
 */
#include "sendmail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "smtp.h"
#include "sys/log.h"
#include "sys/service.h"

static struct smtp smtp;

FILE *
service_spill(void)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	FILE *f;

	if (fd < 0)
		fd = memfd_create("sendmail", MFD_CLOEXEC);
	f = fd >= 0 ? fdopen(fd, "w+") : NULL;
	if (f == NULL)
		fatal(EX_TEMPFAIL, "temporary file: %s; the message was not "
		    "taken: try again later", strerror(errno));
	return f;
}

int
service_connect(const char *name)
{
	struct service to;
	int fd;

	if (!service_parse(name, &to))
		fatal(EX_TEMPFAIL, "sendmail_service must be "
		    "inet:ADDRESS:PORT, inet:[ADDRESS]:PORT or unix:/PATH, "
		    "not %s; the message was not taken", name);
	fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, &to.any, to.len) != 0)
		fatal(EX_TEMPFAIL, "sendmail_service %s: %s; the message was "
		    "not taken: try again later, or let the super-server "
		    "start smtpd there", name, strerror(errno));
	return fd;
}

static _Noreturn void
refused(const char *what)
{
	fatal(smtp_exit_code(&smtp), "sendmail_service %s: %s%s; the message "
	    "was not taken", smtp.name, what, smtp.reply);
}

/* Each "Delivered-To: address" of the envelope that submit has made. */
static void
send_rcpts(const struct rcpts *r)
{
	static const char field[] = "Delivered-To: ";
	const char *s = r->fields.s, *end;

	for (; (end = strchr(s, '\n')) != NULL; s = end + 1) {
		if (strncmp(s, field, strlen(field)) != 0)
			continue;
		s += strlen(field);
		if (smtp_say(&smtp, "RCPT TO:<%.*s>", (int)(end - s), s) / 100
		    != 2)
			refused("");
	}
}

void
service_send(struct submission *s, FILE *spill, uint64_t size)
{
	char more[40] = "";
	int fd;

	if (fflush(spill) != 0 || fseeko(spill, 0, SEEK_SET) != 0)
		fatal(EX_TEMPFAIL, "temporary file: %s; the message was not "
		    "taken: try again later", strerror(errno));
	fd = service_connect(conf_get(&s->conf, CONF_SENDMAIL_SERVICE));
	smtp_open(&smtp, conf_get(&s->conf, CONF_SENDMAIL_SERVICE), fd, fd);
	if (smtp_hello(&smtp, conf_get(&s->conf, CONF_MYHOSTNAME)) != 250)
		refused("");
	if (smtp.size)
		(void)snprintf(more, sizeof(more), " SIZE=%llu",
		    (unsigned long long)size);
	if (smtp_say(&smtp, "MAIL FROM:<%s>%s%s", s->sender.text,
	    smtp.eight_bit ? " BODY=8BITMIME" : "", more) / 100 != 2)
		refused("");
	send_rcpts(&s->rcpts);
	if (smtp_say(&smtp, "DATA") != 354)
		refused("");
	if (smtp_data(&smtp, spill) / 100 != 2)
		refused(smtp.code == 0 ? "perhaps taken: " : "");
	log_line("sendmail", "uid=%lu from=<%s>: %s said: %s",
	    (unsigned long)s->caller.uid, s->sender_text, smtp.name,
	    smtp.reply);
	smtp_quit(&smtp);
	(void)close(fd);
	(void)fclose(spill);
}
