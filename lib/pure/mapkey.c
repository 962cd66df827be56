/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/mapkey.h"

#include <string.h>
#include <strings.h>

enum {
	STEP_WHOLE,
	STEP_BARE,		/* user@domain */
	STEP_USER_EXTENSION,	/* user+ext */
	STEP_USER,		/* user */
	STEP_AT_DOMAIN,		/* @domain */
	STEP_DOMAIN,		/* domain, then .parent ... */
	STEP_STAR,		/* * */
	STEP_END
};

static bool
is_word(const char *s, size_t len, const char *word)
{
	return len == strlen(word) && strncasecmp(s, word, len) == 0;
}

size_t
mapkey_bare(const char *local, size_t len, const char *delimiters)
{
	size_t n;

	if (is_word(local, len, "mailer-daemon") ||
	    is_word(local, len, "double-bounce"))
		return len;
	for (n = 0; n < len && (local[n] == '\0' ||
	    strchr(delimiters, local[n]) == NULL); n++)
		;
	if (n == 0 || n == len)
		return len;
	if (local[n] == '-' &&
	    (is_word(local, n, "owner") ||
	    (len > 8 && is_word(local + len - 8, 8, "-request"))))
		return len;
	return n;
}

/* "b\"ob"@domain becomes b"ob@domain; what is not quoted properly stays. */
static const char *
unquote(const char *address, char *own)
{
	const char *s = address + 1;
	size_t n = 0;

	for (; *s != '"'; s++) {
		if (*s == '\\')
			s++;
		if (*s == '\0')
			return address;
		own[n++] = *s;
	}
	if (s[1] != '@' && s[1] != '\0')
		return address;
	memcpy(own + n, s + 1, strlen(s + 1) + 1);
	return own;
}

static void
start(struct mapkey *k, const char *address, const char *delimiters)
{
	const char *at;

	*k = (struct mapkey){ .address = address, .len = strlen(address),
	    .extension = "" };
	if (k->len > LIMIT_ADDRESS) {
		k->step = STEP_END;
		return;
	}
	if (address[0] == '"') {
		k->address = address = unquote(address, k->own);
		k->len = strlen(address);
	}
	at = strrchr(address, '@');
	k->at = at != NULL ? (size_t)(at - address) : k->len;
	k->bare = mapkey_bare(address, k->at, delimiters);
	k->domain = k->at < k->len ? k->at + 1 : k->len;
}

void
mapkey_address(struct mapkey *k, const char *address, const char *delimiters,
    bool local)
{
	start(k, address, delimiters);
	k->local = local;
}

void
mapkey_transport(struct mapkey *k, const char *address,
    const char *delimiters)
{
	start(k, address, delimiters);
	k->transport = true;
}

/* address[0..end) and what follows the user from "@" on, if so asked. */
static const char *
make(struct mapkey *k, size_t end, bool with_domain)
{
	size_t rest = with_domain ? k->len - k->at : 0;

	memcpy(k->key, k->address, end);
	memcpy(k->key + end, k->address + k->at, rest);
	k->key[end + rest] = '\0';
	k->extension = k->address + end;
	k->extension_len = k->at - end;
	return k->key;
}

static const char *
make_from(struct mapkey *k, size_t from)
{
	memcpy(k->key, k->address + from, k->len - from);
	k->key[k->len - from] = '\0';
	return k->key;
}

static const char *
whole_key(struct mapkey *k)
{
	k->whole = true;
	if (k->len == 0) {
		memcpy(k->key, "<>", 3);
		return k->key;
	}
	return make(k, k->at, true);
}

/* The domain, then each of its parents from its dot on. */
static const char *
domain_key(struct mapkey *k)
{
	size_t from = k->domain;
	const char *dot;

	if (from >= k->len)
		return NULL;
	dot = memchr(k->address + from + 1, '.', k->len - from - 1);
	k->domain = dot != NULL ? (size_t)(dot - k->address) : k->len;
	k->step = STEP_DOMAIN;
	return make_from(k, from);
}

const char *
mapkey_next(struct mapkey *k)
{
	bool extended = k->bare < k->at, at = k->at < k->len;
	const char *key = NULL;

	k->whole = false;
	while (key == NULL && k->step < STEP_END) {
		k->extension = "";
		k->extension_len = 0;
		switch (k->step++) {
		case STEP_WHOLE:
			key = whole_key(k);
			break;
		case STEP_BARE:
			if (extended)
				key = make(k, k->bare, true);
			break;
		case STEP_USER_EXTENSION:
			if (k->local && at && extended)
				key = make(k, k->at, false);
			break;
		case STEP_USER:
			if (k->local && at && k->bare > 0)
				key = make(k, k->bare, false);
			break;
		case STEP_AT_DOMAIN:
			if (!k->transport && at)
				key = make_from(k, k->at);
			break;
		case STEP_DOMAIN:
			if (k->transport)
				key = domain_key(k);
			break;
		case STEP_STAR:
			if (k->transport)
				key = memcpy(k->key, "*", 2);
			break;
		}
	}
	return key;
}
