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
}

void
hdr_free(struct hdr *h)
{
	str_free(&h->line);
	str_free(&h->message_id);
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

static void
see_field(struct hdr *h, const char *s, size_t len)
{
	h->dropping = hdr_is(s, len, "Return-Path:") || (h->drop_bcc &&
	    (hdr_is(s, len, "Bcc:") || hdr_is(s, len, "Resent-Bcc:")));
	h->in_message_id = hdr_is(s, len, "Message-ID:");
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
	if (!h->dropping)
		str_put(out, s, len);
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
			if (!h->dropping)
				str_put(out, in + i, n);
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
	if (cut && !h->dropping)
		str_putc(out, '\n');
	end_of_header(h, out);
}
