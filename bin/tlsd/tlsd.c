/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tlsd: TLS on one side, clear text on the other; one connection.
 *
 * Started by smtpd or pop3d, or the monitor of these, on STARTTLS or STLS:
 * descriptors 0 and 1 are the connection, 3 is a socket on which it says
 * what became of the handshake (sys/tls.h), and then what the client says.
 * Started as root it reads certificates, keys and the ticket key, and becomes
 * tlsd_owner for good before the first octet from the network is read.  The
 * only program that links GnuTLS, and the only one that sees the keys.  It
 * knows no protocol but TLS.  Exit codes: sysexits.
 *
 * tlsd.c	starting, the records
 * certs.c	certificates and keys
 * ticket.c	the key for session tickets
 * relay.c	the handshake, and copying
 */
#include "tlsd.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

#include "sys/fsop.h"
#include "sys/log.h"
#include "sys/priv.h"
#include "sys/sandbox.h"

/* What is older, or known to be weak, is left out of the system's own
 * choice; RFC 8314, 8996, 9325. */
static const char priorities[] = "-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:"
    "-RSA:-AES-256-CBC:-AES-128-CBC:-CAMELLIA-256-CBC:-CAMELLIA-128-CBC:"
    "-3DES-CBC:-SHA1:-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1:-SIGN-DSA-SHA1:"
    "%SERVER_PRECEDENCE";
static const char plain_priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:"
    "+VERS-TLS1.2:%SERVER_PRECEDENCE";

static struct tlsd tlsd;

static void
tell(struct tlsd *t, enum tls_status status)
{
	struct tls_record r;

	tls_record_init(&r, status);
	(void)snprintf(r.error, sizeof(r.error), "%s", t->error);
	(void)fsop_write(FD_CLEAR, &r, sizeof(r));
}

/* ---- before the rights go ---- */

static bool
load(struct tlsd *t)
{
	struct why why;

	if (conf_load_with(&t->conf, t->dir, &t->options, &why) != 0) {
		(void)snprintf(t->error, sizeof(t->error), "%.150s", why.text);
		return false;
	}
	if (geteuid() != 0) {
		t->owner.uid = geteuid();
		t->owner.gid = getegid();
	} else if (users_system(conf_get(&t->conf, CONF_TLSD_OWNER),
	    &t->owner) != USERS_HIT || t->owner.uid == 0) {
		(void)snprintf(t->error, sizeof(t->error), "tlsd_owner: no "
		    "unprivileged account %.60s in /etc/passwd",
		    conf_get(&t->conf, CONF_TLSD_OWNER));
		return false;
	}
	ticket_read(t);
	return certs_read(t);
}

/* A socket or not: tests and "swaks --pipe" come through pipes. */
static ssize_t
pull(gnutls_transport_ptr_t ptr, void *buf, size_t len)
{
	(void)ptr;
	return read(FD_IN, buf, len);
}

static ssize_t
push(gnutls_transport_ptr_t ptr, const giovec_t *iov, int n)
{
	(void)ptr;
	return writev(FD_OUT, iov, n);
}

static int
ready(gnutls_transport_ptr_t ptr, unsigned ms)
{
	(void)ptr;
	(void)ms;
	return 1;		/* it would only tell us EAGAIN */
}

/* It reads a file of the system's, so it is done early. */
static bool
prepare(struct tlsd *t)
{
	unsigned flags = GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL;
	gnutls_session_t s;
	int rc;

	if (!certs_prepare(t))
		return false;
	rc = gnutls_init(&s, t->ticket_key.size > 0 ? flags :
	    flags | GNUTLS_NO_TICKETS);
	if (rc == 0) {
		rc = gnutls_set_default_priority_append(s, priorities, NULL, 0);
		/* Where the system's policy is a list of what is allowed. */
		if (rc != 0)
			rc = gnutls_priority_set_direct(s, plain_priorities,
			    NULL);
	}
	if (rc == 0)
		rc = gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE,
		    t->credentials);
	if (rc == 0 && t->ticket_key.size > 0)
		rc = gnutls_session_ticket_enable_server(s, &t->ticket_key);
	if (rc != 0) {
		(void)snprintf(t->error, sizeof(t->error), "GnuTLS: %s",
		    gnutls_strerror(rc));
		return false;
	}
	gnutls_memset(t->ticket_key.data, 0, t->ticket_key.size);
	gnutls_certificate_server_set_request(s, GNUTLS_CERT_IGNORE);
	gnutls_session_set_ptr(s, t);
	gnutls_transport_set_vec_push_function(s, push);
	gnutls_transport_set_pull_function(s, pull);
	gnutls_transport_set_pull_timeout_function(s, ready);
	t->session = s;
	return true;
}

