/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "pure/hdraddr.h"
#include "store/rewrite.h"

/* Where address stands in s[0..len): between "<" and ">" if it does, else at
 * the last place it is found.  NULL: broken by comments or line ends. */
static const char *
find_address(const char *s, size_t len, const struct str *address)
{
	const char *found = NULL, *p = s;
	size_t n = address->len;

	while (n > 0 && (p = memmem(p, len - (size_t)(p - s), address->s,
	    n)) != NULL) {
		found = p;
		if (p > s && p[-1] == '<' && p + n < s + len && p[n] == '>')
			break;
		p++;
	}
	return found;
}

/* One member of the list: s[0..len), with the separator before it. */
static void
put_member(struct rewrite *r, bool sender, const char *s, size_t len,
    const struct str *address, struct str *out)
{
	const char *at = find_address(s, len, address);
	struct addr a;
	struct why why;
	enum verdict verdict = VERDICT_LATER;

	if (at != NULL && addr_parse(&a, address->s, address->len) ==
	    address->len && a.len > 0)
		verdict = sender ? rewrite_sender(r, &a, &why) :
		    rewrite_header_rcpt(r, &a, &why);
	if (verdict != VERDICT_OK) {
		str_put(out, s, len);
		return;
	}
	str_put(out, s, (size_t)(at - s));
	str_put(out, a.text, a.len);
	at += address->len;
	str_put(out, at, (size_t)(s + len - at));
}

void
rewrite_field(void *ctx, bool sender, const char *field, size_t len,
    struct str *out)
{
	const char *colon = memchr(field, ':', len), *s;
	struct hdraddr scan;
	enum hdraddr_next next;
	struct str address;
	size_t before;

	if (colon == NULL) {
		str_put(out, field, len);
		return;
	}
	s = colon + 1;
	len -= (size_t)(s - field);
	str_put(out, field, (size_t)(s - field));
	str_init(&address);
	hdraddr_init(&scan, s, len);
	do {
		before = scan.pos;
		next = hdraddr_next(&scan, &address);
		if (next == HDRADDR_ADDRESS)
			put_member(ctx, sender, s + before, scan.pos - before,
			    &address, out);
		else
			str_put(out, s + before, scan.pos - before);
	} while (next != HDRADDR_END && scan.pos > before);
	str_put(out, s + scan.pos, len - scan.pos);
	str_free(&address);
}
