/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Changes main.cf: a copy beside it, synced and renamed over it, so that
 * every reader finds the old file or the new one.  Comments, and lines of
 * other parameters, stay as they are.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sysexits.h>
#include <unistd.h>

#include "postconf.h"
#include "sys/fsop.h"

#define BLANKS	" \t\r\n\v\f"

struct change {
	const char *name, *value;
	unsigned found;
};

struct editor {
	const char *path;
	enum edit how;
	struct change *change;
	size_t nchange;
	FILE *from, *to;
};

static char *
trim(char *s)
{
	size_t len;

	s += strspn(s, BLANKS);
	for (len = strlen(s); len > 0 && strchr(BLANKS, s[len - 1]) != NULL; )
		s[--len] = '\0';
	return s;
}

static void
read_change(struct change *c, enum edit how, char *arg)
{
	char *equals;

	if (strchr(arg, '\n') != NULL)
		fatal(EX_USAGE, "-e, -X, or -# accepts no multi-line input");
	arg = trim(arg);
	if (arg[0] == '#')
		fatal(EX_USAGE, "-e, -X, or -# accepts no comment input");
	equals = strchr(arg, '=');
	if (how != EDIT_SET && equals != NULL)
		fatal(EX_USAGE, "-X or -# requires names without value");
	if (how == EDIT_SET && equals == NULL)
		fatal(EX_USAGE, "missing '=' after attribute name: \"%s\"",
		    arg);
	c->value = "";
	if (equals != NULL) {
		*equals = '\0';
		c->value = trim(equals + 1);
		arg = trim(arg);
	}
	if (arg[0] == '\0')
		fatal(EX_USAGE, "missing attribute name");
	if (strpbrk(arg, BLANKS) != NULL)
		fatal(EX_USAGE, "missing '=' after attribute name: \"%s\"",
		    arg);
	c->name = arg;
}

static struct change *
find_change(struct editor *e, const char *line)
{
	size_t len = strcspn(line, BLANKS "="), i;

	for (i = 0; i < e->nchange; i++)
		if (strncmp(e->change[i].name, line, len) == 0 &&
		    e->change[i].name[len] == '\0')
			return &e->change[i];
	return NULL;
}

/* A line of an entry that changes; first: the one with its name. */
static void
put_changed(struct editor *e, struct change *c, const char *line, bool first)
{
	if (first && c->found++ == 1)
		warning("%s: multiple entries for \"%s\"", e->path, c->name);
	if (e->how == EDIT_COMMENT)
		(void)fprintf(e->to, "#%s", line + strspn(line, BLANKS));
	else if (e->how == EDIT_SET && first)
		(void)fprintf(e->to, "%s = %s\n", c->name, c->value);
}

static void
copy_lines(struct editor *e)
{
	struct change *c = NULL;
	char *line = NULL;
	const char *text;
	size_t size = 0, i;
	ssize_t len;
	bool ended = true;

	while ((len = getline(&line, &size, e->from)) > 0) {
		ended = line[len - 1] == '\n';
		text = line + strspn(line, BLANKS);
		if (*text == '\0' || *text == '#') {
			(void)fwrite(line, 1, (size_t)len, e->to);
			continue;
		}
		if (text == line)
			c = find_change(e, line);
		if (c == NULL)
			(void)fwrite(line, 1, (size_t)len, e->to);
		else
			put_changed(e, c, line, text == line);
		ended = ended || (c != NULL && e->how == EDIT_SET);
	}
	free(line);
	for (i = 0; i < e->nchange; i++) {
		if (e->how != EDIT_SET || e->change[i].found > 0)
			continue;
		(void)fprintf(e->to, "%s%s = %s\n", ended ? "" : "\n",
		    e->change[i].name, e->change[i].value);
		ended = true;
	}
}

/* The changes of the command line; of two for one name the later. */
static void
read_changes(struct editor *e, char *const *args)
{
	struct change new = { 0 }, *old;
	size_t n = 0;

	while (args[n] != NULL)
		n++;
	if (n == 0)
		fatal(EX_USAGE, "-e, -X, or -# needs a parameter");
	e->change = calloc(n, sizeof(*e->change));
	if (e->change == NULL)
		fatal(EX_OSERR, "out of memory");
	for (; *args != NULL; args++) {
		read_change(&new, e->how, *args);
		old = find_change(e, new.name);
		if (old == NULL)
			old = &e->change[e->nchange++];
		*old = new;
	}
}

/* The new file, locked against another postconf; what an interrupted one
 * left is written over. */
static int
open_new(const char *path)
{
	struct stat st;
	int fd;

	for (;;) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW |
		    O_NONBLOCK, 0600);
		if (fd < 0 || flock(fd, LOCK_EX) != 0 || fstat(fd, &st) != 0)
			fatal(EX_CANTCREAT, "open %s: %s", path,
			    strerror(errno));
		if (!S_ISREG(st.st_mode) || st.st_nlink > 1)
			fatal(EX_CANTCREAT, "%s: not a file of ours; remove "
			    "it", path);
		if (fsop_is_same(AT_FDCWD, path, &st, NULL))
			return fd;
		(void)close(fd);
	}
}

/* Copies with the changes.  0, or -1 with errno. */
static int
write_new(struct editor *e, int fd)
{
	struct stat st;

	if (fstat(fileno(e->from), &st) != 0 || ftruncate(fd, 0) != 0)
		return -1;
	if (fchown(fd, st.st_uid, st.st_gid) != 0 && errno != EPERM)
		return -1;
	if (fchmod(fd, st.st_mode & 07777) != 0)
		return -1;
	e->to = fdopen(fd, "w");
	if (e->to == NULL)
		return -1;
	copy_lines(e);
	if (ferror(e->from)) {
		errno = EIO;
		return -1;
	}
	return fflush(e->to) != 0 || ferror(e->to) || fsync(fd) != 0 ? -1 : 0;
}

static void
sync_directory(const char *path)
{
	char dir[LIMIT_PATH * 2];
	char *slash;

	(void)snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	if (slash == NULL)
		return;
	slash[slash == dir] = '\0';
	if (fsop_sync_dir(AT_FDCWD, dir) != 0)
		fatal(EX_IOERR, "sync %s: %s", dir, strerror(errno));
}

void
edit(const char *dir, enum edit how, char *const *args)
{
	struct editor e = { .how = how };
	char name[LIMIT_PATH * 2], temp[PATH_MAX + 8], *path;
	int fd, error;

	read_changes(&e, args);
	(void)snprintf(name, sizeof(name), "%s/main.cf", conf_dir(dir));
	e.path = name;
	path = realpath(name, NULL);	/* the file, not a link to it */
	if (path == NULL)
		fatal(EX_CONFIG, "open %s: %s", name, strerror(errno));
	(void)snprintf(temp, sizeof(temp), "%s.tmp", path);
	fd = open_new(temp);
	e.from = fopen(path, "re");
	if (e.from == NULL || write_new(&e, fd) != 0 ||
	    rename(temp, path) != 0) {
		error = errno;
		(void)unlink(temp);
		fatal(EX_IOERR, "change %s: %s; it is what it was", path,
		    strerror(error));
	}
	sync_directory(path);
	(void)fclose(e.to);
	(void)fclose(e.from);
	free(path);
	free(e.change);
}
