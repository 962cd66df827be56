/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * checkpw: is this the password of that account?  One question, then gone,
 * and the hashes with it.  Started by the monitor of a server with
 * "user NUL password NUL timestamp NUL" on descriptor 3, as whoever may read
 * passwd_file and shadow_file (root, or the one user there is).  The only
 * program that links libcrypt.  Writes nothing; exit codes: 0 right,
 * 1 refused, 2 misuse, 111 cannot tell now.
 */
#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include "pure/limits.h"
#include "sys/clock.h"
#include "store/conf.h"
#include "store/shadow.h"
#include "store/users.h"

enum answer { RIGHT = 0, REFUSED = 1, MISUSE = 2, LATER = 111 };

enum {
	QUESTION = 2048,	/* longer than any that is answered */
	SECONDS = 60,		/* then it has hung, which is no yes */
	DAY = 86400
};

struct question {
	char text[QUESTION];
	size_t len;
	const char *user, *password;
};

/* What costs as much as a right password does: nobody shall see in the time
 * whether an account exists. */
static const char dummy[] = "$y$j9T$nobodyhasthisone$";

static void
usage(FILE *f)
{
	(void)fprintf(f, "usage: checkpw [-c config_dir] 3<question\n"
	    "Checks the password on descriptor 3: user, password and a\n"
	    "timestamp, each ended by a NUL.  Exit code: 0 right, 1 refused,\n"
	    "2 misuse, 111 cannot tell now.\n");
}

/* The rest of a question too long for the buffer does not matter. */
static enum answer
read_question(struct question *q)
{
	const char *end;
	ssize_t n;

	while (q->len < sizeof(q->text)) {
		n = read(3, q->text + q->len, sizeof(q->text) - q->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EBADF ? MISUSE : LATER;
		if (n == 0)
			break;
		q->len += (size_t)n;
	}
	q->user = q->text;
	end = memchr(q->text, '\0', q->len);
	if (end == NULL)
		return q->len == sizeof(q->text) ? REFUSED : MISUSE;
	q->password = end + 1;
	end = memchr(q->password, '\0', q->len -
	    (size_t)(q->password - q->text));
	if (end == NULL)
		return q->len == sizeof(q->text) ? REFUSED : MISUSE;
	/* libcrypt takes 511 and its time grows with the length. */
	return strlen(q->user) <= LIMIT_USER &&
	    strlen(q->password) <= LIMIT_PASSWORD ? RIGHT : REFUSED;
}

static bool
same(const char *a, const char *b)
{
	size_t n = strlen(a), i;
	unsigned char diff = 0;

	if (n != strlen(b))
		return false;
	for (i = 0; i < n; i++)
		diff |= (unsigned char)(a[i] ^ b[i]);
	return diff == 0;
}

/* Hashes in any case; setting is one that hashes, or "" for the dummy. */
static enum answer
verify(const char *password, const char *setting)
{
	static struct crypt_data data;	/* 32 KiB */
	const char *hash;
	bool match;

	hash = crypt_rn(password, setting[0] != '\0' ? setting : dummy, &data,
	    sizeof(data));
	if (hash == NULL && errno == ENOMEM)
		return LATER;
	if (hash == NULL)	/* the field is no hash at all */
		(void)crypt_rn(password, dummy, &data, sizeof(data));
	match = hash != NULL && setting[0] != '\0' && same(hash, setting);
	explicit_bzero(&data, sizeof(data));
	return match ? RIGHT : REFUSED;
}

/* A field that begins so belongs to a locked account ("*", "!hash"), and an
 * empty one to an account without a password: it has no mail to read. */
static bool
is_locked(const char *field)
{
	return field[0] == '\0' || field[0] == '!' || field[0] == '*';
}

static int
open_file(struct conf *c, enum conf_id id)
{
	return users_open(conf_get(c, id));
}

static enum answer
check(struct conf *c, const struct question *q)
{
	static struct user u;
	static struct shadow s;
	enum users_answer found;
	const char *hash = "";
	enum answer answer;
	bool usable = true;

	found = USERS_MISS;
	if (q->user[0] != '\0' && strpbrk(q->user, ":\n") == NULL)
		found = users_find(open_file(c, CONF_PASSWD_FILE), q->user,
		    &u);
	if (found == USERS_HIT) {
		hash = u.password;
		if (strcmp(hash, "x") == 0) {
			found = shadow_find(open_file(c, CONF_SHADOW_FILE),
			    u.name, &s);
			hash = s.password;
			usable = found != USERS_HIT || shadow_usable(&s,
			    clock_now_us() / 1000000 / DAY);
		}
	}
	if (found == USERS_LATER)
		return LATER;
	if (found == USERS_MISS || is_locked(hash))
		hash = "";
	answer = verify(q->password, hash);
	explicit_bzero(u.password, sizeof(u.password));
	explicit_bzero(s.password, sizeof(s.password));
	return answer == RIGHT && !usable ? REFUSED : answer;
}

/* Nothing of it is left in a core file or for a debugger, and it ends. */
static void
confine(void)
{
	struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)alarm(SECONDS);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	static struct question q;
	static struct conf conf;
	const char *dir = NULL;
	enum answer answer;
	struct why why;
	int opt;

	while ((opt = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		if (opt == 'h') {
			usage(stdout);
			return EX_OK;
		}
		if (opt != 'c') {
			usage(stderr);
			return EX_USAGE;
		}
		dir = optarg;
	}
	confine();
	answer = read_question(&q);
	if (answer == RIGHT) {
		if (conf_load(&conf, conf_dir(dir), &why) == 0)
			answer = check(&conf, &q);
		else {
			(void)fprintf(stderr, "checkpw: fatal: %s\n", why.text);
			answer = LATER;
		}
	}
	explicit_bzero(&q, sizeof(q));
	return (int)answer;
}
