/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Canonical, masqueraded and virtual addresses, and copies: the same for mail
 * that is put into the spool as for mail that comes by SMTP.
 */
#include "sendmail.h"

#include <string.h>
#include <sysexits.h>

#include "store/domain.h"
#include "store/rewrite.h"

static struct {
	struct domains domains;
	struct rewrite rewrite;
	struct why why;		/* of what could not be opened */
} tables;

void
tables_open(struct submission *s)
{
	tables.why.verdict = VERDICT_OK;
	if (domains_open(&tables.domains, &s->conf, &tables.why) != 0 ||
	    rewrite_open(&tables.rewrite, &s->conf, &tables.domains,
	    &tables.why) != 0)
		tables.why.verdict = VERDICT_LATER;
}

static void
check(struct submission *s, const struct why *why)
{
	if (why->verdict != VERDICT_OK)
		fatal(why->verdict == VERDICT_NEVER ? EX_DATAERR : EX_TEMPFAIL,
		    "%s; the message was not taken: see the tables named in "
		    "%s/main.cf", why->text, s->conf.dir);
}

void
tables_sender(struct submission *s)
{
	struct why why = tables.why;

	check(s, &why);
	if (s->sender.len > 0)
		why.verdict = rewrite_sender(&tables.rewrite, &s->sender,
		    &why);
	check(s, &why);
}

struct rewrite *
tables_header(void)
{
	return &tables.rewrite;
}

struct adding {
	struct rcpts *to;
	const char *given;
};

static void
add(void *ctx, const char *address)
{
	struct adding *a = ctx;

	rcpts_put(a->to, address, a->given, EX_DATAERR);
}

/* An address that rcpts_add has read. */
static void
read_again(struct addr *a, const char *text)
{
	const char *at = strrchr(text, '@');

	a->len = strlen(text);
	a->at = at != NULL ? (size_t)(at - text) : a->len;
	memcpy(a->text, text, a->len + 1);
}

/* What was given becomes what it stands for, and the copies of all. */
void
tables_rcpts(struct submission *s)
{
	struct rcpts given = s->rcpts;
	struct adding a = { .to = &s->rcpts };
	const char *p, *end = given.list.s + given.list.len;
	struct addr rcpt;
	struct why why;

	rcpts_init(&s->rcpts, given.origin);
	for (p = given.list.s; p < end; p = a.given + strlen(a.given) + 1) {
		a.given = p + strlen(p) + 1;
		read_again(&rcpt, p);
		why.verdict = rewrite_rcpt(&tables.rewrite, &rcpt, add, &a,
		    &why);
		check(s, &why);
	}
	a.given = "";
	for (p = given.list.s; p < end; p += strlen(p) + 1) {
		read_again(&rcpt, p);
		why.verdict = rewrite_bcc(&tables.rewrite, NULL, &rcpt, add,
		    &a, &why);
		check(s, &why);
		p += strlen(p) + 1;	/* over what was given */
	}
	why.verdict = rewrite_bcc(&tables.rewrite, &s->sender, NULL, add, &a,
	    &why);
	check(s, &why);
	rcpts_free(&given);
}
