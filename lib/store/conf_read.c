/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads main.cf: one open, fstat, read and close, as every connection pays
 * for it.  What a value means is conf.c's business.
 */
#include "store/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pure/confline.h"
#include "sys/fsop.h"

enum { PATH_SIZE = LIMIT_PATH + sizeof("/main.cf") };

static void
main_cf(const struct conf *c, char path[static PATH_SIZE])
{
	(void)snprintf(path, PATH_SIZE, "%s/main.cf", c->dir);
}

static int
fail(struct why *why, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static int
fail(struct why *why, const char *fmt, ...)
{
	char text[LIMIT_REASON + 1];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)why_set(why, VERDICT_LATER, "4.3.5", "%s", text);
	return -1;
}

const char *
conf_dir(const char *dir)
{
	if (dir == NULL)
		dir = getenv("MAIL_CONFIG");
	if (dir == NULL || dir[0] == '\0')
		dir = "/etc/malle";
	return dir;
}

/* Absolute, because a program may change its directory and read again. */
static int
set_dir(struct conf *c, const char *dir, struct why *why)
{
	char cwd[LIMIT_PATH] = "";
	int n;

	if (dir[0] != '/' && getcwd(cwd, sizeof(cwd)) == NULL)
		return fail(why, "%.200s: the current directory has no name: "
		    "%s; give an absolute path", dir, strerror(errno));
	n = snprintf(c->dir, sizeof(c->dir), "%s%s%s", cwd,
	    cwd[0] != '\0' ? "/" : "", dir);
	if (n < 0 || (size_t)n >= sizeof(c->dir))
		return fail(why, "%.200s...: the name of the configuration "
		    "directory is too long", dir);
	return 0;
}

static int
read_text(struct conf *c, int fd, const char *path, struct why *why)
{
	size_t size;
	ssize_t n;

	if (fstat(fd, &c->st) != 0)
		return fail(why, "%s: %s", path, strerror(errno));
	if (!S_ISREG(c->st.st_mode))
		return fail(why, "%s: not a regular file", path);
	if (c->st.st_size > LIMIT_CONF_FILE)
		return fail(why, "%s: larger than %d octets", path,
		    LIMIT_CONF_FILE);
	size = (size_t)c->st.st_size;
	c->text = malloc(size + 1);
	if (c->text == NULL)
		return fail(why, "%s: %s", path, strerror(ENOMEM));
	n = fsop_pread(fd, c->text, size, 0);
	if (n < 0)
		return fail(why, "%s: %s", path, strerror(errno));
	if ((size_t)n != size)
		return fail(why, "%s: changes while it is read; try again",
		    path);
	c->text[size] = '\0';
	if (memchr(c->text, '\0', size) != NULL)
		return fail(why, "%s: holds a NUL octet; it must be text",
		    path);
	return 0;
}

