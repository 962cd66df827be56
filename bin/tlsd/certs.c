/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Certificates and keys.  The files are read for each connection, so that a
 * renewed certificate is served at once; parsing them costs more than all
 * else in a resumed handshake, which does not need them, so that waits until
 * GnuTLS asks.
 */
#include "tlsd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/fsop.h"

enum { MAX_FILE = 1 << 18 };

/* ---- reading, as root ---- */

static bool
fail(struct tlsd *t, const char *path, const char *what)
{
	(void)snprintf(t->error, sizeof(t->error), "%.110s: %s", path, what);
	return false;
}

/* Links are followed: they are how certificates are renewed. */
static bool
read_pem(struct tlsd *t, const char *path, gnutls_datum_t *d)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return fail(t, path, strerror(errno));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    st.st_size > MAX_FILE) {
		(void)close(fd);
		return fail(t, path, "not a file of PEM text");
	}
	d->data = malloc((size_t)st.st_size + 1);
	n = d->data == NULL ? -1 :
	    fsop_pread(fd, d->data, (size_t)st.st_size, 0);
	(void)close(fd);
	if (n < 0)
		return fail(t, path, strerror(errno));
	d->data[n] = '\0';
	d->size = (unsigned)n;
	if (memmem(d->data, d->size, "-----BEGIN ", 11) == NULL)
		return fail(t, path, "not a file of PEM text");
	return true;
}

static bool
add(struct tlsd *t, const char *cert, const char *key)
{
	struct pair *p = &t->pairs.pair[t->pairs.n];

	if (t->pairs.n == MAX_PAIRS)
		return fail(t, cert, "more than four certificates");
	if (strlen(cert) >= sizeof(p->cert_file) ||
	    strlen(key) >= sizeof(p->key_file))
		return fail(t, cert, strerror(ENAMETOOLONG));
	memset(p, 0, sizeof(*p));
	(void)snprintf(p->cert_file, sizeof(p->cert_file), "%s", cert);
	(void)snprintf(p->key_file, sizeof(p->key_file), "%s", key);
	if (!read_pem(t, cert, &p->cert_text) ||
	    !read_pem(t, key, &p->key_text))
		return false;
	t->pairs.n++;
	return true;
}

static bool
add_named(struct tlsd *t, enum conf_id cert, enum conf_id key)
{
	const char *path = conf_get(&t->conf, cert);

	return path[0] == '\0' || strcmp(path, "none") == 0 ||
	    add(t, path, conf_get(&t->conf, key));
}

/* A list of files that hold key and chain. */
static bool
add_list(struct tlsd *t, const char *list)
{
	char path[LIMIT_PATH];
	size_t n;

	for (;; list += n) {
		list += strspn(list, ", \t");
		n = strcspn(list, ", \t");
		if (n == 0)
			return true;
		if (n >= sizeof(path))
			return fail(t, list, strerror(ENAMETOOLONG));
		memcpy(path, list, n);
		path[n] = '\0';
		if (!add(t, path, path))
			return false;
	}
}

bool
certs_read(struct tlsd *t)
{
	const char *list = conf_get(&t->conf, CONF_SMTPD_TLS_CHAIN_FILES);

	t->pairs.n = 0;
	/* As with Postfix, the list holds instead of the others. */
	if (list[0] != '\0' ? !add_list(t, list) :
	    !add_named(t, CONF_SMTPD_TLS_ECCERT_FILE,
	    CONF_SMTPD_TLS_ECKEY_FILE) || !add_named(t,
	    CONF_SMTPD_TLS_CERT_FILE, CONF_SMTPD_TLS_KEY_FILE))
		return false;
	return t->pairs.n > 0 || fail(t, "smtpd_tls_cert_file", "not set");
}

/* ---- parsing, in the handshake ---- */

static bool
gnutls_fail(struct tlsd *t, const char *path, int rc)
{
	return fail(t, path, gnutls_strerror(rc));
}

/* Do key and certificate belong together?  Else each client would find out
 * by itself, and say something else. */
