/* SPDX-License-Identifier: GPL-3.0-or-later */
/* malle check: one line for each fault, none when all is well. */
#include "malle.h"

#include <arpa/inet.h>
#include <search.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "pure/list.h"
#include "store/map.h"
#include "sys/service.h"

static unsigned long faults;

void
fault(const char *fmt, ...)
{
	va_list ap;

	faults++;
	(void)fputs("malle: warning: ", stderr);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
}

/* Where a parameter is set, for a fault of it. */
static const char *
where(const struct conf *c, enum conf_id id)
{
	static char text[LIMIT_PATH + 64];

	if (c->set[id] == 0)
		(void)snprintf(text, sizeof(text), "%s/main.cf: %s (by "
		    "default)", c->dir, conf_parameter[id].name);
	else
		(void)snprintf(text, sizeof(text), "%s/main.cf, line %u: %s",
		    c->dir, c->entry[c->set[id] - 1].line,
		    conf_parameter[id].name);
	return text;
}

static void
check_names(const struct conf *c)
{
	bool *used = conf_used(c);
	const struct conf_entry *e;
	const char *s, *end;
	size_t i;

	if (used == NULL)
		fatal(EX_OSERR, "out of memory");
	for (s = c->warning.s; (end = strchr(s, '\n')) != NULL; s = end + 1)
		fault("%.*s", (int)(end - s), s);
	for (i = 0; i < c->nentry; i++) {
		e = &c->entry[i];
		if (!e->last)
			continue;
		if (e->id == CONF_COUNT && !used[i])
			fault("%s/main.cf, line %u: %s: malle has no such "
			    "parameter, and nothing here uses it; it does "
			    "nothing", c->dir, e->line, e->name);
		else if (e->value[0] == '#' || strstr(e->value, " #") != NULL)
			fault("%s/main.cf, line %u: %s: a comment must have "
			    "a line of its own", c->dir, e->line, e->name);
	}
	free(used);
}

static void
check_file(const struct conf *c)
{
	if (c->st.st_mode & (S_IWGRP | S_IWOTH))
		fault("%s/main.cf: others may write to it; chmod go-w it",
		    c->dir);
	if (c->st.st_uid != 0 && c->st.st_uid != geteuid())
		fault("%s/main.cf: belongs to user id %lu; chown root it",
		    c->dir, (unsigned long)c->st.st_uid);
}

static void
check_networks(const struct conf *c, enum conf_id id)
{
	static const unsigned char none[4] = { 255, 255, 255, 255 };
	const char *bad;
	size_t len;

	if (list_has_network(conf_get(c, id), AF_INET, none, &bad, &len) < 0)
		fault("%s: \"%.*s\" is no network; write 192.0.2.0/24 or "
		    "[2001:db8::]/32", where(c, id), (int)len, bad);
}

static void
check_service(const struct conf *c, enum conf_id id)
{
	const char *text = conf_get(c, id);
	struct service s;

	if (text[0] != '\0' && !service_parse(text, &s))
		fault("%s: \"%s\" is no service; write inet:ADDRESS:PORT, "
		    "inet:[ADDRESS]:PORT or unix:/PATH", where(c, id), text);
}

/* A mailbox must hold the largest message that is accepted. */
static void
check_sizes(const struct conf *c)
{
	enum conf_id id = conf_find("mailbox_size_limit");
	uint64_t box, message = conf_number(c, CONF_MESSAGE_SIZE_LIMIT);

	if (id == CONF_COUNT)
		return;
	box = conf_number(c, id);
	if (box > 0 && (message == 0 || box < message))
		fault("%s: smaller than message_size_limit; raise it to %llu "
		    "or more, or set 0", where(c, id),
		    (unsigned long long)message);
}

static void
check_times(const struct conf *c)
{
	if (conf_number(c, CONF_MAXIMAL_BACKOFF_TIME) <
	    conf_number(c, CONF_MINIMAL_BACKOFF_TIME))
		fault("%s: less than minimal_backoff_time", where(c,
		    CONF_MAXIMAL_BACKOFF_TIME));
}

struct table {
	const struct conf *conf;
	enum conf_id id;
};

static int
compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* A table that several parameters name is told of once. */
static void
table_fault(void *ctx, const char *text)
{
	static void *told;
	const struct table *t = ctx;
	char *copy = strdup(text), **node;

	node = copy != NULL ? tsearch(copy, &told, compare) : NULL;
	if (node == NULL)
		fatal(EX_OSERR, "out of memory");
	if (*node != copy) {
		free(copy);
		return;
	}
	fault("%s: %s", where(t->conf, t->id), text);
}

static bool
names_tables(const char *name)
{
	size_t len = strlen(name);

	return len > 5 && strcmp(name + len - 5, "_maps") == 0;
}

static void
check_tables(const struct conf *c)
{
	enum conf_id type = conf_find("default_database_type");
	const char *default_type = type != CONF_COUNT ? conf_get(c, type) : "";
	struct map_list l;
	struct table t = { .conf = c };
	struct why why;

	for (t.id = 0; t.id < CONF_COUNT; t.id++) {
		if (!names_tables(conf_parameter[t.id].name))
			continue;
		if (map_list_open(&l, conf_get(c, t.id), default_type,
		    &why) != 0)
			table_fault(&t, why.text);
		else
			map_list_faults(&l, table_fault, &t);
		map_list_close(&l);
	}
}

int
check(const char *dir, int argc, char **argv)
{
	static struct conf c;
	struct why why;

	if (argc > 1)
		fatal(EX_USAGE, "check: what is %s?", argv[1]);
	if (conf_read(&c, dir, &why) != 0) {
		fault("%s", why.text);
		return EX_CONFIG;
	}
	check_names(&c);
	check_file(&c);
	if (conf_check(&c, &why) != 0)
		/* Without the values nothing else can be told. */
		fault("%s", why.text);
	else {
		check_networks(&c, CONF_MYNETWORKS);
		check_service(&c, CONF_QRUN_SERVICE);
		check_service(&c, CONF_SENDMAIL_SERVICE);
		check_sizes(&c);
		check_times(&c);
		check_owner(&c);
		check_spool(&c);
		check_accounts(&c);
		check_programs(&c);
		check_tables(&c);
	}
	conf_free(&c);
	return faults == 0 ? EX_OK : EX_CONFIG;
}
