/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tracer: runs a program and lets something go wrong at one system call.
 *
 *	tracer [-l FILE] [-k P.N | -K P.N | -H P.N | -e P.N:ERRNO |
 *	    -E P.N:ERRNO] [-s OCTETS] [-i] PROGRAM [ARG...]
 *
 * P is a process (1: the program, then its children in the order they came
 * to be), N the number of a system call in it, counted from the first exec,
 * or a name: the first call of that name.
 *	-l	one line "P N NAME" for each call
 *	-k	the process is killed before the call is made; -K: all are
 *	-H	it waits at the call until the tracer gets SIGUSR1
 *	-e	the call is not made and fails; -E: so do all later ones of
 *		that name, in every process
 *	-s	reads and writes move so many octets at most, really
 *	-i	every second read, write or wait fails with EINTR
 * Its exit code is the program's, or 128 and the signal that ended it.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "names.h"

#ifndef __x86_64__
int
main(void)
{
	(void)fprintf(stderr, "tracer: only for x86-64\n");
	return 77;
}
#else

enum { MAX = 512, BROKEN = 125 };

struct process {
	pid_t pid;
	bool started;
	unsigned long calls;
	long fail;		/* errno that this call is to give, 0: none */
	bool cut;		/* its length was changed, from */
	unsigned long long length;
};

struct point {
	char mode;		/* 'k', 'K', 'H', 'e', 'E'; 0: none */
	unsigned long process, call;
	char name[16];		/* or the first call of that name */
	long error;
	long sticky;		/* the system call, once it was hit; -1 */
};

static struct process table[MAX];
static unsigned processes;
static struct point point = { .sticky = -1 };
static unsigned long short_io, interrupts;
static bool interrupt;
static FILE *list;
static volatile sig_atomic_t go_on;

static const char *
name_of(long number)
{
	static char other[32];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].number == number)
			return names[i].name;
	(void)snprintf(other, sizeof(other), "call-%ld", number);
	return other;
}

static bool
is_named(long number, const char *name)
{
	return strcmp(name_of(number), name) == 0;
}

static _Noreturn void
die(const char *what)
{
	perror(what);
	exit(BROKEN);
}

static struct process *
find(pid_t pid)
{
	unsigned i;

	for (i = 0; i < processes; i++)
		if (table[i].pid == pid)
			return &table[i];
	if (processes == MAX) {
		(void)fprintf(stderr, "tracer: too many processes\n");
		exit(BROKEN);
	}
	table[processes].pid = pid;
	return &table[processes++];
}

static bool
get_regs(pid_t pid, struct user_regs_struct *r)
{
	return ptrace(PTRACE_GETREGS, pid, NULL, r) == 0;
}

static void
kill_all(void)
{
	unsigned i;

	for (i = 0; i < processes; i++)
		if (table[i].pid > 0)
			(void)kill(table[i].pid, SIGKILL);
}

/* The call is replaced by none; its result is set when it returns. */
static void
let_fail(struct process *p, struct user_regs_struct *r, long error)
{
	r->orig_rax = (unsigned long long)-1;
	p->fail = error;
	(void)ptrace(PTRACE_SETREGS, p->pid, NULL, r);
}

static void
make_short(struct process *p, struct user_regs_struct *r)
{
	if (short_io == 0 || r->rdx <= short_io)
		return;
	p->cut = true;
	p->length = r->rdx;
	r->rdx = short_io;
	(void)ptrace(PTRACE_SETREGS, p->pid, NULL, r);
}

static void
hold(void)
{
	sigset_t none;

	if (list != NULL) {
		(void)fprintf(list, "held\n");
		(void)fflush(list);
	}
	(void)sigemptyset(&none);
	while (!go_on)
		(void)sigsuspend(&none);
}

static bool
is_point(const struct process *p, long number)
{
	return (unsigned long)(p - table) + 1 == point.process &&
	    (point.name[0] != '\0' ? is_named(number, point.name) :
	    p->calls == point.call);
}

/* The point of the command line is reached. */
static void
strike(struct process *p, struct user_regs_struct *r, long number)
{
	char mode = point.mode;

	point.mode = 0;
	switch (mode) {
	case 'k':
		(void)kill(p->pid, SIGKILL);
		break;
	case 'K':
		kill_all();
		break;
	case 'H':
		hold();
		break;
	case 'E':
		point.sticky = number;
		__attribute__((fallthrough));
	default:
		let_fail(p, r, point.error);
	}
}

static bool
moves(long n)
{
	return n == SYS_read || n == SYS_write || n == SYS_pread64;
}

