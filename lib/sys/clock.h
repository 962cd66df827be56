/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The clocks. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>
#include <time.h>

/* Microseconds since 1970. */
int64_t clock_now_us(void);
/* Seconds that never step, for deadlines. */
int64_t clock_monotonic(void);
/* Broken down in local time (UTC if that fails). */
void clock_local(time_t, struct tm *);

#endif
