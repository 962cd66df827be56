/* SPDX-License-Identifier: GPL-3.0-or-later */
/* AUTH, RFC 5034: one function per mechanism in a table. */
#include "pop3d.h"

#include <string.h>
#include <strings.h>

#include "pure/base64.h"
#include "pure/sasl.h"
#include "pure/str.h"

enum got {
	GOT,
	CANCELLED,		/* "*" */
	MALFORMED,
	GONE			/* the line after will say how */
};

/* The client's next message, decoded, to out: the initial response if there
 * is one, else a line that answers the challenge. */
static enum got
get(struct pop3 *p, const char *initial, const char *challenge,
    struct str *out)
{
	enum bio_line line = BIO_LINE;
	char *s = NULL;
	size_t len = 0;
	bool crlf;
	int bad;

	if (initial != NULL)
		return strcmp(initial, "=") == 0 || base64_decode(out, initial,
		    strlen(initial)) == 0 ? GOT : MALFORMED;
	bio_printf(&p->bio, "+ %s\r\n", challenge);
	line = bio_getline(&p->bio, &s, &len, &crlf);
	if (line == BIO_LONG)
		return MALFORMED;
	if (line != BIO_LINE)
		return GONE;
	if (strcmp(s, "*") == 0)
		return CANCELLED;
	bad = base64_decode(out, s, len);
	explicit_bzero(s, len);
	return bad != 0 || out->bad ? MALFORMED : GOT;
}

static enum session_step
refuse(struct pop3 *p, enum got got)
{
	if (got == GONE)
		return SESSION_OK;	/* the next read finds it again */
	return pop3_err(p, got == CANCELLED ? "AUTH cancelled" :
	    "AUTH: not valid base64 of this mechanism");
}

/* The end of an AUTH, and of what it has decoded. */
static void
wipe(struct str *s)
{
	if (s->cap > 0)
		explicit_bzero(s->s, s->cap);
	str_free(s);
}

static enum session_step
auth_plain(struct pop3 *p, const char *initial)
{
	enum session_step step;
	struct sasl_login login;
	struct str msg;
	enum got got;

	str_init(&msg);
	got = get(p, initial, "", &msg);
	if (got == GOT && !sasl_plain(msg.s, msg.len, &login))
		got = MALFORMED;
	step = got != GOT ? refuse(p, got) :
	    pop3_login(p, login.user, (char *)(uintptr_t)login.password);
	wipe(&msg);
	return step;
}

/* As recorded from Mozilla: two questions, no third; a NUL would cut the
 * answer short for those after us. */
static enum session_step
auth_login(struct pop3 *p, const char *initial)
{
	enum session_step step;
	struct str user, password;
	enum got got;

	str_init(&user);
	str_init(&password);
	got = get(p, initial, "VXNlcm5hbWU6", &user);
	if (got == GOT)
		got = get(p, NULL, "UGFzc3dvcmQ6", &password);
	if (got == GOT && (memchr(user.s, '\0', user.len) != NULL ||
	    memchr(password.s, '\0', password.len) != NULL))
		got = MALFORMED;
	step = got != GOT ? refuse(p, got) :
	    pop3_login(p, user.s, password.s);
	wipe(&user);
	wipe(&password);
	return step;
}

static const struct {
	const char *name;
	enum session_step (*run)(struct pop3 *, const char *initial);
} mechanism[] = {
	{ "PLAIN", auth_plain },
	{ "LOGIN", auth_login },
};
enum { NMECHANISM = sizeof(mechanism) / sizeof(mechanism[0]) };

static enum session_step
list_mechanisms(struct pop3 *p)
{
	size_t i;

	(void)pop3_ok(p, "Supported authentication mechanisms:");
	for (i = 0; i < NMECHANISM; i++)
		bio_printf(&p->bio, "%s\r\n", mechanism[i].name);
	bio_puts(&p->bio, ".\r\n");
	return SESSION_OK;
}

enum session_step
pop3_auth(void *ctx, char *arg)
{
	enum session_step step;
	struct pop3 *p = ctx;
	char *initial, *end = arg + strlen(arg);
	size_t i;

	while (end > arg && end[-1] == ' ')
		*--end = '\0';
	if (!p->passwords) {
		explicit_bzero(arg, (size_t)(end - arg));
		return pop3_needs_tls(p);
	}
	if (*arg == '\0')
		return list_mechanisms(p);
	initial = strchr(arg, ' ');
	if (initial != NULL)
		*initial++ = '\0';
	for (i = 0; i < NMECHANISM; i++)
		if (strcasecmp(mechanism[i].name, arg) == 0)
			break;
	step = i < NMECHANISM ? mechanism[i].run(p, initial) :
	    pop3_err(p, "Unknown authentication mechanism");
	explicit_bzero(arg, (size_t)(end - arg));
	return step;
}
