/* SPDX-License-Identifier: GPL-3.0-or-later */
/* malle check: what the parameters name is there, and whose it is. */
#include "malle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "pure/num.h"
#include "store/queue_look.h"
#include "store/users.h"

/* The account whose the spool is; without root, the caller's. */
static bool
owner_of(const struct conf *c, struct user *u)
{
	return users_system(conf_get(c, CONF_MAIL_OWNER), u) == USERS_HIT;
}

void
check_owner(const struct conf *c)
{
	const char *name = conf_get(c, CONF_MAIL_OWNER);
	struct user u;

	switch (users_system(name, &u)) {
	case USERS_HIT:
		if (u.uid == 0)
			fault("mail_owner = %s: it must not be root; make an "
			    "account for mail, and name it in %s/main.cf",
			    name, c->dir);
		return;
	case USERS_MISS:
		fault("mail_owner = %s: no such account in /etc/passwd; "
		    "\"useradd -r -s /usr/sbin/nologin %s\" makes it", name,
		    name);
		return;
	case USERS_LATER:
		fault("mail_owner = %s: /etc/passwd cannot be read, or is "
		    "half written", name);
		return;
	}
}

/* ---- the spool ---- */

static void
check_place(int dir, const char *path, const char *place,
    const struct stat *top, uid_t owner)
{
	struct stat st;

	if (fstatat(dir, place, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		if (errno != ENOENT)
			fault("%s/%s: %s", path, place, strerror(errno));
		return;
	}
	if (!S_ISDIR(st.st_mode))
		fault("%s/%s: not a directory; remove it", path, place);
	else if (st.st_dev != top->st_dev)
		fault("%s/%s: on another file system than %s; the spool must "
		    "be on one", path, place, path);
	if (st.st_uid != owner)
		fault("%s/%s: belongs to user id %lu; chown it to mail_owner",
		    path, place, (unsigned long)st.st_uid);
	if (S_ISDIR(st.st_mode) && (st.st_mode & 077) != 0)
		fault("%s/%s: mode %04o; chmod 700 it", path, place,
		    (unsigned)st.st_mode & 07777);
}

static bool
count(void *ctx, const char *place, const char *name)
{
	(void)place;
	(void)name;
	++*(unsigned long *)ctx;
	return true;
}

static void
check_space(const struct conf *c, int dir, const char *path)
{
	uint64_t limit = conf_number(c, CONF_MESSAGE_SIZE_LIMIT);
	uint64_t want = conf_number(c, CONF_QUEUE_MINFREE);
	struct statvfs v;

	if (want < limit + limit / 2)
		want = limit + limit / 2;
	if (fstatvfs(dir, &v) != 0)
		return;
	if ((uint64_t)v.f_bavail * v.f_frsize < want)
		fault("%s: less than %llu octets free (queue_minfree, or 1.5 "
		    "message_size_limit); mail is refused", path,
		    (unsigned long long)want);
	if (v.f_files > 0 && v.f_favail < 100)
		fault("%s: no inodes left; mail is refused", path);
}

void
check_spool(const struct conf *c)
{
	static const char *const places[] = {
		"tmp", "incoming", "deferred", "hold", "corrupt", "state",
		"lock"
	};
	const char *path = conf_get(c, CONF_QUEUE_DIRECTORY);
	unsigned long corrupt = 0;
	struct stat st;
	struct queue q;
	struct user u;
	size_t i;

	q.dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (q.dir < 0 || fstat(q.dir, &st) != 0) {
		fault("queue_directory %s: %s; make it, or correct it in "
		    "%s/main.cf", path, strerror(errno), c->dir);
		return;
	}
	/* Of an account that is not there, check_owner has told. */
	if (!owner_of(c, &u))
		u.uid = st.st_uid;
	q.owner = u.uid;
	if (st.st_uid != u.uid)
		fault("queue_directory %s: belongs to user id %lu; chown it "
		    "to %s (mail_owner)", path, (unsigned long)st.st_uid,
		    conf_get(c, CONF_MAIL_OWNER));
	if (st.st_mode & 022)
		fault("queue_directory %s: mode %04o; chmod 700 it", path,
		    (unsigned)st.st_mode & 07777);
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		check_place(q.dir, path, places[i], &st, u.uid);
	if (queue_each(&q, "corrupt", count, &corrupt) == 0 && corrupt > 0)
		fault("%s/corrupt: %lu file%s set aside; look with postcat, "
		    "then \"postsuper -d ALL corrupt\"", path, corrupt,
		    corrupt == 1 ? "" : "s");
	check_space(c, q.dir, path);
	(void)close(q.dir);
}

/* ---- accounts ---- */

/* "name:hash:uid:gid:person:home:shell", the shell may be missing. */
static bool
is_account(const char *line)
{
	const char *field[6], *p = line;
	uint64_t n;
	size_t i;

	for (i = 0; i < 6; i++) {
		field[i] = p;
		p += strcspn(p, ":\n");
		if (*p == ':')
			p++;
		else if (i < 5)
			return false;
	}
	return field[0][0] != ':' && field[5][0] == '/' &&
	    num_parse(field[2], strcspn(field[2], ":"), UINT32_MAX - 1, &n) &&
	    num_parse(field[3], strcspn(field[3], ":"), UINT32_MAX - 1, &n);
}

/* Does the line hold a hash, and not the "x" of shadow passwords? */
static bool
has_hash(const char *line)
{
	line += strcspn(line, ":");
	return strncmp(line, ":$", 2) == 0;
}

void
check_accounts(const struct conf *c)
{
	const char *path = conf_get(c, CONF_PASSWD_FILE);
	FILE *f = fopen(path, "re");
	bool hashes = false, whole = false;
	unsigned line_no = 0;
	char *line = NULL;
	size_t size = 0;
	struct stat st;
	ssize_t n;

	if (f == NULL || fstat(fileno(f), &st) != 0) {
		fault("passwd_file %s: %s; mail for local users waits", path,
		    strerror(errno));
		if (f != NULL)
			(void)fclose(f);
		return;
	}
	while ((n = getline(&line, &size, f)) > 0) {
		line_no++;
		whole = line[n - 1] == '\n';
		hashes |= has_hash(line);
		/* NIS entries and comments are nobody's account. */
		if (strchr("+-#", line[0]) == NULL && !is_account(line))
			fault("%s, line %u: no account; it is name:hash:"
			    "uid:gid:person:/home:shell", path, line_no);
	}
	if (!whole)
		fault("%s: empty, or no line end at its end: taken for half "
		    "written, so that mail waits", path);
	if (hashes && (st.st_mode & 077) != 0)
		fault("%s: others may read the passwords in it; chmod 600 it",
		    path);
	free(line);
	(void)fclose(f);
}

/* ---- programs ---- */

static void
check_program(const struct conf *c, enum conf_id directory, const char *name)
{
	const char *dir = conf_get(c, directory);
	char path[LIMIT_PATH];
	struct stat st;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >=
	    sizeof(path))
		return;
	if (stat(path, &st) != 0)
		fault("%s: %s; install malle there, or correct %s in "
		    "%s/main.cf", path, strerror(errno),
		    conf_parameter[directory].name, c->dir);
	else if (!S_ISREG(st.st_mode) || (st.st_mode & 0111) == 0)
		fault("%s: not a program; install malle there, or correct %s "
		    "in %s/main.cf", path, conf_parameter[directory].name,
		    c->dir);
	else if (st.st_mode & S_IWOTH)
		fault("%s: anyone may write to it; chmod go-w it", path);
	else if (st.st_uid != 0 && st.st_uid != geteuid())
		fault("%s: belongs to user id %lu; chown root it", path,
		    (unsigned long)st.st_uid);
}

void
check_programs(const struct conf *c)
{
	static const char *const daemons[] = {
		"smtpd", "qrun", "local", "pop3d", "checkpw", "tlsd"
	};
	static const char *const commands[] = {
		"sendmail", "mailq", "newaliases", "postconf", "postmap",
		"postalias", "postqueue", "postsuper", "postcat"
	};
	size_t i;

	for (i = 0; i < sizeof(daemons) / sizeof(daemons[0]); i++)
		check_program(c, CONF_DAEMON_DIRECTORY, daemons[i]);
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		check_program(c, CONF_COMMAND_DIRECTORY, commands[i]);
}
