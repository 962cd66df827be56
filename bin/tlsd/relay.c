/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Octets between the connection and the clear side. */
#include "tlsd.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
	BUFFER = 16384,		/* a TLS record */
	/* Seconds for what is still unsent when our side has closed. */
	LINGER = 10,
	MAX_WARNINGS = 16
};

static int64_t
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Waits for what GnuTLS is waiting for.  False: too late. */
static bool
wait_net(gnutls_session_t s, int64_t end)
{
	bool out = gnutls_record_get_direction(s) == 1;
	struct pollfd p = { .fd = out ? FD_OUT : FD_IN,
	    .events = out ? POLLOUT : POLLIN };
	int64_t left = end - now_ms();

	return left > 0 && (poll(&p, 1, (int)left) > 0 || errno == EINTR);
}

bool
relay_handshake(struct tlsd *t, int seconds)
{
	int64_t end = now_ms() + (int64_t)seconds * 1000;
	const char *what;
	unsigned warnings = 0;
	int rc;

	for (;;) {
		rc = gnutls_handshake(t->session);
		if (rc == 0)
			return true;
		if (rc == GNUTLS_E_WARNING_ALERT_RECEIVED)
			warnings++;
		if (gnutls_error_is_fatal(rc) || warnings > MAX_WARNINGS)
			break;
		if (rc == GNUTLS_E_AGAIN && !wait_net(t->session, end)) {
			rc = GNUTLS_E_TIMEDOUT;
			break;
		}
	}
	what = rc == GNUTLS_E_FATAL_ALERT_RECEIVED ?
	    gnutls_alert_get_name(gnutls_alert_get(t->session)) :
	    rc == GNUTLS_E_PREMATURE_TERMINATION ?
	    "lost connection" : gnutls_strerror(rc);
	/* What certs.c said is the cause of what GnuTLS says. */
	if (t->error[0] == '\0')
		(void)snprintf(t->error, sizeof(t->error), "%s", what);
	if (rc != GNUTLS_E_TIMEDOUT)
		(void)gnutls_alert_send_appropriate(t->session, rc);
	return false;
}

struct flow {
	char buf[BUFFER];
	size_t pos, len;
	bool ended;		/* nothing more will come */
};

struct relay {
	gnutls_session_t s;
	struct flow in;		/* from the client */
	struct flow out;	/* to it */
	unsigned warnings;
};
static struct relay relay;

/* Nothing of it is left, and no more comes. */
static bool
is_over(const struct flow *f)
{
	return f->ended && f->pos == f->len;
}

/* A closed connection and close_notify are the same: the end.  False: it is
 * broken. */
static bool
from_client(struct relay *r)
{
	ssize_t n = gnutls_record_recv(r->s, r->in.buf, BUFFER);

	r->in.pos = r->in.len = 0;
	if (n > 0) {
		r->in.len = (size_t)n;
		return true;
	}
	if (n == 0 || n == GNUTLS_E_PREMATURE_TERMINATION) {
		r->in.ended = true;
		(void)shutdown(FD_CLEAR, SHUT_WR);
		return true;
	}
	if (n == GNUTLS_E_WARNING_ALERT_RECEIVED)
		return ++r->warnings <= MAX_WARNINGS;
	/* A new handshake inside the old one is not done. */
	return n != GNUTLS_E_REHANDSHAKE && !gnutls_error_is_fatal((int)n);
}

static bool
to_clear(struct relay *r)
{
	ssize_t n = send(FD_CLEAR, r->in.buf + r->in.pos,
	    r->in.len - r->in.pos, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n > 0)
		r->in.pos += (size_t)n;
	else if (errno == EPIPE || errno == ECONNRESET) {
		/* Nobody listens; what was said last is still to be sent. */
		r->in.pos = r->in.len;
		r->in.ended = true;
	} else
		return errno == EAGAIN || errno == EINTR;
	return true;
}

static bool
from_clear(struct relay *r)
{
	ssize_t n = recv(FD_CLEAR, r->out.buf, BUFFER, MSG_DONTWAIT);

	if (n < 0 && errno != ECONNRESET)
		return errno == EAGAIN || errno == EINTR;
	r->out.pos = 0;
	r->out.len = n > 0 ? (size_t)n : 0;
	r->out.ended = n <= 0;
	return true;
}

static bool
to_client(struct relay *r)
{
	ssize_t n = gnutls_record_send(r->s, r->out.buf + r->out.pos,
	    r->out.len - r->out.pos);

	if (n > 0)
		r->out.pos += (size_t)n;
	return n > 0 || !gnutls_error_is_fatal((int)n);
}

/* One round: waits, and moves what can be moved. */
static bool
step(struct relay *r, int64_t end)
{
	bool read_in = !r->in.ended && r->in.pos == r->in.len;
	bool read_out = !r->out.ended && r->out.pos == r->out.len;
	bool pending = read_in && gnutls_record_check_pending(r->s) > 0;
	struct pollfd p[3] = {
		{ .fd = read_in ? FD_IN : -1, .events = POLLIN },
		{ .fd = r->out.pos < r->out.len ? FD_OUT : -1,
		    .events = POLLOUT },
		{ .fd = FD_CLEAR, .events = (short)((read_out ? POLLIN : 0) |
		    (r->in.pos < r->in.len ? POLLOUT : 0)) }
	};
	int64_t left = end > 0 ? end - now_ms() : -1;

	if (p[2].events == 0)
		p[2].fd = -1;
	if (end > 0 && left <= 0)
		return false;
	if (poll(p, 3, pending ? 0 : (int)left) < 0 && errno != EINTR)
		return false;
	if ((pending || p[0].revents != 0) && !from_client(r))
		return false;
	if (p[1].revents != 0 && !to_client(r))
		return false;
	if (r->in.pos < r->in.len && !to_clear(r))
		return false;
	if (p[2].revents != 0 && read_out && !from_clear(r))
		return false;
	/* Mostly there is room, and no need to ask. */
	return r->out.pos == r->out.len || p[1].revents != 0 || to_client(r);
}

void
relay_run(struct tlsd *t)
{
	struct relay *r = &relay;
	int64_t end = 0;
	int rc;

	r->s = t->session;
	/* When our side has closed, what the client may still say has nobody
	 * to listen to it. */
	while (!is_over(&r->out)) {
		if (r->out.ended && end == 0)
			end = now_ms() + LINGER * 1000;
		if (!step(r, end))
			return;
	}
	end = now_ms() + LINGER * 1000;
	do {
		rc = gnutls_bye(r->s, GNUTLS_SHUT_WR);
	} while ((rc == GNUTLS_E_AGAIN || rc == GNUTLS_E_INTERRUPTED) &&
	    wait_net(r->s, end));
}
