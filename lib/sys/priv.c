/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sys/priv.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

int
priv_drop(uid_t uid, gid_t gid, gid_t extra)
{
	uid_t r, e, s;

	if (geteuid() != 0) {
		errno = EPERM;
		return geteuid() == uid ? 0 : -1;
	}
	if (setgroups(extra != (gid_t)-1 ? 1 : 0, &extra) != 0 ||
	    setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0)
		return -1;
	if (uid == 0)
		return 0;
	/* RFC-less but proven: Linux has had calls that said yes and did
	 * not do it (CVE-2011-0017). */
	errno = EPERM;
	if (getresuid(&r, &e, &s) != 0 || r != uid || e != uid || s != uid ||
	    setuid(0) == 0)
		return -1;
	return 0;
}

int
priv_become(uid_t uid, gid_t gid)
{
	int saved;

	if (geteuid() != 0)
		return 0;
	if (setgroups(0, NULL) == 0 && setegid(gid) == 0 && seteuid(uid) == 0)
		return 0;
	saved = errno;
	priv_return();
	errno = saved;
	return -1;
}

void
priv_return(void)
{
	if (getuid() != 0)
		return;
	if (seteuid(0) != 0 || setegid(0) != 0)
		_exit(EX_OSERR);
}

void
priv_confine(void)
{
	struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}
