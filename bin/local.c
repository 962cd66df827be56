/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * local: delivers one message to one recipient's mailbox, by copying.
 *
 *	local -i ID -n NUMBER -m HOST MAILBOX
 *
 * Started by qrun as the recipient, in the directory that MAILBOX is below;
 * the queue file is on descriptor 0, read-only; NUMBER says which of its
 * recipients (1...).  MAILBOX is a Maildir if it ends in "/", else an mbox.
 * It says on descriptor 1 what it did or why not, "STATUS text", and its
 * exit code is the verdict (sysexits).  It refuses to run as root.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "pure/envelope.h"
#include "pure/num.h"
#include "pure/verdict.h"
#include "store/maildir.h"
#include "store/mbox.h"
#include "sys/fsop.h"

struct job {
	const char *id, *host;
	uint64_t number;
	char mailbox[LIMIT_PATH];
	struct envelope envelope;
	struct str head;	/* what replaces the envelope block */
};

static enum verdict
read_envelope(struct job *j, struct why *why)
{
	size_t size = 4096;
	const struct rcpt *rcpt;
	char *buf = NULL, *more;
	int found = 0;
	ssize_t n;

	for (; found == 0 && size <= LIMIT_ENVELOPE; size *= 4) {
		more = realloc(buf, size);
		if (more == NULL)
			break;
		buf = more;
		n = fsop_pread(0, buf, size, 0);
		if (n < 0)
			break;
		found = envelope_parse(&j->envelope, buf, (size_t)n);
		if ((size_t)n < size)
			break;
	}
	free(buf);
	if (found != 1 || j->number == 0 || j->number > j->envelope.nrcpt)
		return why_set(why, VERDICT_LATER, "4.3.0",
		    "cannot read the envelope of the queue file");
	rcpt = &j->envelope.rcpt[j->number - 1];
	envelope_put_sender(&j->head, j->envelope.sender);
	envelope_put_rcpt(&j->head, rcpt->address, rcpt->original);
	return j->head.bad ? why_errno(why, ENOMEM, "read envelope") :
	    VERDICT_OK;
}

/* Head and message into fd, synced.  0, or -1 with errno. */
static int
copy(const struct job *j, int fd, uint64_t *octets, uint64_t *lines)
{
	static char buf[1 << 16];
	off_t offset = (off_t)j->envelope.len;
	ssize_t n;

	*octets = j->head.len;
	*lines = str_count_lf(j->head.s, j->head.len);
	if (fsop_write(fd, j->head.s, j->head.len) != 0)
		return -1;
	while ((n = fsop_pread(0, buf, sizeof(buf), offset)) > 0) {
		if (fsop_write(fd, buf, (size_t)n) != 0)
			return -1;
		offset += n;
		*octets += (uint64_t)n;
		*lines += str_count_lf(buf, (size_t)n);
	}
	return n < 0 ? -1 : fsync(fd);
}

/* The file in tmp/; what an earlier try left under our name is rubbish,
 * since the message is locked for us. */
static int
create_tmp(int tmp, const char *name)
{
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(tmp, name, flags, 0600);

	if (fd >= 0 || errno != EEXIST || unlinkat(tmp, name, 0) != 0)
		return fd;
	return openat(tmp, name, flags, 0600);
}

static enum verdict
into_maildir(struct job *j, int tmp, int new, struct why *why)
{
	char from[MAILDIR_NAME], to[MAILDIR_NAME];
	size_t number = j->envelope.nrcpt > 1 ? j->number : 0;
	uint64_t octets = 0, lines = 0;
	int fd, saved;

	maildir_name(from, j->id, number, j->host, 0, 0);
	fd = create_tmp(tmp, from);
	if (fd < 0)
		return why_errno(why, errno, "create maildir file");
	if (copy(j, fd, &octets, &lines) != 0)
		goto fail;
	maildir_name(to, j->id, number, j->host, octets, octets + lines);
	/* A name that is there already is this message, delivered before a
	 * crash that came before the record of it. */
	if (fsop_rename(tmp, from, new, to) != 0) {
		if (errno != EEXIST)
			goto fail;
		(void)unlinkat(tmp, from, 0);
	}
	(void)close(fd);
	if (fsync(new) != 0)
		return why_errno(why, errno, "sync maildir");
	return why_set(why, VERDICT_OK, "2.0.0", "delivered to maildir");
fail:
	saved = errno;
	(void)unlinkat(tmp, from, 0);
	(void)close(fd);
	return why_errno(why, saved, "write maildir file");
}

static enum verdict
to_maildir(struct job *j, struct why *why)
{
	int tmp = maildir_open(AT_FDCWD, j->mailbox, "tmp"), new;
	enum verdict verdict;

	if (tmp < 0)
		return why_errno(why, errno, "open maildir");
	new = maildir_open(AT_FDCWD, j->mailbox, "new");
	if (new < 0)
		verdict = why_errno(why, errno, "open maildir");
	else
		verdict = into_maildir(j, tmp, new, why);
	(void)close(tmp);
	if (new >= 0)
		(void)close(new);
	return verdict;
}

static enum verdict
to_mbox(struct job *j, struct why *why)
{
	struct mbox m;
	int dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* A spool directory may be searchable and no more. */
	if (dir < 0)
		dir = AT_FDCWD;
	if (mbox_open(&m, dir, j->mailbox, true, why) == VERDICT_OK) {
		(void)mbox_append(&m, j->envelope.sender, j->head.s,
		    j->head.len, 0, (off_t)j->envelope.len, why);
		mbox_close(&m);
	}
	if (dir >= 0)
		(void)close(dir);
	return why->verdict;
}

static enum verdict
deliver(struct job *j, struct why *why)
{
	size_t n = strlen(j->mailbox);
	bool maildir = n > 1 && j->mailbox[n - 1] == '/';

	str_init(&j->head);
	envelope_init(&j->envelope);
	if (read_envelope(j, why) != VERDICT_OK)
		return why->verdict;
	if (!maildir)
		return to_mbox(j, why);
	j->mailbox[n - 1] = '\0';
	return to_maildir(j, why);
}

static int
usage(FILE *to, int code)
{
	(void)fprintf(to, "usage: local -i queue_id -n number -m host mailbox\n"
	    "Deliver the queue file on standard input; started by qrun(8).  "
	    "See local(8).\n");
	return code;
}

int
main(int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	static const int code[] = { EX_OK, EX_TEMPFAIL, EX_UNAVAILABLE };
	static struct job j = { .id = "", .host = "localhost" };
	struct why why;
	int opt;

	fsop_std_fds();
	while ((opt = getopt_long(argc, argv, "i:n:m:", longopts, NULL)) != -1)
		switch (opt) {
		case 'i':
			j.id = optarg;
			break;
		case 'n':
			if (!num_parse(optarg, strlen(optarg), UINT32_MAX,
			    &j.number))
				return usage(stderr, EX_USAGE);
			break;
		case 'm':
			j.host = optarg;
			break;
		case 'h':
			return usage(stdout, EX_OK);
		default:
			return usage(stderr, EX_USAGE);
		}
	if (optind + 1 != argc || j.id[0] == '\0')
		return usage(stderr, EX_USAGE);
	if (geteuid() == 0) {
		(void)printf("4.3.5 local does not run as root\n");
		return EX_CONFIG;
	}
	(void)umask(077);
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)snprintf(j.mailbox, sizeof(j.mailbox), "%s", argv[optind]);
	(void)deliver(&j, &why);
	(void)printf("%s %s\n", why.status, why.text);
	return code[why.verdict];
}
