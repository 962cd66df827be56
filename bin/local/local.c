/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * local: delivers one message to one target of one recipient.
 *
 *	local -i ID -n NUMBER -m HOST [-r SENDER] [-s LIMIT] TARGET
 *	local -f EXTENSION	what does this user's .forward say?
 *	local -I FILE		what does this :include: file say?
 *
 * Started by qrun as the recipient (or whose rights the target has), in the
 * directory that a relative TARGET is below; the queue file is on descriptor
 * 0, read-only; NUMBER says which of its recipients (1...).  TARGET is
 * "|command", a Maildir if it ends in "/", or an mbox.  It says on descriptor
 * 1 what it did or why not, "STATUS text", and its exit code is the verdict
 * (sysexits).  It refuses to run as root.
 *
 * local.c	starting, the envelope
 * mailbox.c	Maildir and mbox
 * command.c	|command
 * forward.c	.forward and :include:
 */
#include "local.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "pure/num.h"
#include "sys/fsop.h"

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
	if (j->sender != NULL)
		j->envelope.sender = j->sender;
	envelope_put_sender(&j->head, j->envelope.sender);
	envelope_put_rcpt(&j->head, rcpt->address, rcpt->original);
	return j->head.bad ? why_errno(why, ENOMEM, "read envelope") :
	    VERDICT_OK;
}

static enum verdict
deliver(struct job *j, struct why *why)
{
	size_t n = strlen(j->target);

	str_init(&j->head);
	envelope_init(&j->envelope);
	if (read_envelope(j, why) != VERDICT_OK)
		return why->verdict;
	if (j->target[0] == '|')
		return local_to_command(j, j->target + 1, why);
	if (strcmp(j->target, "/dev/null") == 0)
		return why_set(why, VERDICT_OK, "2.0.0",
		    "delivered to file: /dev/null");
	if (n < 2 || j->target[n - 1] != '/')
		return local_to_mbox(j, why);
	j->target[n - 1] = '\0';
	return local_to_maildir(j, why);
}

static int
usage(FILE *to, int code)
{
	(void)fprintf(to, "usage: local -i queue_id -n number -m host "
	    "[-r sender] [-s limit] target\n       local -f extension\n"
	    "       local -I file\n"
	    "Deliver the queue file on standard input; started by qrun(8).  "
	    "See local(8).\n");
	return code;
}

static int
run(struct job *j, const char *target)
{
	static const int code[] = { EX_OK, EX_TEMPFAIL, EX_UNAVAILABLE };
	struct why why;

	if (strlen(target) >= sizeof(j->target)) {
		(void)printf("4.3.5 target is too long\n");
		return EX_CONFIG;
	}
	(void)snprintf(j->target, sizeof(j->target), "%s", target);
	(void)deliver(j, &why);
	(void)printf("%s %s\n", why.status, why.text);
	return code[why.verdict];
}

int
main(int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	static struct job j = { .id = "", .host = "localhost" };
	const char *forward = NULL, *include = NULL;
	int opt;

	fsop_std_fds();
	while ((opt = getopt_long(argc, argv, "f:i:I:n:m:r:s:", longopts,
	    NULL)) != -1)
		switch (opt) {
		case 'f':
			forward = optarg;
			break;
		case 'i':
			j.id = optarg;
			break;
		case 'I':
			include = optarg;
			break;
		case 'n':
			if (!num_parse(optarg, strlen(optarg), UINT32_MAX,
			    &j.number))
				return usage(stderr, EX_USAGE);
			break;
		case 'm':
			j.host = optarg;
			break;
		case 'r':
			j.sender = optarg;
			break;
		case 's':
			if (!num_parse(optarg, strlen(optarg), UINT64_MAX,
			    &j.size_limit))
				return usage(stderr, EX_USAGE);
			break;
		case 'h':
			return usage(stdout, EX_OK);
		default:
			return usage(stderr, EX_USAGE);
		}
	if (geteuid() == 0) {
		(void)printf("4.3.5 local does not run as root\n");
		return EX_CONFIG;
	}
	(void)umask(077);
	(void)signal(SIGXFSZ, SIG_IGN);
	if (forward != NULL && optind == argc)
		return local_print_forward(forward);
	if (include != NULL && optind == argc)
		return local_print_include(include);
	if (optind + 1 != argc || j.id[0] == '\0')
		return usage(stderr, EX_USAGE);
	return run(&j, argv[optind]);
}
