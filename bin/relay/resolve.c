/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The hosts of a next hop, RFC 5321 section 5: MX hosts by preference, in
 * random order where that is equal; without an MX the domain itself.  Where
 * we are one of them, neither we nor any that is not better is asked.
 */
#include "relay.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "sys/dns.h"

enum {
	MAX_MX = 100,		/* records that are looked at */
	MAX_LOOKUPS = 20,	/* MX hosts whose addresses are asked for */
	MAX_ADDRESSES = 10,	/* of one host and family */
	DNS_SECONDS = 60	/* for all questions of one next hop */
};

struct search {
	const struct nexthop *hop;
	struct hosts *hosts;
	struct why why;		/* of the last failure; LATER wins */
	bool later;
};

static bool
is_port_25(const struct nexthop *hop)
{
	return hop->kind != NEXTHOP_UNIX && hop->port == 25;
}

static void
add_raw(struct search *s, const char *name, unsigned preference, int family,
    const unsigned char *raw)
{
	struct host *h = &s->hosts->host[s->hosts->n];

	if (s->hosts->n >= LIMIT_HOSTS)
		return;
	memset(h, 0, sizeof(*h));
	(void)snprintf(h->name, sizeof(h->name), "%s", name);
	h->preference = preference;
	(void)inet_ntop(family, raw, h->addr, sizeof(h->addr));
	h->any.sa_family = (sa_family_t)family;
	if (family == AF_INET) {
		memcpy(&h->v4.sin_addr, raw, 4);
		h->v4.sin_port = htons(s->hop->port);
		h->len = sizeof(h->v4);
	} else {
		memcpy(&h->v6.sin6_addr, raw, 16);
		h->v6.sin6_port = htons(s->hop->port);
		h->len = sizeof(h->v6);
	}
	s->hosts->n++;
}

static void
failed(struct search *s, const struct why *why)
{
	if (!s->later)
		s->why = *why;
	s->later |= why->verdict == VERDICT_LATER;
}

/* The addresses of a host: as they are written, from /etc/hosts if that may
 * be asked, from the DNS. */
static void
add_host(struct search *s, const char *name, unsigned preference, bool file)
{
	static const struct {
		enum dnsrecord_type type;
		int family;
	} kind[] = {
		{ DNSRECORD_A, AF_INET }, { DNSRECORD_AAAA, AF_INET6 }
	};
	struct dnsrecord r[MAX_ADDRESSES];
	size_t k, i, n[2] = { 0, 0 }, before = s->hosts->n;
	unsigned char raw[16];
	struct why why;

	for (k = 0; k < 2; k++)
		if (inet_pton(kind[k].family, name, raw) == 1) {
			add_raw(s, name, preference, kind[k].family, raw);
			return;
		}
	for (k = 0; k < 2 && file; k++) {
		n[k] = dns_hosts(name, kind[k].type, r, MAX_ADDRESSES);
		for (i = 0; i < n[k]; i++)
			add_raw(s, name, preference, kind[k].family, r[i].raw);
	}
	if (s->hosts->n > before)
		return;
	for (k = 0; k < 2; k++) {
		if (dns_query(name, kind[k].type, r, MAX_ADDRESSES, &n[k],
		    &why) != DNSRECORD_FOUND)
			failed(s, &why);
		for (i = 0; i < n[k]; i++)
			add_raw(s, name, preference, kind[k].family, r[i].raw);
	}
}

static int
by_preference(const void *a, const void *b)
{
	const struct dnsrecord *x = a, *y = b;

	return (x->preference > y->preference) -
	    (x->preference < y->preference);
}

static void
shuffle(void *base, size_t n, size_t size)
{
	static char tmp[sizeof(struct host) + sizeof(struct dnsrecord)];
	char *p = base;
	uint32_t random;
	size_t i, j;

	for (i = n; i > 1; i--) {
		if (getrandom(&random, sizeof(random), GRND_NONBLOCK) !=
		    (ssize_t)sizeof(random))
			return;
		j = random % i;
		memcpy(tmp, p + (i - 1) * size, size);
		memmove(p + (i - 1) * size, p + j * size, size);
		memcpy(p + j * size, tmp, size);
	}
}

static enum verdict
add_mx_hosts(struct search *s, struct dnsrecord *mx, size_t n)
{
	size_t i;

	if (n == 1 && mx[0].host[0] == '\0')
		return why_set(&s->why, VERDICT_NEVER, "5.1.10",
		    "Domain %s does not accept mail (nullMX)", s->hop->host);
	shuffle(mx, n, sizeof(*mx));
	qsort(mx, n, sizeof(*mx), by_preference);
	for (i = 0; i < n && i < MAX_LOOKUPS; i++)
		if (mx[i].host[0] != '\0' && s->hosts->n < LIMIT_HOSTS)
			add_host(s, mx[i].host, mx[i].preference, false);
	return VERDICT_OK;
}

