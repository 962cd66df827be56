/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bounce: makes a delivery status notification (RFC 3464) and puts it into
 * the queue.
 *
 *	bounce -i ID -m HOST -t RECIPIENT [-f SENDER] [-n MAIL_NAME]
 *	    [-s LIMIT] [-u SECONDS] [-Hp] failure|delay
 *
 * Started by qrun as mail_owner, in the spool.  The message that could not
 * be delivered is on descriptor 0, read-only; what became of each recipient
 * is on descriptor 3, a file that can be read twice, one line each:
 *
 *	NUMBER TAB STATUS TAB ADDRESS TAB HOST TAB text
 *
 * When the report is durable its queue file's name is printed, and the exit
 * code is 0; otherwise "STATUS text", and it is not.  It refuses to run as
 * root: it reads what strangers wrote.
 *
 * bounce.c	starting, the reasons
 * report.c	what the report says
 * original.c	what of the message goes back
 */
#include "bounce.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "pure/num.h"
#include "sys/sandbox.h"

/* Cuts *s at its next TAB; what was before it. */
static const char *
field(char **s)
{
	char *start = *s, *tab = start != NULL ? strchr(start, '\t') : NULL;

	if (tab != NULL)
		*tab++ = '\0';
	*s = tab;
	return start;
}

int
reason_next(struct job *j, struct reason *reason)
{
	static char line[LIMIT_REASON + LIMIT_ADDRESS * 3 + 64];
	const char *number;
	char *rest = line;
	uint64_t n;
	size_t len;

	if (fgets(line, sizeof(line), j->reasons) == NULL)
		return ferror(j->reasons) ? -1 : 0;
	errno = EINVAL;
	len = strlen(line);
	if (len == 0 || line[len - 1] != '\n')
		return -1;
	line[len - 1] = '\0';
	number = field(&rest);
	reason->status = field(&rest);
	reason->address = field(&rest);
	reason->host = field(&rest);
	reason->text = rest;
	if (reason->text == NULL || !num_parse(number, strlen(number),
	    j->m.envelope.nrcpt, &n) || n == 0)
		return -1;
	reason->rcpt = &j->m.envelope.rcpt[n - 1];
	if (reason->address[0] == '\0')
		reason->address = reason->rcpt->address;
	return 1;
}

static enum verdict
open_message(struct job *j, struct queue *q, struct why *why)
{
	j->m = (struct queue_message){ .queue = q, .fd = 0 };
	envelope_init(&j->m.envelope);
	if (fstat(0, &j->m.st) != 0)
		return why_errno(why, errno, "message");
	j->m.octets = (uint64_t)j->m.st.st_size;
	j->m.arrival = (int64_t)queue_id_us(j->id);
	if (queue_read_envelope(&j->m) != 1)
		return why_set(why, VERDICT_LATER, "4.3.0",
		    "cannot read the envelope of the queue file");
	j->reasons = fdopen(3, "r");
	if (j->reasons == NULL)
		return why_errno(why, errno, "reasons");
	return VERDICT_OK;
}

static enum verdict
make(struct job *j, struct queue_file *f, struct why *why)
{
	static struct queue q;

	/* By whom it is started it is known already whose the spool is. */
	if (queue_open(&q, ".", geteuid(), getegid(), false) != 0)
		return why_errno(why, errno, "open the spool");
	tzset();
	sandbox_enter(q.dir);
	if (open_message(j, &q, why) != VERDICT_OK)
		return why->verdict;
	if (queue_create(f, &q) != 0)
		return why_errno(why, errno, "create a report");
	report_write(j, f);
	return queue_commit(f, why);
}

static int
usage(FILE *to, int code)
{
	(void)fprintf(to, "usage: bounce -i queue_id -m host -t recipient "
	    "[-f sender] [-n mail_name]\n              [-s limit] "
	    "[-u seconds] [-Hp] failure|delay\n"
	    "Report on the queue file on standard input; started by qrun(8)."
	    "  See bounce(8).\n");
	return code;
}

static bool
number(const char *text, uint64_t *n)
{
	return num_parse(text, strlen(text), INT64_MAX, n);
}

static bool
option(struct job *j, int opt)
{
	switch (opt) {
	case 'f':
		j->sender = optarg;
		return true;
	case 'H':
		j->header_only = true;
		return true;
	case 'i':
		j->id = optarg;
		return strlen(optarg) == LIMIT_QUEUE_ID;
	case 'm':
		j->host = optarg;
		return true;
	case 'n':
		j->mail_name = optarg;
		return true;
	case 'p':
		j->postmaster = true;
		return true;
	case 's':
		return number(optarg, &j->limit);
	case 't':
		j->rcpt = optarg;
		return optarg[0] != '\0';
	case 'u':
		return number(optarg, &j->until);
	default:
		return false;
	}
}

/* Ends the process where it stands: in the sandbox nothing that wants to run
 * at the end of a program, a leak checker for one, could open a file. */
static _Noreturn void
run(struct job *j)
{
	static struct queue_file file;
	struct why why;
	bool made = make(j, &file, &why) == VERDICT_OK;

	if (made)
		(void)printf("%s\n", file.name);
	else
		(void)printf("%s %s\n", why.status, why.text);
	/* If nobody hears of it, the report is made once more. */
	if (fflush(stdout) != 0)
		_exit(EX_IOERR);
	_exit(made ? EX_OK : EX_TEMPFAIL);
}

int
main(int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	static struct job j = { .sender = "", .mail_name = "malle",
	    .limit = 50000 };
	int opt;

	while ((opt = getopt_long(argc, argv, "f:Hi:m:n:ps:t:u:", longopts,
	    NULL)) != -1) {
		if (opt == 'h')
			return usage(stdout, EX_OK);
		if (!option(&j, opt))
			return usage(stderr, EX_USAGE);
	}
	if (optind + 1 != argc || j.id == NULL || j.host == NULL ||
	    j.rcpt == NULL)
		return usage(stderr, EX_USAGE);
	j.delay = strcmp(argv[optind], "delay") == 0;
	if (!j.delay && strcmp(argv[optind], "failure") != 0)
		return usage(stderr, EX_USAGE);
	if (geteuid() == 0) {
		(void)printf("4.3.5 bounce does not run as root\n");
		return EX_CONFIG;
	}
	(void)umask(077);
	(void)signal(SIGXFSZ, SIG_IGN);
	run(&j);
}
