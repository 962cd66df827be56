/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists of main.cf: words between commas and white space. */
#ifndef LIST_H
#define LIST_H

#include <stdbool.h>
#include <stddef.h>

/* The next word at *list, or NULL at its end; *len is its length and *list
 * moves behind it. */
const char *list_next(const char **list, size_t *len);

/* The next element at *list, whose separators count only outside of braces;
 * an element that is all in braces is what they hold.  1; 0 at the end; -1:
 * braces do not match, and *list stays. */
int list_next_element(const char **list, const char **element, size_t *len);

/* Is the domain in the list (mydestination)?  Case does not count; an entry
 * ".example.org" means every name below it. */
bool list_has_domain(const char *list, const char *domain);

/* Is the address (4 octets of AF_INET, 16 of AF_INET6) in the list of
 * networks (mynetworks): "127.0.0.0/8", "[::1]/128", "192.0.2.7", "!net" to
 * exclude; the first that matches decides.  Returns 1, 0, or -1 where an
 * entry before that is no network; *bad is then that entry (length
 * *bad_len). */
int list_has_network(const char *list, int family, const void *address,
    const char **bad, size_t *bad_len);

#endif
