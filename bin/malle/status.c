/* SPDX-License-Identifier: GPL-3.0-or-later */
/* malle status: the queue in a few lines. */
#include "malle.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sysexits.h>

#include "store/queue_look.h"
#include "sys/clock.h"

struct count {
	unsigned long n;
	uint64_t octets;
	char oldest[LIMIT_QUEUE_ID + 1];
	int64_t due;		/* the soonest, of deferred mail */
	int64_t last_due;
};

static bool
count_one(void *ctx, const char *place, const char *name)
{
	struct count *c = ctx;
	char id[LIMIT_QUEUE_ID + 1];
	uint64_t octets, crlf;
	int64_t due = queue_due(place);

	if (!queue_parse_name(name, id, &octets, &crlf))
		return true;
	c->n++;
	c->octets += octets;
	if (c->oldest[0] == '\0' || strcmp(id, c->oldest) < 0)
		memcpy(c->oldest, id, sizeof(c->oldest));
	if (due != 0 && (c->due == 0 || due < c->due))
		c->due = due;
	if (due > c->last_due)
		c->last_due = due;
	return true;
}

/* "3d 4h", "12m 5s": the two largest units. */
static void
put_time(int64_t seconds)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {
		{ 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 }
	};
	size_t i;

	if (seconds < 0)
		seconds = 0;
	for (i = 0; i < 3 && seconds < units[i].seconds; i++)
		;
	(void)printf("%" PRId64 "%c", seconds / units[i].seconds,
	    units[i].unit);
	seconds %= units[i].seconds;
	if (i < 3 && seconds / units[i + 1].seconds > 0)
		(void)printf(" %" PRId64 "%c", seconds / units[i + 1].seconds,
		    units[i + 1].unit);
}

static void
put_size(uint64_t octets)
{
	static const char *const units[] = { "octets", "KiB", "MiB", "GiB" };
	double size = (double)octets;
	size_t i = 0;

	for (; size >= 1024 && i < 3; i++)
		size /= 1024;
	(void)printf(i == 0 ? "%.0f %s" : "%.1f %s", size, units[i]);
}

static void
put_place(struct queue *q, const char *place, int64_t now)
{
	bool deferred = strcmp(place, "deferred") == 0;
	struct count c = { 0 };

	if ((deferred ? queue_each_deferred(q, count_one, &c) :
	    queue_each(q, place, count_one, &c)) != 0)
		fatal(EX_OSERR, "%s: %s", place, strerror(errno));
	(void)printf("%-15s %lu", place, c.n);
	if (c.n > 0) {
		(void)fputs(", ", stdout);
		put_size(c.octets);
		(void)fputs(", oldest ", stdout);
		put_time(now - (int64_t)(queue_id_us(c.oldest) / 1000000));
		(void)printf(" (%s)", c.oldest);
	}
	(void)putchar('\n');
	if (!deferred || c.n == 0)
		return;
	(void)printf("%-15s ", "next attempt");
	if (c.due <= now)
		(void)fputs("now", stdout);
	else {
		(void)fputs("in ", stdout);
		put_time(c.due - now);
	}
	if (c.last_due > c.due && c.last_due > now) {
		(void)fputs(", the last in ", stdout);
		put_time(c.last_due - now);
	}
	(void)putchar('\n');
}

struct active {
	struct queue *queue;
	struct queue_locks locks;
	unsigned long n;
};

static bool
is_active(void *ctx, const char *place, const char *name)
{
	struct active *a = ctx;
	char path[LIMIT_QUEUE_NAME + 40];
	struct stat st;
	int n = snprintf(path, sizeof(path), "%s/%s", place, name);

	if (n > 0 && (size_t)n < sizeof(path) &&
	    fstatat(a->queue->dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		a->n += queue_locks_has(&a->locks, &st);
	return true;
}

static unsigned long
locked_in(struct active *a, const char *place)
{
	a->n = 0;
	if (a->locks.n > 0 && place != NULL)
		(void)queue_each(a->queue, place, is_active, a);
	else if (a->locks.n > 0)
		(void)queue_each_deferred(a->queue, is_active, a);
	return a->n;
}

static void
put_active(struct queue *q)
{
	struct active a = { .queue = q };
	unsigned long n;

	queue_locks_read(&a.locks);
	n = locked_in(&a, "tmp");
	(void)printf("%-15s %lu\n", "being received", n);
	n = locked_in(&a, "incoming") + locked_in(&a, NULL);
	(void)printf("%-15s %lu\n", "being delivered", n);
	queue_locks_free(&a.locks);
}

static void
put_free(struct queue *q)
{
	struct statvfs v;

	if (fstatvfs(q->dir, &v) != 0)
		return;
	(void)printf("%-15s ", "free space");
	put_size((uint64_t)v.f_bavail * v.f_frsize);
	if (v.f_files > 0)
		(void)printf(", %" PRIu64 " files", (uint64_t)v.f_favail);
	(void)putchar('\n');
}

int
status(const char *dir, int argc, char **argv)
{
	static const char *const places[] = {
		"incoming", "deferred", "hold", "corrupt"
	};
	int64_t now = clock_now_us() / 1000000;
	static struct conf conf;
	struct queue q;
	struct why why;
	size_t i;

	if (argc > 1)
		fatal(EX_USAGE, "status: what is %s?", argv[1]);
	if (conf_load(&conf, dir, &why) != 0)
		fatal(EX_CONFIG, "%s", why.text);
	if (queue_open_conf(&q, &conf, &why) != 0)
		fatal(EX_UNAVAILABLE, "%s", why.text);
	(void)printf("%-15s %s/main.cf\n", "configuration", conf.dir);
	(void)printf("%-15s %s\n", "queue", conf_get(&conf,
	    CONF_QUEUE_DIRECTORY));
	put_active(&q);
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		put_place(&q, places[i], now);
	put_free(&q);
	conf_free(&conf);
	if (fflush(stdout) != 0)
		fatal(EX_IOERR, "standard output: write error");
	return EX_OK;
}
