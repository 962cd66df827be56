/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sys/password.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "pure/limits.h"
#include "sys/fsop.h"
#include "sys/spawn.h"

/* The pipe holds all of it, so nobody waits for anybody here. */
static int
tell(int fd, const char *user, const char *password)
{
	char text[LIMIT_USER + LIMIT_PASSWORD + 8];
	size_t n = strlen(user) + 1, m = strlen(password) + 1;
	int result;

	if (n > LIMIT_USER + 1 || m > LIMIT_PASSWORD + 1)
		return -1;
	memcpy(text, user, n);
	memcpy(text + n, password, m);
	memcpy(text + n + m, "0", 2);
	result = fsop_write(fd, text, n + m + 2);
	explicit_bzero(text, sizeof(text));
	return result;
}

enum password_answer
password_check(int fd_program, char *const argv[], const char *user,
    const char *password)
{
	struct spawn s = {
		.fd_program = fd_program,
		.argv = argv,
		.fd = { -1, -1, -1, -1 },
		.fd_cwd = -1,
		.uid = (uid_t)-1,
		.extra = (gid_t)-1
	};
	int p[2], told, code;
	pid_t pid;

	if (pipe2(p, O_CLOEXEC) != 0)
		return PASSWORD_LATER;
	told = tell(p[1], user, password);
	(void)close(p[1]);
	s.fd[3] = p[0];
	pid = told == 0 ? spawn(&s) : -1;
	(void)close(p[0]);
	if (pid < 0)
		return PASSWORD_LATER;
	code = spawn_wait(pid);
	return code == 0 ? PASSWORD_RIGHT :
	    code == 1 ? PASSWORD_REFUSED : PASSWORD_LATER;
}
