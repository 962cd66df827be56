/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What becomes of the addresses of an envelope when a message is received
 * (the work of Postfix's cleanup and trivial-rewrite): completed, canonical,
 * masqueraded, virtual aliases replaced by what they stand for, and copies
 * added.
 */
#ifndef REWRITE_H
#define REWRITE_H

#include "pure/addr.h"
#include "pure/verdict.h"
#include "store/conf.h"
#include "store/domain.h"
#include "store/map.h"

struct rewrite {
	const struct conf *conf;
	struct domains *domains;
	struct map_list canonical, sender_canonical, recipient_canonical,
	    virtual_alias, sender_bcc, recipient_bcc;
};

/* Opens the tables now.  0, or -1 and why; rewrite_close is due in any
 * case. */
int rewrite_open(struct rewrite *, const struct conf *, struct domains *,
    struct why *);
void rewrite_close(struct rewrite *);

/* "bob" becomes bob@$myorigin, "bob@lan1" bob@lan1.$mydomain, as main.cf
 * says.  False: too long. */
bool rewrite_complete(const struct rewrite *, struct addr *);

/* Completes and maps a sender, of an envelope or a header; recipients of a
 * header likewise. */
enum verdict rewrite_sender(struct rewrite *, struct addr *, struct why *);
enum verdict rewrite_header_rcpt(struct rewrite *, struct addr *,
    struct why *);

/* masquerade_domains: bob@host.example.org becomes bob@example.org where that
 * is listed; "!sub.example.org" before it leaves that part alone. */
void rewrite_masquerade(const struct rewrite *, struct addr *);

/* For hdr's rewrite: a field with addresses, rewritten where that can be done
 * without touching anything else in it.  ctx is the struct rewrite. */
void rewrite_field(void *ctx, bool sender, const char *field, size_t len,
    struct str *out);

/* Called for each address that a recipient stands for. */
typedef void rewrite_add(void *ctx, const char *address);

/* The recipient, completed, and all that virtual aliases make of it.
 * VERDICT_LATER when a table cannot say, and (4.6.0) for a loop or too many:
 * that is a mistake in a table, which may be mended.  VERDICT_NEVER when it
 * is no address. */
enum verdict rewrite_rcpt(struct rewrite *, const struct addr *,
    rewrite_add *, void *ctx, struct why *);

/* always_bcc and sender_bcc_maps for a message, recipient_bcc_maps for one
 * recipient (rcpt, else NULL). */
enum verdict rewrite_bcc(struct rewrite *, const struct addr *sender,
    const struct addr *rcpt, rewrite_add *, void *ctx, struct why *);

/* Is the address one that canonical or virtual aliases know?  Then it may
 * be written to, whatever its domain says. */
enum map_answer rewrite_knows(struct rewrite *, const struct addr *,
    struct why *);

#endif
