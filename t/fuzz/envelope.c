/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is read as an envelope is written as the same one. */
#include "pure/envelope.h"

#include <errno.h>
#include <string.h>

#include "fuzz.h"

static void
check(const struct envelope *e)
{
	struct envelope again;
	struct str s;

	envelope_init(&again);
	str_init(&s);
	envelope_put_sender(&s, e->sender);
	for (size_t i = 0; i < e->nrcpt; i++) {
		MUST(e->rcpt[i].address[0] != '\0');
		envelope_put_rcpt(&s, e->rcpt[i].address,
		    e->rcpt[i].original);
	}
	str_puts(&s, "Received: x\n");
	MUST(envelope_parse(&again, s.s, s.len) == 1);
	MUST(strcmp(again.sender, e->sender) == 0);
	MUST(again.nrcpt == e->nrcpt);
	for (size_t i = 0; i < e->nrcpt; i++)
		MUST(strcmp(again.rcpt[i].address, e->rcpt[i].address) == 0);
	envelope_free(&again);
	str_free(&s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct envelope e;
	int result;

	envelope_init(&e);
	result = envelope_parse(&e, (const char *)data, size);
	if (result == 1) {
		MUST(e.len > 0 && e.len < size && e.nrcpt > 0);
		MUST(data[e.len - 1] == '\n');
		check(&e);
	}
	if (result < 0)
		MUST(errno == EINVAL || errno == ENOMEM);
	envelope_free(&e);
	return 0;
}
