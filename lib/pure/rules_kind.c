/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the patterns of the two kinds are. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "pure/list.h"
#include "pure/rules.h"

#define BLANKS	" \t\r\n\v\f"

static const char *
cidr_compile(void **pattern, char *text, char **rest)
{
	size_t len = strcspn(text, BLANKS), bad_len;
	unsigned char none[16] = { 0 };
	const char *bad;
	char *net = strndup(text, len);

	*rest = text + len;
	if (net == NULL)
		return "out of memory";
	if (len == 0 || strchr(net, ',') != NULL ||
	    list_has_network(net, AF_INET, none, &bad, &bad_len) < 0) {
		free(net);
		return "expected format: network/bits value";
	}
	*pattern = net;
	return NULL;
}

static bool
cidr_match(const void *pattern, const char *key,
    regmatch_t group[static RULES_GROUPS])
{
	int family = strchr(key, ':') != NULL ? AF_INET6 : AF_INET;
	unsigned char raw[16];
	const char *bad;
	size_t bad_len;

	(void)group;
	return inet_pton(family, key, raw) == 1 &&
	    list_has_network(pattern, family, raw, &bad, &bad_len) == 1;
}

const struct rules_kind rules_cidr = {
	.compile = cidr_compile,
	.match = cidr_match,
	.free = free
};

/* Flags: each turns over what holds without it. */
static const char *
read_flags(char **text, int *flags)
{
	*flags = REG_EXTENDED | REG_ICASE | REG_NEWLINE;
	for (; **text != '\0' && strchr(BLANKS, **text) == NULL; (*text)++) {
		switch (**text) {
		case 'i': *flags ^= REG_ICASE; break;
		case 'm': *flags ^= REG_NEWLINE; break;
		case 'x': *flags ^= REG_EXTENDED; break;
		default: return "unknown flag behind the expression";
		}
	}
	return NULL;
}

static const char *
regexp_compile(void **pattern, char *text, char **rest)
{
	const char *wrong;
	char delimiter = text[0], *end;
	regex_t *re;
	int flags;

	if (delimiter == '\0' || isalnum((unsigned char)delimiter))
		return "expected format: /expression/flags value";
	for (end = text + 1; *end != delimiter; end++) {
		if (*end == '\\' && end[1] != '\0')
			end++;
		if (*end == '\0')
			return "the expression is not closed";
	}
	*rest = end + 1;
	wrong = read_flags(rest, &flags);
	if (wrong != NULL)
		return wrong;
	re = malloc(sizeof(*re));
	if (re == NULL)
		return "out of memory";
	*end = '\0';
	if (regcomp(re, text + 1, flags) != 0) {
		free(re);
		return "not a POSIX regular expression";
	}
	*pattern = re;
	return NULL;
}

static bool
regexp_match(const void *pattern, const char *key,
    regmatch_t group[static RULES_GROUPS])
{
	return regexec(pattern, key, RULES_GROUPS, group, 0) == 0;
}

static void
regexp_free(void *pattern)
{
	regfree(pattern);
	free(pattern);
}

static size_t
regexp_groups(const void *pattern)
{
	const regex_t *re = pattern;

	return re->re_nsub < RULES_GROUPS - 1 ? re->re_nsub :
	    RULES_GROUPS - 1;
}

const struct rules_kind rules_regexp = {
	.compile = regexp_compile,
	.match = regexp_match,
	.free = regexp_free,
	.groups = regexp_groups
};
