/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sendmail -bv: would mail for these be taken?  The server is asked, so that
 * the answer is the one that a client would get: smtpd on a pair of pipes
 * where the caller may use the spool, else the service.
 */
#include "sendmail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "smtp.h"
#include "sys/spawn.h"

static struct smtp smtp;

static void
start_smtpd(struct submission *s)
{
	char c[] = "-c", path[LIMIT_PATH];
	char *argv[] = { path, c, s->conf.dir, NULL };
	int in[2], out[2];
	struct spawn child = { .fd_program = -1, .argv = argv, .fd_cwd = -1,
	    .uid = (uid_t)-1 };

	if ((size_t)snprintf(path, sizeof(path), "%s/smtpd",
	    conf_get(&s->conf, CONF_DAEMON_DIRECTORY)) >= sizeof(path))
		fatal(EX_CONFIG, "daemon_directory: path too long");
	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
		fatal(EX_OSERR, "pipe: %s", strerror(errno));
	child.fd[0] = in[0];
	child.fd[1] = out[1];
	child.fd[2] = child.fd[3] = -1;
	if (spawn(&child) < 0)
		fatal(EX_OSERR, "fork: %s", strerror(errno));
	(void)close(in[0]);
	(void)close(out[1]);
	smtp_open(&smtp, "smtpd", out[0], in[1]);
}

static bool
may_use_spool(const struct submission *s)
{
	return faccessat(AT_FDCWD, conf_get(&s->conf, CONF_QUEUE_DIRECTORY),
	    W_OK | X_OK, AT_EACCESS) == 0;
}

static _Noreturn void
cannot_ask(void)
{
	fatal(EX_TEMPFAIL, "-bv: %s: %s", smtp.name, smtp.reply);
}

/* One address; returns the exit code for it. */
static int
ask(const char *address, int len)
{
	int code = smtp_say(&smtp, "RCPT TO:<%.*s>", len, address);

	if (code == 0)
		cannot_ask();
	if (code / 100 == 2) {
		(void)printf("%.*s... deliverable\n", len, address);
		return EX_OK;
	}
	(void)printf("%.*s... %s\n", len, address, smtp.reply);
	return smtp_exit_code(&smtp);
}

int
verify(struct submission *s)
{
	static const char field[] = "Delivered-To: ";
	const char *p, *end, *name;
	int code = EX_OK, one, fd;

	if (may_use_spool(s)) {
		start_smtpd(s);
	} else {
		name = conf_get(&s->conf, CONF_SENDMAIL_SERVICE);
		fd = service_connect(name);
		smtp_open(&smtp, name, fd, fd);
	}
	if (smtp_hello(&smtp, conf_get(&s->conf, CONF_MYHOSTNAME)) != 250 ||
	    smtp_say(&smtp, "MAIL FROM:<%s>", s->sender.text) / 100 != 2)
		cannot_ask();
	for (p = s->rcpts.fields.s; (end = strchr(p, '\n')) != NULL;
	    p = end + 1) {
		if (strncmp(p, field, strlen(field)) != 0)
			continue;
		p += strlen(field);
		one = ask(p, (int)(end - p));
		if (code == EX_OK || one == EX_TEMPFAIL)
			code = one;
	}
	smtp_quit(&smtp);
	if (fflush(stdout) != 0)
		fatal(EX_IOERR, "standard output: write error");
	return code;
}
