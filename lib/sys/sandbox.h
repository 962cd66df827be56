/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the kernel lets a program that parses a stranger's octets do. */
#ifndef SANDBOX_H
#define SANDBOX_H

/* From here on: no core dumps and no new privileges; and where the kernel
 * has Landlock with renames between directories (ABI 2, Linux 5.19), files
 * can be opened, made, renamed and removed below the directory dir only
 * (-1: nowhere).  Descriptors that are open stay usable.  A kernel that
 * cannot is no error: it is the second line of defence. */
void sandbox_enter(int dir);

#endif
