/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Values: which one holds, expanded, checked.  All of it at load, because
 * only then can an error be told to somebody; it costs little, since few
 * values hold a "$" and only those are copied.  conf_read.c reads the file.
 */
#include "store/conf.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "pure/macro.h"
#include "pure/num.h"

#define CONF_PARAMETER(id, name, value, kind, min, max) \
	{ name, value, kind, min, max },
const struct conf_parameter conf_parameter[CONF_COUNT] = {
#include "store/conf_table.h"
};
#undef CONF_PARAMETER

/* Others are made from these, and they not from the text alone, so they are
 * settled first and in this order. */
static const enum conf_id first[] = {
	CONF_CONFIG_DIRECTORY, CONF_MYHOSTNAME, CONF_MYDOMAIN, CONF_MYORIGIN
};

static enum conf_id
find(const char *name, size_t len)
{
	size_t low = 0, high = CONF_COUNT, mid;
	int d;

	while (low < high) {
		mid = low + (high - low) / 2;
		d = strncmp(name, conf_parameter[mid].name, len);
		if (d == 0 && conf_parameter[mid].name[len] == '\0')
			return (enum conf_id)mid;
		if (d > 0)
			low = mid + 1;
		else
			high = mid;
	}
	return CONF_COUNT;
}

enum conf_id
conf_find(const char *name)
{
	return find(name, strlen(name));
}

static const char *
raw(const struct conf *c, const char *name, size_t len)
{
	enum conf_id id = find(name, len);
	size_t i;

	if (id != CONF_COUNT)
		return c->set[id] > 0 ? c->entry[c->set[id] - 1].value : NULL;
	for (i = c->nentry; i-- > 0; )
		if (c->entry[i].id == CONF_COUNT &&
		    strncmp(c->entry[i].name, name, len) == 0 &&
		    c->entry[i].name[len] == '\0')
			return c->entry[i].value;
	return NULL;
}

const char *
conf_raw(const struct conf *c, const char *name)
{
	return raw(c, name, strlen(name));
}

/* What the kernel says, if it can be the name of a host. */
static void
host_name(char *buf, size_t size)
{
	const char *s;

	if (gethostname(buf, size) != 0)
		buf[0] = '\0';
	buf[size - 1] = '\0';
	for (s = buf; isalnum((unsigned char)*s) || *s == '-' || *s == '.'; s++)
		;
	if (*s != '\0' || s == buf)
		(void)snprintf(buf, size, "localhost");
}

static const char *
domain_of(const char *host)
{
	const char *dot = strchr(host, '.');

	return dot != NULL && dot[1] != '\0' ? dot + 1 : "localdomain";
}

static const char *
default_host(const char *domain)
{
	static char host[LIMIT_DOMAIN + sizeof(".localdomain")];
	size_t len;

	host_name(host, LIMIT_DOMAIN);
	len = strlen(host);
	if (strchr(host, '.') == NULL)
		(void)snprintf(host + len, sizeof(host) - len, ".%s", domain);
	return host;
}

const char *
conf_default(enum conf_id id)
{
	if (id == CONF_MYHOSTNAME)
		return default_host("localdomain");
	if (id == CONF_MYDOMAIN)
		return domain_of(default_host("localdomain"));
	return conf_parameter[id].value;
}

/* conf_default, with regard to what the file says about the other one. */
static const char *
default_in(const struct conf *c, enum conf_id id)
{
	if (id == CONF_MYHOSTNAME && c->set[CONF_MYDOMAIN] > 0)
		return default_host("$mydomain");
	if (id == CONF_MYDOMAIN && c->value[CONF_MYHOSTNAME] != NULL)
		return domain_of(c->value[CONF_MYHOSTNAME]);
	return conf_default(id);
}

const char *
conf_text(const struct conf *c, enum conf_id id)
{
	if (id == CONF_CONFIG_DIRECTORY)
		return c->dir;
	return c->set[id] > 0 ? c->entry[c->set[id] - 1].value :
	    default_in(c, id);
}

/* An expanded value is final: a "$" in it came from "$$". */
static const char *
lookup(void *ctx, const char *name, size_t len, bool *final)
{
	const struct conf *c = ctx;
	enum conf_id id = find(name, len);

	*final = false;
	if (id == CONF_COUNT)
		return raw(c, name, len);
	if (c->value[id] == NULL)
		return conf_text(c, id);
	*final = true;
	return c->value[id];
}

int
conf_expand(const struct conf *c, const char *text, struct str *out,
    struct why *why)
{
	struct macro m = { .lookup = lookup, .ctx = (void *)(uintptr_t)c };

	if (macro_expand(&m, out, text, strlen(text)))
		return 0;
	(void)why_set(why, VERDICT_LATER, "4.3.5", "%s", m.error);
	return -1;
}

/* Debian's "myorigin = /etc/mailname": the first line of that file. */
static int
read_first_line(const char *path, char line[static LIMIT_DOMAIN + 1])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), error;
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, line, LIMIT_DOMAIN);
	error = errno;
	(void)close(fd);
	errno = error;
	if (n < 0)
		return -1;
	line[n] = '\0';
	line[strcspn(line, " \t\r\n")] = '\0';
	errno = EINVAL;
	return line[0] != '\0' ? 0 : -1;
}

