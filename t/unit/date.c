/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/date.h"

#include <limits.h>

#include "tap.h"

static const struct {
	struct tm tm;
	const char *rfc5322, *from_line, *syslog;
} rows[] = {
	{ { .tm_year = 125, .tm_mon = 0, .tm_mday = 6, .tm_wday = 1,
	    .tm_hour = 12, .tm_min = 34, .tm_sec = 56, .tm_gmtoff = 3600,
	    .tm_zone = "CET" },
	    "Mon,  6 Jan 2025 12:34:56 +0100 (CET)",
	    "Mon Jan  6 12:34:56 2025", "Jan  6 12:34:56" },
	{ { .tm_year = 124, .tm_mon = 11, .tm_mday = 31, .tm_wday = 2,
	    .tm_hour = 23, .tm_min = 59, .tm_sec = 60, .tm_gmtoff = 0,
	    .tm_zone = "UTC" },
	    "Tue, 31 Dec 2024 23:59:60 +0000 (UTC)",
	    "Tue Dec 31 23:59:60 2024", "Dec 31 23:59:60" },
	{ { .tm_year = 70, .tm_mon = 0, .tm_mday = 1, .tm_wday = 4,
	    .tm_gmtoff = -12600, .tm_zone = "NST" },
	    "Thu,  1 Jan 1970 00:00:00 -0330 (NST)",
	    "Thu Jan  1 00:00:00 1970", "Jan  1 00:00:00" },
	{ { .tm_year = 126, .tm_mon = 6, .tm_mday = 12, .tm_wday = 0,
	    .tm_hour = 1, .tm_gmtoff = -1800, .tm_zone = "X" },
	    "Sun, 12 Jul 2026 01:00:00 -0030 (X)",
	    "Sun Jul 12 01:00:00 2026", "Jul 12 01:00:00" },
	{ { .tm_year = 126, .tm_mon = 6, .tm_mday = 12, .tm_wday = 6,
	    .tm_gmtoff = 20700, .tm_zone = NULL },
	    "Sat, 12 Jul 2026 00:00:00 +0545 (UTC)",
	    "Sat Jul 12 00:00:00 2026", "Jul 12 00:00:00" }
};

int
main(void)
{
	/* A zone from the environment can be as long as somebody likes, and
	 * a year as large. */
	const struct tm worst = { .tm_year = INT_MAX - 1900, .tm_mon = 8,
	    .tm_mday = 30, .tm_wday = 3, .tm_hour = 23, .tm_min = 59,
	    .tm_sec = 60, .tm_gmtoff = -86400 + 60,
	    .tm_zone = "ABCDEFGHIJKLMNOPQRSTUVWXYZ" };
	char buf[DATE_SIZE];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		date_rfc5322(buf, &rows[i].tm);
		is_str(buf, rows[i].rfc5322, rows[i].rfc5322);
		date_asctime(buf, &rows[i].tm);
		is_str(buf, rows[i].from_line, rows[i].from_line);
		date_syslog(buf, &rows[i].tm);
		is_str(buf, rows[i].syslog, rows[i].syslog);
	}
	date_rfc5322(buf, &worst);
	is_str(buf, "Wed, 30 Sep 2147483647 23:59:60 -2359 (ABCDEFGHIJKL)",
	    "the longest fits");
	return tap_done();
}
