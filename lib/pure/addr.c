/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/addr.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

/* RFC 5321 atext, and the dot; the odd places of dots are let pass, as
 * real addresses have them. */
static bool
is_atom(char c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9'))
		return true;
	return c != '\0' && strchr(".!#$%&'*+-/=?^_`{|}~", c) != NULL;
}

static bool
is_domain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

/* Octets of a local part at s, 0 if there is none. */
static size_t
scan_local(const char *s, size_t len)
{
	size_t i = 0;

	if (len > 0 && s[0] == '"') {
		for (i = 1; i < len && s[i] != '"'; i++) {
			if (s[i] == '\\' && ++i >= len)
				return 0;
			if (s[i] < ' ' || s[i] > '~')
				return 0;
		}
		return i < len ? i + 1 : 0;
	}
	while (i < len && is_atom(s[i]))
		i++;
	return i;
}

/* "[192.0.2.1]" or "[IPv6:2001:db8::1]" */
static size_t
scan_literal(const char *s, size_t len)
{
	char text[INET6_ADDRSTRLEN];
	unsigned char raw[16];
	const char *end = memchr(s, ']', len);
	const char *from = s + 1;
	int family = AF_INET;
	size_t n;

	if (end == NULL)
		return 0;
	if (end - from > 5 && strncasecmp(from, "IPv6:", 5) == 0) {
		from += 5;
		family = AF_INET6;
	}
	n = (size_t)(end - from);
	if (n >= sizeof(text))
		return 0;
	memcpy(text, from, n);
	text[n] = '\0';
	if (strlen(text) != n || inet_pton(family, text, raw) != 1)
		return 0;
	return (size_t)(end - s) + 1;
}

/* A domain or an address literal; dots only between labels, but for one at
 * the end (which *keep then leaves out). */
static size_t
scan_domain(const char *s, size_t len, size_t *keep)
{
	size_t i = 0;

	if (len > 0 && s[0] == '[')
		return *keep = scan_literal(s, len);
	while (i < len && is_domain(s[i])) {
		if (s[i] == '.' && (i == 0 || s[i - 1] == '.'))
			return 0;
		i++;
	}
	*keep = i > 1 && s[i - 1] == '.' ? i - 1 : i;
	return *keep <= LIMIT_DOMAIN ? i : 0;
}

/* Skips "@one,@two:" (RFC 5321 4.1.1.3, appendix C); 0 when there is none,
 * len + 1 when it is broken. */
static size_t
scan_route(const char *s, size_t len)
{
	size_t i = 0, keep, n;

	if (len == 0 || s[0] != '@')
		return 0;
	for (;;) {
		if (i >= len || s[i] != '@')
			return len + 1;
		n = scan_domain(s + i + 1, len - i - 1, &keep);
		if (n == 0)
			return len + 1;
		i += n + 1;
		if (i >= len)
			return len + 1;
		if (s[i] == ':')
			return i + 1;
		if (s[i++] != ',')
			return len + 1;
	}
}

size_t
addr_parse(struct addr *a, const char *s, size_t len)
{
	size_t i = 0, n, keep = 0, local;
	bool bracket = false;

	memset(a, 0, sizeof(*a));
	while (i < len && (s[i] == ' ' || s[i] == '\t'))
		i++;
	if (i < len && s[i] == '<') {
		bracket = true;
		i++;
	}
	if (bracket && i < len && s[i] == '>') {
		i++;			/* the null address */
		return i == len || s[i] == ' ' || s[i] == '\t' ? i : 0;
	}
	n = scan_route(s + i, len - i);
	if (n > len - i)
		return 0;
	i += n;
	local = scan_local(s + i, len - i);
	if (local == 0 || local > LIMIT_ADDRESS)
		return 0;
	memcpy(a->text, s + i, local);
	a->len = a->at = local;
	i += local;
	if (i < len && s[i] == '@') {
		n = scan_domain(s + i + 1, len - i - 1, &keep);
		if (n == 0 || local + 1 + keep > LIMIT_ADDRESS)
			return 0;
		memcpy(a->text + local, s + i, 1 + keep);
		a->len = local + 1 + keep;
		i += 1 + n;
	}
	a->text[a->len] = '\0';
	if (bracket) {
		if (i >= len || s[i] != '>')
			return 0;
		i++;
	}
	if (i < len && s[i] != ' ' && s[i] != '\t')
		return 0;
	return i;
}

bool
addr_complete(struct addr *a, const char *origin)
{
	size_t n = strlen(origin);

	if (a->len == 0 || a->at < a->len || n == 0)
		return true;
	if (a->len + 1 + n > LIMIT_ADDRESS)
		return false;
	a->text[a->len] = '@';
	memcpy(a->text + a->len + 1, origin, n + 1);
	a->len += 1 + n;
	return true;
}

const char *
addr_domain(const struct addr *a)
{
	return a->at < a->len ? a->text + a->at + 1 : "";
}

bool
addr_local_key(const struct addr *a, char *key, size_t size)
{
	bool quoted = a->len > 0 && a->text[0] == '"';
	size_t i, n = 0, end = quoted ? a->at - 1 : a->at;
	char c;

	for (i = quoted ? 1 : 0; i < end; i++) {
		c = a->text[i];
		if (quoted && c == '\\')
			c = a->text[++i];
		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (c == '/' || c == '\0' || n + 1 >= size)
			return false;
		key[n++] = c;
	}
	if (n == 0)
		return false;
	key[n] = '\0';
	return true;
}
