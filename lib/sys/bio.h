/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The buffered stream: both directions of one conversation.
 *
 * Reading flushes writing: before a read waits, everything written so far
 * goes out, in one write.  So a handler never flushes, pipelining needs no
 * thought, and each group of replies is one packet.
 *
 * Each wait is limited (bio_timeout), and so is a whole stretch
 * (bio_deadline), against the peer that sends one octet a minute.
 */
#ifndef BIO_H
#define BIO_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/types.h>

#include "pure/limits.h"

struct bio {
	int fd_in, fd_out;
	int error;	/* errno of the first failure, sticky; 0: none */
	bool eof;
	bool poll;	/* not a socket: wait with poll(2) */
	int timeout;	/* seconds one wait may take, 0: any */
	int64_t deadline; /* monotonic second of the end, 0: none */
	size_t pos, len;  /* unread: in[pos..len) */
	size_t out_len;
	char out[LIMIT_WRITE];	/* first: a greeting fits into this page */
	char in[LIMIT_READ + 1];
};

/* Takes neither descriptor; the caller closes them.  No memory to free. */
void bio_init(struct bio *, int fd_in, int fd_out);
void bio_timeout(struct bio *, int seconds);
void bio_deadline(struct bio *, int seconds);	/* from now; 0: none */

enum bio_line {
	BIO_LINE,	/* *line is it, NUL-ended, without its line end */
	BIO_LONG,	/* longer than LIMIT_COMMAND; read and dropped */
	BIO_EOF,	/* the peer is gone; what it left half is dropped */
	BIO_ERROR	/* error says what: ETIMEDOUT, ECONNRESET ... */
};

/* One line, valid until the next read.  *crlf: did it end in CRLF (else in
 * a bare LF)?  *len counts the octets of the line, NULs among them. */
enum bio_line bio_getline(struct bio *, char **line, size_t *len, bool *crlf);

/* What is buffered, or else what one read gives: *buf and its length, 0 at
 * the end, -1 on error.  bio_used(n) takes the first n octets away. */
ssize_t bio_peek(struct bio *, const char **buf);
void bio_used(struct bio *, size_t n);

/* All of these set error on failure and drop the octets. */
void bio_put(struct bio *, const void *buf, size_t len);
void bio_puts(struct bio *, const char *);
void bio_printf(struct bio *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void bio_vprintf(struct bio *, const char *fmt, va_list)
    __attribute__((format(printf, 2, 0)));
/* 0, or -1 with errno if anything written so far was lost. */
int bio_flush(struct bio *);

#endif
