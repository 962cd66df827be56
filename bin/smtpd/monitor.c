/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The half of a session that is not confined.  It exists only where TLS or
 * AUTH is configured, and does nothing but start tlsd once, and checkpw a few
 * times, when the other half asks.
 */
#include "smtpd.h"

#include <string.h>

#include "store/login.h"

int
smtpd_watch(struct smtpd *s)
{
	static struct monitor_request r;
	static struct user account;
	enum monitor_answer answer;
	unsigned tries = 0;
	size_t len;

	while (monitor_next(&s->monitor, &r, NULL, 0, &len))
		switch (r.kind) {
		case MONITOR_TLS:
			starttls_answer(&s->tls, &s->monitor);
			break;
		case MONITOR_PASSWORD:
			answer = tries++ < LIMIT_LOGIN_TRIES ?
			    login_verify(&s->conf, "smtpd", r.user,
			    r.password, &account) : MONITOR_LATER;
			explicit_bzero(&r, sizeof(r));
			monitor_answer(&s->monitor, answer);
			break;
		default:
			monitor_answer(&s->monitor, MONITOR_LATER);
		}
	return monitor_end(&s->monitor);
}
