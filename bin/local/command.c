/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * |command: the message becomes its standard input, and we become it.  What
 * it prints is the reason in the log; its exit code is the verdict.  Nothing
 * of a stranger's is on its command line; the environment comes from qrun.
 */
#include "local.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "pure/date.h"
#include "sys/clock.h"
#include "sys/fsop.h"

static int
copy_message(const struct job *j, int to)
{
	static char buf[1 << 16];
	off_t offset = (off_t)j->envelope.len;
	char when[DATE_SIZE];
	struct tm t;
	ssize_t n;

	clock_local((time_t)(clock_now_us() / 1000000), &t);
	date_asctime(when, &t);
	if (dprintf(to, "From %s  %s\n", j->envelope.sender[0] != '\0' ?
	    j->envelope.sender : "MAILER-DAEMON", when) < 0 ||
	    fsop_write(to, j->head.s, j->head.len) != 0)
		return -1;
	while ((n = fsop_pread(0, buf, sizeof(buf), offset)) > 0) {
		if (fsop_write(to, buf, (size_t)n) != 0)
			return -1;
		offset += n;
	}
	return n < 0 || lseek(to, 0, SEEK_SET) != 0 ? -1 : 0;
}

enum verdict
local_to_command(struct job *j, const char *command, struct why *why)
{
	int fd = memfd_create("message", MFD_CLOEXEC);

	if (fd < 0 || copy_message(j, fd) != 0)
		return why_errno(why, errno, "prepare input of command");
	/* A group of its own, so that all of it can be ended. */
	(void)setsid();
	(void)signal(SIGXFSZ, SIG_DFL);
	if (dup2(fd, 0) != 0 || dup2(1, 2) != 2)
		return why_errno(why, errno, "start command");
	/* It has these three and no others. */
	(void)close_range(3, ~0U, 0);
	(void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	return why_errno(why, errno, "start /bin/sh");
}
