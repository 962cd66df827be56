/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * relay: hands one message over to a next hop, by SMTP or LMTP.  Started by
 * qrun as mail_owner; the queue file is descriptor 0, the job (job.c)
 * descriptor 3, the answers go to descriptor 1.  It knows nothing of the
 * queue and opens no file once it talks to a stranger.
 *
 * relay.c	the next hops, the hosts of each, one after another
 * job.c	what is wanted, and the answers
 * resolve.c	which hosts; self.c: which of them are we
 * connect.c	a connection
 * session.c	greeting and EHLO; reply.c: what the other side says
 * transaction.c	MAIL, RCPT, DATA; body.c: the message
 *
 * A verdict is final when no other host can change it.  What is left is
 * tried with the next host, and is later when there is none.
 */
#include "relay.h"

#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

#include "pure/list.h"
#include "sys/clock.h"
#include "sys/dns.h"
#include "sys/sandbox.h"

static struct job job;
static struct bio bio;
static struct hosts hosts;
static struct why dead;		/* why no host could be talked to */
static bool talked;		/* one could */

static void
name_session(struct session *s)
{
	const struct host *h = s->host;
	int port = h->any.sa_family == AF_INET6 ? h->v6.sin6_port :
	    h->v4.sin_port;

	(void)snprintf(s->peer, sizeof(s->peer), "%s[%s]", h->name, h->addr);
	if (h->any.sa_family == AF_UNIX)
		(void)snprintf(s->relay, sizeof(s->relay), "%s", s->peer);
	else
		(void)snprintf(s->relay, sizeof(s->relay), "%s[%s]:%u",
		    h->name, h->addr, ntohs((uint16_t)port));
	s->detect_loop = h->any.sa_family != AF_UNIX &&
	    ntohs((uint16_t)port) == 25;
}

/* All that this host can be asked for. */
static void
one_session(int fd, const struct host *h, int64_t started)
{
	struct session s = { .bio = &bio, .job = &job, .host = h,
	    .started = started };
	int flags = fcntl(fd, F_GETFL);
	struct why why;
	bool good;
	size_t i;

	name_session(&s);
	(void)fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
	bio_init(&bio, fd, fd);
	for (i = 0; i < job.n; i++)
		job.target[i].tried = false;
	good = session_open(&s, &why) == VERDICT_OK;
	if (!good) {
		job_set(&job, &why, s.relay, why.verdict == VERDICT_NEVER);
		dead = why;
	}
	if (good && !talked)
		job_alive();
	talked |= good;
	while (good && transaction(&s))
		job_print(&job, false);
	session_close(&s);
	(void)close(fd);
}

/* The second host in line, if it is the first one by another way. */
static size_t
pair(const struct host *h, size_t left)
{
	return left > 1 && h[0].preference == h[1].preference &&
	    h[0].any.sa_family != h[1].any.sa_family ? 2 : 1;
}

static void
all_hosts(void)
{
	size_t i = 0, n = hosts.n, which, sessions = 0;
	size_t max = (size_t)job.value[SET_MX_ADDRESS_LIMIT];
	size_t most = (size_t)job.value[SET_MX_SESSION_LIMIT];
	struct host swap;
	int64_t started;
	struct why why;
	int fd;

	if (max > 0 && n > max)
		n = max;
	while (i < n && job_pending(&job) && (most == 0 || sessions < most)) {
		started = clock_now_us();
		fd = connect_to(&job, &hosts.host[i], pair(&hosts.host[i],
		    n - i), &which, &why);
		if (fd < 0) {
			job_set(&job, &why, "none", false);
			dead = why;
			i += pair(&hosts.host[i], n - i);
			continue;
		}
		if (which > 0) {
			swap = hosts.host[i];
			hosts.host[i] = hosts.host[i + which];
			hosts.host[i + which] = swap;
		}
		one_session(fd, &hosts.host[i], started);
		sessions++;
		i++;
	}
}

/* A domain that takes no mail, or that we are, is so by any way. */
static bool
is_final(const struct why *why)
{
	return why->verdict == VERDICT_NEVER &&
	    strcmp(why->status, "5.4.4") != 0;
}

static void
all_hops(const char *list)
{
	const char *word;
	struct nexthop hop;
	struct why why;
	size_t len;

	while ((word = list_next(&list, &len)) != NULL && job_pending(&job)) {
		if (!nexthop_parse(&hop, word, len, job.lmtp))
			(void)why_set(&why, VERDICT_LATER, "4.3.5",
			    "not a next hop: %.*s", (int)len, word);
		else if (resolve(&job, &hop, &hosts, &why) == VERDICT_OK) {
			all_hosts();
			continue;
		}
		job_set(&job, &why, "none", is_final(&why));
		dead = why;
	}
}

static void
usage(FILE *to)
{
	(void)fprintf(to, "usage: relay\n"
	    "Hand a message over to another host; started by qrun.  See "
	    "relay(8).\n");
}

int
main(int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	int opt, code;

	while ((opt = getopt_long(argc, argv, "", longopts, NULL)) != -1) {
		usage(opt == 'h' ? stdout : stderr);
		return opt == 'h' ? EX_OK : EX_USAGE;
	}
	if (optind < argc || geteuid() == 0) {
		usage(stderr);
		return EX_USAGE;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	/* Without qrun nobody writes down what was sent, and the message is
	 * free for the next one. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	code = job_read(&job);
	if (code != 0)
		return code;
	dns_open();
	self_open(job.proxy);
	sandbox_enter(-1);
	all_hops(job.hop);
	all_hops(job.fallback);
	/* Nobody answered: this hop need not be tried again soon. */
	if (!talked && dead.verdict == VERDICT_LATER)
		job_dead(&dead);
	job_print(&job, true);
	return EX_OK;
}