static int
read_file(struct conf *c, const char *path, struct why *why)
{
	/* O_NONBLOCK: a FIFO must not keep us waiting. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc;

	if (fd < 0)
		return fail(why, "open %s: %s; name the directory of main.cf "
		    "with -c or MAIL_CONFIG", path, strerror(errno));
	rc = read_text(c, fd, path, why);
	(void)close(fd);
	return rc;
}

/* The last entry so far of that name, or NULL. */
static struct conf_entry *
earlier(const struct conf *c, const char *name, enum conf_id id)
{
	size_t i;

	if (id != CONF_COUNT)
		return c->set[id] > 0 ? &c->entry[c->set[id] - 1] : NULL;
	for (i = c->nentry; i-- > 0; )
		if (c->entry[i].id == CONF_COUNT &&
		    strcmp(c->entry[i].name, name) == 0)
			return &c->entry[i];
	return NULL;
}

static struct conf_entry *
new_entry(struct conf *c)
{
	struct conf_entry *e;

	/* Grows at 16, 32, 64 ... */
	if (c->nentry == 0 || (c->nentry >= 16 &&
	    (c->nentry & (c->nentry - 1)) == 0)) {
		e = reallocarray(c->entry, c->nentry == 0 ? 16 : c->nentry * 2,
		    sizeof(*e));
		if (e == NULL)
			return NULL;
		c->entry = e;
	}
	return &c->entry[c->nentry];
}

static int
add(struct conf *c, const char *path, unsigned line, char *text,
    struct why *why)
{
	struct conf_entry *old, *new;
	const char *wrong;
	char *name, *value;
	enum conf_id id;

	if (c->nentry >= LIMIT_CONF_ENTRIES)
		return fail(why, "%s, line %u: more than %d entries", path,
		    line, LIMIT_CONF_ENTRIES);
	if (strlen(text) > LIMIT_CONF_VALUE)
		return fail(why, "%s, line %u: more than %d octets in one "
		    "entry", path, line, LIMIT_CONF_VALUE);
	wrong = confline_split(text, &name, &value);
	if (wrong != NULL)
		return fail(why, "%s, line %u: %s: \"%.100s\"", path, line,
		    wrong, text);
	new = new_entry(c);
	if (new == NULL)
		return fail(why, "%s: %s", path, strerror(ENOMEM));
	id = conf_find(name);
	old = earlier(c, name, id);
	if (old != NULL) {
		old->last = false;
		if (strcmp(old->value, value) != 0)
			str_printf(&c->warning, "%s, line %u: overriding "
			    "earlier entry: %s=%s\n", path, line, name,
			    old->value);
	}
	*new = (struct conf_entry){ name, value, id, line, true };
	c->nentry++;
	if (id != CONF_COUNT)
		c->set[id] = c->nentry;
	return 0;
}

static int
parse(struct conf *c, const char *path, struct why *why)
{
	struct confline scan = { .next = c->text, .line = 1 };
	unsigned line = 0;
	char *text;

	for (;;) {
		switch (confline_next(&scan, &text, &line)) {
		case CONFLINE_END:
			return 0;
		case CONFLINE_ORPHAN:
			str_printf(&c->warning, "%s, line %u: logical line "
			    "must not start with whitespace: \"%.30s%s\"\n",
			    path, line, text, strlen(text) > 30 ? "..." : "");
			break;
		case CONFLINE_TEXT:
			if (add(c, path, line, text, why) != 0)
				return -1;
			break;
		}
	}
}

int
conf_override(struct conf *c, char *text, struct why *why)
{
	size_t warned = c->warning.len;
	struct confline scan = { .next = text, .line = 1 };
	unsigned line = 0;

	if (confline_next(&scan, &text, &line) != CONFLINE_TEXT ||
	    *scan.next != '\0')
		return fail(why, "not a single name=value: \"%.100s\"", text);
	if (add(c, "command line", 1, text, why) != 0)
		return -1;
	str_cut(&c->warning, warned);
	return 0;
}

static int
read_all(struct conf *c, const char *dir, struct why *why)
{
	char path[PATH_SIZE];

	memset(c, 0, sizeof(*c));
	str_init(&c->warning);
	if (set_dir(c, conf_dir(dir), why) != 0)
		return -1;
	main_cf(c, path);
	if (read_file(c, path, why) != 0)
		return -1;
	return parse(c, path, why);
}

int
conf_read(struct conf *c, const char *dir, struct why *why)
{
	if (read_all(c, dir, why) == 0)
		return 0;
	conf_free(c);
	return -1;
}

void
conf_read_some(struct conf *c, const char *dir)
{
	struct why unused;

	(void)read_all(c, dir, &unused);
}

void
conf_free(struct conf *c)
{
	size_t i;

	for (i = 0; i < CONF_COUNT; i++)
		free(c->expanded[i]);
	free(c->entry);
	free(c->text);
	free(c->options);
	str_free(&c->warning);
	memset(c, 0, sizeof(*c));
	str_init(&c->warning);
}

bool
conf_changed(const struct conf *c)
{
	char path[PATH_SIZE];
	struct stat st;

	main_cf(c, path);
	return stat(path, &st) != 0 || st.st_dev != c->st.st_dev ||
	    st.st_ino != c->st.st_ino || st.st_size != c->st.st_size ||
	    st.st_mtim.tv_sec != c->st.st_mtim.tv_sec ||
	    st.st_mtim.tv_nsec != c->st.st_mtim.tv_nsec ||
	    st.st_ctim.tv_sec != c->st.st_ctim.tv_sec ||
	    st.st_ctim.tv_nsec != c->st.st_ctim.tv_nsec;
}
