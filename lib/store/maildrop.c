/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/maildrop.h"

#include <errno.h>
#include <stdlib.h>

#include "pure/limits.h"

enum verdict
maildrop_open(struct maildrop *m, const struct maildrop_ops *ops, int dir,
    const char *name, struct why *why)
{
	*m = (struct maildrop){ .ops = ops, .dir = dir, .name = name };
	if (ops->open(m, why) == VERDICT_OK)
		return VERDICT_OK;
	maildrop_close(m);
	return why->verdict;
}

void
maildrop_uidl(struct maildrop *m, size_t i, char id[static MAILDROP_UIDL])
{
	m->ops->uidl(m, i, id);
}

int
maildrop_begin(struct maildrop *m, size_t i, struct maildrop_source *s)
{
	return m->ops->begin(m, i, s);
}

void
maildrop_end(struct maildrop *m, struct maildrop_source *s)
{
	m->ops->end(m, s);
}

enum verdict
maildrop_update(struct maildrop *m, struct why *why)
{
	if (maildrop_deleted(m) == 0)
		return why_set(why, VERDICT_OK, "2.0.0", "nothing to delete");
	return m->ops->update(m, why);
}

void
maildrop_close(struct maildrop *m)
{
	m->ops->close(m);
	free(m->message);
	m->message = NULL;
	m->count = m->cap = 0;
}

struct maildrop_message *
maildrop_add(struct maildrop *m)
{
	size_t cap = m->cap > 0 ? m->cap * 2 : 64;
	struct maildrop_message *more;

	if (m->count >= LIMIT_MESSAGES) {
		errno = EOVERFLOW;
		return NULL;
	}
	if (m->count == m->cap) {
		more = reallocarray(m->message, cap, sizeof(*more));
		if (more == NULL)
			return NULL;
		m->message = more;
		m->cap = cap;
	}
	more = &m->message[m->count++];
	*more = (struct maildrop_message){ .deleted = false };
	return more;
}

size_t
maildrop_deleted(const struct maildrop *m)
{
	size_t i, n = 0;

	for (i = 0; i < m->count; i++)
		n += m->message[i].deleted;
	return n;
}
