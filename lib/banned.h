/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Included before every file (Makefile): functions that cannot be used
 * safely, or that bring in what a static program must not have, do not
 * compile.  The system headers that declare them come first.
 */
#ifndef BANNED_H
#define BANNED_H

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* No bound, or not the bound it seems.  (A macro with clang.) */
#undef sprintf
#undef vsprintf
#pragma GCC poison strcpy strcat sprintf vsprintf strncpy gets
/* Hidden state, shared buffers, silent errors. */
#pragma GCC poison strtok ctime asctime atoi
/* A shell where a stranger's octets may come; a name that is guessed. */
#pragma GCC poison system popen mktemp tmpnam
/* NSS: loads libraries at run time. */
#pragma GCC poison getaddrinfo gethostbyname getservbyname

#endif
