/* SPDX-License-Identifier: GPL-3.0-or-later */
/* AUTH, RFC 4954: one function per mechanism in a table. */
#include "smtpd.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "pure/base64.h"
#include "pure/list.h"
#include "pure/sasl.h"
#include "store/login.h"
#include "sys/log.h"

enum got {
	GOT,
	CANCELLED,		/* "*" */
	MALFORMED,
	GONE			/* the line after will say how */
};

/* The client's next message, decoded, to out: the initial response if there
 * is one, else a line that answers the challenge. */
static enum got
get(struct smtpd *s, const char *initial, const char *challenge,
    struct str *out)
{
	enum bio_line line;
	char *p = NULL;
	size_t len = 0;
	bool crlf;
	int bad;

	if (initial != NULL)
		return strcmp(initial, "=") == 0 || base64_decode(out, initial,
		    strlen(initial)) == 0 ? GOT : MALFORMED;
	smtpd_reply(s, "334 %s", challenge);
	line = bio_getline(&s->bio, &p, &len, &crlf);
	if (line == BIO_LONG)
		return MALFORMED;
	if (line != BIO_LINE)
		return GONE;
	if (strcmp(p, "*") == 0)
		return CANCELLED;
	bad = base64_decode(out, p, len);
	explicit_bzero(p, len);
	return bad != 0 || out->bad ? MALFORMED : GOT;
}

static enum session_step
refuse(struct smtpd *s, enum got got)
{
	if (got == GONE)
		return SESSION_OK;	/* the next read finds it again */
	return got == CANCELLED ?
	    smtpd_refuse(s, "501 5.7.0 Authentication aborted") :
	    smtpd_refuse(s, "501 5.5.2 Error: not valid base64 of this "
	    "mechanism");
}

/* The end of an AUTH, and of what it has decoded. */
static void
wipe(struct str *s)
{
	if (s->cap > 0)
		explicit_bzero(s->s, s->cap);
	str_free(s);
}

/* ---- the answer ---- */

static enum monitor_answer
ask(struct smtpd *s, const char *key, const char *password)
{
	static struct monitor_request r;
	enum monitor_answer answer;

	r.kind = MONITOR_PASSWORD;
	(void)snprintf(r.user, sizeof(r.user), "%s", key);
	(void)snprintf(r.password, sizeof(r.password), "%s", password);
	answer = monitor_ask(&s->monitor, &r, NULL, 0);
	explicit_bzero(&r, sizeof(r));
	return answer;
}

/* In the words that fail2ban's filters for Postfix look for. */
static enum session_step
failed(struct smtpd *s, const char *method, const char *user)
{
	enum session_step step;
	char name[LIMIT_USER + 1];

	login_clean(user, name);
	log_warning("smtpd", "%s[%s]: SASL %s authentication failed: "
	    "authentication failure, sasl_username=%s", s->peer.name,
	    s->peer.addr, method, name);
	step = smtpd_refuse(s, "535 5.7.8 Error: authentication failed: "
	    "authentication failure");
	return ++s->login_tries >= LIMIT_LOGIN_TRIES ? SESSION_ABORT : step;
}

static enum session_step
login(struct smtpd *s, const char *method, const char *user,
    const char *password)
{
	enum monitor_answer answer = MONITOR_NO;
	char key[LIMIT_USER + 1];
	size_t len = strlen(password);

	if (len > 0 && len <= LIMIT_PASSWORD &&
	    login_key(&s->conf, user, key))
		answer = ask(s, key, password);
	if (answer == MONITOR_NO)
		return failed(s, method, user);
	if (answer != MONITOR_YES) {
		s->login_tries++;
		return smtpd_refuse(s,
		    "454 4.7.0 Temporary authentication failure");
	}
	(void)snprintf(s->login, sizeof(s->login), "%s", key);
	s->login_method = method;
	s->trusted = true;
	smtpd_reply(s, "235 2.7.0 Authentication successful");
	return SESSION_OK;
}

/* ---- the mechanisms ---- */

static enum session_step
auth_plain(struct smtpd *s, const char *initial)
{
	enum session_step step;
	struct sasl_login l;
	struct str msg;
	enum got got;

	str_init(&msg);
	got = get(s, initial, "", &msg);
	if (got == GOT && !sasl_plain(msg.s, msg.len, &l))
		got = MALFORMED;
	step = got != GOT ? refuse(s, got) :
	    login(s, "PLAIN", l.user, l.password);
	wipe(&msg);
	return step;
}

