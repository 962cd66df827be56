/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where something listens, as a parameter names it: "inet:127.0.0.1:2628",
 * "inet:[::1]:2628" or "unix:/path".  Numbers only: a name would have to be
 * looked up, and that can hang.
 */
#ifndef SERVICE_H
#define SERVICE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

struct service {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_un local;
	};
	socklen_t len;
};

bool service_parse(const char *text, struct service *);

#endif
