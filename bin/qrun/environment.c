/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a command may know. */
#include "qrun.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pure/mapkey.h"

enum { NVARIABLES = 16 };

struct variables {
	char **env;
	size_t n;
	bool bad;
};

/* NAME=value[0..len). */
static void
put(struct variables *v, const char *name, const char *value, size_t len)
{
	char *s;

	if (v->n + 1 >= NVARIABLES ||
	    asprintf(&s, "%s=%.*s", name, (int)len, value) < 0) {
		v->bad = true;
		return;
	}
	v->env[v->n++] = s;
	v->env[v->n] = NULL;
}

/* The same for what a stranger wrote: an octet becomes "_" unless it is
 * harmless to any shell (Postfix's command_expansion_filter). */
static void
put_clean(struct variables *v, const char *name, const char *value,
    size_t len)
{
	static const char good[] = "1234567890!@%-_=+:,./abcdefghijklmnopqrst"
	    "uvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	char clean[LIMIT_ADDRESS + 1];
	size_t i;

	if (len > LIMIT_ADDRESS)
		len = LIMIT_ADDRESS;
	for (i = 0; i < len; i++)
		clean[i] = value[i] != '\0' &&
		    strchr(good, value[i]) != NULL ? value[i] : '_';
	put(v, name, clean, len);
}

char **
environment(const struct conf *c, const struct rcpt *rcpt,
    const char *sender, const struct user *u)
{
	struct variables v = { .env = calloc(NVARIABLES, sizeof(char *)) };
	const char *address = rcpt->address, *at = strrchr(address, '@'),
	    *home = u->home[0] != '\0' ? u->home : "/",
	    *original = rcpt->original[0] != '\0' ? rcpt->original : address;
	size_t len = strlen(address),
	    local = at != NULL ? (size_t)(at - address) : len,
	    domain = at != NULL ? local + 1 : len,
	    bare = mapkey_bare(address, local, conf_get(c,
	    CONF_RECIPIENT_DELIMITER)), extension = bare + (bare < local);

	if (v.env == NULL)
		return NULL;
	put(&v, "PATH", "/usr/local/bin:/usr/bin:/bin", 28);
	put(&v, "SHELL", "/bin/sh", 7);
	put(&v, "HOME", home, strlen(home));
	put(&v, "USER", u->name, strlen(u->name));
	put(&v, "LOGNAME", u->name, strlen(u->name));
	put_clean(&v, "SENDER", sender, strlen(sender));
	put_clean(&v, "RECIPIENT", address, len);
	put_clean(&v, "ORIGINAL_RECIPIENT", original, strlen(original));
	put_clean(&v, "LOCAL", address, local);
	put_clean(&v, "EXTENSION", address + extension, local - extension);
	put_clean(&v, "DOMAIN", address + domain, len - domain);
	if (!v.bad)
		return v.env;
	environment_free(v.env);
	return NULL;
}

void
environment_free(char **env)
{
	size_t i;

	for (i = 0; env[i] != NULL; i++)
		free(env[i]);
	free(env);
}