static bool
match(struct pair *p)
{
	unsigned char a[32], b[32];
	size_t na = sizeof(a), nb = sizeof(b);
	gnutls_pubkey_t pub;
	bool same;

	if (gnutls_pubkey_init(&pub) != 0)
		return false;
	same = gnutls_pubkey_import_privkey(pub, p->key, 0, 0) == 0 &&
	    gnutls_pubkey_get_key_id(pub, GNUTLS_KEYID_USE_SHA256, a,
	    &na) == 0 && gnutls_pubkey_get_key_id(p->chain[0].pubkey,
	    GNUTLS_KEYID_USE_SHA256, b, &nb) == 0 && na == nb &&
	    memcmp(a, b, na) == 0;
	gnutls_pubkey_deinit(pub);
	return same;
}

static bool
parse(struct tlsd *t, struct pair *p)
{
	gnutls_x509_crt_t *crt = NULL;
	unsigned ncrt = 0, n, i;
	int rc;

	if (p->nchain > 0)
		return true;
	rc = gnutls_x509_crt_list_import2(&crt, &ncrt, &p->cert_text,
	    GNUTLS_X509_FMT_PEM, 0);
	if (rc < 0)
		return gnutls_fail(t, p->cert_file, rc);
	n = ncrt < MAX_CHAIN ? ncrt : MAX_CHAIN;
	rc = gnutls_pcert_import_x509_list(p->chain, crt, &n, 0);
	for (i = 0; i < ncrt; i++)
		gnutls_x509_crt_deinit(crt[i]);
	gnutls_free(crt);
	if (rc != 0)
		return gnutls_fail(t, p->cert_file, rc);
	rc = gnutls_privkey_init(&p->key);
	if (rc == 0)
		rc = gnutls_privkey_import_x509_raw(p->key, &p->key_text,
		    GNUTLS_X509_FMT_PEM, NULL, 0);
	gnutls_memset(p->key_text.data, 0, p->key_text.size);
	if (rc != 0)
		return gnutls_fail(t, p->key_file, rc);
	if (!match(p))
		return fail(t, p->key_file, "not the key of the certificate");
	p->nchain = n;
	return true;
}

/* Can the client verify this kind of signature? */
static bool
client_knows(gnutls_session_t session, gnutls_pk_algorithm_t kind)
{
	gnutls_sign_algorithm_t sign;
	unsigned pk;
	size_t i;

	for (i = 0; gnutls_sign_algorithm_get_requested(session, i,
	    &sign) == 0; i++) {
		pk = gnutls_sign_get_pk_algorithm(sign);
		if (pk == (unsigned)kind || (kind == GNUTLS_PK_RSA &&
		    pk == GNUTLS_PK_RSA_PSS))
			return true;
	}
	return i == 0;		/* it did not say: whatever we have */
}

/* The first that the client can use; else the first. */
static struct pair *
choose(struct tlsd *t, gnutls_session_t session)
{
	struct pairs *set = &t->pairs;
	unsigned bits;
	size_t i;

	if (t->error[0] != '\0')
		return NULL;	/* asked again: the first reason counts */
	for (i = 0; i < set->n; i++) {
		if (!parse(t, &set->pair[i]))
			return NULL;
		if (i + 1 == set->n || client_knows(session,
		    (gnutls_pk_algorithm_t)gnutls_privkey_get_pk_algorithm(
		    set->pair[i].key, &bits)))
			return &set->pair[i];
	}
	return NULL;
}

static int
retrieve(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
    gnutls_pcert_st **chain, unsigned *nchain, gnutls_ocsp_data_st **ocsp,
    unsigned *nocsp, gnutls_privkey_t *key, unsigned *flags)
{
	struct pair *p = choose(gnutls_session_get_ptr(session), session);

	(void)info;
	if (p == NULL)
		return -1;
	*chain = p->chain;
	*nchain = p->nchain;
	*ocsp = NULL;
	*nocsp = 0;
	*key = p->key;
	*flags = 0;		/* they stay ours */
	return 0;
}

bool
certs_prepare(struct tlsd *t)
{
	int rc = gnutls_certificate_allocate_credentials(&t->credentials);

	if (rc != 0)
		return gnutls_fail(t, "credentials", rc);
	gnutls_certificate_set_retrieve_function3(t->credentials, retrieve);
	return true;
}