static bool
drop(struct tlsd *t)
{
	if (priv_drop(t->owner.uid, t->owner.gid, (gid_t)-1) != 0) {
		(void)snprintf(t->error, sizeof(t->error),
		    "cannot become %.60s: %s", t->owner.name, strerror(errno));
		return false;
	}
	/* A key is in here: other processes of the same account cannot look,
	 * nor does it get into a core dump. */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	sandbox_enter(-1);
	return true;
}

/* ---- after it ---- */

static void
put(char *to, size_t size, const char *s)
{
	(void)snprintf(to, size, "%s", s != NULL ? s : "");
}

static uint32_t
binding(gnutls_session_t s, gnutls_channel_binding_t kind,
    uint8_t to[static TLS_BINDING])
{
	gnutls_datum_t d = { NULL, 0 };
	uint32_t n = 0;

	if (gnutls_session_channel_binding(s, kind, &d) == 0 &&
	    d.size <= TLS_BINDING) {
		memcpy(to, d.data, d.size);
		n = d.size;
	}
	gnutls_free(d.data);
	return n;
}

static void
put_name(gnutls_session_t s, struct tls_record *r)
{
	size_t len = sizeof(r->name);
	unsigned kind;

	if (gnutls_server_name_get(s, r->name, &len, &kind, 0) != 0)
		r->name[0] = '\0';
	log_clean(r->name);
}

static void
tell_facts(struct tlsd *t)
{
	gnutls_session_t s = t->session;
	gnutls_protocol_t version = gnutls_protocol_get_version(s);
	int sign = gnutls_sign_algorithm_get(s);
	struct tls_record r;

	tls_record_init(&r, TLS_OPEN);
	put(r.protocol, sizeof(r.protocol),
	    version == GNUTLS_TLS1_3 ? "TLSv1.3" : "TLSv1.2");
	put(r.cipher, sizeof(r.cipher), gnutls_ciphersuite_get(s));
	put(r.group, sizeof(r.group),
	    gnutls_group_get_name(gnutls_group_get(s)));
	r.bits = (int32_t)(8 * gnutls_cipher_get_key_size(
	    gnutls_cipher_get(s)));
	r.resumed = gnutls_session_is_resumed(s);
	if (sign != 0 && r.resumed == 0)
		put(r.signature, sizeof(r.signature), gnutls_sign_get_name(
		    (gnutls_sign_algorithm_t)sign));
	put_name(s, &r);
	r.exporter_len = binding(s, GNUTLS_CB_TLS_EXPORTER, r.exporter);
	r.unique_len = binding(s, GNUTLS_CB_TLS_UNIQUE, r.unique);
	(void)fsop_write(FD_CLEAR, &r, sizeof(r));
}

static int
serve(struct tlsd *t)
{
	int seconds = (int)conf_number(&t->conf, CONF_SMTPD_STARTTLS_TIMEOUT);
	int i;

	if (!drop(t)) {
		tell(t, TLS_BROKEN);
		return EX_NOPERM;
	}
	for (i = FD_IN; i <= FD_OUT; i++)
		(void)fcntl(i, F_SETFL, fcntl(i, F_GETFL) | O_NONBLOCK);
	tell(t, TLS_READY);
	if (!relay_handshake(t, seconds)) {
		tell(t, TLS_FAILED);
		return EX_PROTOCOL;
	}
	tell_facts(t);
	relay_run(t);
	return EX_OK;
}

static void
usage(FILE *to)
{
	(void)fprintf(to, "usage: tlsd [-c config_directory] "
	    "[-o name=value]...\nTLS on descriptors 0 and 1, clear text on "
	    "descriptor 3.  Started by smtpd\nand pop3d; see tlsd(8).\n");
}

int
main(int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	struct tlsd *t = &tlsd;
	int opt;

	while ((opt = getopt_long(argc, argv, "c:o:", longopts, NULL)) != -1)
		switch (opt) {
		case 'c':
			t->dir = optarg;
			break;
		case 'o':
			if (conf_option(&t->options, optarg))
				break;
			usage(stderr);
			return EX_USAGE;
		case 'h':
			usage(stdout);
			return EX_OK;
		default:
			usage(stderr);
			return EX_USAGE;
		}
	if (fcntl(FD_CLEAR, F_GETFD) < 0) {
		usage(stderr);
		return EX_USAGE;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	if (!load(t) || !prepare(t)) {
		tell(t, TLS_BROKEN);
		return EX_CONFIG;
	}
	return serve(t);
}
