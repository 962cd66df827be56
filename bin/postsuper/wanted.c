/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "postsuper.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static int
by_id(const void *a, const void *b)
{
	return strcmp(((const struct wanted *)a)->id,
	    ((const struct wanted *)b)->id);
}

struct wanted *
wanted_add(struct task *t, const char *id)
{
	struct wanted *w = calloc(1, sizeof(*w)), **node;

	if (w == NULL)
		fatal(EX_OSERR, "out of memory");
	(void)snprintf(w->id, sizeof(w->id), "%s", id);
	node = tsearch(w, &t->ids, by_id);
	if (node == NULL)
		fatal(EX_OSERR, "out of memory");
	if (*node == w) {
		t->left++;
		return w;
	}
	free(w);
	return *node;
}

void
wanted_settle(struct task *t, struct wanted *w)
{
	(void)tdelete(w, &t->ids, by_id);
	free(w);
	t->left--;
}

struct wanted *
wanted_find(struct task *t, const char *name)
{
	struct wanted key, **node;

	memcpy(key.id, name, LIMIT_QUEUE_ID);
	key.id[LIMIT_QUEUE_ID] = '\0';
	node = tfind(&key, &t->ids, by_id);
	if (node != NULL)
		return *node;
	if (!t->all || strcmp(key.id, t->all_until) > 0)
		return NULL;
	return wanted_add(t, key.id);
}

bool
wanted_is_id(const char *s)
{
	return strlen(s) == LIMIT_QUEUE_ID &&
	    strspn(s, "0123456789ABCDEF") == LIMIT_QUEUE_ID;
}

void
wanted_read(struct task *t)
{
	char *line = NULL, *id;
	size_t size = 0;

	while (getline(&line, &size, stdin) > 0) {
		id = line + strspn(line, " \t");
		/* "*" and "!" as mailq marks them. */
		id[strcspn(id, " \t\r\n*!#")] = '\0';
		if (wanted_is_id(id))
			(void)wanted_add(t, id);
		else if (id[0] != '\0')
			info("warning: invalid mail queue id: %.100s", id);
	}
	free(line);
}
