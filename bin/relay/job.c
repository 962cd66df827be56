/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What qrun wants and is told.  The job is a text on descriptor 3, a line
 * "name value" for each thing, so that nothing of it (a password, one day)
 * is to be seen in the list of processes.  The answers are lines of fields
 * between tabs, each printed as soon as it is certain.
 */
#include "relay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "pure/num.h"
#include "sys/fsop.h"

enum { FD_MESSAGE = 0, FD_ANSWER = 1, FD_JOB = 3 };

static const char *const setting_name[SET_COUNT] = {
	[SET_RECIPIENT_LIMIT] = "recipient_limit",
	[SET_CONNECT_TIMEOUT] = "connect_timeout",
	[SET_DATA_DONE_TIMEOUT] = "data_done_timeout",
	[SET_DATA_INIT_TIMEOUT] = "data_init_timeout",
	[SET_DATA_XFER_TIMEOUT] = "data_xfer_timeout",
	[SET_HELO_TIMEOUT] = "helo_timeout",
	[SET_MAIL_TIMEOUT] = "mail_timeout",
	[SET_MX_ADDRESS_LIMIT] = "mx_address_limit",
	[SET_MX_SESSION_LIMIT] = "mx_session_limit",
	[SET_RCPT_TIMEOUT] = "rcpt_timeout",
	[SET_RSET_TIMEOUT] = "rset_timeout"
};

/* All of a file from offset 0, NUL-ended; NULL with errno. */
static char *
read_all(int fd, size_t max, size_t *len)
{
	struct stat st;
	char *text;
	ssize_t n;

	if (fstat(fd, &st) != 0)
		return NULL;
	*len = st.st_size > 0 && (uint64_t)st.st_size < max ?
	    (size_t)st.st_size : max;
	text = malloc(*len + 1);
	n = text != NULL ? fsop_pread(fd, text, *len, 0) : -1;
	if (n < 0) {
		free(text);
		return NULL;
	}
	*len = (size_t)n;
	text[n] = '\0';
	return text;
}

static bool
take_rcpt(struct job *j, const char *value)
{
	uint64_t number;
	struct target *t;

	if (!num_parse(value, strlen(value), j->envelope.nrcpt, &number) ||
	    number == 0 || j->n >= j->envelope.nrcpt)
		return false;
	t = &j->target[j->n++];
	t->number = (size_t)number;
	t->address = j->envelope.rcpt[number - 1].address;
	(void)snprintf(t->relay, sizeof(t->relay), "none");
	(void)why_set(&t->why, VERDICT_LATER, "4.4.1", "no host was tried");
	return true;
}

static bool
take_line(struct job *j, const char *name, const char *value)
{
	const struct {
		const char *name;
		const char **value;
	} text[] = {
		{ "hop", &j->hop }, { "fallback", &j->fallback },
		{ "helo", &j->helo }, { "proxy", &j->proxy },
		{ "preference", &j->preference }
	};
	uint64_t number;
	size_t i;

	if (strcmp(name, "rcpt") == 0)
		return take_rcpt(j, value);
	if (strcmp(name, "protocol") == 0) {
		j->lmtp = strcmp(value, "lmtp") == 0;
		return true;
	}
	for (i = 0; i < sizeof(text) / sizeof(text[0]); i++)
		if (strcmp(name, text[i].name) == 0) {
			*text[i].value = value;
			return true;
		}
	for (i = 0; i < SET_COUNT; i++)
		if (strcmp(name, setting_name[i]) == 0) {
			if (!num_parse(value, strlen(value), INT32_MAX / 1000,
			    &number))
				return false;
			j->value[i] = (int)number;
			return true;
		}
	return false;
}

static bool
read_lines(struct job *j, char *s)
{
	char *line, *value;

	while ((line = strsep(&s, "\n")) != NULL) {
		if (line[0] == '\0')
			continue;
		value = strchr(line, ' ');
		if (value == NULL)
			return false;
		*value++ = '\0';
		if (!take_line(j, line, value))
			return false;
	}
	return true;
}

static bool
read_envelope(struct job *j)
{
	size_t len;
	char *block = read_all(FD_MESSAGE, LIMIT_ENVELOPE, &len);
	bool good;

	envelope_init(&j->envelope);
	good = block != NULL && envelope_parse(&j->envelope, block, len) == 1;
	free(block);
	j->fd = FD_MESSAGE;
	j->offset = (off_t)j->envelope.len;
	j->sender = j->envelope.sender;
	return good;
}

int
job_read(struct job *j)
{
	size_t len;

	*j = (struct job){ .hop = "", .fallback = "", .helo = "",
	    .proxy = "", .preference = "any" };
	if (!read_envelope(j) || !body_measure(j))
		return EX_NOINPUT;
	j->target = calloc(j->envelope.nrcpt, sizeof(*j->target));
	j->text = read_all(FD_JOB, LIMIT_STR, &len);
	if (j->target == NULL || j->text == NULL)
		return EX_OSERR;
	return read_lines(j, j->text) && j->n > 0 ? 0 : EX_USAGE;
}

bool
job_pending(const struct job *j)
{
	size_t i;

	for (i = 0; i < j->n; i++)
		if (!j->target[i].final)
			return true;
	return false;
}

void
job_set(struct job *j, const struct why *why, const char *relay, bool final)
{
	struct target *t;
	size_t i;

	for (i = 0; i < j->n; i++) {
		t = &j->target[i];
		if (t->final)
			continue;
		t->why = *why;
		t->final = final;
		(void)snprintf(t->relay, sizeof(t->relay), "%s", relay);
	}
}

/* ---- answers ---- */

static void
answer(const struct str *s)
{
	/* If qrun is gone there is nobody to tell: the end.  It will find the
	 * message with whatever was told before. */
	if (s->bad || fsop_write(FD_ANSWER, s->s, s->len) != 0)
		_exit(EX_TEMPFAIL);
}

void
job_print(struct job *j, bool all)
{
	struct target *t;
	struct str s;
	size_t i;

	str_init(&s);
	for (i = 0; i < j->n; i++) {
		t = &j->target[i];
		if (t->printed || !(t->final || all))
			continue;
		t->printed = true;
		str_printf(&s, "rcpt\t%zu\t%s\t%s\t%s\t%" PRId64 "\t%" PRId64
		    "\t%s\n", t->number, verdict_word(t->why.verdict),
		    t->why.status, t->relay, t->setup, t->transmit,
		    t->why.text);
	}
	if (s.len > 0)
		answer(&s);
	str_free(&s);
}

void
job_note(const char *fmt, ...)
{
	struct str s;
	va_list ap;

	str_init(&s);
	str_puts(&s, "note\t");
	va_start(ap, fmt);
	str_vprintf(&s, fmt, ap);
	va_end(ap);
	str_putc(&s, '\n');
	answer(&s);
	str_free(&s);
}

void
job_alive(void)
{
	struct str s;

	str_init(&s);
	str_puts(&s, "alive\t\n");
	answer(&s);
	str_free(&s);
}

void
job_dead(const struct why *why)
{
	struct str s;

	str_init(&s);
	str_printf(&s, "dead\t%s\t%s\n", why->status, why->text);
	answer(&s);
	str_free(&s);
}
