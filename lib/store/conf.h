/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * main.cf: the parameters of main.cf(5).  The table of all of them (name,
 * default, kind, bounds) is conf_table.h; there is no other.
 */
#ifndef CONF_H
#define CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "pure/limits.h"
#include "pure/str.h"
#include "pure/verdict.h"

enum conf_kind {
	CONF_STRING,
	CONF_BOOL,	/* yes, no */
	CONF_NUMBER,
	CONF_TIME	/* seconds, or with a unit s m h d w */
};

#define CONF_PARAMETER(id, name, value, kind, min, max)	CONF_##id,
enum conf_id {
#include "store/conf_table.h"
	CONF_COUNT
};
#undef CONF_PARAMETER

struct conf_parameter {
	const char *name;
	const char *value;	/* the default, unexpanded */
	enum conf_kind kind;
	uint64_t min, max;	/* NUMBER and TIME */
};
extern const struct conf_parameter conf_parameter[CONF_COUNT];

/* One line of the file, in the file's order. */
struct conf_entry {
	const char *name;
	const char *value;	/* unexpanded, white space collapsed */
	enum conf_id id;	/* CONF_COUNT: no parameter of ours */
	unsigned line;
	bool last;		/* no later entry of this name */
};

struct conf {
	char dir[LIMIT_PATH];	/* absolute */
	struct stat st;		/* of the file as it was read */
	struct conf_entry *entry;
	size_t nentry;
	size_t set[CONF_COUNT];	/* 1 + index of its last entry; 0: none */
	const char *value[CONF_COUNT];	/* expanded; NULL: not yet */
	char *expanded[CONF_COUNT];	/* what of these is our memory */
	uint64_t number[CONF_COUNT];	/* BOOL, NUMBER, TIME */
	char *text;			/* the file; entries point into it */
	char *options;			/* the same for conf_options */
	/* What a reader of the file should know, a line each ("PATH, line N:
	 * overriding earlier entry: NAME=VALUE"), for postconf. */
	struct str warning;
};

/* The directory to use: dir if given, else MAIL_CONFIG, else /etc/malle. */
const char *conf_dir(const char *dir);

/* Reads DIR/main.cf (dir as for conf_dir) and checks every value.  Returns
 * 0, or -1 and the reason with file, line and remedy in why (a missing file
 * is one too); there is then nothing to free. */
int conf_load(struct conf *, const char *dir, struct why *);

/* "-o name=value" of a command line. */
struct conf_options {
	char *text[LIMIT_OPTIONS];	/* the caller's, unchanged */
	size_t n;
};
/* One more; false: too many. */
bool conf_option(struct conf_options *, char *text);
/* conf_load, where these hold instead of what is in the file. */
int conf_load_with(struct conf *, const char *dir,
    const struct conf_options *, struct why *);

/* The two halves of it.  After conf_read alone the values are unchecked:
 * enough for conf_raw, conf_default and conf_expand.  After a failed
 * conf_check conf_free is still due. */
int conf_read(struct conf *, const char *dir, struct why *);
int conf_check(struct conf *, struct why *);
/* conf_read as far as it comes: for conf_raw and conf_expand; conf_free is due
 * in any case. */
void conf_read_some(struct conf *, const char *dir);
/* Logs, for a server, that main.cf cannot be used: in the file that it names
 * nevertheless (maillog_file), or else to syslog. */
void conf_log_fault(const char *role, const char *dir, const struct why *);
/* Between the two: an entry "name=value" from a command line, which holds
 * instead of the file's.  text is changed and stays the caller's. */
int conf_override(struct conf *, char *text, struct why *);
void conf_free(struct conf *);

/* Is the file another one now, or changed?  One stat(2). */
bool conf_changed(const struct conf *);

/* The value with every $name expanded; never NULL; owned by conf. */
const char *conf_get(const struct conf *, enum conf_id);
/* Of a BOOL (0, 1), NUMBER or TIME (seconds). */
uint64_t conf_number(const struct conf *, enum conf_id);

/* For postconf: the value as it stands in the file, or NULL if it does not;
 * also for names that are no parameters of ours. */
const char *conf_raw(const struct conf *, const char *name);
/* The value, unexpanded, from the file or by default (of mydomain the right
 * one after conf_check). */
const char *conf_text(const struct conf *, enum conf_id);
/* The parameter of that name, or CONF_COUNT. */
enum conf_id conf_find(const char *name);
/* For each entry of the file: is it no parameter of ours, but used by one as
 * $name?  Free it; NULL: no memory. */
bool *conf_used(const struct conf *);
/* Expands any text against the configuration (defaults too) into out.
 * 0, or -1 and what is wrong with the text in why. */
int conf_expand(const struct conf *, const char *text, struct str *out,
    struct why *);
/* The default as it holds on this machine (myhostname, mydomain),
 * unexpanded. */
const char *conf_default(enum conf_id);

#endif
