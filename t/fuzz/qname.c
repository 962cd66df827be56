/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of queue files: no path in any, and the numbers are what is there. */
#include <stdio.h>
#include <string.h>

#include "fuzz.h"
#include "store/queue.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), id[LIMIT_QUEUE_ID + 1];
	char again[LIMIT_QUEUE_NAME + 64];
	uint64_t octets, crlf_octets, o, c;

	MUST(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	if (queue_parse_name(text, id, &octets, &crlf_octets)) {
		MUST(id[0] != '\0' && strlen(id) <= LIMIT_QUEUE_ID);
		MUST(strspn(id, "0123456789ABCDEF") == strlen(id));
		MUST(strlen(text) < LIMIT_QUEUE_NAME);
		(void)queue_id_us(id);
		(void)snprintf(again, sizeof(again), "%s,S=%ju,W=%ju", id,
		    (uintmax_t)octets, (uintmax_t)crlf_octets);
		MUST(queue_parse_name(again, id, &o, &c));
		MUST(o == octets && c == crlf_octets);
	}
	free(text);
	return 0;
}
