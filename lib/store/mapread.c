/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/mapread.h"

#include <fcntl.h>
#include <gdbm.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
close_file(struct mapread *r)
{
	if (r->file != NULL)
		(void)gdbm_close(r->file);
	r->file = NULL;
}

/* The library reads from where the descriptor is, and closes it at the end. */
static bool
open_file(struct mapread *r)
{
	int fd;

	if (r->file != NULL)
		return true;
	fd = fcntl(r->fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return false;
	if (lseek(fd, 0, SEEK_SET) == 0)
		r->file = gdbm_fd_open(fd, "map", 0, GDBM_READER |
		    GDBM_NOLOCK | GDBM_NOMMAP | GDBM_CLOEXEC, NULL);
	if (r->file == NULL)
		(void)close(fd);
	return r->file != NULL;
}

/* After an error the library answers nothing more from this file; opened
 * anew, it may still have what is asked for next. */
static enum map_answer
failed(struct mapread *r)
{
	if (gdbm_last_errno(r->file) == GDBM_ITEM_NOT_FOUND)
		return MAP_MISS;
	close_file(r);
	return MAP_LATER;
}

static enum map_answer
fetch(struct mapread *r, const char *key, size_t len, struct str *value)
{
	datum wanted = { (char *)key, (int)len }, found;

	if (!open_file(r))
		return MAP_LATER;
	found = gdbm_fetch(r->file, wanted);
	if (found.dptr == NULL)
		return failed(r);
	str_put(value, found.dptr, (size_t)found.dsize);
	free(found.dptr);
	return value->bad ? MAP_LATER : MAP_HIT;
}

bool
mapread_open(struct mapread *r, int fd)
{
	struct maphead head;
	struct str text;
	bool good;

	*r = (struct mapread){ .fd = fd };
	str_init(&r->page);
	str_init(&text);
	good = fetch(r, MAPHEAD_KEY, strlen(MAPHEAD_KEY), &text) == MAP_HIT &&
	    maphead_parse(&head, text.s, text.len);
	if (good)
		r->head = head;
	str_free(&text);
	return good;
}

void
mapread_close(struct mapread *r)
{
	close_file(r);
	str_free(&r->page);
}

/* Reads the page of a key. */
static bool
get_page(struct mapread *r, const char *key, size_t len)
{
	uint32_t number = mappage_number(&r->head, maprecord_hash(key, len));
	char page_key[MAPPAGE_KEY];

	if (r->checked && r->number == number)
		return true;
	mappage_key(page_key, number);
	str_reset(&r->page);
	r->number = number;
	r->checked = fetch(r, page_key, sizeof(page_key), &r->page) ==
	    MAP_HIT && mappage_check(r->page.s, r->page.len, &r->head, number);
	return r->checked;
}

/* The page comes first: most keys that are asked for do not exist. */
enum map_answer
mapread_find(struct mapread *r, const char *key, size_t len,
    struct str *value)
{
	if (!get_page(r, key, len))
		return MAP_LATER;
	if (!mappage_has(r->page.s, r->page.len, &r->head, key, len, NULL, 0))
		return MAP_MISS;
	if (fetch(r, key, len, value) == MAP_HIT &&
	    mappage_has(r->page.s, r->page.len, &r->head, key, len, value->s,
	    value->len))
		return MAP_HIT;
	str_reset(value);
	return MAP_LATER;
}

enum map_answer
mapread_each(struct mapread *r, bool (*each)(void *, const char *, size_t,
    const char *, size_t), void *ctx)
{
	/* A damaged file can lead in a circle. */
	uint64_t left = r->head.records, ours = (1U << r->head.page_bits) + 1;
	enum map_answer answer = open_file(r) ? MAP_HIT : MAP_LATER;
	struct str value;
	datum key, last;

	if (answer != MAP_HIT)
		return answer;
	str_init(&value);
	key = gdbm_firstkey(r->file);
	while (key.dptr != NULL && answer == MAP_HIT) {
		str_reset(&value);
		if (maprecord_reserved(key.dptr, (size_t)key.dsize))
			answer = ours-- > 0 ? MAP_HIT : MAP_LATER;
		else if (left-- == 0 || mapread_find(r, key.dptr,
		    (size_t)key.dsize, &value) != MAP_HIT)
			answer = MAP_LATER;
		else if (!each(ctx, key.dptr, (size_t)key.dsize, value.s,
		    value.len))
			break;
		last = key;
		if (answer == MAP_HIT)
			key = gdbm_nextkey(r->file, last);
		else
			key.dptr = NULL;
		free(last.dptr);
	}
	if (answer == MAP_HIT && key.dptr == NULL)
		answer = left == 0 ? failed(r) : MAP_LATER;
	free(key.dptr);
	str_free(&value);
	return answer;
}
