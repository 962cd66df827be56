/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Up to the first NUL a list, behind it a domain. */
#include "pure/list.h"

#include <string.h>
#include <sys/socket.h>

#include "fuzz.h"

static void
networks(const char *list, const char *end)
{
	static const unsigned char loopback[16] = { [15] = 1 };
	const char *bad = NULL;
	size_t len = 0;
	int in;

	for (int i = 0; i < 2; i++) {
		in = list_has_network(list, i > 0 ? AF_INET6 : AF_INET,
		    loopback, &bad, &len);
		MUST(in >= -1 && in <= 1);
		if (in == -1)
			MUST(bad >= list && bad + len <= end && len > 0);
	}
}

static void
elements(const char *text, const char *end)
{
	const char *list = text, *before = text, *element;
	size_t len;
	int more;

	while ((more = list_next_element(&list, &element, &len)) > 0) {
		MUST(list > before && list <= end);
		MUST(element >= before && element + len <= list);
		before = list;
	}
	MUST(more == 0 || list == before);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 2);
	const char *list = text, *word, *end;
	size_t len, total = 0;

	MUST(text != NULL);
	memcpy(text, data, size);
	text[size] = text[size + 1] = '\0';
	end = text + strlen(text);
	while ((word = list_next(&list, &len)) != NULL) {
		MUST(len > 0 && word >= text && word + len == list);
		MUST(list <= end);
		total += len;
	}
	MUST(total <= (size_t)(end - text));
	(void)list_has_domain(text, end + (end < text + size));
	networks(text, end);
	elements(text, end);
	free(text);
	return 0;
}
