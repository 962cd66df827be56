/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every bound that is not a parameter of main.cf, in one table.  What an
 * administrator may want to change is in lib/store/conf.c instead.  All sizes
 * are octets unless the name says otherwise.
 */
#ifndef LIMITS_H
#define LIMITS_H

enum limit {
	/* Addresses: RFC 5321 4.5.3.1 gives 64 + "@" + 255. */
	LIMIT_ADDRESS = 320,
	LIMIT_DOMAIN = 255,
	/* One SMTP command line with CRLF; RFC 5321 asks for 512 and more
	 * for extensions; Postfix's line_length_limit is 2048. */
	LIMIT_COMMAND = 2048,
	/* One reply line, RFC 5321 4.5.3.1.5. */
	LIMIT_REPLY = 512,
	/* The input buffer; a command line must fit. */
	LIMIT_READ = 16384,
	/* The output buffers: replies, and files being written. */
	LIMIT_WRITE = 8192,
	/* What any growable string may reach; more is an error. */
	LIMIT_STR = 4 << 20,
	/* The envelope block at the start of a queue file. */
	LIMIT_ENVELOPE = 1 << 20,
	/* One header field with its continuation lines that we look into
	 * (longer ones pass through unread). */
	LIMIT_HEADER = 1024,
	/* A whole field whose addresses may be rewritten. */
	LIMIT_FIELD = 1 << 16,
	/* Names of queue files: id, ",S=", ",W=" and two 64-bit numbers. */
	LIMIT_QUEUE_NAME = 80,
	LIMIT_QUEUE_ID = 17,
	/* A command or path as the target of an alias; a .forward or
	 * :include: file; what one address may become, and through how many
	 * aliases. */
	LIMIT_TARGET = 2048,
	LIMIT_FORWARD = 1 << 20,
	LIMIT_TARGETS = 10000,
	LIMIT_ALIAS_DEPTH = 50,
	/* A path that an administrator wrote. */
	LIMIT_PATH = 1024,
	/* An account name and a password (libxcrypt takes 511). */
	LIMIT_USER = 255,
	LIMIT_PASSWORD = 511,
	/* A list of next hops, or the text of an error route. */
	LIMIT_ROUTE = 1000,
	/* One log line, one reason of a verdict. */
	LIMIT_LOG = 2048,
	LIMIT_REASON = 400,
	/* main.cf: the file, its entries, one value (also expanded), nesting
	 * of $name, and the octets read to expand one value. */
	LIMIT_CONF_FILE = 1 << 20,
	LIMIT_CONF_ENTRIES = 8192,
	LIMIT_CONF_VALUE = 65536,
	LIMIT_CONF_DEPTH = 32,
	LIMIT_CONF_WORK = 1 << 20,
	/* Parameters given on a command line. */
	LIMIT_OPTIONS = 32,
	/* Tables: a key, the text of one that is read as it is, and the lists
	 * that one parameter names. */
	LIMIT_MAP_KEY = 1000,
	LIMIT_MAP_FILE = 256 << 20,
	LIMIT_MAPS = 100,
	/* Seconds after which an unlocked file in tmp/ is rubbish. */
	LIMIT_TMP_AGE = 3600,
	/* The same for a record in state/ that nobody wrote to; longer than
	 * any message may wait. */
	LIMIT_STATE_AGE = 60 * 86400,
	/* Deferred messages wait in buckets of so many seconds. */
	LIMIT_BUCKET = 60,
	/* Names of a queue directory that are sorted at once. */
	LIMIT_SORT = 1 << 18,
	/* mbox: how many seconds we try for its locks; a dot-lock older than
	 * this many seconds belongs to a dead process. */
	LIMIT_LOCK_TRIES = 20,
	LIMIT_LOCK_STALE = 500,
	/* POP3: messages in one maildrop that we number. */
	LIMIT_MESSAGES = 1 << 24,
	/* POP3: refused passwords in one connection. */
	LIMIT_LOGIN_TRIES = 3
};

#endif
