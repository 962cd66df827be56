/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a name and a password to an account, or to a refusal. */
#include "pop3d.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pure/list.h"
#include "sys/log.h"
#include "sys/password.h"

/* The account that a name given by a client means: in lower case, and
 * without a domain if that is one of ours.  False: it can be none. */
static bool
account_key(struct pop3 *p, const char *given, char key[static LIMIT_USER + 1])
{
	const char *at = strrchr(given, '@');
	size_t len = strlen(given), i;

	if (at != NULL && list_has_domain(conf_get(&p->conf,
	    CONF_MYDESTINATION), at + 1))
		len = (size_t)(at - given);
	if (len == 0 || len > LIMIT_USER)
		return false;
	for (i = 0; i < len; i++) {
		if (given[i] <= ' ' || given[i] > '~' || given[i] == '/' ||
		    given[i] == ':')
			return false;
		key[i] = given[i] >= 'A' && given[i] <= 'Z' ?
		    (char)(given[i] - 'A' + 'a') : given[i];
	}
	key[len] = '\0';
	return true;
}

/* For the log, where readers look for commas and brackets: a name may not
 * pretend to be the rest of the line. */
static void
clean_name(const char *given, char out[static LIMIT_USER + 1])
{
	static const char ok[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_+@";
	size_t i;

	for (i = 0; given[i] != '\0' && i < LIMIT_USER; i++)
		out[i] = strchr(ok, given[i]) != NULL ? given[i] : '?';
	out[i] = '\0';
}

enum monitor_answer
pop3_verify(struct pop3 *p, const char *user, const char *password)
{
	char program[LIMIT_PATH + 16];
	char *argv[] = { program, (char *)(uintptr_t)"-c", p->conf.dir, NULL };
	enum users_answer found;
	int fd;

	(void)snprintf(program, sizeof(program), "%s/checkpw",
	    conf_get(&p->conf, CONF_DAEMON_DIRECTORY));
	switch (password_check(-1, argv, user, password)) {
	case PASSWORD_RIGHT:
		break;
	case PASSWORD_REFUSED:
		return MONITOR_NO;
	case PASSWORD_LATER:
		log_warning("pop3d", "cannot check passwords with %s", program);
		return MONITOR_LATER;
	}
	fd = users_open(conf_get(&p->conf, CONF_PASSWD_FILE));
	found = users_find(fd, user, &p->account);
	if (fd >= 0)
		(void)close(fd);
	explicit_bzero(p->account.password, sizeof(p->account.password));
	if (found != USERS_HIT)
		return MONITOR_LATER;
	/* Never a session with all rights. */
	return p->account.uid == 0 && geteuid() == 0 ? MONITOR_NO :
	    MONITOR_YES;
}

static enum monitor_answer
ask(struct pop3 *p, const char *key, const char *password)
{
	static struct monitor_request r;
	enum monitor_answer answer;

	if (!p->monitored)
		return pop3_verify(p, key, password);
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

	clean_name(user, name);
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

	if (len > 0 && len <= LIMIT_PASSWORD && account_key(p, user, key))
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
