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
take_printed(struct work *w, size_t parent, const struct user *as,
    const char *origin, struct str *out)
{
	static const enum alias_kind kind[128] = {
		['A'] = ALIAS_ADDRESS, ['C'] = ALIAS_COMMAND,
		['F'] = ALIAS_FILE, ['I'] = ALIAS_INCLUDE, ['B'] = ALIAS_BAD
	};
	char *line, *p = out->s;
	unsigned char c;

	while ((line = strsep(&p, "\n")) != NULL && !w->failed) {
		c = (unsigned char)line[0];
		if (c < 128 && kind[c] != ALIAS_END && line[1] == ' ')
			(void)expand_item(w, kind[c], line + 2, parent, as,
			    origin);
	}
}

/* The one line with which local said why not, without its status. */
static const char *
said(struct str *out)
{
	static const char status[] = "4.2.0 ";

	out->s[strcspn(out->s, "\n")] = '\0';
	return strncmp(out->s, status, sizeof(status) - 1) == 0 ?
	    out->s + sizeof(status) - 1 : out->s;
}

/* Reads it as its user.  False, with why: it cannot be read now. */
static bool
ask_include(struct work *w, const struct item *i, struct str *out,
    struct why *why)
{
	char option[] = "-I", path[LIMIT_PATH];
	char *ask[] = { NULL, option, path, NULL };
	struct user u;
	int code = -1, dir;

	if (strlen(i->text) >= sizeof(path)) {
		(void)why_set(why, VERDICT_LATER, "4.3.5",
		    ":include: path is too long");
		return false;
	}
	(void)snprintf(path, sizeof(path), "%s", i->text);
	dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (i->as != NULL)
		u = *i->as;
	if (i->as != NULL || expand_default_user(w, &u, why))
		code = agent_ask(w->r, &u, dir, ask, out, why);
	if (code > 0)
		(void)why_set(why, VERDICT_LATER, "4.2.0", ":include: %s",
		    said(out));
	if (dir >= 0)
		(void)close(dir);
	return code == 0;
}

void
expand_include(struct work *w, size_t index)
{
	const struct item *i = &w->item[index];
	struct user *as = i->as;
	char *text = i->text;
	struct why why;
	struct str out;
	bool forwarded;

	switch (expand_seen(w, index, text, &forwarded)) {
	case SEEN_NOT:
		break;
	case SEEN_BEFORE:
		return;
	case SEEN_ABOVE:
		expand_never(w, text, "5.4.6", "alias nesting", text);
		return;
	}
	if (w->r->quick) {
		w->e->incomplete = true;
		return;
	}
	str_init(&out);
	if (ask_include(w, i, &out, &why))
		take_printed(w, index, as, "include", &out);
	else
		expand_failure(w, text, &why);
	str_free(&out);
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

/* Whether there is a .forward in it cannot be known now. */
static bool
no_home(struct work *w, const char *text, int error)
{
	struct why why;

	if (w->r->quick) {
		w->e->incomplete = true;
		return true;
	}
	(void)why_errno(&why, error, "open home directory");
	expand_failure(w, text, &why);
	return true;
}

bool
expand_forward(struct work *w, size_t index, const struct user *u,
    const char *extension)
{
	char option[] = "-f", ext[LIMIT_USER + 1];
	char *ask[] = { NULL, option, ext, NULL };
	const char *text = w->item[index].text;
	size_t before = w->n;
	struct why why;
	struct str out;
	int home, code;

	if (u->uid == 0 || (geteuid() != 0 && geteuid() != u->uid))
		return false;
	home = open(u->home, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (home < 0 && errno == ENOENT)
		return false;
	if (home < 0)
		return no_home(w, text, errno);
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
		take_printed(w, index, u, "forward", &out);
	else {
		if (code > 0)
			(void)why_set(&why, VERDICT_LATER, "4.2.0", "%s",
			    said(&out));
		expand_failure(w, text, &why);
	}
	str_free(&out);
	(void)close(home);
	return code != 0 || w->n > before;
}
