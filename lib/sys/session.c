/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sys/session.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

/* Splits in place; returns what follows the verb, "" if nothing. */
static char *
split(char *line, size_t len, bool blanks)
{
	char *arg;

	while (!blanks && len > 0 &&
	    (line[len - 1] == ' ' || line[len - 1] == '\t'))
		line[--len] = '\0';
	arg = line + strcspn(line, " \t");
	if (*arg != '\0')
		*arg++ = '\0';
	return arg;
}

static size_t
find(const struct session_command *table, const char *verb)
{
	size_t i;

	for (i = 0; table[i].verb != NULL; i++)
		if (strcasecmp(table[i].verb, verb) == 0)
			break;
	return i;
}

static enum session_step
one_line(struct session *s, char *line, size_t len)
{
	enum session_step step = SESSION_REFUSED;
	size_t row;
	char *arg;

	/* A NUL inside would hide what follows it: no command has one. */
	if (memchr(line, '\0', len) != NULL)
		line[0] = '\0';
	arg = split(line, strlen(line), s->blanks);
	row = find(s->table, line);
	if (s->table[row].verb != NULL)
		s->verb = s->table[row].verb;
	else
		arg = line;
	if (s->may == NULL || s->table[row].verb == NULL ||
	    s->may(s->ctx, s->verb, &step))
		step = s->table[row].handle(s->ctx, arg);
	s->count[row].total++;
	if (step == SESSION_OK || step == SESSION_END)
		s->count[row].ok++;
	return step;
}

enum session_end
session_run(struct session *s)
{
	enum session_step step;
	enum bio_line got;
	bool crlf = true;
	size_t len = 0;
	char *line = NULL;

	for (;;) {
		if (s->line_seconds > 0)
			bio_deadline(s->bio, s->line_seconds);
		got = bio_getline(s->bio, &line, &len, &crlf);
		if (got == BIO_EOF)
			return SESSION_EOF;
		if (got == BIO_ERROR)
			return s->bio->error == ETIMEDOUT ? SESSION_TIMEOUT :
			    SESSION_LOST;
		if (got == BIO_LONG)
			step = s->bad_line(s->ctx, true);
		else if (s->line_end != NULL && !s->line_end(s->ctx, crlf))
			step = s->bad_line(s->ctx, false);
		else
			step = one_line(s, line, len);
		if (step == SESSION_END)
			return SESSION_ENDED;
		if (step == SESSION_ABORT)
			return SESSION_ABORTED;
	}
}
