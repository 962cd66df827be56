/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/users.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "pure/num.h"

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

/* Looks at the whole lines of buf[0..len) for a name, or (NULL) a uid; true
 * when found.  *used: octets of whole lines. */
static bool
search(const char *buf, size_t len, const char *name, uid_t uid,
    size_t *used, struct user *u)
{
	size_t name_len = name != NULL ? strlen(name) : 0, n;
	const char *nl;

	for (*used = 0; *used < len; *used += n + 1) {
		nl = memchr(buf + *used, '\n', len - *used);
		if (nl == NULL)
			return false;
		n = (size_t)(nl - buf) - *used;
		if ((name == NULL || is_named(buf + *used, n, name,
		    name_len)) && parse_line(buf + *used, n, u) &&
		    (name != NULL || u->uid == uid))
			return true;
	}
	return false;
}

static enum users_answer
find(int fd, const char *name, uid_t uid, struct user *u)
{
	static char buf[CHUNK];
	size_t kept = 0, used;
	off_t offset = 0;
	ssize_t n;

	if (fd < 0)
		return USERS_LATER;
	/* One read mostly: only who is not found needs the end of file. */
	for (;;) {
		n = pread(fd, buf + kept, sizeof(buf) - kept, offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return USERS_LATER;
		if (n == 0)
			break;
		offset += n;
		kept += (size_t)n;
		if (search(buf, kept, name, uid, &used, u))
			return USERS_HIT;
		if (used == 0 && kept == sizeof(buf))
			return USERS_LATER;	/* one line of 16 KiB */
		kept -= used;
		memmove(buf, buf + used, kept);
	}
	/* An empty file, or one that ends within a line, is being written:
	 * who is not in it may be in it in a moment. */
	return offset > 0 && kept == 0 ? USERS_MISS : USERS_LATER;
}

enum users_answer
users_find(int fd, const char *name, struct user *u)
{
	return find(fd, name, 0, u);
}

static enum users_answer
find_system(const char *name, uid_t uid, struct user *u)
{
	int fd = users_open("/etc/passwd");
	enum users_answer answer = find(fd, name, uid, u);

	if (fd >= 0)
		(void)close(fd);
	return answer;
}

enum users_answer
users_system_uid(uid_t uid, struct user *u)
{
	return find_system(NULL, uid, u);
}

enum users_answer
users_system(const char *name, struct user *u)
{
	uint64_t uid;

	if (num_parse(name, strlen(name), UINT32_MAX - 1, &uid)) {
		memset(u, 0, sizeof(*u));
		u->uid = (uid_t)uid;
		u->gid = (gid_t)uid;
		return copy(u->name, sizeof(u->name), name, strlen(name)) ?
		    USERS_HIT : USERS_MISS;
	}
	return find_system(name, 0, u);
}
