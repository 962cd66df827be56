/* SPDX-License-Identifier: GPL-3.0-or-later */
/* .forward and :include: files, read with their reader's own rights. */
#include "local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "pure/aliasline.h"
#include "sys/fsop.h"

static int
fail(const char *path, const char *text)
{
	(void)printf("4.2.0 %s: %s\n", path, text);
	return EX_TEMPFAIL;
}

static void
print_target(enum alias_kind kind, const struct str *text)
{
	static const char letter[] = {
		[ALIAS_ADDRESS] = 'A', [ALIAS_COMMAND] = 'C',
		[ALIAS_FILE] = 'F', [ALIAS_INCLUDE] = 'I', [ALIAS_BAD] = 'B'
	};
	size_t i;

	(void)printf("%c ", letter[kind]);
	for (i = 0; i < text->len; i++)
		(void)putchar((unsigned char)text->s[i] < ' ' ? ' ' :
		    text->s[i]);
	(void)putchar('\n');
}

static int
print_targets(int fd, const struct stat *st, const char *path)
{
	struct alias_scan scan;
	enum alias_kind kind;
	struct str text;
	char *buf;
	ssize_t n;

	if (st->st_size > LIMIT_FORWARD)
		return fail(path, "file is too large");
	buf = malloc((size_t)st->st_size + 1);
	if (buf == NULL)
		return fail(path, strerror(errno));
	n = fsop_pread(fd, buf, (size_t)st->st_size, 0);
	if (n < 0)
		return fail(path, strerror(errno));
	str_init(&text);
	alias_init(&scan, buf, (size_t)n);
	while ((kind = alias_next(&scan, &text)) != ALIAS_END)
		print_target(kind, &text);
	str_free(&text);
	free(buf);
	return EX_OK;
}

/* A file that others may write would let them act as its owner. */
static int
print_file(const char *path, uid_t owner, bool any_owner)
{
	struct stat st;
	int fd = fsop_open(AT_FDCWD, path, O_RDONLY, &st), result;

	if (fd < 0)
		return errno == ENOENT ? -1 : fail(path, fsop_strerror(errno));
	if ((!any_owner && st.st_uid != owner && st.st_uid != 0) ||
	    (st.st_mode & (S_IWOTH | S_IWGRP)) != 0)
		result = fail(path, "owner or permissions are not safe");
	else
		result = print_targets(fd, &st, path);
	(void)close(fd);
	return result;
}

int
local_print_forward(const char *extension)
{
	char path[LIMIT_PATH];
	int n, result = -1;

	/* Only a plain name becomes part of a path. */
	if (extension[0] != '\0' && strchr(extension, '/') == NULL) {
		n = snprintf(path, sizeof(path), ".forward%s", extension);
		if (n > 0 && (size_t)n < sizeof(path))
			result = print_file(path, geteuid(), false);
	}
	if (result < 0)
		result = print_file(".forward", geteuid(), false);
	return result < 0 ? EX_OK : result;
}

int
local_print_include(const char *path)
{
	int result = print_file(path, 0, true);

	return result < 0 ? fail(path, strerror(ENOENT)) : result;
}
