/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who started us.  LOGNAME and USER are the caller's to choose; this is not. */
#include "sendmail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pure/num.h"

enum { FIELDS = 5 };	/* name:x:uid:gid:person:... */

static void
copy(char *to, const char *from, size_t len)
{
	if (len > LIMIT_USER)
		len = LIMIT_USER;
	memcpy(to, from, len);
	to[len] = '\0';
}

/* The person's name is what comes before the first comma, and "&" in it
 * stands for the login name. */
static void
take_person(struct caller *c, const char *s, size_t len)
{
	size_t i, n = 0;

	for (i = 0; i < len && s[i] != ','; i++) {
		if (s[i] != '&') {
			if (n < LIMIT_USER)
				c->name[n++] = s[i];
			continue;
		}
		if (n + strlen(c->login) > LIMIT_USER)
			break;
		memcpy(c->name + n, c->login, strlen(c->login));
		if (c->name[n] >= 'a' && c->name[n] <= 'z')
			c->name[n] = (char)(c->name[n] - 'a' + 'A');
		n += strlen(c->login);
	}
	c->name[n] = '\0';
}

static bool
take_line(struct caller *c, const char *line)
{
	const char *field[FIELDS], *p = line;
	size_t len[FIELDS];
	uint64_t uid;
	int i;

	for (i = 0; i < FIELDS; i++) {
		field[i] = p;
		len[i] = strcspn(p, ":\n");
		p += len[i];
		if (*p == ':')
			p++;
		else if (i < FIELDS - 1)
			return false;
	}
	if (len[0] == 0 || !num_parse(field[2], len[2], UINT32_MAX, &uid) ||
	    uid != c->uid)
		return false;
	copy(c->login, field[0], len[0]);
	take_person(c, field[4], len[4]);
	return true;
}

void
caller_get(struct caller *c)
{
	FILE *f = fopen("/etc/passwd", "re");
	char *line = NULL;
	size_t size = 0;
	struct addr a;

	*c = (struct caller){ .uid = getuid() };
	while (f != NULL && getline(&line, &size, f) > 0)
		if (take_line(c, line))
			break;
	free(line);
	if (f != NULL)
		(void)fclose(f);
	/* A uid without an account, as in containers, may send mail too. */
	if (addr_parse(&a, c->login, strlen(c->login)) != strlen(c->login) ||
	    a.len == 0)
		(void)snprintf(c->login, sizeof(c->login), "%lu",
		    (unsigned long)c->uid);
}
