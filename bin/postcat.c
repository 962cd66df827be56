/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * postcat: shows a queue file, named by its path or (-q) by its id: the
 * envelope (-e), the header (-h), the body (-b), or all of it.  A queue file
 * is plain text; this is for those who are used to the layout.
 *
 * An administrator's command; runs as whoever calls it, takes no lock and
 * changes nothing.  Exit codes: sysexits.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "pure/date.h"
#include "store/conf.h"
#include "store/queue_look.h"
#include "sys/clock.h"
#include "sys/fsop.h"

struct command {
	struct conf conf;
	struct queue queue;
	bool by_id, envelope, header, body;
	const char *id;		/* being looked for */
	char place[32], name[LIMIT_QUEUE_NAME];	/* where it is */
};
static struct command command;

static _Noreturn void fatal(int code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
fatal(int code, const char *fmt, ...)
{
	va_list ap;

	(void)fflush(stdout);
	(void)fputs("postcat: fatal: ", stderr);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	exit(code);
}

/* ---- finding it ---- */

static bool
is_it(void *ctx, const char *place, const char *name)
{
	struct command *c = ctx;
	char id[LIMIT_QUEUE_ID + 1];
	uint64_t octets, crlf;

	if (!queue_parse_name(name, id, &octets, &crlf) ||
	    strcmp(id, c->id) != 0)
		return true;
	(void)snprintf(c->place, sizeof(c->place), "%s", place);
	(void)snprintf(c->name, sizeof(c->name), "%s", name);
	return false;
}

static bool
find(struct command *c, const char *id)
{
	static const char *const places[] = { "incoming", "hold", "corrupt" };
	size_t i;

	c->id = id;
	c->name[0] = '\0';
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		(void)queue_each(&c->queue, places[i], is_it, c);
		if (c->name[0] != '\0')
			return true;
	}
	(void)queue_each_deferred(&c->queue, is_it, c);
	return c->name[0] != '\0';
}

/* ---- showing it ---- */

/* Fields that are never delivered stand in the block as "Malle-NAME: v". */
static void
put_attributes(const struct envelope *e)
{
	const char *s = e->text.s, *end = s + e->len, *colon;

	for (; s < end; s += strlen(s) + 1) {
		colon = strstr(s, ": ");
		if (strncmp(s, "Malle-", 6) == 0 && colon != NULL)
			(void)printf("named_attribute: %.*s=%s\n",
			    (int)(colon - s), s, colon + 2);
	}
}

static void
put_envelope(const struct queue_message *m, const char *path)
{
	const struct envelope *e = &m->envelope;
	uint64_t size = m->octets - e->len;
	struct queue_history h;
	char date[DATE_SIZE];
	struct tm t;
	size_t i;

	if (queue_history_read(&h, m) != 0 && h.past == NULL)
		fatal(EX_OSERR, "%s: %s", path, strerror(errno));
	clock_local((time_t)(m->arrival / 1000000), &t);
	date_asctime(date, &t);
	(void)printf("*** ENVELOPE RECORDS %s ***\n", path);
	(void)printf("message_size: %15" PRIu64 " %15zu %15zu %15d %15" PRIu64
	    " %15d\n", size, e->len, e->nrcpt, 0, size, 0);
	(void)printf("message_arrival_time: %s\n", date);
	(void)printf("create_time: %s\n", date);
	put_attributes(e);
	(void)printf("sender: %s\n", e->sender);
	for (i = 0; i < e->nrcpt; i++)
		(void)printf("original_recipient: %s\n%s: %s\n",
		    e->rcpt[i].original[0] != '\0' ? e->rcpt[i].original :
		    e->rcpt[i].address, h.past[i].done ? "done_recipient" :
		    "recipient", e->rcpt[i].address);
	queue_history_free(&h);
}

/* Is this line, which begins here, still header? */
static bool
is_header(const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);

	if (line[0] == ' ' || line[0] == '\t')
		return true;
	return colon != NULL && colon > line &&
	    (size_t)(colon - line) == strcspn(line, " \t:\n");
}

static void
put_message(const struct command *c, FILE *f)
{
	bool in_header = true, start = true;
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	while ((n = getline(&line, &size, f)) > 0) {
		if (start)
			in_header = in_header && is_header(line, (size_t)n);
		start = line[n - 1] == '\n';
		if (in_header ? c->header : c->body)
			(void)fwrite(line, 1, (size_t)n, stdout);
		else if (!in_header)
			break;
	}
	if (ferror(f))
		fatal(EX_IOERR, "read: %s", strerror(errno));
	/* The next line of ours begins a line. */
	if (!start && c->body && c->envelope)
		(void)putchar('\n');
	free(line);
}