static int
bad_value(const struct conf *c, enum conf_id id, struct why *why,
    const char *what)
{
	if (c->set[id] > 0)
		(void)why_set(why, VERDICT_LATER, "4.3.5",
		    "%s/main.cf, line %u: %s", c->dir,
		    c->entry[c->set[id] - 1].line, what);
	else
		(void)why_set(why, VERDICT_LATER, "4.3.5",
		    "%s/main.cf: %s", c->dir, what);
	return -1;
}

/* Gives the parameter its value; text is where it comes from. */
static int
keep(struct conf *c, enum conf_id id, const char *text, struct why *why)
{
	free(c->expanded[id]);
	c->value[id] = c->expanded[id] = strdup(text);
	if (c->value[id] != NULL)
		return 0;
	(void)why_errno(why, ENOMEM, "read main.cf");
	return -1;
}

static int
expand_value(struct conf *c, enum conf_id id, const char *text,
    struct why *why)
{
	struct str out;
	char what[LIMIT_REASON];
	int rc;

	str_init(&out);
	rc = conf_expand(c, text, &out, why);
	if (rc == 0) {
		rc = keep(c, id, out.s, why);
	} else {
		(void)snprintf(what, sizeof(what), "%s: %.300s",
		    conf_parameter[id].name, why->text);
		rc = bad_value(c, id, why, what);
	}
	str_free(&out);
	return rc;
}

static int
settle(struct conf *c, enum conf_id id, struct why *why)
{
	char line[LIMIT_DOMAIN + 1], what[LIMIT_REASON];
	const char *text;

	if (c->value[id] != NULL)
		return 0;
	text = conf_text(c, id);
	if (id != CONF_CONFIG_DIRECTORY && strchr(text, '$') != NULL) {
		if (expand_value(c, id, text, why) != 0)
			return -1;
		text = c->value[id];
	} else if (c->set[id] == 0 && (id == CONF_MYHOSTNAME ||
	    id == CONF_MYDOMAIN)) {
		/* A static buffer until now. */
		if (keep(c, id, text, why) != 0)
			return -1;
		text = c->value[id];
	}
	if (id == CONF_MYORIGIN && text[0] == '/') {
		if (read_first_line(text, line) != 0) {
			(void)snprintf(what, sizeof(what),
			    "myorigin: %.200s: %s; it must hold a domain name "
			    "in its first line", text, strerror(errno));
			c->value[id] = NULL;
			return bad_value(c, id, why, what);
		}
		return keep(c, id, line, why);
	}
	c->value[id] = text;
	return 0;
}

static bool
read_bool(const char *s, uint64_t *out)
{
	*out = strcasecmp(s, "yes") == 0;
	return *out || strcasecmp(s, "no") == 0;
}

static int
check_number(struct conf *c, enum conf_id id, struct why *why)
{
	const struct conf_parameter *p = &conf_parameter[id];
	const char *v = c->value[id];
	uint64_t *n = &c->number[id];
	char what[LIMIT_REASON];

	switch (p->kind) {
	case CONF_STRING:
		return 0;
	case CONF_BOOL:
		if (read_bool(v, n))
			return 0;
		(void)snprintf(what, sizeof(what), "bad boolean configuration: "
		    "%s = %.100s; write yes or no", p->name, v);
		break;
	case CONF_NUMBER:
		if (num_parse(v, strlen(v), p->max, n) && *n >= p->min)
			return 0;
		(void)snprintf(what, sizeof(what), "bad numerical "
		    "configuration: %s = %.100s; write a number from %ju to "
		    "%ju", p->name, v, (uintmax_t)p->min, (uintmax_t)p->max);
		break;
	case CONF_TIME:
		/* Without a unit it has its default's, as with Postfix. */
		if (num_parse_time(v, p->value[strlen(p->value) - 1], p->max,
		    n) && *n >= p->min)
			return 0;
		(void)snprintf(what, sizeof(what), "bad time configuration: "
		    "%s = %.100s; write a time from %jus to %jus (units: "
		    "s m h d w)", p->name, v, (uintmax_t)p->min,
		    (uintmax_t)p->max);
		break;
	}
	return bad_value(c, id, why, what);
}

int
conf_check(struct conf *c, struct why *why)
{
	size_t i;

	for (i = 0; i < sizeof(first) / sizeof(first[0]); i++)
		if (settle(c, first[i], why) != 0)
			return -1;
	for (i = 0; i < CONF_COUNT; i++)
		if (settle(c, (enum conf_id)i, why) != 0 ||
		    check_number(c, (enum conf_id)i, why) != 0)
			return -1;
	return 0;
}

int
conf_load(struct conf *c, const char *dir, struct why *why)
{
	static const struct conf_options none;

	return conf_load_with(c, dir, &none, why);
}

const char *
conf_get(const struct conf *c, enum conf_id id)
{
	return c->value[id] != NULL ? c->value[id] : "";
}

uint64_t
conf_number(const struct conf *c, enum conf_id id)
{
	return c->number[id];
}
