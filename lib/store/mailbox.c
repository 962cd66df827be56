/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/mailbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Is there a component "..", or an absolute path? */
static bool
leaves(const char *name)
{
	return name[0] == '/' || strcmp(name, "..") == 0 ||
	    strncmp(name, "../", 3) == 0 || strstr(name, "/../") != NULL ||
	    (strlen(name) > 3 && strcmp(name + strlen(name) - 3, "/..") == 0);
}

static bool
fits(int printed, size_t size)
{
	return printed >= 0 && (size_t)printed < size;
}

static int
place(struct mailbox *m, const char *dir, const char *name)
{
	size_t n;

	if (leaves(name) || dir[0] != '/' ||
	    !fits(snprintf(m->dir, sizeof(m->dir), "%s", dir),
	    sizeof(m->dir)) ||
	    !fits(snprintf(m->name, sizeof(m->name), "%s", name),
	    sizeof(m->name)))
		return -1;
	n = strlen(m->name);
	while (n > 1 && m->name[n - 1] == '/')
		m->name[--n] = '\0';
	return 0;
}

int
mailbox_locate(struct mailbox *m, const struct conf *c, const struct user *u)
{
	const char *name = conf_get(c, CONF_HOME_MAILBOX);
	const char *dir = u->home;
	size_t n;

	m->in_home = name[0] != '\0';
	if (m->in_home)
		m->maildir = name[strlen(name) - 1] == '/';
	else {
		dir = conf_get(c, CONF_MAIL_SPOOL_DIRECTORY);
		name = u->name;
		n = strlen(dir);
		m->maildir = n > 0 && dir[n - 1] == '/';
	}
	return place(m, dir, name);
}

int
mailbox_virtual(struct mailbox *m, const char *base, const char *path)
{
	size_t n = strlen(path);

	m->in_home = false;
	m->maildir = n > 0 && path[n - 1] == '/';
	return n > 0 ? place(m, base, path) : -1;
}

int
mailbox_open_dir(const struct mailbox *m, uid_t uid, gid_t *extra)
{
	struct stat st;
	int fd;

	*extra = (gid_t)-1;
	fd = open(m->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) != 0)
		goto fail;
	if (m->in_home) {
		/* Who may place a link on the way to a home must not be
		 * able to lead us into another's. */
		errno = EPERM;
		if (st.st_uid != uid)
			goto fail;
		return fd;
	}
	errno = EPERM;
	if ((st.st_mode & S_IWOTH) != 0 && (st.st_mode & S_ISVTX) == 0)
		goto fail;
	if (st.st_uid != uid && (st.st_mode & S_IWOTH) == 0 &&
	    (st.st_mode & S_IWGRP) != 0)
		*extra = st.st_gid;
	return fd;
fail:
	(void)close(fd);
	return -1;
}
