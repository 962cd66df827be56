/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>
#include <strings.h>

#include "pure/list.h"
#include "store/rewrite.h"

static bool
is_exempt(const struct rewrite *r, const struct addr *a)
{
	const char *list = conf_get(r->conf, CONF_MASQUERADE_EXCEPTIONS);
	const char *word;
	size_t len;

	while ((word = list_next(&list, &len)) != NULL)
		if (len == a->at && strncasecmp(word, a->text, len) == 0)
			return true;
	return false;
}

void
rewrite_masquerade(const struct rewrite *r, struct addr *a)
{
	const char *list = conf_get(r->conf, CONF_MASQUERADE_DOMAINS);
	const char *domain = addr_domain(a), *word;
	size_t n = strlen(domain), len, cut;
	bool not;

	if (list[0] == '\0' || n == 0 || is_exempt(r, a))
		return;
	while ((word = list_next(&list, &len)) != NULL) {
		not = word[0] == '!';
		word += not;
		len -= not;
		if (n < len || strncasecmp(domain + n - len, word, len) != 0 ||
		    (n > len && domain[n - len - 1] != '.'))
			continue;
		if (not || n == len)
			return;
		cut = n - len;
		memmove(a->text + a->at + 1, domain + cut, len + 1);
		a->len -= cut;
		return;
	}
}
