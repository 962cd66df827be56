/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Looking names up: the DNS through the C library's resolver (the servers of
 * /etc/resolv.conf; over TCP where an answer is too long), and /etc/hosts.
 * Nothing of the name service switch, so a static program can use it.  One
 * for each process.
 */
#ifndef DNS_H
#define DNS_H

#include <stddef.h>

#include "pure/dnsrecord.h"
#include "pure/verdict.h"

/* Reads /etc/resolv.conf and /etc/hosts: no file is opened after it. */
void dns_open(void);

/* All questions from now on must be answered in so many seconds, whatever
 * the resolver does: it gives up in time, and if it hangs nevertheless
 * SIGALRM ends the process. */
void dns_deadline(int seconds);

/* The records of that name and type.  Where there are none, why says so in
 * Postfix's words: DNSRECORD_LATER is later (4.4.3), the others never
 * (5.4.4). */
enum dnsrecord_answer dns_query(const char *name, enum dnsrecord_type,
    struct dnsrecord *out, size_t max, size_t *n, struct why *);

/* The addresses (A or AAAA) of a name in /etc/hosts, and of localhost; how
 * many. */
size_t dns_hosts(const char *name, enum dnsrecord_type,
    struct dnsrecord *out, size_t max);

#endif
