/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a name and a password to an account, or to a refusal. */
#include "pop3d.h"

#include <stdio.h>
#include <string.h>

#include "store/login.h"
#include "sys/log.h"

static enum monitor_answer
ask(struct pop3 *p, const char *key, const char *password)
{
	static struct monitor_request r;
	enum monitor_answer answer;

	if (!p->monitored)
		return login_verify(&p->conf, "pop3d", key, password,
		    &p->account);
	/* The monitor will speak next, so nothing of ours may be unsent,
	 * and what the client has sent already is for it. */
	if (bio_flush(&p->bio) != 0)
		return MONITOR_LATER;
	r.kind = MONITOR_PASSWORD;
	(void)snprintf(r.user, sizeof(r.user), "%s", key);
	(void)snprintf(r.password, sizeof(r.password), "%s", password);
	answer = monitor_ask(&p->monitor, &r, p->bio.in + p->bio.pos,
	    p->bio.len - p->bio.pos);
	explicit_bzero(&r, sizeof(r));
	return answer;
}

static enum session_step
refused(struct pop3 *p, const char *user)
{
	char name[LIMIT_USER + 1];

	login_clean(user, name);
	log_line("pop3d", "LOGIN FAILED, user=%s, ip=[%s]", name, p->peer.addr);
	(void)pop3_err(p, "[AUTH] Bad login");
	return ++p->tries >= LIMIT_LOGIN_TRIES ? SESSION_ABORT :
	    SESSION_REFUSED;
}

enum session_step
pop3_login(struct pop3 *p, const char *user, char *password)
{
	enum monitor_answer answer = MONITOR_NO;
	char key[LIMIT_USER + 1];
	size_t len = strlen(password);

	if (len > 0 && len <= LIMIT_PASSWORD && login_key(&p->conf, user, key))
		answer = ask(p, key, password);
	explicit_bzero(password, len);
	switch (answer) {
	case MONITOR_YES:
		p->logged_in = true;
		return SESSION_END;
	case MONITOR_NO:
		return refused(p, user);
	case MONITOR_LATER:
		break;
	}
	(void)pop3_err(p, "[SYS/TEMP] Cannot check passwords now");
	return ++p->tries >= LIMIT_LOGIN_TRIES ? SESSION_ABORT :
	    SESSION_REFUSED;
}
