/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The start of a connection: the greeting, EHLO or HELO or LHLO. */
#include "relay.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "pure/num.h"
#include "sys/clock.h"

/* A line of the answer to EHLO, behind its code: "SIZE 10240000". */
static void
take_keyword(struct session *s, const char *line, size_t len)
{
	size_t n = strcspn(line, " \n");

	if (n > len)
		n = len;
	if (n == 10 && strncasecmp(line, "PIPELINING", n) == 0)
		s->pipelining = true;
	else if (n == 8 && strncasecmp(line, "8BITMIME", n) == 0)
		s->eightbit = true;
	else if (n == 4 && strncasecmp(line, "SIZE", n) == 0) {
		s->has_size = true;
		if (len > n)
			(void)num_parse(line + n + 1, len - n - 1,
			    INT64_MAX, &s->size);
	}
}

static void
take_keywords(struct session *s)
{
	const char *line = s->reply.text.s, *end;
	bool first = true;
	size_t len;

	for (; *line != '\0'; line = end + (*end == '\n')) {
		end = line + strcspn(line, "\n");
		len = (size_t)(end - line);
		if (!first && len > 4)
			take_keyword(s, line + 4, len - 4);
		first = false;
	}
}

/* Does the text begin (behind the code) with our own name? */
static bool
is_our_name(const struct session *s)
{
	const char *text = s->reply.text.s;
	size_t n = strlen(s->job->helo);

	if (!s->detect_loop || s->reply.text.len < 4 + n ||
	    strncasecmp(text + 4, s->job->helo, n) != 0)
		return false;
	return text[4 + n] == '\0' || text[4 + n] == ' ' ||
	    text[4 + n] == '\n';
}

static enum verdict
loops_back(const struct session *s, struct why *why)
{
	return why_set(why, VERDICT_NEVER, "5.4.6",
	    "mail for %s loops back to myself", s->host->name);
}

static bool
greet(struct session *s, const char *verb, struct why *why)
{
	char stage[40];

	(void)snprintf(stage, sizeof(stage), "performing the %s handshake",
	    verb);
	bio_printf(s->bio, "%s %s\r\n", verb, s->job->helo);
	return reply_get(s, s->job->value[SET_HELO_TIMEOUT], stage, why);
}

static enum verdict
hello(struct session *s, struct why *why)
{
	const char *verb = s->job->lmtp ? "LHLO" : "EHLO";
	char what[16];

	if (!greet(s, verb, why))
		return why->verdict;
	if (s->reply.code / 100 == 2) {
		take_keywords(s);
		return is_our_name(s) ? loops_back(s, why) : VERDICT_OK;
	}
	/* A server that does not know EHLO, or does not like it now. */
	if (!s->job->lmtp && s->reply.code != 421) {
		verb = "HELO";
		if (!greet(s, verb, why))
			return why->verdict;
		if (s->reply.code / 100 == 2)
			return is_our_name(s) ? loops_back(s, why) :
			    VERDICT_OK;
	}
	(void)snprintf(what, sizeof(what), "%s command", verb);
	reply_why(s, what, why);
	return why->verdict;
}

enum verdict
session_open(struct session *s, struct why *why)
{
	char text[LIMIT_REASON + 1];

	str_init(&s->reply.text);
	if (!reply_get(s, s->job->value[SET_HELO_TIMEOUT],
	    "receiving the initial server greeting", why))
		return why->verdict;
	if (s->reply.code / 100 != 2) {
		/* Not about this mail: another host may take it, and this
		 * one too, later. */
		reply_text(s, text);
		return why_set(why, VERDICT_LATER, s->reply.status,
		    "host %s refused to talk to me: %.250s", s->peer, text);
	}
	if (is_our_name(s))
		return loops_back(s, why);
	if (hello(s, why) != VERDICT_OK)
		return why->verdict;
	s->ready = clock_now_us();
	return VERDICT_OK;
}

/* Without waiting for the answer, which changes nothing. */
void
session_close(struct session *s)
{
	if (!s->over) {
		bio_puts(s->bio, "QUIT\r\n");
		(void)bio_flush(s->bio);
	}
	str_free(&s->reply.text);
}
