/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sys/clock.h"

int64_t
clock_now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t
clock_monotonic(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

void
clock_local(time_t at, struct tm *t)
{
	if (localtime_r(&at, t) == NULL && gmtime_r(&at, t) == NULL)
		*t = (struct tm){ .tm_mday = 1, .tm_year = 70 };
}
