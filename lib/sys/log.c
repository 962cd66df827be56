/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sys/log.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "pure/date.h"
#include "pure/limits.h"
#include "sys/clock.h"

static struct {
	const char *name;
	int fd;			/* -1: syslog */
	char host[64];
	char ident[128];	/* openlog(3) keeps the pointer */
} state = { .name = "malle", .fd = -1 };

int
log_open(const char *name, const char *file)
{
	static char kept[64];
	char *dot;

	(void)snprintf(kept, sizeof(kept), "%s", name);
	state.name = kept;
	if (gethostname(state.host, sizeof(state.host) - 1) != 0)
		(void)snprintf(state.host, sizeof(state.host), "localhost");
	dot = strchr(state.host, '.');
	if (dot != NULL)
		*dot = '\0';
	if (file[0] == '\0') {
		openlog(state.name, LOG_PID | LOG_NDELAY, LOG_MAIL);
		return 0;
	}
	if (state.fd >= 0)
		(void)close(state.fd);
	state.fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC |
	    O_NOFOLLOW, 0640);
	if (state.fd < 0 && strncmp(file, "/dev/", 5) == 0)
		state.fd = open(file, O_WRONLY | O_APPEND | O_CLOEXEC);
	return state.fd >= 0 ? 0 : -1;
}

void
log_clean(char *s)
{
	for (; *s != '\0'; s++)
		if (*s < ' ' || *s > '~' || *s == '<' || *s == '>')
			*s = '?';
}

/* In a file a line is one write, so that lines of many processes do not
 * mix (O_APPEND). */
static void
put(const char *role, int level, char *text)
{
	char when[DATE_SIZE], line[LIMIT_LOG + 256];
	struct tm t;
	char *p;
	int n;

	for (p = text; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	if (state.fd < 0) {
		(void)snprintf(state.ident, sizeof(state.ident), "%s/%s",
		    state.name, role);
		openlog(state.ident, LOG_PID | LOG_NDELAY, LOG_MAIL);
		syslog(level, "%s", text);
		return;
	}
	clock_local((time_t)(clock_now_us() / 1000000), &t);
	date_syslog(when, &t);
	n = snprintf(line, sizeof(line), "%s %s %s/%s[%ld]: %s\n", when,
	    state.host, state.name, role, (long)getpid(), text);
	if (n > 0 && (size_t)n >= sizeof(line)) {
		n = sizeof(line) - 1;
		line[n - 1] = '\n';
	}
	/* A full log disk must not stop the mail. */
	if (n > 0 && write(state.fd, line, (size_t)n) < 0)
		return;
}

void
log_line(const char *role, const char *fmt, ...)
{
	char text[LIMIT_LOG];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put(role, LOG_INFO, text);
}

void
log_warning(const char *role, const char *fmt, ...)
{
	char text[LIMIT_LOG] = "warning: ";
	size_t n = strlen(text);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text + n, sizeof(text) - n, fmt, ap);
	va_end(ap);
	put(role, LOG_WARNING, text);
}
