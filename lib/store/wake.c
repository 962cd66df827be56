/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/wake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "sys/log.h"
#include "sys/service.h"
#include "sys/spawn.h"

/* One process wakes one runner: what wake_open found. */
static struct wake {
	bool open, failed;	/* failed: and that was logged */
	bool start;		/* fork and exec; no service */
	bool root;		/* we were, when it was opened */
	int fd;			/* the socket, or the program; -1: neither */
	struct service to;
} wake = { .fd = -1 };

static int
failed(struct conf *c, const char *what)
{
	int saved = errno;

	if (!wake.failed)
		log_warning("qmgr", "cannot wake the queue runner: %s %s: %s; "
		    "mail waits for the next periodic run", what,
		    wake.start ? "" : conf_get(c, CONF_QRUN_SERVICE),
		    strerror(saved));
	wake.failed = true;
	errno = saved;
	return -1;
}

static int
open_socket(struct conf *c, const char *service)
{
	if (!service_parse(service, &wake.to)) {
		errno = EINVAL;
		return failed(c, "qrun_service must be inet:ADDRESS:PORT, "
		    "inet:[ADDRESS]:PORT or unix:/PATH, not");
	}
	wake.fd = socket(wake.to.any.sa_family,
	    SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (wake.fd < 0)
		return failed(c, "socket for");
	/* A path may be out of reach later.  Not so for inet, where a
	 * connected socket would only bring us errors of the past. */
	if (wake.to.any.sa_family == AF_UNIX)
		(void)connect(wake.fd, &wake.to.any, wake.to.len);
	return 0;
}

static bool
program_path(struct conf *c, char path[static LIMIT_PATH])
{
	int n = snprintf(path, LIMIT_PATH, "%s/qrun",
	    conf_get(c, CONF_DAEMON_DIRECTORY));

	errno = ENAMETOOLONG;
	return n > 0 && n < LIMIT_PATH;
}

int
wake_open(struct conf *c)
{
	const char *service = conf_get(c, CONF_QRUN_SERVICE);
	char path[LIMIT_PATH];

	if (wake.fd >= 0)
		(void)close(wake.fd);
	wake = (struct wake){ .open = true, .failed = wake.failed, .fd = -1,
	    .start = service[0] == '\0', .root = geteuid() == 0 };
	if (!wake.start)
		return open_socket(c, service);
	if (!program_path(c, path))
		return failed(c, path);
	if (geteuid() != 0)
		return 0;
	wake.fd = open(path, O_PATH | O_CLOEXEC);
	return wake.fd < 0 ? failed(c, path) : 0;
}

/* Between us and the runner, so that it is no child of ours.  A session of
 * its own keeps it from the signals of the terminal. */
static _Noreturn void
middle(struct conf *c, const char *path, const char *queue_name)
{
	char program[] = "qrun", option[] = "-c",
	    search[] = "PATH=/usr/bin:/bin";
	char name[LIMIT_QUEUE_NAME], file[LIMIT_PATH];
	char *argv[] = { program, option, c->dir, name, NULL };
	char *env[] = { search, NULL };
	struct spawn s = { .fd_program = wake.fd, .argv = argv, .env = env,
	    .fd = { -1, -1, -1, -1 }, .fd_cwd = -1, .uid = (uid_t)-1 };

	(void)snprintf(name, sizeof(name), "%s", queue_name);
	if (name[0] == '\0')
		argv[3] = NULL;
	if (wake.fd < 0) {
		(void)snprintf(file, sizeof(file), "%s", path);
		argv[0] = file;
	}
	(void)setsid();
	_exit(spawn(&s) < 0 ? EX_OSERR : 0);
}

static int
start(struct conf *c, const char *queue_name)
{
	char path[LIMIT_PATH];
	pid_t pid;

	/* A runner without the rights that this server began with would
	 * put the mail off, and run the commands of aliases as mail_owner:
	 * it is for one who has them. */
	if (wake.root && geteuid() != 0) {
		errno = EPERM;
		return -1;
	}
	if (!program_path(c, path) ||
	    (wake.fd < 0 && access(path, X_OK) != 0))
		return failed(c, path);
	pid = fork();
	if (pid == 0)
		middle(c, path, queue_name);
	if (pid < 0)
		return failed(c, "fork for");
	if (spawn_wait(pid) == 0)
		return 0;
	errno = EAGAIN;
	return failed(c, path);
}

int
wake_runner(struct conf *c, const char *queue_name)
{
	size_t len = strlen(queue_name);
	ssize_t n;

	if (!wake.open && wake_open(c) != 0)
		return -1;
	if (wake.start)
		return start(c, queue_name);
	if (wake.fd < 0) {
		errno = ENOTCONN;
		return -1;
	}
	if (wake.to.any.sa_family != AF_UNIX) {
		n = sendto(wake.fd, queue_name, len, MSG_NOSIGNAL,
		    &wake.to.any, wake.to.len);
		return n < 0 ? failed(c, "send to") : 0;
	}
	n = send(wake.fd, queue_name, len, MSG_NOSIGNAL);
	/* The super-server was started again since, with a new socket. */
	if (n < 0 && (errno == ECONNREFUSED || errno == ENOTCONN) &&
	    connect(wake.fd, &wake.to.any, wake.to.len) == 0)
		n = send(wake.fd, queue_name, len, MSG_NOSIGNAL);
	return n < 0 ? failed(c, "send to") : 0;
}
