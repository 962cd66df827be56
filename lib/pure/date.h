/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dates as mail writes them, from a broken-down local time. */
#ifndef DATE_H
#define DATE_H

#include <stddef.h>
#include <time.h>

enum { DATE_SIZE = 128 };	/* enough, whatever is in the tm */

/* "Mon,  6 Jan 2025 12:34:56 +0100 (CET)", RFC 5322 3.3. */
void date_rfc5322(char buf[static DATE_SIZE], const struct tm *);
/* "Mon Jan  6 12:34:56 2025", for the From_ line of an mbox. */
void date_asctime(char buf[static DATE_SIZE], const struct tm *);
/* "Jan  6 12:34:56", for a log file. */
void date_syslog(char buf[static DATE_SIZE], const struct tm *);

#endif
