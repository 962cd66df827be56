/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/date.h"

#include <stdio.h>
#include <stdlib.h>

static const char day[7][4] = {
	"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"
};
static const char month[12][4] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun",
	"Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
};

/* Not strftime: the names must not follow a locale. */

void
date_rfc5322(char buf[static DATE_SIZE], const struct tm *t)
{
	long east = t->tm_gmtoff / 60;

	(void)snprintf(buf, DATE_SIZE,
	    "%s, %2d %s %d %02d:%02d:%02d %c%02ld%02ld (%.12s)",
	    day[t->tm_wday % 7], t->tm_mday, month[t->tm_mon % 12],
	    1900 + t->tm_year, t->tm_hour, t->tm_min, t->tm_sec,
	    east < 0 ? '-' : '+', labs(east) / 60, labs(east) % 60,
	    t->tm_zone != NULL ? t->tm_zone : "UTC");
}

void
date_asctime(char buf[static DATE_SIZE], const struct tm *t)
{
	(void)snprintf(buf, DATE_SIZE, "%s %s %2d %02d:%02d:%02d %d",
	    day[t->tm_wday % 7], month[t->tm_mon % 12], t->tm_mday,
	    t->tm_hour, t->tm_min, t->tm_sec, 1900 + t->tm_year);
}

void
date_syslog(char buf[static DATE_SIZE], const struct tm *t)
{
	(void)snprintf(buf, DATE_SIZE, "%s %2d %02d:%02d:%02d",
	    month[t->tm_mon % 12], t->tm_mday, t->tm_hour, t->tm_min,
	    t->tm_sec);
}
