/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * TLS as another process speaks it, tlsd(8): it takes the connection, and
 * what is left on this side is a socket with the clear text.  Two records
 * come on it first (ready, then how the handshake ended), and after them
 * nothing but what the client said inside TLS.  Its end is the client's end,
 * or the helper's: there is no way back to the connection.
 */
#ifndef TLS_H
#define TLS_H

#include <stdbool.h>
#include <stdint.h>

#include "pure/limits.h"

enum tls_status {
	TLS_READY = 1,	/* the key is read; the client may begin */
	TLS_OPEN,	/* the handshake is done */
	TLS_FAILED,	/* it failed: error says how */
	TLS_BROKEN	/* we cannot: error says why */
};

enum { TLS_BINDING = 64 };

struct tls_record {
	uint32_t magic;
	int32_t status;
	int32_t bits;		/* of the cipher */
	int32_t resumed;
	char protocol[16];	/* "TLSv1.3" */
	char cipher[64];
	char group[32];		/* of the key exchange; "" if none */
	char signature[48];	/* the server's; "" if resumed */
	char name[LIMIT_DOMAIN + 1]; /* that the client asked for, or "" */
	char error[160];
	/* RFC 9266 tls-exporter, RFC 5929 tls-unique; 0: not to be had */
	uint32_t exporter_len, unique_len;
	uint8_t exporter[TLS_BINDING], unique[TLS_BINDING];
};

/* Fills what every record has. */
void tls_record_init(struct tls_record *, enum tls_status);

/* Starts the helper on a connection.  Returns this side's socket, or -1 with
 * errno. */
int tls_start(char *const argv[], int fd_in, int fd_out);

/* The next record.  False: it did not come in this many seconds, or is
 * none. */
bool tls_next(int fd, int seconds, struct tls_record *);

/* From here on the conversation is fd, which is closed: 0 and 1 become it. */
bool tls_take(int fd);

#endif
