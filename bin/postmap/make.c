/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Makes a map from its source. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "postmap.h"
#include "pure/tableline.h"
#include "store/mapbuild.h"
#include "sys/clock.h"
#include "sys/priv.h"

enum { LINES_TOLD = 10000 };

/* Lines about duplicates, which are found in another order. */
struct told {
	unsigned line;
	char *key;
};

struct maker {
	const struct options *o;
	const char *file;	/* whose name is told */
	FILE *from;
	char *physical;
	size_t room;
	struct stat st;		/* of the source */
	struct mapbuild build;
	bool terminal, showing;
	int64_t shown;		/* when progress was told last */
	struct told *told;
	size_t ntold;
};

/* The source, opened as its owner: what root can read is nobody else's to
 * put into a map, and what is made in a user's directory is his. */
static void
open_source(struct maker *m, const char *path)
{
	const struct options *o = m->o;

	if (o->incremental) {
		m->from = stdin;
		m->file = "standard input";
		return;
	}
	m->from = fopen(path, "re");
	if (m->from == NULL)
		fatal(1, "open %s: %s", path, strerror(errno));
	if (fstat(fileno(m->from), &m->st) != 0 || !S_ISREG(m->st.st_mode))
		fatal(1, "%s: not a regular file", path);
	if (geteuid() == 0 && m->st.st_uid != 0 && !o->keep_root &&
	    priv_drop(m->st.st_uid, m->st.st_gid, (gid_t)-1) != 0)
		fatal(1, "become the owner of %s: %s", path,
		    strerror(errno));
}

static bool
next_line(void *ctx, const char **line, size_t *len)
{
	struct maker *m = ctx;
	ssize_t got = getline(&m->physical, &m->room, m->from);

	if (got <= 0)
		return false;
	*line = m->physical;
	*len = (size_t)got - (m->physical[got - 1] == '\n');
	return true;
}

static void
remember_duplicate(void *ctx, unsigned line, const char *key)
{
	struct maker *m = ctx;

	if (m->told == NULL)
		m->told = calloc(LINES_TOLD, sizeof(*m->told));
	if (m->told == NULL || m->ntold == LINES_TOLD)
		warning("%s, line %u: duplicate entry: \"%s\"", m->file, line,
		    key);
	else
		m->told[m->ntold++] = (struct told){ line, strdup(key) };
}

static int
by_line(const void *a, const void *b)
{
	const struct told *x = a, *y = b;

	return (x->line > y->line) - (x->line < y->line);
}

static void
tell_duplicates(struct maker *m)
{
	size_t i;

	if (m->ntold > 0)
		qsort(m->told, m->ntold, sizeof(m->told[0]), by_line);
	for (i = 0; i < m->ntold; i++) {
		warning("%s, line %u: duplicate entry: \"%s\"", m->file,
		    m->told[i].line, m->told[i].key != NULL ?
		    m->told[i].key : "");
		free(m->told[i].key);
	}
	free(m->told);
}

/* Once a second, so that nothing is said of what is quick. */
static void
show(struct maker *m, const char *what, uint64_t n, uint64_t all)
{
	int64_t now = clock_monotonic();

	if (m->showing && n == all)
		(void)fprintf(stderr, "\r\033[K");
	if (!m->terminal || now == m->shown || n == all)
		return;
	m->shown = now;
	m->showing = true;
	(void)fprintf(stderr, "\r%s: %llu", m->file, (unsigned long long)n);
	if (all > 0)
		(void)fprintf(stderr, " of %llu", (unsigned long long)all);
	(void)fprintf(stderr, " entries %s\033[K", what);
}

static void
show_written(void *ctx, uint64_t done, uint64_t all)
{
	show(ctx, "written", done, all);
}

static void
add_entry(struct maker *m, struct tableline *t, struct str *list)
{
	const struct options *o = m->o;
	const char *wrong;
	char *key, *value;

	if (t->text.bad)
		wrong = "the line is too long";
	else if (o->alias)
		wrong = tableline_split_alias(t->text.s, t->text.len, &key,
		    &value);
	else
		wrong = tableline_split(t->text.s, t->text.len, &key, &value);
	if (wrong == NULL) {
		if (o->alias) {
			str_reset(list);
			tableline_put_list(list, value);
			value = list->s;
		} else if (key[strlen(key) - 1] == ':')
			warning("%s, line %u: record is in \"key: value\" "
			    "format; is this an alias file?", m->file,
			    t->line);
		if (mapbuild_add(&m->build, key, value, t->line,
		    o->keep_case) == 0)
			return;
		if (errno != EINVAL)
			fatal(1, "write %s: %s", m->build.temp,
			    strerror(errno));
		wrong = "the key or the value is too long, or the key begins "
		    "with a control character";
	}
	warning("%s, line %u: %s", m->file, t->line, wrong);
}

static void
add_entries(struct maker *m)
{
	struct tableline t;
	struct str list;
	uint64_t n = 0;

	str_init(&list);
	tableline_init(&t, next_line, m);
	while (tableline_next(&t)) {
		add_entry(m, &t, &list);
		if (m->terminal && ++n % 10000 == 0)
			show(m, "read", n, 0);
	}
	if (ferror(m->from))
		fatal(1, "read %s: %s", m->file, strerror(errno));
	tableline_free(&t);
	str_free(&list);
	free(m->physical);
}

int
make_map(struct options *o, const char *spec)
{
	const char *path = gdbm_file(o, spec);
	struct maker m = { .o = o, .file = path };
	struct mapbuild *b = &m.build;
	struct why why;
	mode_t mode = 0644;
	int rc;

	if (path == NULL)
		fatal(1, "unsupported dictionary type: %.*s does not support "
		    "bulk-mode creation.", (int)strcspn(spec, ":"), spec);
	open_source(&m, path);
	m.terminal = isatty(STDERR_FILENO) == 1;
	m.shown = clock_monotonic();
	if (mapbuild_begin(b, path, &why) != 0) {
		mapbuild_end(b);
		fatal(1, "%s", why.text);
	}
	b->ctx = &m;
	b->replace = o->replace;
	b->progress = show_written;
	if (!o->quiet && !o->replace)
		b->duplicate = remember_duplicate;
	rc = o->incremental ? mapbuild_add_old(b, NULL, NULL, &why) : 0;
	if (rc == 0) {
		add_entries(&m);
		if (!o->incremental && !o->default_mode)
			mode = m.st.st_mode & 0666;
		rc = mapbuild_commit(b, mode, path, o->incremental ? NULL :
		    &m.st, &why);
	}
	mapbuild_end(b);
	tell_duplicates(&m);
	if (rc != 0)
		fatal(1, "%s", why.text);
	if (!o->incremental)
		(void)fclose(m.from);
	return EX_OK;
}
