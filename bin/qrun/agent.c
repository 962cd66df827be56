/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Starting a program of ours, and hearing what it says. */
#include "qrun.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/spawn.h"

/* Milliseconds for poll(2) until the time is over. */
static int
left_ms(int64_t end)
{
	int64_t left = end - clock_monotonic();

	return left <= 0 ? 0 : (int)(left > 60 ? 60 : left) * 1000;
}

/* What it says, until it has closed its end; what is too long is dropped.
 * False: too late. */
static bool
listen_to(int fd, int64_t end, size_t max, struct str *out)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char buf[4096];
	ssize_t n;
	int ms, ready;

	while ((ms = left_ms(end)) > 0) {
		ready = poll(&p, 1, ms);
		if (ready < 0 && errno != EINTR)
			return false;
		if (ready <= 0)
			continue;
		n = read(fd, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return true;
		if (out->len + (size_t)n <= max)
			str_put(out, buf, (size_t)n);
		else
			str_put(out, buf, max - out->len);
	}
	return false;
}

/* It may have closed its end and go on.  False: too late. */
static bool
wait_for(pid_t pid, int64_t end)
{
	int fd = pidfd_open(pid, 0), ms, n = 0;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (fd < 0)
		return true;	/* a kernel without: as long as it takes */
	while (n <= 0 && (ms = left_ms(end)) > 0)
		n = poll(&p, 1, ms);
	(void)close(fd);
	return n > 0;
}

int
agent_run(struct runner *r, struct spawn *s, const char *name, size_t max,
    struct str *out, struct why *why)
{
	int64_t end = clock_monotonic() + (int64_t)conf_number(&r->conf,
	    CONF_COMMAND_TIME_LIMIT);
	int to_us[2];
	pid_t pid;
	bool in_time;

	if (s->fd_program < 0) {
		(void)why_set(why, VERDICT_LATER, "4.3.5",
		    "cannot run %s in daemon_directory", name);
		return -1;
	}
	if (pipe2(to_us, O_CLOEXEC) != 0) {
		(void)why_errno(why, errno, "pipe");
		return -1;
	}
	s->fd[1] = to_us[1];
	s->fd[2] = -1;
	pid = spawn(s);
	if (pid < 0)
		(void)why_errno(why, errno, "start an agent");
	(void)close(to_us[1]);
	in_time = pid > 0 && listen_to(to_us[0], end, max, out) &&
	    wait_for(pid, end);
	(void)close(to_us[0]);
	if (pid < 0)
		return -1;
	if (in_time)
		return spawn_wait(pid);
	/* A command has a group of its own; before that there is none. */
	(void)kill(-pid, SIGKILL);
	(void)kill(pid, SIGKILL);
	(void)spawn_wait(pid);
	(void)why_set(why, VERDICT_LATER, "4.3.0",
	    "command time limit exceeded");
	return -1;
}

int
agent_ask(struct runner *r, const struct user *u, int dir,
    char *const *ask, struct str *out, struct why *why)
{
	char program[] = "local";
	char *argv[] = { program, ask[1], ask[2], NULL };
	struct spawn s = { .fd_program = r->fd_local, .argv = argv,
	    .fd = { -1, -1, -1, -1 },
	    .fd_cwd = dir, .uid = u->uid, .gid = u->gid, .extra = (gid_t)-1 };
	int code;

	if (deliver_check_user(u, why) != VERDICT_OK)
		return -1;
	(void)why_set(why, VERDICT_LATER, "4.3.0", "local was ended");
	/* Each target has a letter and a blank in front. */
	code = agent_run(r, &s, "local", 2 * LIMIT_FORWARD, out, why);
	if (code >= 0 && !out->bad && out->len < 2 * LIMIT_FORWARD)
		return code;
	if (code >= 0)
		(void)why_set(why, VERDICT_LATER, "4.3.0",
		    "out of memory, or too many targets");
	return -1;
}
