/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/hdr.h"

#include <string.h>
#include <strings.h>

void
hdr_init(struct hdr *h)
{
	*h = (struct hdr){ .first = true };
	str_init(&h->line);
	str_init(&h->message_id);
	str_init(&h->field);
}

void
hdr_free(struct hdr *h)
{
	str_free(&h->line);
	str_free(&h->message_id);
	str_free(&h->field);
}

bool
hdr_is(const char *s, size_t len, const char *name)
{
	size_t n = strlen(name);

	if (len < n || strncasecmp(s, name, n - 1) != 0)
		return false;
	if (name[n - 1] != ':')
		return s[n - 1] == name[n - 1];
	for (n--; n < len && (s[n] == ' ' || s[n] == '\t'); n++)
		;
	return n < len && s[n] == ':';
}

/* RFC 5322 field name and colon (blanks before the colon as in old mail). */
static bool
is_field(const char *s, size_t len)
{
	size_t i = 0;

	while (i < len && s[i] > ' ' && s[i] < 0x7f && s[i] != ':')
		i++;
	if (i == 0)
		return false;
	while (i < len && (s[i] == ' ' || s[i] == '\t'))
		i++;
	return i < len && s[i] == ':';
}

/* Keeps what is between "<" and ">", where it is short enough for a log. */
static void
take_message_id(struct hdr *h, const char *s, size_t len)
{
	const char *from = memchr(s, '<', len), *to;

	if (from == NULL || h->message_id.len > 0)
		return;
	to = memchr(from, '>', len - (size_t)(from - s));
	if (to != NULL)
		str_put(&h->message_id, from, (size_t)(to - from) + 1);
}

static void
end_of_header(struct hdr *h, struct str *out)
{
	h->body = true;
	if (!h->has_date && h->add_date != NULL)
		str_puts(out, h->add_date);
	if (!h->has_from && h->add_from != NULL)
		str_puts(out, h->add_from);
	if (!h->has_message_id && h->add_message_id != NULL) {
		str_puts(out, h->add_message_id);
		take_message_id(h, h->add_message_id,
		    strlen(h->add_message_id));
	}
}

/* ---- fields with addresses ---- */

/* Does the line begin one, and of which kind? */
static bool
has_addresses(const char *s, size_t len, bool *sender)
{
	static const char *const senders[] = { "From:", "Sender:",
	    "Reply-To:", "Errors-To:", "Resent-From:", "Resent-Sender:",
	    "Resent-Reply-To:" };
	static const char *const recipients[] = { "To:", "Cc:", "Bcc:",
	    "Resent-To:", "Resent-Cc:", "Resent-Bcc:" };
	size_t i;

	*sender = true;
	for (i = 0; i < sizeof(senders) / sizeof(senders[0]); i++)
		if (hdr_is(s, len, senders[i]))
			return true;
	*sender = false;
	for (i = 0; i < sizeof(recipients) / sizeof(recipients[0]); i++)
		if (hdr_is(s, len, recipients[i]))
			return true;
	return false;
}

/* What was held back goes out, rewritten if it was whole. */
static void
let_go(struct hdr *h, bool whole, struct str *out)
{
	if (!h->holding)
		return;
	h->holding = false;
	if (whole && !h->field.bad)
		h->rewrite(h->ctx, h->sender, h->field.s, h->field.len, out);
	else
		str_put(out, h->field.s, h->field.len);
	out->bad |= h->field.bad;
	str_reset(&h->field);
}

/* Text of the header, to be held or given out. */
static void
give(struct hdr *h, const char *s, size_t len, struct str *out)
{
	if (h->dropping)
		return;
	if (h->holding && h->field.len + len > LIMIT_FIELD)
		let_go(h, false, out);
	str_put(h->holding ? &h->field : out, s, len);
}

static void
see_field(struct hdr *h, const char *s, size_t len)
{
	h->dropping = hdr_is(s, len, "Return-Path:") || (h->drop_bcc &&
	    (hdr_is(s, len, "Bcc:") || hdr_is(s, len, "Resent-Bcc:")));
	h->in_message_id = hdr_is(s, len, "Message-ID:");
	h->holding = h->rewrite != NULL && !h->dropping &&
	    has_addresses(s, len, &h->sender);
	if (hdr_is(s, len, "Received:") || hdr_is(s, len, "Delivered-To:"))
		h->hops++;
	else if (hdr_is(s, len, "Date:"))
		h->has_date = true;
	else if (hdr_is(s, len, "From:"))
		h->has_from = true;
	else if (hdr_is(s, len, "To:") || hdr_is(s, len, "Cc:") ||
	    hdr_is(s, len, "Bcc:"))
		h->has_recipient = true;
	else if (h->in_message_id)
		h->has_message_id = true;
}

/* One line, whole (with its LF) or cut at LIMIT_HEADER.  False: it is not
 * part of a header. */
static bool
see_line(struct hdr *h, struct str *out)
{
	const char *s = h->line.s;
	size_t len = h->line.len;

	if (s[0] != ' ' && s[0] != '\t')
		let_go(h, true, out);
	if (s[0] == '\n') {
		end_of_header(h, out);
		str_putc(out, '\n');
		str_reset(&h->line);
		return true;
	}
	if (h->first && (hdr_is(s, len, "From ") || hdr_is(s, len, ">From ")))
		str_puts(out, "X-Mailbox-Line: ");
	else if (s[0] == ' ' || s[0] == '\t') {
		if (h->first)
			return false;
	} else if (is_field(s, len))
		see_field(h, s, len);
	else
		return false;
	h->first = false;
	if (h->in_message_id)
		take_message_id(h, s, len);
	give(h, s, len, out);
	str_reset(&h->line);
	return true;
}

static void
no_header(struct hdr *h, struct str *out)
{
	end_of_header(h, out);
	str_putc(out, '\n');
	str_put(out, h->line.s, h->line.len);
	str_reset(&h->line);
}

size_t
hdr_feed(struct hdr *h, const char *in, size_t len, struct str *out)
{
	size_t i = 0, n;
	const char *nl;

	while (i < len && !h->body) {
		nl = memchr(in + i, '\n', len - i);
		n = nl != NULL ? (size_t)(nl - in) - i + 1 : len - i;
		if (h->in_line) {
			give(h, in + i, n, out);
			h->in_line = nl == NULL;
			i += n;
			continue;
		}
		if (h->line.len + n > LIMIT_HEADER) {
			n = LIMIT_HEADER - h->line.len;
			nl = NULL;
		}
		str_put(&h->line, in + i, n);
		i += n;
		if (nl == NULL && h->line.len < LIMIT_HEADER)
			break;
		h->in_line = nl == NULL;
		if (!see_line(h, out))
			no_header(h, out);
	}
	out->bad |= h->line.bad;
	return i;
}

void
hdr_end(struct hdr *h, struct str *out)
{
	bool cut = h->in_line || h->line.len > 0;

	if (h->body)
		return;
	if (h->line.len > 0 && !see_line(h, out))
		no_header(h, out);
	if (h->body)
		return;
	if (cut)
		give(h, "\n", 1, out);
	let_go(h, true, out);
	end_of_header(h, out);
}
