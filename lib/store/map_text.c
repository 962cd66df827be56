/* SPDX-License-Identifier: GPL-3.0-or-later */
/* texthash: the source itself, read when it is first asked for something. */
#include <stdlib.h>
#include <string.h>

#include "pure/tableline.h"
#include "store/map_type.h"

/* An entry's key and value, NUL-ended, in the text. */
struct entry {
	const char *key, *value;
	unsigned line;
};

struct texthash {
	struct entry *entry;	/* sorted by key */
	size_t n, room;
	char *text;
	bool doubt;		/* there are lines that cannot be read */
};

static int
by_key(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = strcmp(x->key, y->key);

	return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

static bool
add(struct texthash *t, const char *key, const char *value, unsigned line)
{
	struct entry *more;
	size_t room;

	if (t->n == t->room) {
		room = t->room * 2 + 64;
		more = reallocarray(t->entry, room, sizeof(*more));
		if (more == NULL)
			return false;
		t->entry = more;
		t->room = room;
	}
	t->entry[t->n++] = (struct entry){ key, value, line };
	return true;
}

static void
fold(char *s)
{
	for (; *s != '\0'; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s |= 0x20;
}

/* The entries' text is written over the file's, never longer. */
static bool
read_entries(struct map *m, struct texthash *t, char *file, size_t len)
{
	struct tableline lines;
	char *key, *value, *to = file;
	const char *wrong;
	size_t key_len, value_len;
	bool good = true;

	tableline_init_text(&lines, file, len);
	while (good && tableline_next(&lines)) {
		wrong = lines.text.bad ? "the line is too long" :
		    tableline_split(lines.text.s, lines.text.len, &key,
		    &value);
		if (wrong != NULL) {
			t->doubt = true;
			str_printf(&m->faults, "%s, line %u: %s\n", m->name,
			    lines.line, wrong);
			continue;
		}
		fold(key);
		key_len = strlen(key) + 1;
		value_len = strlen(value) + 1;
		memcpy(to, key, key_len);
		memcpy(to + key_len, value, value_len);
		good = add(t, to, to + key_len, lines.line);
		to += key_len + value_len;
	}
	tableline_free(&lines);
	return good;
}

static void
tell_duplicates(struct map *m, const struct texthash *t)
{
	size_t i;

	for (i = 1; i < t->n; i++)
		if (strcmp(t->entry[i - 1].key, t->entry[i].key) == 0)
			str_printf(&m->faults, "%s, line %u: duplicate "
			    "entry: \"%s\"\n", m->name, t->entry[i].line,
			    t->entry[i].key);
}

static int
texthash_open(struct map *m, struct why *why)
{
	return map_open_file(m, m->name, why);
}

static int
texthash_load(struct map *m, struct why *why)
{
	struct texthash *t = calloc(1, sizeof(*t));
	size_t len;

	m->data = t;
	if (t == NULL) {
		(void)map_later(m, why, "out of memory");
		return -1;
	}
	t->text = map_read_file(m, &len, why);
	if (t->text == NULL)
		return -1;
	t->doubt = m->faults.len > 0;
	if (!read_entries(m, t, t->text, len)) {
		(void)map_later(m, why, "out of memory");
		return -1;
	}
	if (t->n > 0)
		qsort(t->entry, t->n, sizeof(t->entry[0]), by_key);
	tell_duplicates(m, t);
	return 0;
}

/* The first of the entries with that key. */
static const struct entry *
lookup(const struct texthash *t, const char *key)
{
	size_t low = 0, high = t->n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (strcmp(t->entry[middle].key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < t->n && strcmp(t->entry[low].key, key) == 0 ?
	    &t->entry[low] : NULL;
}

/* A line that cannot be read might have been the one. */
static enum map_answer
texthash_find(struct map *m, const char *key, size_t len, struct str *value,
    struct why *why)
{
	struct texthash *t = m->data;
	const struct entry *e = lookup(t, key);

	(void)len;
	if (e != NULL) {
		str_puts(value, e->value);
		return MAP_HIT;
	}
	return t->doubt ? map_later_for_faults(m, why) : MAP_MISS;
}

static void
texthash_close(struct map *m)
{
	struct texthash *t = m->data;

	if (t != NULL) {
		free(t->entry);
		free(t->text);
	}
	free(t);
}

const struct map_type map_texthash = {
	.name = "texthash",
	.open = texthash_open,
	.load = texthash_load,
	.find = texthash_find,
	.close = texthash_close
};
