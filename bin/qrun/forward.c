/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A copy of a message for other addresses: a new message in the queue.  It
 * is made by a child that has become mail_owner, since it reads a stranger's
 * header: one that has been forwarded for this recipient before is a loop.
 */
#include "qrun.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <unistd.h>

#include "pure/date.h"
#include "pure/hdr.h"
#include "sys/clock.h"
#include "sys/fsop.h"
#include "sys/priv.h"
#include "sys/spawn.h"

/* What the child tells. */
struct answer {
	struct why why;
	char name[LIMIT_QUEUE_NAME];
};

static struct queue_file file;

/* "Delivered-To: ADDRESS" in one line? */
static bool
is_mark(const char *line, size_t len, const char *address)
{
	static const char field[] = "Delivered-To:";
	size_t n = strlen(address);

	if (!hdr_is(line, len, field))
		return false;
	line += strlen(field);
	len -= strlen(field);
	while (len > 0 && (*line == ' ' || *line == '\t')) {
		line++;
		len--;
	}
	return len >= n && strncasecmp(line, address, n) == 0 &&
	    (len == n || line[n] == '\n' || line[n] == '\r');
}

/* Looks at the header that begins at offset.  1: a loop; 0; -1 with errno. */
static int
find_loop(int fd, off_t offset, const char *address)
{
	static char buf[1 << 16];
	size_t kept = 0, i;
	ssize_t n;
	char *nl;

	while ((n = fsop_pread(fd, buf + kept, sizeof(buf) - kept,
	    offset)) > 0) {
		offset += n;
		kept += (size_t)n;
		for (i = 0; (nl = memchr(buf + i, '\n', kept - i)) != NULL;
		    i = (size_t)(nl - buf) + 1) {
			if (buf[i] == '\n')
				return 0;
			if (is_mark(buf + i, (size_t)(nl - buf) - i, address))
				return 1;
		}
		if (i == 0 && kept == sizeof(buf))
			i = kept;	/* a line longer than any mark */
		kept -= i;
		memmove(buf, buf + i, kept);
	}
	return n < 0 ? -1 : 0;
}

static void
put_head(struct runner *r, const struct rcpt *from, const char *sender,
    const struct str *rcpts)
{
	char date[DATE_SIZE];
	struct str head;
	struct tm t;

	clock_local((time_t)(queue_id_us(file.id) / 1000000), &t);
	date_rfc5322(date, &t);
	str_init(&head);
	envelope_put_sender(&head, sender);
	str_put(&head, rcpts->s, rcpts->len);
	str_printf(&head, "Received: by %s (%s)\n\tid %s; %s\n"
	    "Delivered-To: %s\n", conf_get(&r->conf, CONF_MYHOSTNAME),
	    conf_get(&r->conf, CONF_MAIL_NAME), file.id, date, from->address);
	queue_write(&file, head.s, head.len);
	if (head.bad)
		file.error = ENOMEM;
	str_free(&head);
}

static void
put_text(int fd, off_t offset)
{
	static char buf[1 << 16];
	ssize_t n;

	while ((n = fsop_pread(fd, buf, sizeof(buf), offset)) > 0) {
		queue_write(&file, buf, (size_t)n);
		offset += n;
	}
	if (n < 0)
		file.error = errno;
}

static void
make(struct runner *r, struct queue_message *m, const struct rcpt *from,
    const char *sender, const struct str *rcpts, struct answer *a)
{
	off_t offset = (off_t)m->envelope.len;
	int loop;

	if (priv_drop(r->owner.uid, r->owner.gid, (gid_t)-1) != 0) {
		(void)why_errno(&a->why, errno, "become mail_owner");
		return;
	}
	loop = find_loop(m->fd, offset, from->address);
	if (loop == 1) {
		(void)why_set(&a->why, VERDICT_NEVER, "5.4.6",
		    "mail forwarding loop for %s", from->address);
		return;
	}
	if (loop < 0 || queue_create(&file, &r->queue) != 0) {
		(void)why_errno(&a->why, errno, "forward message");
		return;
	}
	put_head(r, from, sender, rcpts);
	put_text(m->fd, offset);
	if (queue_commit(&file, &a->why) != VERDICT_OK)
		return;
	(void)snprintf(a->name, sizeof(a->name), "%s", file.name);
	(void)why_set(&a->why, VERDICT_OK, "2.0.0", "forwarded as %s",
	    file.id);
}

enum verdict
forward_message(struct runner *r, struct queue_message *m,
    const struct rcpt *from, const char *sender, const struct str *rcpts,
    char name[static LIMIT_QUEUE_NAME], struct why *why)
{
	struct answer a = { .name = "" };
	int to_us[2];
	ssize_t n;
	pid_t pid;

	if (pipe(to_us) != 0)
		return why_errno(why, errno, "pipe");
	pid = fork();
	if (pid == 0) {
		(void)close(to_us[0]);
		make(r, m, from, sender, rcpts, &a);
		_exit(fsop_write(to_us[1], &a, sizeof(a)) == 0 ? EX_OK :
		    EX_TEMPFAIL);
	}
	(void)close(to_us[1]);
	n = pid > 0 ? read(to_us[0], &a, sizeof(a)) : -1;
	(void)close(to_us[0]);
	if (pid > 0)
		(void)spawn_wait(pid);
	if (n != (ssize_t)sizeof(a))
		return why_set(why, VERDICT_LATER, "4.3.0",
		    "forwarding was interrupted");
	a.name[sizeof(a.name) - 1] = '\0';
	(void)memcpy(name, a.name, sizeof(a.name));
	*why = a.why;
	return why->verdict;
}
