/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/starttls.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "sys/log.h"

/* How long the helper may take to read a key. */
enum { READY_SECONDS = 10 };

enum starttls_level
starttls_level(const struct conf *c, enum conf_id level, enum conf_id wrapper)
{
	const char *word = conf_get(c, level);

	if (conf_number(c, wrapper) != 0)
		return STARTTLS_WRAPPER;
	if (word[0] == '\0' || strcasecmp(word, "none") == 0)
		return STARTTLS_NONE;
	/* A word we do not know is not taken for less than it may mean. */
	return strcasecmp(word, "may") == 0 ? STARTTLS_MAY : STARTTLS_ENCRYPT;
}

static int
start(struct starttls *t)
{
	char program[LIMIT_PATH + 8];
	char *argv[LIMIT_OPTIONS * 2 + 4];
	size_t n = 0, i;
	int fd;

	(void)snprintf(program, sizeof(program), "%s/tlsd",
	    conf_get(t->conf, CONF_DAEMON_DIRECTORY));
	argv[n++] = program;
	argv[n++] = (char *)(uintptr_t)"-c";
	argv[n++] = (char *)(uintptr_t)t->conf->dir;
	for (i = 0; i < t->options->n; i++) {
		argv[n++] = (char *)(uintptr_t)"-o";
		argv[n++] = t->options->text[i];
	}
	argv[n] = NULL;
	fd = tls_start(argv, 0, 1);
	if (fd < 0)
		log_warning(t->role, "cannot start %s: %s", program,
		    strerror(errno));
	return fd;
}

static int
ask(struct starttls *t)
{
	static const struct monitor_request r = { .kind = MONITOR_TLS };
	int fd = -1;

	if (t->monitor == NULL)
		return start(t);
	return monitor_ask_fd(t->monitor, &r, &fd) == MONITOR_YES ? fd : -1;
}

int
starttls_begin(struct starttls *t)
{
	int fd = ask(t);

	t->record.status = TLS_FAILED;
	if (fd >= 0 && tls_next(fd, READY_SECONDS, &t->record) &&
	    t->record.status == TLS_READY)
		return fd;
	if (fd >= 0)
		(void)close(fd);
	log_warning(t->role, "TLS is not available: %s",
	    t->record.status == TLS_BROKEN ? t->record.error : "tlsd failed");
	return -1;
}

static void
log_facts(const struct starttls *t)
{
	const struct tls_record *r = &t->record;

	if (conf_number(t->conf, CONF_SMTPD_TLS_LOGLEVEL) == 0)
		return;
	log_line(t->role, "Anonymous TLS connection established from %s[%s]"
	    "%s%s: %s with cipher %s (%d/%d bits)%s%s%s%s%s", t->peer->name,
	    t->peer->addr, r->name[0] != '\0' ? " to " : "", r->name,
	    r->protocol, r->cipher, r->bits, r->bits,
	    r->group[0] != '\0' ? " key-exchange " : "", r->group,
	    r->signature[0] != '\0' ? " server-signature " : "", r->signature,
	    r->resumed != 0 ? " (resumed)" : "");
}

bool
starttls_shake(struct starttls *t, struct bio *b, int fd)
{
	int timeout = b->timeout;
	int seconds = (int)conf_number(t->conf, CONF_SMTPD_STARTTLS_TIMEOUT);
	int64_t deadline = b->deadline;
	bool poll_it = b->poll;

	if (!tls_take(fd)) {
		b->eof = true;
		return false;
	}
	bio_init(b, 0, 1);
	bio_timeout(b, timeout);
	b->poll = b->poll || poll_it;
	b->deadline = deadline;
	t->record.status = TLS_BROKEN;
	if (tls_next(0, seconds + 2, &t->record) &&
	    t->record.status == TLS_OPEN) {
		t->active = true;
		log_facts(t);
		return true;
	}
	log_line(t->role, "SSL_accept error from %s[%s]: %s", t->peer->name,
	    t->peer->addr, t->record.status == TLS_FAILED ? t->record.error :
	    "tlsd failed");
	b->eof = true;
	return false;
}

void
starttls_answer(struct starttls *t, struct monitor *m)
{
	int fd = t->active ? -1 : start(t);

	if (fd < 0) {
		monitor_answer(m, MONITOR_LATER);
		return;
	}
	t->active = true;
	monitor_answer_fd(m, fd);
	/* The connection is the helper's, and must not live on in us. */
	(void)tls_take(fd);
}
