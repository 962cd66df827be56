/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/users.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "pure/num.h"
#include "sys/fsop.h"

enum { FIELDS = 7, CHUNK = 16384 };

int
users_open(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
}

static bool
copy(char *to, size_t size, const char *from, size_t len)
{
	if (len >= size)
		return false;
	memcpy(to, from, len);
	to[len] = '\0';
	return true;
}

/* One line without its LF.  False: no account in it. */
static bool
parse_line(const char *line, size_t len, struct user *u)
{
	const char *field[FIELDS];
	size_t flen[FIELDS], n = 0;
	const char *end = line + len, *p = line;
	uint64_t uid, gid;

	while (n < FIELDS) {
		const char *colon = memchr(p, ':', (size_t)(end - p));

		if (colon == NULL || n == FIELDS - 1)
			colon = end;
		field[n] = p;
		flen[n++] = (size_t)(colon - p);
		if (colon == end)
			break;
		p = colon + 1;
	}
	/* The shell may be missing; a home must not. */
	if (n < 6 || flen[0] == 0 || flen[5] == 0 ||
	    !num_parse(field[2], flen[2], UINT32_MAX - 1, &uid) ||
	    !num_parse(field[3], flen[3], UINT32_MAX - 1, &gid))
		return false;
	u->uid = (uid_t)uid;
	u->gid = (gid_t)gid;
	return copy(u->name, sizeof(u->name), field[0], flen[0]) &&
	    copy(u->password, sizeof(u->password), field[1], flen[1]) &&
	    copy(u->home, sizeof(u->home), field[5], flen[5]);
}

static bool
is_named(const char *line, size_t len, const char *name, size_t name_len)
{
	return len > name_len && line[name_len] == ':' &&
	    strncasecmp(line, name, name_len) == 0;
}

/* Looks at the whole lines of buf[0..len); true when found.  *used: octets
 * of whole lines. */
static bool
search(const char *buf, size_t len, const char *name, size_t *used,
    struct user *u)
{
	size_t name_len = strlen(name), n;
	const char *nl;

	for (*used = 0; *used < len; *used += n + 1) {
		nl = memchr(buf + *used, '\n', len - *used);
		if (nl == NULL)
			return false;
		n = (size_t)(nl - buf) - *used;
		if (is_named(buf + *used, n, name, name_len) &&
		    parse_line(buf + *used, n, u))
			return true;
	}
	return false;
}

enum users_answer
users_find(int fd, const char *name, struct user *u)
{
	static char buf[CHUNK];
	off_t offset = 0;
	size_t used;
	ssize_t n;

	if (fd < 0)
		return USERS_LATER;
	for (;;) {
		n = fsop_pread(fd, buf, sizeof(buf), offset);
		if (n < 0)
			return USERS_LATER;
		if (search(buf, (size_t)n, name, &used, u))
			return USERS_HIT;
		offset += (off_t)used;
		if (used == 0 && (size_t)n == sizeof(buf))
			return USERS_LATER;	/* one line of 16 KiB */
		if ((size_t)n == sizeof(buf))
			continue;
		/* An empty file, or one that ends within a line, is being
		 * written: who is not in it may be in it in a moment. */
		return offset > 0 && used == (size_t)n ? USERS_MISS :
		    USERS_LATER;
	}
}

enum users_answer
users_system(const char *name, struct user *u)
{
	enum users_answer answer;
	uint64_t uid;
	int fd;

	if (num_parse(name, strlen(name), UINT32_MAX - 1, &uid)) {
		memset(u, 0, sizeof(*u));
		u->uid = (uid_t)uid;
		u->gid = (gid_t)uid;
		return copy(u->name, sizeof(u->name), name, strlen(name)) ?
		    USERS_HIT : USERS_MISS;
	}
	fd = users_open("/etc/passwd");
	answer = users_find(fd, name, u);
	if (fd >= 0)
		(void)close(fd);
	return answer;
}
