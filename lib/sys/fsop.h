/* SPDX-License-Identifier: GPL-3.0-or-later */
/* File operations that do all of it, or say that they did not. */
#ifndef FSOP_H
#define FSOP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Each returns 0, or -1 with errno. */

/* All octets, whatever signals and short writes do. */
int fsop_write(int fd, const void *buf, size_t len);

/* Reads up to len octets from offset; the number got, or -1. */
ssize_t fsop_pread(int fd, void *buf, size_t len, off_t offset);

/* Opens a regular file with one name only, never a link, a device or a
 * FIFO, close-on-exec, and fills st.  flags as open(2), without O_CREAT. */
int fsop_open(int dir, const char *name, int flags, struct stat *st);
/* strerror(3) for it: EMLINK, which it gives for another kind of file or one
 * with more names, in words. */
const char *fsop_strerror(int error);

/* rename(2) that never overwrites (EEXIST).  Over a network an answer may
 * be lost: a name that is there afterwards counts as done. */
int fsop_rename(int from_dir, const char *from, int to_dir, const char *to);

/* Makes what happened to names in a directory durable. */
int fsop_sync_dir(int dir, const char *name);

/* The lock that dies with its process: exclusive, at once or not at all
 * (-1 with EWOULDBLOCK).  fd must be open for writing (NFS). */
int fsop_lock(int fd);

/* Does name in dir still mean the file that st describes?  Then now, if not
 * NULL, is what it is like now. */
bool fsop_is_same(int dir, const char *name, const struct stat *st,
    struct stat *now);

/* fd 0, 1, 2 exist, and fd 2 is not the conversation: what would be closed
 * or shared with a socket on fd 0 becomes /dev/null.  First thing in every
 * server's main. */
void fsop_std_fds(void);

#endif
