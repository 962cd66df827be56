/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The names of map.c, in a file of their own: what only lists them has no
 * use for all that is behind them. */
#include "store/map.h"

const char *const map_types[] = { "btree", "cdb", "cidr", "dbm", "fail",
	"gdbm", "hash", "inline", "lmdb", "regexp", "sdbm", "static",
	"texthash", "unix", NULL };
