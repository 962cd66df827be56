/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gdbm: and all the types that are redirected to it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pure/maprecord.h"
#include "store/map_type.h"
#include "store/mapread.h"

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
	mapread_close(m->data);
	(void)close(fd);
	return mapread_open(m->data, m->fd);
}

static int
gdbm_map_load(struct map *m, struct why *why)
{
	m->data = malloc(sizeof(struct mapread));
	if (m->data == NULL) {
		(void)map_later(m, why, "out of memory");
		return -1;
	}
	if (!mapread_open(m->data, m->fd) && !reopen(m)) {
		(void)map_later(m, why, "%s.gdbm is damaged, or was not made "
		    "by postmap or postalias of malle; make it again",
		    m->name);
		return -1;
	}
	return 0;
}

static enum map_answer
gdbm_map_find(struct map *m, const char *key, size_t len, struct str *value,
    struct why *why)
{
	enum map_answer answer;

	if (maprecord_reserved(key, len))
		return MAP_MISS;
	answer = mapread_find(m->data, key, len, value);
	if (answer == MAP_LATER && reopen(m))
		answer = mapread_find(m->data, key, len, value);
	return answer == MAP_LATER ? map_later(m, why, "%s.gdbm is damaged; "
	    "make it again", m->name) : answer;
}

static void
gdbm_map_close(struct map *m)
{
	if (m->data != NULL)
		mapread_close(m->data);
	free(m->data);
}

const struct map_type map_gdbm = {
	.name = "gdbm",
	.open = gdbm_map_open,
	.load = gdbm_map_load,
	.find = gdbm_map_find,
	.close = gdbm_map_close
};
