/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/sasl.h"

#include <string.h>

#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *msg = malloc(size + 1);
	struct sasl_login login;

	MUST(msg != NULL);
	memcpy(msg, data, size);
	msg[size] = '\0';
	if (sasl_plain(msg, size, &login)) {
		MUST(login.user > msg && login.user[0] != '\0');
		MUST(login.password > login.user);
		MUST(login.password + strlen(login.password) == msg + size);
		MUST(msg[0] == '\0' || strcmp(msg, login.user) == 0);
	}
	free(msg);
	return 0;
}
