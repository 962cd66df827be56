/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * spawn COUNT PROGRAM [ARGUMENT...]: how long a program takes, from before it
 * is started to after it has ended; the median in microseconds.  Its output
 * is thrown away; it must succeed.
 */
#include <err.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int
order(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double
once(char **argv, const posix_spawn_file_actions_t *fa)
{
	double start = now();
	int status;
	pid_t pid;

	if (posix_spawn(&pid, argv[0], fa, NULL, argv, environ) != 0 ||
	    waitpid(pid, &status, 0) != pid || status != 0)
		errx(1, "%s failed", argv[0]);
	return now() - start;
}

int
main(int argc, char **argv)
{
	posix_spawn_file_actions_t fa;
	unsigned long n, i;
	double *took;

	if (argc < 3 || (n = strtoul(argv[1], NULL, 10)) == 0)
		errx(64, "usage: spawn count program [argument ...]");
	took = calloc(n, sizeof(*took));
	if (took == NULL || posix_spawn_file_actions_init(&fa) != 0 ||
	    posix_spawn_file_actions_addopen(&fa, 1, "/dev/null", O_WRONLY,
	    0) != 0)
		err(71, "start");
	for (i = 0; i < n; i++)
		took[i] = once(argv + 2, &fa);
	qsort(took, n, sizeof(*took), order);
	(void)printf("%.1f\n", took[n / 2]);
	free(took);
	return 0;
}
