/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tables of local aliases (aliases.5). */
#ifndef ALIASES_H
#define ALIASES_H

#include "store/conf.h"
#include "store/map.h"

/* Opens the tables of a list of main.cf that may name $alias_maps.  The
 * table that alias_maps means by default is left out where there is neither
 * the file nor its source: a machine without aliases needs none.
 * "unix:passwd.byname" (also with "proxy:") is left out too, and said in
 * *users, unless users is NULL: it means the accounts of passwd_file.
 * 0, or -1 and why; map_list_close is due in any case. */
int aliases_open(struct map_list *, const struct conf *, enum conf_id,
    bool *users, struct why *);

#endif
