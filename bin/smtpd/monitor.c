/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The half of a session that is not confined.  It exists only where TLS is
 * configured, and does nothing but start the helper once when the other half
 * asks.
 */
#include "smtpd.h"

int
smtpd_watch(struct smtpd *s)
{
	static struct monitor_request r;
	size_t len;

	while (monitor_next(&s->monitor, &r, NULL, 0, &len))
		switch (r.kind) {
		case MONITOR_TLS:
			starttls_answer(&s->tls, &s->monitor);
			break;
		default:
			monitor_answer(&s->monitor, MONITOR_LATER);
		}
	return monitor_end(&s->monitor);
}
