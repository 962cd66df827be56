/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/map.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/map_type.h"
#include "sys/fsop.h"
#include "sys/log.h"

/* The types of Postfix whose files we cannot read mean ours, so that its
 * configuration can be copied. */
static const struct {
	const char *name;
	const struct map_type *type;
} types[] = {
	{ "btree", &map_gdbm },
	{ "cdb", &map_gdbm },
	{ "cidr", &map_cidr },
	{ "dbm", &map_gdbm },
	{ "fail", &map_fail },
	{ "gdbm", &map_gdbm },
	{ "hash", &map_gdbm },
	{ "inline", &map_inline },
	{ "lmdb", &map_gdbm },
	{ "regexp", &map_regexp },
	{ "sdbm", &map_gdbm },
	{ "static", &map_static },
	{ "texthash", &map_texthash },
	{ "unix", &map_unix },
	{ NULL, NULL }
};

const char *const map_types[] = { "btree", "cdb", "cidr", "dbm", "fail",
	"gdbm", "hash", "inline", "lmdb", "regexp", "sdbm", "static",
	"texthash", "unix", NULL };

static const struct map_type *
find_type(const char *name, size_t len)
{
	size_t i;

	for (i = 0; types[i].name != NULL; i++)
		if (strlen(types[i].name) == len &&
		    memcmp(types[i].name, name, len) == 0)
			return types[i].type;
	return NULL;
}

enum map_answer
map_later(struct map *m, struct why *why, const char *fmt, ...)
{
	char text[LIMIT_REASON + 1];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)why_set(why, VERDICT_LATER, "4.3.0", "%s: %s", m->label, text);
	return MAP_LATER;
}

enum map_answer
map_later_for_faults(struct map *m, struct why *why)
{
	return map_later(m, why, "%.*s", (int)strcspn(m->faults.s, "\n"),
	    m->faults.s);
}

int
map_open_file(struct map *m, const char *path, struct why *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int error = errno;

	if (fd >= 0 && fstat(fd, &m->st) != 0)
		error = errno;
	else if (fd >= 0 && !S_ISREG(m->st.st_mode))
		error = EISDIR;
	else if (fd >= 0 && (m->st.st_mode & S_IWOTH) != 0) {
		(void)close(fd);
		(void)map_later(m, why, "everybody may write to %s; chmod o-w",
		    path);
		errno = EPERM;
		return -1;
	} else if (fd >= 0) {
		m->fd = fd;
		return 0;
	}
	if (fd >= 0)
		(void)close(fd);
	(void)map_later(m, why, "open %s: %s", path, error == EISDIR ?
	    "not a file" : strerror(error));
	errno = error;
	return -1;
}

char *
map_read_file(struct map *m, size_t *len, struct why *why)
{
	struct stat st;
	ssize_t got = -1;
	char *text;

	if (fstat(m->fd, &st) != 0 || st.st_size > LIMIT_MAP_FILE) {
		(void)map_later(m, why, "%s is larger than %d octets",
		    m->name, LIMIT_MAP_FILE);
		return NULL;
	}
	text = malloc((size_t)st.st_size + 1);
	if (text != NULL)
		got = fsop_pread(m->fd, text, (size_t)st.st_size, 0);
	if (got < 0) {
		(void)map_later(m, why, "read %s: %s", m->name,
		    strerror(errno));
		free(text);
		return NULL;
	}
	*len = (size_t)got;
	text[got] = '\0';
	if (got > 0 && text[got - 1] != '\n')
		str_printf(&m->faults, "%s: no line end at its end: half "
		    "written?\n", m->name);
	return text;
}

/* A name becomes a table that answers later. */
static void
break_map(struct map *m, const struct why *why)
{
	m->broken = true;
	m->why = *why;
	str_printf(&m->faults, "%s\n", why->text);
}

void
map_close(struct map *m)
{
	if (m == NULL)
		return;
	if (m->type != NULL && m->type->close != NULL)
		m->type->close(m);
	if (m->fd >= 0)
		(void)close(m->fd);
	str_free(&m->faults);
	str_free(&m->stale);
	free(m->name);
	free(m->label);
	free(m);
}

/* spec[0..len) is "type:name" or a name.  NULL: bad syntax, or no memory. */
static struct map *
new_map(const char *spec, size_t len, const char *default_type,
    struct why *why)
{
	size_t n = 0, type_len;
	const char *type = spec;
	struct map *m;

