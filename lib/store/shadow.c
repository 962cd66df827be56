/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/shadow.h"

#include <string.h>

#include "pure/num.h"
#include "sys/fsop.h"

/* name:password:changed:min:max:warn:inactive:expire:flag */
enum { NAME, PASSWORD, CHANGED, MIN, MAX, WARN, INACTIVE, EXPIRE, FIELDS };
enum { CHUNK = 16384, DAYS = 1000000000 };

struct field {
	const char *s;
	size_t len;
};

/* Fields that are not there are empty. */
static void
split(const char *line, size_t len, struct field field[static FIELDS])
{
	const char *end = line + len, *colon;
	size_t i;

	for (i = 0; i < FIELDS; i++) {
		colon = memchr(line, ':', (size_t)(end - line));
		if (colon == NULL)
			colon = end;
		field[i] = (struct field){ line, (size_t)(colon - line) };
		line = colon < end ? colon + 1 : end;
	}
}

static bool
days(const struct field *f, int64_t *out)
{
	uint64_t n;

	*out = -1;
	if (f->len == 0 || (f->len == 2 && memcmp(f->s, "-1", 2) == 0))
		return true;
	if (!num_parse(f->s, f->len, DAYS, &n))
		return false;
	*out = (int64_t)n;
	return true;
}

static enum users_answer
parse(const char *line, size_t len, struct shadow *s)
{
	struct field f[FIELDS];

	split(line, len, f);
	if (f[PASSWORD].len >= sizeof(s->password) ||
	    !days(&f[CHANGED], &s->changed) || !days(&f[MAX], &s->max) ||
	    !days(&f[INACTIVE], &s->inactive) || !days(&f[EXPIRE], &s->expire))
		return USERS_LATER;
	memcpy(s->password, f[PASSWORD].s, f[PASSWORD].len);
	s->password[f[PASSWORD].len] = '\0';
	return USERS_HIT;
}

/* Looks at the whole lines of buf; *used: their octets. */
static enum users_answer
search(const char *buf, size_t len, const char *name, size_t *used,
    struct shadow *s)
{
	size_t name_len = strlen(name), n;
	const char *nl;

	for (*used = 0; *used < len; *used += n + 1) {
		nl = memchr(buf + *used, '\n', len - *used);
		if (nl == NULL)
			break;
		n = (size_t)(nl - buf) - *used;
		if (n > name_len && buf[*used + name_len] == ':' &&
		    memcmp(buf + *used, name, name_len) == 0)
			return parse(buf + *used, n, s);
	}
	return USERS_MISS;
}

enum users_answer
shadow_find(int fd, const char *name, struct shadow *s)
{
	static char buf[CHUNK];
	enum users_answer answer = USERS_LATER;
	off_t offset = 0;
	size_t used;
	ssize_t n;

	if (fd < 0)
		return USERS_LATER;
	for (;;) {
		n = fsop_pread(fd, buf, sizeof(buf), offset);
		if (n < 0)
			break;
		answer = search(buf, (size_t)n, name, &used, s);
		if (answer != USERS_MISS)
			break;
		offset += (off_t)used;
		answer = USERS_LATER;
		if (used == 0 && (size_t)n == sizeof(buf))
			break;	/* one line of 16 KiB */
		if ((size_t)n == sizeof(buf))
			continue;
		/* Half written files, as in users_find. */
		if (offset > 0 && used == (size_t)n)
			answer = USERS_MISS;
		break;
	}
	explicit_bzero(buf, sizeof(buf));
	return answer;
}

bool
shadow_usable(const struct shadow *s, int64_t today)
{
	if (s->expire >= 0 && today >= s->expire)
		return false;
	if (s->changed == 0)
		return false;	/* passwd -e: to be changed first */
	return s->changed < 0 || s->max < 0 || s->inactive < 0 ||
	    today <= s->changed + s->max + s->inactive;
}
