/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The mail log: syslog (facility mail) or a file.  The text of a line is
 * Postfix's, and so is the program a line names (role): "smtpd", "cleanup",
 * "qmgr", "local", whichever of our programs does that part; log readers
 * know those.  Octets that are not printable ASCII become "?", and a line
 * is cut at LIMIT_LOG.
 */
#ifndef LOG_H
#define LOG_H

/* Before privileges go: opens the file, or connects to syslog.  name is
 * $syslog_name; file "" means syslog, "/dev/stdout" standard output (kept
 * from the peer: only where fd 1 is not the conversation).  Returns 0, or
 * -1 with errno when the file cannot be opened (lines then go to syslog). */
int log_open(const char *name, const char *file);

/* "<date> <host> name/role[pid]: text" */
void log_line(const char *role, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The same with "warning: " before the text, level warning. */
void log_warning(const char *role, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Replaces what is not printable ASCII in s by "?", and "<" and ">" too if
 * it stands between them in a log line. */
void log_clean(char *s);

#endif