	if (len > 6 && memcmp(spec, "proxy:", 6) == 0) {
		spec += 6;
		len -= 6;
		type = spec;
	}
	while (n < len && (isalnum((unsigned char)spec[n]) || spec[n] == '_'))
		n++;
	type_len = n;
	if (n == len || spec[n] != ':' || n == 0) {
		type = default_type != NULL ? default_type : "";
		type_len = strlen(type);
		n = 0;
	} else
		n++;
	m = type_len > 0 && n < len ? calloc(1, sizeof(*m)) : NULL;
	if (m == NULL) {
		(void)why_set(why, VERDICT_NEVER, "5.3.5", "\"%.*s\": write "
		    "type:name", (int)len, spec);
		return NULL;
	}
	m->fd = -1;
	str_init(&m->faults);
	str_init(&m->stale);
	m->name = strndup(spec + n, len - n);
	if (asprintf(&m->label, "%.*s:%s", (int)type_len, type,
	    m->name != NULL ? m->name : "") < 0)
		m->label = NULL;
	if (m->name == NULL || m->label == NULL) {
		(void)why_set(why, VERDICT_LATER, "4.3.0", "out of memory");
		map_close(m);
		return NULL;
	}
	m->type = find_type(type, type_len);
	return m;
}

/* NULL: bad syntax.  A table that cannot be used is broken. */
static struct map *
open_map(const char *spec, size_t len, const char *default_type,
    struct why *why)
{
	struct map *m = new_map(spec, len, default_type, why);

	if (m == NULL)
		return NULL;
	if (m->type == NULL) {
		(void)map_later(m, why, "unsupported table type; there are: "
		    "cidr fail gdbm (also as hash btree cdb dbm lmdb sdbm) "
		    "inline regexp static texthash unix");
		break_map(m, why);
	} else if (m->type->open(m, why) != 0) {
		if (why->verdict == VERDICT_NEVER) {
			map_close(m);
			return NULL;
		}
		break_map(m, why);
	}
	return m;
}

static bool
load(struct map *m)
{
	struct why why;

	if (!m->broken && !m->loaded) {
		m->loaded = true;
		if (m->type->load != NULL && m->type->load(m, &why) != 0)
			break_map(m, &why);
	}
	return !m->broken;
}

enum map_answer
map_find(struct map *m, const char *key, struct str *value, struct why *why)
{
	size_t len = strlen(key), i;
	char folded[LIMIT_MAP_KEY + 1];

	str_reset(value);
	if (!load(m)) {
		*why = m->why;
		return MAP_LATER;
	}
	if (len > LIMIT_MAP_KEY || len == 0)
		return MAP_MISS;
	if (m->type->any_case)
		return m->type->find(m, key, len, value, why);
	for (i = 0; i < len; i++)
		folded[i] = key[i] >= 'A' && key[i] <= 'Z' ?
		    (char)(key[i] | 0x20) : key[i];
	folded[len] = '\0';
	return m->type->find(m, folded, len, value, why);
}

struct map *
map_open(const char *spec, const char *default_type, struct why *why)
{
	struct map *m = open_map(spec, strlen(spec), default_type, why);

	if (m != NULL && load(m))
		return m;
	if (m != NULL)
		*why = m->why;
	map_close(m);
	return NULL;
}

/* The next element of a list, whose separators count only outside of
 * braces.  0 at the end; -1: a brace is missing. */
static int
next_element(const char **list, const char **element, size_t *len)
{
	const char *s = *list + strspn(*list, ", \t\r\n");
	int depth = 0;

	*element = s;
	for (; *s != '\0'; s++) {
		if (depth == 0 && strchr(", \t\r\n", *s) != NULL)
			break;
		if (*s == '{')
			depth++;
		else if (*s == '}' && depth-- == 0)
			return -1;
	}
	*len = (size_t)(s - *element);
	*list = s;
	return depth > 0 ? -1 : *len > 0;
}

int
map_list_open(struct map_list *l, const char *spec, const char *default_type,
    struct why *why)
{
	const char *element, *list = spec;
	struct map *m, **maps;
	size_t len;
	int more;

	*l = (struct map_list){ .n = 0 };
	while ((more = next_element(&list, &element, &len)) > 0) {
		m = open_map(element, len, default_type, why);
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
		(void)load(l->map[i]);
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
