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

struct map *
map_open_element(const char *spec, size_t len, const char *default_type,
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

bool
map_load(struct map *m)
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
	if (!map_load(m)) {
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
	struct map *m = map_open_element(spec, strlen(spec), default_type, why);

	if (m != NULL && map_load(m))
		return m;
	if (m != NULL)
		*why = m->why;
	map_close(m);
	return NULL;
}
