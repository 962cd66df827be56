/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "qrun.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "pure/addr.h"
#include "pure/list.h"

static enum verdict
find(struct runner *r, struct route *route, struct why *why)
{
	const char *file = conf_get(&r->conf, CONF_PASSWD_FILE);
	int fd = users_open(file), saved = errno;
	enum users_answer answer = users_find(fd, route->local, &route->user);

	if (fd >= 0)
		(void)close(fd);
	switch (answer) {
	case USERS_HIT:
		return VERDICT_OK;
	case USERS_MISS:
		return why_set(why, VERDICT_NEVER, "5.1.1",
		    "unknown user: \"%s\"", route->local);
	case USERS_LATER:
		break;
	}
	return why_set(why, VERDICT_LATER, "4.3.0", "account file %s: %s",
	    file, fd < 0 ? strerror(saved) : "not complete");
}

enum verdict
route_resolve(struct runner *r, const char *address, struct route *route,
    struct why *why)
{
	size_t len = strlen(address);
	struct addr a;

	if (addr_parse(&a, address, len) != len)
		return why_set(why, VERDICT_LATER, "4.3.0",
		    "bad recipient address in queue file");
	(void)addr_complete(&a, conf_get(&r->conf, CONF_MYORIGIN));
	if (!list_has_domain(conf_get(&r->conf, CONF_MYDESTINATION),
	    addr_domain(&a)))
		return why_set(why, VERDICT_LATER, "4.3.0",
		    "mail transport unavailable");
	if (!addr_local_key(&a, route->local, sizeof(route->local)))
		return why_set(why, VERDICT_NEVER, "5.1.1",
		    "unknown user: \"%s\"", a.text);
	return find(r, route, why);
}