static enum verdict
add_mx(struct search *s)
{
	static struct dnsrecord mx[MAX_MX];
	size_t n;

	switch (dns_query(s->hop->host, DNSRECORD_MX, mx, MAX_MX, &n,
	    &s->why)) {
	case DNSRECORD_FOUND:
		return add_mx_hosts(s, mx, n);
	case DNSRECORD_NONE:
		add_host(s, s->hop->host, 0, false);
		return VERDICT_OK;
	case DNSRECORD_NO_NAME:
	case DNSRECORD_UNUSABLE:
	case DNSRECORD_LATER:
		break;
	}
	return s->why.verdict;
}

/* Drops ourselves, and all that are not better than we.  False: that leaves
 * none. */
static bool
drop_self(struct search *s)
{
	struct hosts *h = s->hosts;
	unsigned best = 0;
	bool found = false;
	size_t i, n = 0;

	for (i = 0; i < h->n; i++)
		if (self_has(&h->host[i]) &&
		    (!found || h->host[i].preference < best)) {
			found = true;
			best = h->host[i].preference;
		}
	if (!found)
		return true;
	for (i = 0; i < h->n; i++)
		if (h->host[i].preference < best)
			h->host[n++] = h->host[i];
	h->n = n;
	return n > 0;
}

/* Moves the first host of that family, from number "to" on, there. */
static bool
bring(struct host *h, size_t n, size_t to, int family)
{
	struct host tmp;
	size_t i;

	for (i = to; i < n && h[i].any.sa_family != family; i++)
		;
	if (i >= n)
		return false;
	tmp = h[to];
	h[to] = h[i];
	h[i] = tmp;
	return true;
}

/* The hosts of one preference: at random, the family that is preferred
 * first.  But the second is of the other family, if there is one, so that a
 * dead family costs a moment and not the mail. */
static void
order(const struct job *j, struct host *h, size_t n)
{
	int first = strcasecmp(j->preference, "ipv4") == 0 ? AF_INET :
	    strcasecmp(j->preference, "ipv6") == 0 ? AF_INET6 : 0;
	size_t i;

	shuffle(h, n, sizeof(*h));
	for (i = 0; first != 0 && i < n && bring(h, n, i, first); i++)
		;
	(void)bring(h, n, 1, h[0].any.sa_family == AF_INET ? AF_INET6 :
	    AF_INET);
}

static void
order_all(const struct job *j, struct hosts *h)
{
	size_t i, first = 0;

	for (i = 1; i <= h->n; i++)
		if (i == h->n ||
		    h->host[i].preference != h->host[first].preference) {
			order(j, h->host + first, i - first);
			first = i;
		}
}

static void
add_socket(struct search *s)
{
	struct host *h = &s->hosts->host[0];

	memset(h, 0, sizeof(*h));
	(void)snprintf(h->name, sizeof(h->name), "localhost");
	(void)snprintf(h->addr, sizeof(h->addr), "%s", s->hop->host);
	h->local.sun_family = AF_UNIX;
	(void)snprintf(h->local.sun_path, sizeof(h->local.sun_path), "%.*s",
	    (int)sizeof(h->local.sun_path) - 1, s->hop->host);
	h->len = sizeof(h->local);
	s->hosts->n = 1;
}

enum verdict
resolve(const struct job *j, const struct nexthop *hop, struct hosts *hosts,
    struct why *why)
{
	struct search s = { .hop = hop, .hosts = hosts };

	hosts->n = 0;
	(void)why_set(&s.why, VERDICT_NEVER, "5.4.4",
	    "unable to look up host %s", hop->host);
	dns_deadline(DNS_SECONDS);
	if (hop->kind == NEXTHOP_UNIX)
		add_socket(&s);
	else if (hop->kind == NEXTHOP_HOST)
		add_host(&s, hop->host, 0, true);
	else if (add_mx(&s) != VERDICT_OK)
		hosts->n = 0;
	if (hosts->n == 0) {
		*why = s.why;
		return why->verdict;
	}
	if (is_port_25(hop) && !drop_self(&s))
		return why_set(why, VERDICT_NEVER, "5.4.6",
		    "mail for %s loops back to myself", hop->host);
	order_all(j, hosts);
	return VERDICT_OK;
}
