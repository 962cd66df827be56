/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Session tickets: what a client needs to resume is with the client, sealed
 * with a key that all our processes read from one file, 64 octets that only
 * root can see.  GnuTLS derives the keys of the hour from it.  Whoever finds
 * it too old makes a new one, which costs each client one full handshake.
 */
#include "tlsd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/fsop.h"

enum { KEY_SIZE = 64 };

#define KEY_NAME	"tls-ticket.key"

static bool
load(int dir, int64_t lifetime, unsigned char key[static KEY_SIZE])
{
	int64_t now = clock_now_us() / 1000000;
	struct stat st;
	bool good;
	int fd;

	fd = fsop_open(dir, KEY_NAME, O_RDONLY, &st);
	if (fd < 0)
		return false;
	good = st.st_uid == geteuid() && (st.st_mode & 077) == 0 &&
	    st.st_size == KEY_SIZE && st.st_mtime <= now &&
	    st.st_mtime + lifetime > now &&
	    fsop_pread(fd, key, KEY_SIZE, 0) == KEY_SIZE;
	(void)close(fd);
	return good;
}

/* The last of several that do this at once wins; the tickets of the others
 * are worth nothing, and a client does not mind. */
static bool
make(int dir, unsigned char key[static KEY_SIZE])
{
	char name[64];
	bool good;
	int fd;

	(void)snprintf(name, sizeof(name), KEY_NAME ".%d", (int)getpid());
	if (getrandom(key, KEY_SIZE, 0) != KEY_SIZE)
		return false;
	(void)unlinkat(dir, name, 0);
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	good = fsop_write(fd, key, KEY_SIZE) == 0;
	good = close(fd) == 0 && good;
	good = good && renameat(dir, name, dir, KEY_NAME) == 0;
	if (!good)
		(void)unlinkat(dir, name, 0);
	return good;
}

void
ticket_read(struct tlsd *t)
{
	static unsigned char key[KEY_SIZE];
	uint64_t lifetime = conf_number(&t->conf,
	    CONF_TLS_SESSION_TICKET_LIFETIME);
	int dir;

	t->ticket_key.size = 0;
	if (lifetime == 0)
		return;
	dir = open(conf_get(&t->conf, CONF_DATA_DIRECTORY), O_RDONLY |
	    O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return;		/* each handshake is a full one */
	if (load(dir, (int64_t)lifetime, key) || make(dir, key)) {
		t->ticket_key.data = key;
		t->ticket_key.size = KEY_SIZE;
	}
	(void)close(dir);
}
