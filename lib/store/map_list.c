/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists of tables, as parameters name them. */
#include "store/map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pure/list.h"
#include "store/map_type.h"
#include "sys/log.h"

int
map_list_open(struct map_list *l, const char *spec, const char *default_type,
    struct why *why)
{
	const char *element, *list = spec;
	struct map *m, **maps;
	size_t len;
	int more;

	*l = (struct map_list){ .n = 0 };
	while ((more = list_next_element(&list, &element, &len)) > 0) {
		m = map_open_element(element, len, default_type, why);
		if (m == NULL)
			return -1;
		maps = reallocarray(l->map, l->n + 1, sizeof(struct map *));
		if (maps == NULL || l->n == LIMIT_MAPS) {
			map_close(m);
			(void)why_set(why, VERDICT_LATER, "4.3.0",
			    "out of memory, or more than %d tables",
			    LIMIT_MAPS);
			return -1;
		}
		l->map = maps;
		l->map[l->n++] = m;
	}
	if (more < 0) {
		(void)why_set(why, VERDICT_NEVER, "5.3.5",
		    "\"%s\": { and } do not match", spec);
		return -1;
	}
	return 0;
}

void
map_list_close(struct map_list *l)
{
	while (l->n > 0)
		map_close(l->map[--l->n]);
	free(l->map);
	l->map = NULL;
}

static enum map_answer
find(struct map_list *l, const char *key, bool whole, struct str *value,
    struct why *why)
{
	enum map_answer answer;
	size_t i;

	str_reset(value);
	for (i = 0; i < l->n; i++) {
		if (!whole && l->map[i]->type != NULL &&
		    l->map[i]->type->pattern)
			continue;
		answer = map_find(l->map[i], key, value, why);
		if (answer == MAP_HIT) {
			l->owner = l->map[i]->fd >= 0 ? l->map[i]->st.st_uid :
			    0;
			if (value->bad)
				return map_later(l->map[i], why,
				    "out of memory");
		}
		if (answer != MAP_MISS)
			return answer;
	}
	return MAP_MISS;
}

enum map_answer
map_list_find(struct map_list *l, const char *key, struct str *value,
    struct why *why)
{
	return find(l, key, true, value, why);
}

enum map_answer
map_list_find_keys(struct map_list *l, struct mapkey *keys,
    struct str *value, struct why *why)
{
	enum map_answer answer = MAP_MISS;
	const char *key;

	str_reset(value);
	while (l->n > 0 && answer == MAP_MISS &&
	    (key = mapkey_next(keys)) != NULL)
		answer = find(l, key, keys->whole, value, why);
	return answer;
}

static void
each_line(const struct str *lines, void (*say)(void *, const char *),
    void *ctx)
{
	char line[LIMIT_REASON + 1];
	const char *s, *end;

	for (s = lines->s; (end = strchr(s, '\n')) != NULL; s = end + 1) {
		(void)snprintf(line, sizeof(line), "%.*s", (int)(end - s), s);
		say(ctx, line);
	}
}

void
map_list_faults(struct map_list *l, void (*say)(void *, const char *),
    void *ctx)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		(void)map_load(l->map[i]);
		each_line(&l->map[i]->stale, say, ctx);
		each_line(&l->map[i]->faults, say, ctx);
	}
}

static void
log_one(void *role, const char *text)
{
	log_warning(role, "%s", text);
}

void
map_list_log_stale(const struct map_list *l, const char *role)
{
	char name[32];
	size_t i;

	(void)snprintf(name, sizeof(name), "%s", role);
	for (i = 0; i < l->n; i++)
		each_line(&l->map[i]->stale, log_one, name);
}
