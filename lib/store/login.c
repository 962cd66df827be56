/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/login.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pure/list.h"
#include "sys/log.h"
#include "sys/password.h"

bool
login_key(const struct conf *c, const char *given,
    char key[static LIMIT_USER + 1])
{
	const char *at = strrchr(given, '@');
	size_t len = strlen(given), i;

	if (at != NULL && list_has_domain(conf_get(c, CONF_MYDESTINATION),
	    at + 1))
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

void
login_clean(const char *given, char out[static LIMIT_USER + 1])
{
	static const char ok[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_+@";
	size_t i;

	for (i = 0; given[i] != '\0' && i < LIMIT_USER; i++)
		out[i] = strchr(ok, given[i]) != NULL ? given[i] : '?';
	out[i] = '\0';
}

enum monitor_answer
login_verify(const struct conf *c, const char *role, const char *user,
    const char *password, struct user *account)
{
	char program[LIMIT_PATH + 16];
	char *argv[] = { program, (char *)(uintptr_t)"-c",
	    (char *)(uintptr_t)c->dir, NULL };
	enum users_answer found;
	int fd;

	(void)snprintf(program, sizeof(program), "%s/checkpw",
	    conf_get(c, CONF_DAEMON_DIRECTORY));
	switch (password_check(-1, argv, user, password)) {
	case PASSWORD_RIGHT:
		break;
	case PASSWORD_REFUSED:
		return MONITOR_NO;
	case PASSWORD_LATER:
		log_warning(role, "cannot check passwords with %s", program);
		return MONITOR_LATER;
	}
	fd = users_open(conf_get(c, CONF_PASSWD_FILE));
	found = users_find(fd, user, account);
	if (fd >= 0)
		(void)close(fd);
	explicit_bzero(account->password, sizeof(account->password));
	if (found != USERS_HIT)
		return MONITOR_LATER;
	/* Never a session with all rights. */
	return account->uid == 0 && geteuid() == 0 ? MONITOR_NO :
	    MONITOR_YES;
}

