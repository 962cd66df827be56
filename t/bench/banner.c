/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * banner COUNT PORT, banner COUNT PROGRAM [ARGUMENT...]: how long until a
 * server has said its first octet, and how long it lingers after QUIT.
 *
 * With a port it connects to 127.0.0.1; with a program it starts it on a
 * socket pair, as a super-server would with a connection.  Prints the medians
 * in microseconds: start to the first octet, QUIT to the reply, QUIT to the
 * end of the connection.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <err.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int
dial(in_port_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_port = htons(port);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		err(1, "connect");
	return fd;
}

static int
start(char **argv, pid_t *pid)
{
	posix_spawn_file_actions_t fa;
	int fd[2], e;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) != 0)
		err(1, "socketpair");
	(void)posix_spawn_file_actions_init(&fa);
	(void)posix_spawn_file_actions_adddup2(&fa, fd[1], 0);
	(void)posix_spawn_file_actions_adddup2(&fa, fd[1], 1);
	e = posix_spawn(pid, argv[0], &fa, NULL, argv, environ);
	if (e != 0)
		errx(1, "%s: %s", argv[0], strerror(e));
	(void)posix_spawn_file_actions_destroy(&fa);
	(void)close(fd[1]);
	return fd[0];
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double
median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), compare);
	return v[n / 2];
}

int
main(int argc, char **argv)
{
	double *first, *reply, *end, t;
	in_port_t port;
	char buf[512];
	size_t n, i;
	pid_t pid;
	int fd;

	if (argc < 3 || (n = strtoul(argv[1], NULL, 10)) < 1)
		errx(64, "usage: banner COUNT PORT|PROGRAM [ARGUMENT...]");
	port = (in_port_t)strtoul(argv[2], NULL, 10);
	first = calloc(3 * n, sizeof(*first));
	if (first == NULL)
		err(1, NULL);
	reply = first + n;
	end = reply + n;
	for (i = 0; i < n; i++) {
		pid = 0;
		t = now();
		fd = port != 0 ? dial(port) : start(argv + 2, &pid);
		if (read(fd, buf, sizeof(buf)) < 4)
			errx(1, "no greeting");
		first[i] = now() - t;
		t = now();
		if (write(fd, "QUIT\r\n", 6) != 6 ||
		    read(fd, buf, sizeof(buf)) < 3)
			errx(1, "no reply to QUIT");
		reply[i] = now() - t;
		while (read(fd, buf, sizeof(buf)) > 0)
			;
		end[i] = now() - t;
		(void)close(fd);
		if (pid != 0)
			(void)waitpid(pid, NULL, 0);
	}
	printf("%.0f %.0f %.0f\n", median(first, n), median(reply, n),
	    median(end, n));
	return 0;
}
