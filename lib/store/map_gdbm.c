/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gdbm: and all the types that are redirected to it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pure/gdbmread.h"
#include "pure/maprecord.h"
#include "store/map_type.h"
#include "sys/fsop.h"

struct gdbm {
	int fd;
	struct gdbmread file;
	struct maphead head;
	struct str page;
};

static ssize_t
read_map(void *ctx, void *buf, size_t len, off_t offset)
{
	return fsop_pread(*(int *)ctx, buf, len, offset);
}

static void
look_at_source(struct map *m)
{
	struct stat source;

	if (stat(m->name, &source) != 0 || !S_ISREG(source.st_mode))
		return;
	if (source.st_mtim.tv_sec > m->st.st_mtim.tv_sec ||
	    (source.st_mtim.tv_sec == m->st.st_mtim.tv_sec &&
	    source.st_mtim.tv_nsec > m->st.st_mtim.tv_nsec))
		str_printf(&m->stale, "database %s.gdbm is older than source "
		    "file %s\n", m->name, m->name);
}

static int
gdbm_map_open(struct map *m, struct why *why)
{
	char path[LIMIT_PATH];

	if ((size_t)snprintf(path, sizeof(path), "%s.gdbm", m->name) >=
	    sizeof(path)) {
		(void)map_later(m, why, "the name is too long");
		return -1;
	}
	if (map_open_file(m, path, why) != 0) {
		if (errno == ENOENT)
			(void)map_later(m, why, "open %s: No such file or "
			    "directory; make it with postmap or postalias",
			    path);
		return -1;
	}
	look_at_source(m);
	return 0;
}

static bool
read_head(struct map *m)
{
	struct gdbm *g = m->data;
	struct str text;
	bool good;

	g->fd = m->fd;
	str_init(&text);
	good = gdbmread_open(&g->file, (uint64_t)m->st.st_size) &&
	    gdbmread_fetch(&g->file, MAPHEAD_KEY, strlen(MAPHEAD_KEY),
	    &text) == GDBMREAD_HIT &&
	    maphead_parse(&g->head, text.s, text.len);
	str_free(&text);
	return good;
}

/* The map could not be read.  If another one has taken its place meanwhile
 * (over NFS the old one is then gone, ESTALE), true: it is open instead. */
static bool
reopen(struct map *m)
{
	struct stat old = m->st, now;
	char path[LIMIT_PATH];
	int fd = m->fd;
	struct why why;

	(void)snprintf(path, sizeof(path), "%s.gdbm", m->name);
	if (stat(path, &now) != 0 ||
	    (now.st_ino == old.st_ino && now.st_dev == old.st_dev))
		return false;
	if (map_open_file(m, path, &why) != 0) {
		m->fd = fd;
		m->st = old;
		return false;
	}
	(void)close(fd);
	return read_head(m);
}

static int
gdbm_map_load(struct map *m, struct why *why)
{
	struct gdbm *g = calloc(1, sizeof(*g));

	if (g == NULL) {
		(void)map_later(m, why, "out of memory");
		return -1;
	}
	m->data = g;
	str_init(&g->page);
	g->file.read = read_map;
	g->file.ctx = &g->fd;
	if (!read_head(m) && !reopen(m)) {
		(void)map_later(m, why, "%s.gdbm is damaged, or was not made "
		    "by postmap or postalias of malle; make it again",
		    m->name);
		return -1;
	}
	return 0;
}

/* The page comes first: most keys that are asked for do not exist. */
static enum map_answer
find(struct gdbm *g, const char *key, size_t len, struct str *value)
{
	uint32_t number = mappage_number(&g->head, gdbmread_hash(key, len));
	struct str *page = &g->page;
	char page_key[MAPPAGE_KEY];

	mappage_key(page_key, number);
	str_reset(page);
	if (gdbmread_fetch(&g->file, page_key, sizeof(page_key), page) !=
	    GDBMREAD_HIT || !mappage_check(page->s, page->len, &g->head,
	    number))
		return MAP_LATER;
	page->len -= sizeof(uint64_t);
	if (!mappage_has(page->s, page->len, &g->head, key, len, NULL, 0))
		return MAP_MISS;
	if (gdbmread_fetch(&g->file, key, len, value) == GDBMREAD_HIT &&
	    mappage_has(page->s, page->len, &g->head, key, len, value->s,
	    value->len))
		return MAP_HIT;
	str_reset(value);
	return MAP_LATER;
}

static enum map_answer
gdbm_map_find(struct map *m, const char *key, size_t len, struct str *value,
    struct why *why)
{
	enum map_answer answer;

	if (maprecord_reserved(key, len))
		return MAP_MISS;
	answer = find(m->data, key, len, value);
	if (answer == MAP_LATER && reopen(m))
		answer = find(m->data, key, len, value);
	return answer == MAP_LATER ? map_later(m, why, "%s.gdbm is damaged; "
	    "make it again", m->name) : answer;
}

static void
gdbm_map_close(struct map *m)
{
	struct gdbm *g = m->data;

	if (g != NULL)
		str_free(&g->page);
	free(g);
}

const struct map_type map_gdbm = {
	.name = "gdbm",
	.open = gdbm_map_open,
	.load = gdbm_map_load,
	.find = gdbm_map_find,
	.close = gdbm_map_close
};
