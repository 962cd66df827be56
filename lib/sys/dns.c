/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sys/dns.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <fcntl.h>
#include <netdb.h>
#include <resolv.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/fsop.h"

enum {
	MAX_HOSTS = 1 << 20,	/* octets of /etc/hosts that are read */
	MAX_WAIT = 5		/* seconds for one try of one server */
};

static struct __res_state resolver;
static bool ready;		/* resolver can be used */
static int64_t end;		/* monotonic second, 0: none */
static char *hosts;		/* the text, NUL-ended; NULL: none */

static void
read_hosts(void)
{
	int fd = open("/etc/hosts", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return;
	hosts = malloc(MAX_HOSTS + 1);
	if (hosts != NULL) {
		n = fsop_pread(fd, hosts, MAX_HOSTS, 0);
		hosts[n > 0 ? n : 0] = '\0';
	}
	(void)close(fd);
}

void
dns_open(void)
{
	(void)signal(SIGALRM, SIG_DFL);
	ready = res_ninit(&resolver) == 0;
	/* No search list: a name is whole. */
	resolver.options &= ~(unsigned long)(RES_DNSRCH | RES_DEFNAMES);
	resolver.options |= RES_USE_EDNS0;
	read_hosts();
}

void
dns_deadline(int seconds)
{
	end = clock_monotonic() + seconds;
}

static const char *
type_name(enum dnsrecord_type type)
{
	return type == DNSRECORD_MX ? "MX" : type == DNSRECORD_A ? "A" :
	    type == DNSRECORD_AAAA ? "AAAA" : "CNAME";
}

static enum dnsrecord_answer
say(struct why *why, enum dnsrecord_answer answer, const char *name,
    enum dnsrecord_type type)
{
	static const char *const text[] = {
		[DNSRECORD_FOUND] = "",
		[DNSRECORD_NONE] =
		    "Host found but no data record of requested type",
		[DNSRECORD_NO_NAME] = "Host not found",
		[DNSRECORD_UNUSABLE] = "No usable name in the reply",
		[DNSRECORD_LATER] = "Host not found, try again"
	};

	if (answer != DNSRECORD_FOUND)
		(void)why_set(why, answer == DNSRECORD_LATER ? VERDICT_LATER :
		    VERDICT_NEVER, answer == DNSRECORD_LATER ? "4.4.3" :
		    "5.4.4", "Host or domain name not found. Name service "
		    "error for name=%.255s type=%s: %s", name,
		    type_name(type), text[answer]);
	return answer;
}

/* How long one try may take, so that all of them end in time; 0: too late. */
static int
limit(int64_t left)
{
	int servers = resolver.nscount > 0 ? resolver.nscount : 1;
	int64_t each = left / (2 * (int64_t)servers);

	if (left <= 0)
		return 0;
	return each < 1 ? 1 : each > MAX_WAIT ? MAX_WAIT : (int)each;
}

enum dnsrecord_answer
dns_query(const char *name, enum dnsrecord_type type, struct dnsrecord *out,
    size_t max, size_t *n, struct why *why)
{
	static unsigned char msg[NS_MAXMSG];
	int64_t left = end - clock_monotonic();
	int len;

	*n = 0;
	resolver.retrans = limit(left);
	resolver.retry = 2;
	if (!ready || name[0] == '\0' || resolver.retrans == 0)
		return say(why, DNSRECORD_LATER, name, type);
	(void)alarm((unsigned)left + 2);
	len = res_nquery(&resolver, name, C_IN, (int)type, msg, sizeof(msg));
	(void)alarm(0);
	if (len >= 0)
		return say(why, dnsrecord_parse(msg, len < NS_MAXMSG ?
		    (size_t)len : sizeof(msg), name, type, out, max, n),
		    name, type);
	return say(why, resolver.res_h_errno == HOST_NOT_FOUND ?
	    DNSRECORD_NO_NAME : resolver.res_h_errno == NO_DATA ?
	    DNSRECORD_NONE : DNSRECORD_LATER, name, type);
}

/* ---- /etc/hosts ---- */

/* The next word of a line, as a string in buf; false at its end. */
static bool
next_word(const char **s, char *buf, size_t size)
{
	size_t n;

	*s += strspn(*s, " \t\r");
	n = strcspn(*s, " \t\r\n#");
	if (n == 0)
		return false;
	(void)snprintf(buf, size, "%.*s", (int)n, n < size ? *s : "");
	*s += n;
	return true;
}

static bool
to_record(const char *text, enum dnsrecord_type type, struct dnsrecord *out)
{
	memset(out, 0, sizeof(*out));
	return inet_pton(type == DNSRECORD_A ? AF_INET : AF_INET6, text,
	    out->raw) == 1;
}

size_t
dns_hosts(const char *name, enum dnsrecord_type type, struct dnsrecord *out,
    size_t max)
{
	char address[INET6_ADDRSTRLEN], word[LIMIT_DOMAIN + 1];
	const char *line = hosts != NULL ? hosts : "", *s;
	size_t n = 0;

	for (; *line != '\0' && n < max; line += *line == '\n') {
		s = line;
		line += strcspn(line, "\n");
		if (!next_word(&s, address, sizeof(address)) ||
		    !to_record(address, type, &out[n]))
			continue;
		while (next_word(&s, word, sizeof(word)))
			if (strcasecmp(word, name) == 0) {
				n++;
				break;
			}
	}
	if (n == 0 && max > 0 && strcasecmp(name, "localhost") == 0)
		n += to_record(type == DNSRECORD_A ? "127.0.0.1" : "::1",
		    type, &out[0]);
	return n;
}
