/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/dnsrecord.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum {
	HEADER = 12,
	CLASS_IN = 1,
	RCODE_OK = 0,
	RCODE_NO_NAME = 3,
	/* Of compression in one name; each must point back, so this is only
	 * the second bound. */
	MAX_JUMPS = 64,
	MAX_CNAMES = 10,
	/* The fixed part of a record behind its name. */
	FIXED = 10
};

struct reader {
	const unsigned char *msg;
	size_t len;
	size_t pos;
};

/* One record; its data is msg[data..data + size). */
struct record {
	char owner[LIMIT_DOMAIN + 1];
	bool good;	/* owner is a name that a host can have */
	unsigned type, class;
	size_t data, size;
};

static unsigned
number16(const struct reader *r, size_t at)
{
	return (unsigned)r->msg[at] << 8 | r->msg[at + 1];
}

static bool
is_host_octet(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* One label behind its length octet; *used: of name. */
static void
take_label(const struct reader *r, size_t at, size_t n, char *name,
    size_t *used, bool *good)
{
	size_t i;

	if (*used + n + 1 > LIMIT_DOMAIN) {
		*good = false;
		return;
	}
	if (*used > 0)
		name[(*used)++] = '.';
	for (i = 0; i < n; i++) {
		*good &= is_host_octet(r->msg[at + i]);
		name[(*used)++] = (char)r->msg[at + i];
	}
	name[*used] = '\0';
}

/* The name at r->pos, which moves behind it.  False: damaged.  *good: it can
 * be a host's. */
static bool
take_name(struct reader *r, char name[static LIMIT_DOMAIN + 1], bool *good)
{
	size_t at = r->pos, used = 0, to;
	unsigned jumps = 0, c;

	name[0] = '\0';
	*good = true;
	while (at < r->len && (c = r->msg[at]) != 0) {
		if (c < 64) {
			if (c >= r->len - at)
				return false;
			take_label(r, at + 1, c, name, &used, good);
			at += c + 1;
			continue;
		}
		if (c < 192 || at + 1 >= r->len)
			return false;
		to = number16(r, at) & 0x3fff;
		if (jumps++ == 0)
			r->pos = at + 2;
		/* Back only: a name that points to itself has no end. */
		if (to >= at || jumps > MAX_JUMPS)
			return false;
		at = to;
	}
	if (at >= r->len)
		return false;
	if (jumps == 0)
		r->pos = at + 1;
	return true;
}

static bool
take_record(struct reader *r, struct record *rec)
{
	if (!take_name(r, rec->owner, &rec->good) ||
	    r->len - r->pos < FIXED)
		return false;
	rec->type = number16(r, r->pos);
	rec->class = number16(r, r->pos + 2);
	rec->size = number16(r, r->pos + 8);
	rec->data = r->pos + FIXED;
	if (rec->size > r->len - rec->data)
		return false;
	r->pos = rec->data + rec->size;
	return true;
}

/* The header and the question: is it an answer to ours? */
static bool
take_question(struct reader *r, const char *name, enum dnsrecord_type type)
{
	char asked[LIMIT_DOMAIN + 1];
	bool good;

	if (r->len < HEADER || (r->msg[2] & 0x80) == 0 || number16(r, 4) != 1)
		return false;
	r->pos = HEADER;
	if (!take_name(r, asked, &good) || !good ||
	    strcasecmp(asked, name) != 0 || r->len - r->pos < 4)
		return false;
	if (number16(r, r->pos) != (unsigned)type ||
	    number16(r, r->pos + 2) != CLASS_IN)
		return false;
	r->pos += 4;
	return true;
}

/* A name that is all of a record's data from at on. */
static bool
name_within(const struct reader *r, const struct record *rec, size_t at,
    char name[static LIMIT_DOMAIN + 1], bool *good)
{
	struct reader inner = { r->msg, rec->data + rec->size, at };

	return take_name(&inner, name, good) &&
	    inner.pos == rec->data + rec->size;
}

/* 1: taken; 0: of no use; -1: damaged. */
static int
take_data(const struct reader *r, const struct record *rec,
    struct dnsrecord *out)
{
	bool good;

	memset(out, 0, sizeof(*out));
	switch (rec->type) {
	case DNSRECORD_A:
	case DNSRECORD_AAAA:
		if (rec->size != (rec->type == DNSRECORD_A ? 4 : 16))
			return -1;
		memcpy(out->raw, r->msg + rec->data, rec->size);
		return 1;
	case DNSRECORD_MX:
		if (rec->size < 3)
			return -1;
		out->preference = number16(r, rec->data);
		if (!name_within(r, rec, rec->data + 2, out->host, &good))
			return -1;
		return good;
	default:
		return 0;
	}
}

/* What one pass over the records found. */
struct pass {
	bool damaged;
	bool alias;		/* name is another name now */
	size_t unusable;
};

/* One pass: the records of name; or, if it has none of the type, where its
 * CNAME leads, which then is name. */
static void
one_pass(struct reader r, unsigned count, char name[static LIMIT_DOMAIN + 1],
    enum dnsrecord_type type, struct dnsrecord *out, size_t max, size_t *n,
    struct pass *p)
{
	char to[LIMIT_DOMAIN + 1];
	struct dnsrecord one;
	struct record rec;
	bool good, found = false;
	int got;

	*p = (struct pass){ 0 };
	for (; count > 0 && !p->damaged; count--) {
		if (!take_record(&r, &rec)) {
			p->damaged = true;
			return;
		}
		if (!rec.good || rec.class != CLASS_IN ||
		    strcasecmp(rec.owner, name) != 0)
			continue;
		if (rec.type == DNSRECORD_CNAME && !found) {
			found = name_within(&r, &rec, rec.data, to, &good) &&
			    good;
			p->damaged = !found;
		}
		if (rec.type != (unsigned)type)
			continue;
		got = take_data(&r, &rec, &one);
		p->damaged |= got < 0;
		p->unusable += got == 0;
		if (got > 0 && *n < max)
			out[(*n)++] = one;
	}
	p->alias = found && *n == 0;
	if (p->alias)
		memcpy(name, to, sizeof(to));
}

enum dnsrecord_answer
dnsrecord_parse(const unsigned char *msg, size_t len, const char *name,
    enum dnsrecord_type type, struct dnsrecord *out, size_t max, size_t *n)
{
	struct reader r = { msg, len, 0 };
	char owner[LIMIT_DOMAIN + 1];
	unsigned code, links = 0;
	size_t size = strlen(name);
	struct pass p;

	*n = 0;
	if (size > LIMIT_DOMAIN || !take_question(&r, name, type))
		return DNSRECORD_LATER;
	code = r.msg[3] & 15;
	if (code == RCODE_NO_NAME)
		return DNSRECORD_NO_NAME;
	/* TC: half an answer might lack the best host. */
	if (code != RCODE_OK || (r.msg[2] & 0x02) != 0)
		return DNSRECORD_LATER;
	memcpy(owner, name, size + 1);
	do {
		one_pass(r, number16(&r, 6), owner, type, out, max, n, &p);
	} while (!p.damaged && p.alias && ++links <= MAX_CNAMES);
	if (p.damaged || links > MAX_CNAMES) {
		*n = 0;
		return DNSRECORD_LATER;
	}
	if (*n > 0)
		return DNSRECORD_FOUND;
	return p.unusable > 0 ? DNSRECORD_UNUSABLE : DNSRECORD_NONE;
}
