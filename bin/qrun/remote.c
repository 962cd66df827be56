/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The recipients of a message whose mail leaves this machine, grouped by
 * where it goes, so that one connection serves all of a group.
 */
#include "route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "sys/clock.h"

/* One recipient on its way. */
struct leg {
	size_t number;		/* of the recipient, from 1 */
	enum route_kind kind;
	char *hop;
};

static void
settle_all(struct runner *r, struct queue_message *m,
    const struct remote_group *g, const struct why *why, const char *relay)
{
	struct remote_result result = { .relay = relay,
	    .role = "error", .started = g->started };
	size_t i;

	for (i = 0; i < g->n; i++) {
		result.number = g->number[i];
		result.why = *why;
		message_settle(r, m, &result);
	}
}

/* "5.1.2 text", or text alone. */
static void
error_why(const struct leg *leg, struct why *why)
{
	enum verdict verdict = leg->kind == ROUTE_ERROR ? VERDICT_NEVER :
	    VERDICT_LATER;
	size_t n = strcspn(leg->hop, " ");
	char status[12] = "5.0.0";
	const char *text = leg->hop;

	if (n >= 5 && n < sizeof(status) &&
	    strspn(text, "0123456789.") == n) {
		memcpy(status, text, n);
		status[n] = '\0';
		text += n;
		text += strspn(text, " ");
	}
	(void)why_set(why, verdict, status, "%.300s", text[0] != '\0' ? text :
	    "mail is not delivered there");
}

static void
one_group(struct runner *r, struct queue_message *m, const struct leg *leg,
    const struct remote_group *g)
{
	struct why why;
	int probe, slot;
	bool may;

	switch (leg->kind) {
	case ROUTE_SMTP:
	case ROUTE_LMTP:
		if (!slot_take(r, g, &slot, &why))
			break;
		may = remote_may(r, g, &probe, &why);
		if (may)
			relay_run(r, m, g);
		if (probe >= 0)
			(void)close(probe);
		if (slot >= 0)
			(void)close(slot);
		if (may)
			return;
		break;
	case ROUTE_DISCARD:
		(void)why_set(&why, VERDICT_OK, "2.0.0", "%.300s",
		    leg->hop[0] != '\0' ? leg->hop : "discarded");
		break;
	case ROUTE_ERROR:
	case ROUTE_RETRY:
	case ROUTE_LOCAL:
	case ROUTE_VIRTUAL:
		error_why(leg, &why);
		break;
	}
	settle_all(r, m, g, &why, "none");
}

static int
by_hop(const void *a, const void *b)
{
	const struct leg *x = a, *y = b;
	int c;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	c = strcasecmp(x->hop, y->hop);
	if (c != 0)
		return c;
	return (x->number > y->number) - (x->number < y->number);
}

/* Sorted, those of a group are neighbours. */
static void
all_groups(struct runner *r, struct queue_message *m, struct leg *leg,
    size_t n)
{
	size_t *number = calloc(n, sizeof(*number)), i, first;
	struct remote_group g = { .number = number };

	if (number == NULL)
		return;
	qsort(leg, n, sizeof(*leg), by_hop);
	for (first = 0; first < n; first += g.n) {
		for (i = first; i < n && leg[i].kind == leg[first].kind &&
		    strcasecmp(leg[i].hop, leg[first].hop) == 0; i++)
			number[i - first] = leg[i].number;
		g.n = i - first;
		g.hop = leg[first].hop;
		g.lmtp = leg[first].kind == ROUTE_LMTP;
		g.started = clock_now_us();
		one_group(r, m, &leg[first], &g);
	}
	free(number);
}

/* False: it is for here. */
static bool
find_leg(struct runner *r, const struct queue_message *m, size_t i,
    struct leg *leg)
{
	const char *text = m->envelope.rcpt[i].address;
	size_t len = strlen(text);
	struct route route;
	struct addr a;
	struct why why;

	if (len == 0 || addr_parse(&a, text, len) != len || a.len == 0 ||
	    !addr_complete(&a, conf_get(&r->conf, CONF_MYORIGIN)))
		return false;
	if (route_find(r, &a, m->envelope.sender, &route, &why) !=
	    VERDICT_OK) {
		route.kind = ROUTE_RETRY;
		(void)snprintf(route.hop, sizeof(route.hop), "%s %s",
		    why.status, why.text);
	}
	if (route_is_here(&route))
		return false;
	leg->number = i + 1;
	leg->kind = route.kind;
	leg->hop = strdup(route.hop);
	return leg->hop != NULL;
}

void
message_remote(struct runner *r, struct queue_message *m, bool *done)
{
	size_t n = m->envelope.nrcpt, i, legs = 0;
	struct leg *leg;
	struct why why;

	if (!tables_open(r, &why))
		return;
	leg = calloc(n, sizeof(*leg));
	for (i = 0; leg != NULL && i < n; i++)
		if (!done[i] && find_leg(r, m, i, &leg[legs])) {
			done[i] = true;
			legs++;
		}
	if (legs > 0)
		all_groups(r, m, leg, legs);
	for (i = 0; i < legs; i++)
		free(leg[i].hop);
	free(leg);
}
