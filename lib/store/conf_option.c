/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parameters from a command line, over those of main.cf. */
#include "store/conf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool
conf_option(struct conf_options *o, char *text)
{
	if (o->n == LIMIT_OPTIONS)
		return false;
	o->text[o->n++] = text;
	return true;
}

/* The entries point into copies, which are the configuration's own. */
static int
override(struct conf *c, const struct conf_options *o, struct why *why)
{
	size_t size = 0, i;
	char *to;

	for (i = 0; i < o->n; i++)
		size += strlen(o->text[i]) + 1;
	c->options = to = malloc(size + 1);
	if (to == NULL) {
		(void)why_errno(why, ENOMEM, "read options");
		return -1;
	}
	for (i = 0; i < o->n; i++) {
		memcpy(to, o->text[i], strlen(o->text[i]) + 1);
		if (conf_override(c, to, why) != 0)
			return -1;
		to += strlen(o->text[i]) + 1;
	}
	return 0;
}

int
conf_load_with(struct conf *c, const char *dir, const struct conf_options *o,
    struct why *why)
{
	if (conf_read(c, dir, why) != 0)
		return -1;
	if ((o->n == 0 || override(c, o, why) == 0) && conf_check(c, why) == 0)
		return 0;
	conf_free(c);
	return -1;
}