static void
show(const struct command *c, struct queue_message *m, const char *path)
{
	FILE *f;

	if (c->envelope)
		put_envelope(m, path);
	if (c->envelope && (c->header || c->body))
		(void)printf("*** MESSAGE CONTENTS %s ***\n", path);
	if (c->header || c->body) {
		f = fdopen(dup(m->fd), "r");
		if (f == NULL || fseeko(f, (off_t)m->envelope.len,
		    SEEK_SET) != 0)
			fatal(EX_OSERR, "%s: %s", path, strerror(errno));
		put_message(c, f);
		(void)fclose(f);
	}
	if (c->envelope)
		(void)printf("*** HEADER EXTRACTED %s ***\n"
		    "*** MESSAGE FILE END %s ***\n", path, path);
}

static void
by_id(struct command *c, const char *id)
{
	char path[sizeof(c->place) + LIMIT_QUEUE_ID + 2];
	struct queue_message m;
	struct why why;

	if (!find(c, id))
		fatal(EX_NOINPUT, "open queue file %.100s: %s", id,
		    strerror(ENOENT));
	switch (queue_look(&m, &c->queue, c->place, c->name, &why)) {
	case 1:
		break;
	case 0:
		fatal(EX_NOINPUT, "open queue file %s: %s", id,
		    strerror(ENOENT));
	default:
		fatal(EX_DATAERR, "%s", why.text);
	}
	(void)snprintf(path, sizeof(path), "%s/%s", c->place, id);
	show(c, &m, path);
	queue_release(&m);
}

/* Any file of this form, wherever it is and whatever its name. */
static void
by_path(struct command *c, const char *path)
{
	struct queue_message m = { .queue = &c->queue, .fd = -1 };
	char copy[LIMIT_PATH];
	uint64_t crlf;

	envelope_init(&m.envelope);
	m.fd = strcmp(path, "-") == 0 ? dup(0) :
	    open(path, O_RDONLY | O_CLOEXEC);
	if (m.fd < 0 || fstat(m.fd, &m.st) != 0)
		fatal(EX_NOINPUT, "open %s: %s", path, strerror(errno));
	if (!S_ISREG(m.st.st_mode))
		fatal(EX_NOINPUT, "open %s: not a regular file", path);
	(void)snprintf(copy, sizeof(copy), "%s", path);
	if (!queue_parse_name(basename(copy), m.id, &m.octets, &crlf))
		m.id[0] = '\0';
	m.octets = (uint64_t)m.st.st_size;
	m.arrival = m.id[0] != '\0' ? (int64_t)queue_id_us(m.id) :
	    (int64_t)m.st.st_mtime * 1000000;
	switch (queue_read_envelope(&m)) {
	case 1:
		break;
	case 0:
		fatal(EX_DATAERR, "%s: not a queue file: no envelope at its "
		    "start", path);
	default:
		fatal(EX_IOERR, "read %s: %s", path, strerror(errno));
	}
	show(c, &m, path);
	queue_release(&m);
}

/* ---- starting ---- */

static _Noreturn void
usage(FILE *to, int code)
{
	(void)fputs("usage: postcat [-behq] [-c config_directory] "
	    "file ...\n"
	    "Shows queue files, with -q by their ids.  See postcat(1).\n", to);
	exit(code);
}

static const char *
options(struct command *c, int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "help", no_argument, NULL, 1 },
		{ NULL, 0, NULL, 0 }
	};
	const char *dir = NULL;
	int opt;

	while ((opt = getopt_long(argc, argv, "bc:ehqv", longopts,
	    NULL)) != -1)
		switch (opt) {
		case 1:
			usage(stdout, EX_OK);
		case 'b':
			c->body = true;
			break;
		case 'c':
			dir = optarg;
			break;
		case 'e':
			c->envelope = true;
			break;
		case 'h':
			c->header = true;
			break;
		case 'q':
			c->by_id = true;
			break;
		case 'v':
			break;
		default:
			usage(stderr, EX_USAGE);
		}
	if (!c->body && !c->envelope && !c->header)
		c->body = c->envelope = c->header = true;
	return dir;
}

int
main(int argc, char **argv)
{
	struct command *c = &command;
	const char *dir = options(c, argc, argv);
	struct why why;

	if (optind == argc)
		usage(stderr, EX_USAGE);
	c->queue.dir = AT_FDCWD;
	if (c->by_id && conf_load(&c->conf, conf_dir(dir), &why) != 0)
		fatal(EX_CONFIG, "%s", why.text);
	if (c->by_id && queue_open_conf(&c->queue, &c->conf, &why) != 0)
		fatal(EX_UNAVAILABLE, "%s", why.text);
	for (; optind < argc; optind++)
		if (c->by_id)
			by_id(c, argv[optind]);
		else
			by_path(c, argv[optind]);
	if (fflush(stdout) != 0 || ferror(stdout))
		fatal(EX_IOERR, "standard output: write error");
	if (c->by_id)
		conf_free(&c->conf);
	return EX_OK;
}
