/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/list.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "pure/num.h"

static bool
is_separator(char c)
{
	return c == ',' || c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

const char *
list_next(const char **list, size_t *len)
{
	const char *s = *list, *word;

	while (is_separator(*s))
		s++;
	if (*s == '\0')
		return NULL;
	word = s;
	while (*s != '\0' && !is_separator(*s))
		s++;
	*len = (size_t)(s - word);
	*list = s;
	return word;
}

/* "{ text }" is text: blanks in a path are no separators then. */
static void
strip_braces(const char **element, size_t *len)
{
	const char *s = *element;
	size_t n = *len;

	if (n < 2 || s[0] != '{' || s[n - 1] != '}')
		return;
	s++;
	n -= 2;
	while (n > 0 && is_separator(s[0])) {
		s++;
		n--;
	}
	while (n > 0 && is_separator(s[n - 1]))
		n--;
	*element = s;
	*len = n;
}

int
list_next_element(const char **list, const char **element, size_t *len)
{
	const char *s = *list;
	int depth = 0;

	while (is_separator(*s))
		s++;
	*element = s;
	for (; *s != '\0' && (depth > 0 || !is_separator(*s)); s++) {
		if (*s == '{')
			depth++;
		else if (*s == '}' && depth-- == 0)
			return -1;
	}
	if (depth > 0)
		return -1;
	*len = (size_t)(s - *element);
	*list = s;
	if (*len == 0)
		return 0;
	strip_braces(element, len);
	return 1;
}

bool
list_has_domain(const char *list, const char *domain)
{
	size_t n = strlen(domain), len;
	const char *word;

	while ((word = list_next(&list, &len)) != NULL) {
		if (len == n && strncasecmp(word, domain, n) == 0)
			return true;
		if (word[0] == '.' && len < n &&
		    strncasecmp(word, domain + n - len, len) == 0)
			return true;
	}
	return false;
}

struct network {
	int family;
	unsigned char raw[16];
	uint64_t bits;
};

/* "[addr]/bits", "addr/bits", "[addr/bits]" or a lone address. */
static bool
parse_network(const char *s, size_t len, struct network *net)
{
	char text[INET6_ADDRSTRLEN + 8], *slash, *close;

	if (len >= sizeof(text))
		return false;
	memcpy(text, s, len);
	text[len] = '\0';
	if (text[0] == '[') {
		close = strchr(text, ']');
		if (close == NULL || (close[1] != '\0' && close[1] != '/'))
			return false;
		memmove(close, close + 1, strlen(close + 1) + 1);
		memmove(text, text + 1, strlen(text + 1) + 1);
	}
	slash = strchr(text, '/');
	if (slash != NULL)
		*slash = '\0';
	net->family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
	if (inet_pton(net->family, text, net->raw) != 1)
		return false;
	net->bits = net->family == AF_INET ? 32 : 128;
	return slash == NULL ||
	    num_parse(slash + 1, strlen(slash + 1), net->bits, &net->bits);
}

static bool
in_network(const struct network *net, int family, const unsigned char *raw)
{
	uint64_t whole = net->bits / 8, rest = net->bits % 8;

	if (net->family != family || memcmp(net->raw, raw, whole) != 0)
		return false;
	return rest == 0 ||
	    ((net->raw[whole] ^ raw[whole]) & (0xff << (8 - rest)) & 0xff) == 0;
}

int
list_has_network(const char *list, int family, const void *address,
    const char **bad, size_t *bad_len)
{
	struct network net;
	const char *word;
	size_t len;
	bool not;

	while ((word = list_next(&list, &len)) != NULL) {
		not = word[0] == '!';
		if (!parse_network(word + not, len - not, &net)) {
			*bad = word;
			*bad_len = len;
			return -1;
		}
		if (in_network(&net, family, address))
			return !not;
	}
	return 0;
}
