/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Asks tables, lists and changes maps: -q, -s, -d. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "postmap.h"
#include "store/map.h"
#include "store/mapbuild.h"

const char *
gdbm_file(struct options *o, const char *spec)
{
	/* The types of map_types that are made of a source. */
	static const char *const compiled[] = { "btree", "cdb", "dbm", "gdbm",
		"hash", "lmdb", "sdbm", NULL };
	const char *colon = strchr(spec, ':'), *slash = strchr(spec, '/');
	const char *type = spec, *file;
	size_t len, i;

	if (colon == NULL || (slash != NULL && slash < colon)) {
		type = default_type(o);
		len = strlen(type);
		file = spec;
	} else {
		len = (size_t)(colon - spec);
		file = colon + 1;
	}
	for (i = 0; *file != '\0' && compiled[i] != NULL; i++)
		if (strlen(compiled[i]) == len &&
		    memcmp(compiled[i], type, len) == 0)
			return file;
	return NULL;
}

static void
say_warning(void *ctx, const char *text)
{
	(void)ctx;
	warning("%s", text);
}

static void
open_tables(struct options *o, char *const *specs, struct map_list *tables,
    size_t n)
{
	const char *type;
	struct why why;
	size_t i;

	for (i = 0; i < n; i++) {
		type = strchr(specs[i], ':') == NULL ||
		    specs[i][0] == '/' ? default_type(o) : NULL;
		if (map_list_open(&tables[i], specs[i], type, &why) != 0)
			fatal(1, "%s", why.text);
		map_list_faults(&tables[i], say_warning, NULL);
	}
}

/* True: one has it, and its value is printed. */
static bool
find(struct options *o, struct map_list *tables, size_t n, const char *key,
    bool print_key)
{
	enum map_answer answer = MAP_MISS;
	struct str value;
	struct why why;
	size_t i;

	str_init(&value);
	for (i = 0; i < n && answer == MAP_MISS; i++)
		answer = map_list_find(&tables[i], key, &value, &why);
	if (answer == MAP_LATER)
		fatal(1, "%s", why.text);
	if (answer == MAP_HIT) {
		if (print_key)
			(void)printf("%s%s\t", key, o->alias ? ":" : "");
		(void)puts(value.s);
	}
	str_free(&value);
	return answer == MAP_HIT;
}

/* Calls each for the lines of standard input; how often it was true. */
static size_t
each_line(bool (*each)(void *ctx, char *line), void *ctx)
{
	char *line = NULL;
	size_t size = 0, n = 0;
	ssize_t len;

	while ((len = getline(&line, &size, stdin)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		n += each(ctx, line);
	}
	if (ferror(stdin))
		fatal(1, "standard input: read error");
	free(line);
	return n;
}

struct asker {
	struct options *o;
	struct map_list *tables;
	size_t n;
};

static bool
ask_line(void *ctx, char *line)
{
	struct asker *a = ctx;

	return find(a->o, a->tables, a->n, line, true);
}

int
query(struct options *o, char *const *specs)
{
	struct asker a = { .o = o };
	bool found;
	size_t i;

	while (specs[a.n] != NULL)
		a.n++;
	a.tables = calloc(a.n, sizeof(*a.tables));
	if (a.tables == NULL)
		fatal(1, "out of memory");
	open_tables(o, specs, a.tables, a.n);
	if (strcmp(o->query, "-") == 0)
		found = each_line(ask_line, &a) > 0;
	else
		found = find(o, a.tables, a.n, o->query, false);
	for (i = 0; i < a.n; i++)
		map_list_close(&a.tables[i]);
	free(a.tables);
	return found ? EX_OK : 1;
}

static bool
print(void *ctx, const char *key, size_t key_len, const char *value,
    size_t len)
{
	const struct options *o = ctx;

	(void)fwrite(key, 1, key_len, stdout);
	(void)fputs(o->alias ? ":\t" : "\t", stdout);
	(void)fwrite(value, 1, len, stdout);
	return putchar('\n') != EOF;
}

int
sequence(struct options *o, char *const *specs)
{
	const char *file;
	struct why why;
	char *path;
	int rc;

	for (; *specs != NULL; specs++) {
		file = gdbm_file(o, *specs);
		if (file == NULL)
			fatal(1, "table %s: -s lists maps of type gdbm only",
			    *specs);
		if (asprintf(&path, "%s.gdbm", file) < 0)
			fatal(1, "out of memory");
		rc = mapbuild_each(path, print, o, &why);
		free(path);
		if (rc != 0)
			fatal(1, "%s", why.text);
	}
	return EX_OK;
}

/* The keys to delete, sorted. */
struct keys {
	char **key;
	size_t n;
	size_t found;
	bool keep_case;
};

static bool
add_key(void *ctx, char *line)
{
	struct keys *k = ctx;
	char **more = reallocarray(k->key, k->n + 1, sizeof(char *)), *s;

	if (more == NULL || (s = strdup(line)) == NULL)
		fatal(1, "out of memory");
	k->key = more;
	k->key[k->n++] = s;
	for (; !k->keep_case && *s != '\0'; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s |= 0x20;
	return true;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool
is_deleted(void *ctx, const char *key, size_t len)
{
	struct keys *k = ctx;
	char text[LIMIT_MAP_KEY + 1], *wanted = text;

	if (len > LIMIT_MAP_KEY)
		return false;
	memcpy(text, key, len);
	text[len] = '\0';
	if (bsearch(&wanted, k->key, k->n, sizeof(char *), by_text) == NULL)
		return false;
	k->found++;
	return true;
}

static void
delete_from(struct options *o, const char *spec, struct keys *k)
{
	const char *file = gdbm_file(o, spec);
	struct mapbuild b;
	struct why why;
	size_t before = k->found;
	int rc;

	if (file == NULL)
		fatal(1, "%s map requires O_RDONLY access mode", spec);
	rc = mapbuild_begin(&b, file, &why);
	if (rc == 0 && access(b.path, F_OK) != 0) {
		(void)why_set(&why, VERDICT_LATER, "4.3.0", "open database "
		    "%s: %s", b.path, strerror(errno));
		rc = -1;
	}
	if (rc == 0)
		rc = mapbuild_add_old(&b, is_deleted, k, &why);
	if (rc == 0 && k->found > before)
		rc = mapbuild_commit(&b, 0644, NULL, NULL, &why);
	mapbuild_end(&b);
	if (rc != 0)
		fatal(1, "%s", why.text);
}

int
delete_keys(struct options *o, char *const *specs)
{
	struct keys k = { .keep_case = o->keep_case };
	char *one;

	if (strcmp(o->delete, "-") == 0)
		(void)each_line(add_key, &k);
	else {
		one = strdup(o->delete);
		if (one == NULL)
			fatal(1, "out of memory");
		(void)add_key(&k, one);
		free(one);
	}
	if (k.n > 0)
		qsort(k.key, k.n, sizeof(char *), by_text);
	for (; *specs != NULL; specs++)
		delete_from(o, *specs, &k);
	while (k.n > 0)
		free(k.key[--k.n]);
	free(k.key);
	return k.found > 0 ? EX_OK : 1;
}
