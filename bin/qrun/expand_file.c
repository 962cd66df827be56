/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "expand.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The lines that local printed. */
static void
take_printed(struct work *w, const struct item *from, const struct user *as,
    const char *origin, struct str *out)
{
	static const enum alias_kind kind[128] = {
		['A'] = ALIAS_ADDRESS, ['C'] = ALIAS_COMMAND,
		['F'] = ALIAS_FILE, ['I'] = ALIAS_INCLUDE, ['B'] = ALIAS_BAD
	};
	struct item parent = *from;
	char *line, *p = out->s;
	unsigned char c;

	while ((line = strsep(&p, "\n")) != NULL && !w->failed) {
		c = (unsigned char)line[0];
		if (c < 128 && kind[c] != ALIAS_END && line[1] == ' ')
			expand_item(w, kind[c], line + 2, &parent, as, origin);
	}
}

void
expand_include(struct work *w, const struct item *i)
{
	char option[] = "-I", path[LIMIT_PATH];
	char *ask[] = { NULL, option, path, NULL };
	struct item copy = *i;
	struct user u;
	struct why why;
	struct str out;
	int code = -1, dir;

	if (w->r->quick) {
		w->e->incomplete = true;
		return;
	}
	dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	str_init(&out);
	(void)snprintf(path, sizeof(path), "%s", i->text);
	if (i->as != NULL)
		u = *i->as;
	if (i->as != NULL || expand_default_user(w, &u, &why))
		code = agent_ask(w->r, &u, dir, ask, &out, &why);
	if (code == 0)
		take_printed(w, &copy, i->as, "include", &out);
	else {
		if (code > 0)
			(void)why_set(&why, VERDICT_LATER, "4.2.0",
			    ":include: %s", out.s);
		expand_failure(w, copy.text, &why);
	}
	str_free(&out);
	if (dir >= 0)
		(void)close(dir);
}

/* 1: there is a .forward (or we may not see whether); 0: there is none. */
static bool
may_have_forward(const char *extension, int home)
{
	char name[LIMIT_USER + 16];
	struct stat st;

	(void)snprintf(name, sizeof(name), ".forward%s", extension);
	if (fstatat(home, ".forward", &st, AT_SYMLINK_NOFOLLOW) == 0 ||
	    errno != ENOENT)
		return true;
	return extension[0] != '\0' && strchr(extension, '/') == NULL &&
	    (fstatat(home, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ||
	    errno != ENOENT);
}

bool
expand_forward(struct work *w, const struct item *i, const struct user *u,
    const char *extension)
{
	char option[] = "-f", ext[LIMIT_USER + 1];
	char *ask[] = { NULL, option, ext, NULL };
	struct item copy = *i;
	size_t before = w->n;
	struct why why;
	struct str out;
	int home, code;

	if (u->uid == 0 || (geteuid() != 0 && geteuid() != u->uid))
		return false;
	home = open(u->home, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (home < 0)
		return false;	/* the mailbox will say what is wrong */
	if (!may_have_forward(extension, home)) {
		(void)close(home);
		return false;
	}
	if (w->r->quick) {
		w->e->incomplete = true;
		(void)close(home);
		return true;
	}
	str_init(&out);
	(void)snprintf(ext, sizeof(ext), "%s", extension);
	code = agent_ask(w->r, u, home, ask, &out, &why);
	if (code == 0)
		take_printed(w, &copy, u, "forward", &out);
	else {
		if (code > 0)
			(void)why_set(&why, VERDICT_LATER, "4.2.0", "%s",
			    out.s + (strncmp(out.s, "4.2.0 ", 6) == 0 ?
			    6 : 0));
		expand_failure(w, copy.text, &why);
	}
	str_free(&out);
	(void)close(home);
	return code != 0 || w->n > before;
}
