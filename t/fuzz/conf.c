/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A main.cf is read, or refused with a reason that names it; what is read is
 * within its bounds. */
#include "store/conf.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

static char dir[] = "/tmp/fuzz-conf-XXXXXX";

static void
clean_up(void)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/main.cf", dir);
	(void)unlink(path);
	(void)rmdir(dir);
}

static void
write_file(const uint8_t *data, size_t size)
{
	static bool made;
	char path[64];
	int fd;

	if (!made) {
		MUST(mkdtemp(dir) != NULL);
		MUST(atexit(clean_up) == 0);
		made = true;
	}
	(void)snprintf(path, sizeof(path), "%s/main.cf", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	MUST(fd >= 0);
	MUST(write(fd, data, size) == (ssize_t)size);
	MUST(close(fd) == 0);
}

static bool
is_one_line(const char *s)
{
	return s[0] != '\0' && strpbrk(s, "\r\n") == NULL;
}

static void
check_entry(const struct conf *c, const struct conf_entry *e)
{
	struct str out;
	struct why why;

	MUST(e->name[0] != '\0' && strpbrk(e->name, " =\t\n") == NULL);
	MUST(strpbrk(e->value, "\t\r\n") == NULL);
	MUST(strstr(e->value, "  ") == NULL && e->value[0] != ' ');
	MUST(e->line > 0);
	MUST(conf_find(e->name) == e->id);
	if (e->last)
		MUST(conf_raw(c, e->name) == e->value);
	str_init(&out);
	if (conf_expand(c, e->value, &out, &why) == 0)
		MUST(out.len <= LIMIT_CONF_VALUE);
	else
		MUST(is_one_line(why.text));
	str_free(&out);
}

static void
check_values(const struct conf *c)
{
	const struct conf_parameter *p;
	size_t i;

	for (i = 0; i < CONF_COUNT; i++) {
		p = &conf_parameter[i];
		MUST(c->value[i] != NULL);
		if (p->kind == CONF_BOOL)
			MUST(c->number[i] <= 1);
		else if (p->kind != CONF_STRING)
			MUST(c->number[i] >= p->min && c->number[i] <= p->max);
	}
	MUST(c->value[CONF_MYHOSTNAME] == conf_get(c, CONF_MYHOSTNAME));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct conf conf;
	struct why why;
	size_t i;

	write_file(data, size);
	if (conf_read(&conf, dir, &why) != 0) {
		MUST(is_one_line(why.text) && strstr(why.text, dir) != NULL);
		return 0;
	}
	MUST(!conf_changed(&conf));
	for (i = 0; i < conf.nentry; i++)
		check_entry(&conf, &conf.entry[i]);
	if (conf_check(&conf, &why) == 0)
		check_values(&conf);
	else
		MUST(is_one_line(why.text) && strstr(why.text, dir) != NULL);
	conf_free(&conf);
	return 0;
}
