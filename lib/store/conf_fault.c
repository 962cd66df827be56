/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where does a server say that main.cf cannot be used? */
#include "store/conf.h"

#include "sys/log.h"

/* As far as the file can be read it may name the log, and somebody may be
 * looking there. */
static void
open_log(const struct conf *c)
{
	const char *text = conf_raw(c, "maillog_file");
	struct why unused;
	struct str file;

	str_init(&file);
	if (text != NULL && conf_expand(c, text, &file, &unused) == 0 &&
	    file.s[0] == '/')
		(void)log_open(conf_default(CONF_SYSLOG_NAME), file.s);
	str_free(&file);
}

void
conf_log_fault(const char *role, const char *dir, const struct why *why)
{
	static struct conf c;

	conf_read_some(&c, dir);
	open_log(&c);
	conf_free(&c);
	log_warning(role, "%s", why->text);
}
