/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * waitnew COUNT SECONDS DIR...: waits until COUNT files have appeared in the
 * directories.  Prints "ready" when it is watching, and at the end
 * CLOCK_MONOTONIC of the first and the last file, and how many there were.
 * Status 1 when SECONDS passed since the last one and some are missing.
 */
#include <sys/inotify.h>

#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long
events(int fd)
{
	static _Alignas(struct inotify_event) char buf[1 << 16];
	const struct inotify_event *e;
	ssize_t len, at;
	long n = 0;

	while ((len = read(fd, buf, sizeof(buf))) > 0)
		for (at = 0; at < len; at += (ssize_t)(sizeof(*e) + e->len)) {
			e = (const struct inotify_event *)(const void *)
			    (buf + at);
			if ((e->mask & IN_Q_OVERFLOW) != 0)
				errx(1, "too many events");
			n++;
		}
	return n;
}

int
main(int argc, char **argv)
{
	struct pollfd p = { .events = POLLIN };
	long want, limit, got = 0, n;
	double first = 0, last;
	int i;

	if (argc < 4)
		errx(64, "usage: waitnew COUNT SECONDS DIR...");
	want = strtol(argv[1], NULL, 10);
	limit = strtol(argv[2], NULL, 10);
	p.fd = inotify_init1(IN_NONBLOCK);
	for (i = 3; i < argc; i++)
		if (inotify_add_watch(p.fd, argv[i],
		    IN_CREATE | IN_MOVED_TO) < 0)
			err(1, "%s", argv[i]);
	printf("ready\n");
	(void)fflush(stdout);
	last = now();
	while (got < want && now() - last < (double)limit)
		if (poll(&p, 1, 200) > 0 && (n = events(p.fd)) > 0) {
			if (got == 0)
				first = now();
			got += n;
			last = now();
		}
	printf("%.6f %.6f %ld\n", first, last, got);
	return got < want;
}