static void
enter(struct process *p, long number)
{
	struct user_regs_struct r;
	unsigned long at = (unsigned long)(p - table) + 1;

	p->calls++;
	p->fail = 0;
	p->cut = false;
	if (list != NULL)
		(void)fprintf(list, "%lu %lu %s\n", at, p->calls,
		    name_of(number));
	if (!get_regs(p->pid, &r))
		return;
	if (point.mode != 0 && is_point(p, number))
		strike(p, &r, number);
	else if (point.sticky >= 0 && is_named(number, name_of(point.sticky)))
		let_fail(p, &r, point.error);
	else if (interrupt && (moves(number) || number == SYS_wait4) &&
	    interrupts++ % 2 == 0)
		let_fail(p, &r, EINTR);
	else if (moves(number))
		make_short(p, &r);
}

static void
leave(struct process *p)
{
	struct user_regs_struct r;

	if ((p->fail == 0 && !p->cut) || !get_regs(p->pid, &r))
		return;
	if (p->fail != 0)
		r.rax = (unsigned long long)-p->fail;
	if (p->cut)
		r.rdx = p->length;
	p->fail = 0;
	p->cut = false;
	(void)ptrace(PTRACE_SETREGS, p->pid, NULL, &r);
}

/* One stop of one process; returns the signal to go on with. */
static int
stopped(struct process *p, int status)
{
	struct __ptrace_syscall_info info;
	int sig = WSTOPSIG(status);

	if (sig == (SIGTRAP | 0x80)) {
		if (ptrace(PTRACE_GET_SYSCALL_INFO, p->pid, sizeof(info),
		    &info) <= 0)
			return 0;
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
			enter(p, (long)info.entry.nr);
		else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
			leave(p);
		return 0;
	}
	if (status >> 16 != 0)
		return 0;		/* fork, exec */
	if (!p->started && sig == SIGSTOP) {
		p->started = true;	/* a new child begins with it */
		return 0;
	}
	return sig;
}

static int
follow(pid_t program)
{
	int status, code = 0, sig;
	pid_t pid;

	for (;;) {
		pid = waitpid(-1, &status, __WALL);
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			return code;
		struct process *p = find(pid);
		if (!WIFSTOPPED(status)) {
			if (pid == program)
				code = WIFEXITED(status) ? WEXITSTATUS(status) :
				    128 + WTERMSIG(status);
			p->pid = 0;
			continue;
		}
		sig = stopped(p, status);
		(void)ptrace(PTRACE_SYSCALL, pid, NULL, (long)sig);
	}
}

static pid_t
start(char **argv)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		die("tracer: fork");
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
			die("tracer: ptrace");
		(void)raise(SIGSTOP);
		(void)execv(argv[0], argv);
		die(argv[0]);
	}
	if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status))
		exit(BROKEN);
	if (ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD |
	    PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
	    PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL) != 0)
		die("tracer: ptrace");
	find(pid)->started = true;
	(void)ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
	return pid;
}

static void
set_point(int mode, const char *arg)
{
	int n = sscanf(arg, "%lu.%lu:%ld", &point.process, &point.call,
	    &point.error);

	if (n == 1)
		n = sscanf(arg, "%lu.%15[a-z]:%ld", &point.process,
		    point.name, &point.error);
	point.mode = (char)mode;
	if (n < 2 || ((mode == 'e' || mode == 'E') && n < 3)) {
		(void)fprintf(stderr, "tracer: bad -%c %s\n", mode, arg);
		exit(BROKEN);
	}
}

static void
wake(int sig)
{
	(void)sig;
	go_on = 1;
}

int
main(int argc, char **argv)
{
	struct sigaction act = { .sa_handler = wake };
	sigset_t usr1;
	int opt;

	while ((opt = getopt(argc, argv, "+l:k:K:H:e:E:s:i")) != -1)
		switch (opt) {
		case 'l':
			list = fopen(optarg, "we");
			if (list == NULL)
				die(optarg);
			break;
		case 's':
			short_io = strtoul(optarg, NULL, 10);
			break;
		case 'i':
			interrupt = true;
			break;
		case '?':
			return BROKEN;
		default:
			set_point(opt, optarg);
		}
	if (optind == argc)
		return BROKEN;
	pid_t pid = start(argv + optind);
	/* Only while it waits; blocked else, so that none is lost. */
	(void)sigaction(SIGUSR1, &act, NULL);
	(void)sigemptyset(&usr1);
	(void)sigaddset(&usr1, SIGUSR1);
	(void)sigprocmask(SIG_BLOCK, &usr1, NULL);
	return follow(pid);
}
#endif