/* No RFC; two questions, and a NUL would cut an answer short. */
static enum session_step
auth_login(struct smtpd *s, const char *initial)
{
	enum session_step step;
	struct str user, password;
	enum got got;

	str_init(&user);
	str_init(&password);
	got = get(s, initial, "VXNlcm5hbWU6", &user);
	if (got == GOT)
		got = get(s, NULL, "UGFzc3dvcmQ6", &password);
	if (got == GOT && (memchr(user.s, '\0', user.len) != NULL ||
	    memchr(password.s, '\0', password.len) != NULL))
		got = MALFORMED;
	step = got != GOT ? refuse(s, got) :
	    login(s, "LOGIN", user.s, password.s);
	wipe(&user);
	wipe(&password);
	return step;
}

static const struct {
	const char *name;
	enum session_step (*run)(struct smtpd *, const char *initial);
} mechanism[] = {
	{ "PLAIN", auth_plain },
	{ "LOGIN", auth_login },
};
enum { NMECHANISM = sizeof(mechanism) / sizeof(mechanism[0]) };

/* ---- the command ---- */

bool
smtpd_may_auth(const struct smtpd *s)
{
	return s->auth_enabled && (s->tls.active ||
	    conf_number(&s->conf, CONF_SMTPD_TLS_AUTH_ONLY) == 0);
}

void
smtpd_offer_auth(struct smtpd *s)
{
	if (!smtpd_may_auth(s))
		return;
	smtpd_reply(s, "250-AUTH PLAIN LOGIN");
	if (conf_number(&s->conf, CONF_BROKEN_SASL_AUTH_CLIENTS) != 0)
		smtpd_reply(s, "250-AUTH=PLAIN LOGIN");
}

static enum session_step
choose(struct smtpd *s, char *arg)
{
	char *initial = strchr(arg, ' ');
	size_t i;

	if (*arg == '\0')
		return smtpd_refuse(s, "501 5.5.4 Syntax: AUTH mechanism");
	if (initial != NULL)
		*initial++ = '\0';
	for (i = 0; i < NMECHANISM; i++)
		if (strcasecmp(mechanism[i].name, arg) == 0)
			return mechanism[i].run(s, initial);
	return smtpd_refuse(s, "504 5.5.4 Error: unrecognized authentication "
	    "type");
}

enum session_step
smtpd_auth(void *ctx, char *arg)
{
	enum session_step step;
	struct smtpd *s = ctx;
	size_t len = strlen(arg);

	if (!s->auth_enabled)
		step = smtpd_refuse(s, "503 5.5.1 Error: authentication not "
		    "enabled");
	else if (!smtpd_may_auth(s))
		step = smtpd_refuse(s, "538 5.7.11 Encryption required for "
		    "requested authentication mechanism");
	else if (s->in_mail)
		step = smtpd_refuse(s, "503 5.5.1 Error: MAIL transaction in "
		    "progress");
	else if (s->login[0] != '\0')
		step = smtpd_refuse(s, "503 5.5.1 Error: already "
		    "authenticated");
	else
		step = choose(s, arg);
	/* Whatever it was, it may have held a password. */
	explicit_bzero(arg, len);
	return step;
}

static bool
is_in_list(const char *list, const char *word)
{
	size_t len, n = strlen(word);
	const char *p;

	while ((p = list_next(&list, &len)) != NULL)
		if (len == n && strncasecmp(p, word, n) == 0)
			return true;
	return false;
}

/* May this login send with this address? */
bool
smtpd_owns_sender(struct smtpd *s, const struct addr *a, struct why *why)
{
	struct map_list *owners = &s->tables.sender_login;
	enum map_answer answer;
	struct mapkey keys;
	struct addr full = *a;
	struct str value;
	bool owns;

	if (owners->n == 0 || s->login[0] == '\0' || a->len == 0)
		return true;
	str_init(&value);
	(void)rewrite_complete(&s->tables.rewrite, &full);
	mapkey_address(&keys, full.text, conf_get(&s->conf,
	    CONF_RECIPIENT_DELIMITER), domains_is_local(&s->tables.domains,
	    addr_domain(&full)));
	answer = map_list_find_keys(owners, &keys, &value, why);
	owns = answer == MAP_HIT && is_in_list(value.s, s->login);
	str_free(&value);
	if (answer == MAP_LATER) {
		log_warning("smtpd", "%s", why->text);
		(void)why_set(why, VERDICT_LATER, "4.3.0",
		    "Temporary lookup failure");
	} else if (!owns)
		(void)why_set(why, VERDICT_NEVER, "5.7.1", "Sender address "
		    "rejected: not owned by user %s", s->login);
	return owns;
}
