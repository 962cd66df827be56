/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cidr: and regexp: */
#include <stdlib.h>

#include "pure/rules.h"
#include "store/map_type.h"

struct table {
	struct rules rules;
	bool doubt;		/* there are lines that cannot be used */
};

static int
rules_map_open(struct map *m, struct why *why)
{
	return map_open_file(m, m->name, why);
}

static void
add_fault(void *ctx, unsigned line, const char *what)
{
	struct map *m = ctx;

	str_printf(&m->faults, "%s, line %u: %s\n", m->name, line, what);
}

static int
load(struct map *m, const struct rules_kind *kind, struct why *why)
{
	struct table *t = calloc(1, sizeof(*t));
	size_t len;
	char *text;
	bool good;

	m->data = t;
	if (t == NULL) {
		(void)map_later(m, why, "out of memory");
		return -1;
	}
	text = map_read_file(m, &len, why);
	if (text == NULL)
		return -1;
	good = rules_parse(&t->rules, kind, text, len, add_fault, m);
	free(text);
	t->doubt = m->faults.len > 0;
	if (!good)
		(void)map_later(m, why, "out of memory");
	return good ? 0 : -1;
}

static int
load_cidr(struct map *m, struct why *why)
{
	return load(m, &rules_cidr, why);
}

static int
load_regexp(struct map *m, struct why *why)
{
	return load(m, &rules_regexp, why);
}

/* A rule that cannot be used might have been the one. */
static enum map_answer
rules_map_find(struct map *m, const char *key, size_t len, struct str *value,
    struct why *why)
{
	const struct table *t = m->data;

	(void)len;
	if (rules_find(&t->rules, key, value))
		return MAP_HIT;
	return t->doubt ? map_later_for_faults(m, why) : MAP_MISS;
}

static void
rules_map_close(struct map *m)
{
	struct table *t = m->data;

	if (t != NULL)
		rules_free(&t->rules);
	free(t);
}

const struct map_type map_cidr = {
	.name = "cidr",
	.pattern = true,
	.open = rules_map_open,
	.load = load_cidr,
	.find = rules_map_find,
	.close = rules_map_close
};

const struct map_type map_regexp = {
	.name = "regexp",
	.pattern = true,
	.any_case = true,
	.open = rules_map_open,
	.load = load_regexp,
	.find = rules_map_find,
	.close = rules_map_close
};
