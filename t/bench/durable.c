/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * durable DIR COUNT WRITERS SIZE full|file|none: the machine's own limit.
 *
 * Does nothing but store COUNT files of SIZE octets, shared out among
 * WRITERS processes that each have a tmp/ and a new/ of their own:
 *	full	create, write, rename, fsync the file, fsync the directory
 *	file	the same without the sync of the directory
 *	none	create, write, rename, and no sync at all
 * The order of "full" is the one that costs a single journal commit.
 * Prints "files-per-second cpu-microseconds-per-file".  The files stay: what
 * removes them would be measured by the next run.
 */
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
subdir(int dir, const char *name)
{
	int fd;

	if (mkdirat(dir, name, 0700) != 0)
		err(1, "mkdir %s", name);
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		err(1, "%s", name);
	return fd;
}

static void
store(int tmp, int new, long number, const char *buf, size_t size, char how)
{
	char name[32];
	int fd;

	(void)snprintf(name, sizeof(name), "%ld", number);
	fd = openat(tmp, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		err(1, "create");
	if (write(fd, buf, size) != (ssize_t)size)
		err(1, "write");
	if (renameat(tmp, name, new, name) != 0)
		err(1, "rename");
	if (how != 'n' && fsync(fd) != 0)
		err(1, "fsync");
	if (how == 'f' && fsync(new) != 0)
		err(1, "fsync of the directory");
	(void)close(fd);
}

/* Waits for the start (the end of the pipe), then stores its share. */
static void
writer(const char *top, int start, long count, size_t size, char how)
{
	char name[32], c, *buf = malloc(size);
	int dir, tmp, new;
	long i;

	(void)snprintf(name, sizeof(name), "%ld", (long)getpid());
	dir = open(top, O_RDONLY | O_DIRECTORY);
	if (dir < 0 || buf == NULL)
		err(1, "%s", top);
	dir = subdir(dir, name);
	tmp = subdir(dir, "tmp");
	new = subdir(dir, "new");
	memset(buf, 'x', size);
	if (read(start, &c, 1) < 0)
		err(1, "pipe");
	for (i = 0; i < count; i++)
		store(tmp, new, i, buf, size, how);
	_exit(0);
}

static double
seconds(const struct timeval *t)
{
	return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

int
main(int argc, char **argv)
{
	long count, writers, i;
	int start[2], status, bad = 0;
	struct rusage before, after;
	double t;

	if (argc != 6 || (count = strtol(argv[2], NULL, 10)) < 1 ||
	    (writers = strtol(argv[3], NULL, 10)) < 1 || writers > 1000)
		errx(64, "usage: durable DIR COUNT WRITERS SIZE "
		    "full|file|none");
	if (pipe(start) != 0)
		err(1, "pipe");
	count /= writers;
	for (i = 0; i < writers; i++)
		if (fork() == 0) {
			(void)close(start[1]);
			/* 'f' is full, 'i' is file. */
			writer(argv[1], start[0], count,
			    strtoul(argv[4], NULL, 10),
			    strcmp(argv[5], "file") == 0 ? 'i' : argv[5][0]);
		}
	(void)close(start[0]);
	(void)usleep(200000);	/* all have made their directories */
	(void)getrusage(RUSAGE_CHILDREN, &before);
	t = now();
	(void)close(start[1]);
	for (i = 0; i < writers; i++)
		if (wait(&status) < 0 || status != 0)
			bad = 1;
	t = now() - t;
	(void)getrusage(RUSAGE_CHILDREN, &after);
	count *= writers;
	printf("%.1f %.1f\n", (double)count / t, 1e6 / (double)count *
	    (seconds(&after.ru_utime) + seconds(&after.ru_stime) -
	    seconds(&before.ru_utime) - seconds(&before.ru_stime)));
	return bad;
}
