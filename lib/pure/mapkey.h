/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The keys by which an address is looked up in a table, most special first,
 * as in Postfix:
 *	virtual, canonical, relocated and the like (mapkey_address)
 *		user+ext@domain, user@domain, user+ext and user (only where the
 *		domain is our own), @domain
 *	transport (mapkey_transport)
 *		user+ext@domain, user@domain, domain, .parent ..., *
 * The null address is "<>".  Tables have users without quotes: "b ob"@domain is
 * looked up as b ob@domain.
 */
#ifndef MAPKEY_H
#define MAPKEY_H

#include <stdbool.h>
#include <stddef.h>

#include "pure/limits.h"

struct mapkey {
	const char *address;	/* borrowed, or own */
	char own[LIMIT_ADDRESS + 1]; /* without the quotes of a user */
	size_t len;		/* of it */
	size_t at;		/* where "@" is; == len if there is none */
	size_t bare;		/* where "+ext" begins; == at if none does */
	bool local, transport;
	unsigned step;
	size_t domain;		/* where the domain of the last key begins */
	char key[LIMIT_ADDRESS + 3];

	/* About the last key: */
	bool whole;		/* it is the address as it was given */
	/* What it left out of the user: "+ext" in address, or "" (also for
	 * @domain, which stands for any user).  A result takes it over. */
	const char *extension;
	size_t extension_len;
};

/* An address longer than LIMIT_ADDRESS has no keys.  delimiters is
 * $recipient_delimiter; local: is the domain ours, that is $myorigin, in
 * $mydestination, or our own IP address? */
void mapkey_address(struct mapkey *, const char *address,
    const char *delimiters, bool local);
void mapkey_transport(struct mapkey *, const char *address,
    const char *delimiters);

/* The next key, or NULL. */
const char *mapkey_next(struct mapkey *);

/* How long the user is without its extension: local[0..len) up to the first
 * of the delimiters, or all of it.  A delimiter at the start is none, nor is
 * one in "mailer-daemon", nor a "-" in "owner-list" and "list-request". */
size_t mapkey_bare(const char *local, size_t len, const char *delimiters);

#endif
