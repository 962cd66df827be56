/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A thousand damaged maps: flipped octets, blocks of zeros, blocks of another
 * version of the map, files cut short and forged numbers.  What a look-up
 * then says is the value, or later: never another value, never a miss for a
 * key that exists, never a hit for one that does not.  The first argument is
 * how many maps (1000), the second where the random numbers begin.
 */
#include "store/map.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/mapbuild.h"
#include "sys/fsop.h"
#include "tap.h"

enum { KEYS = 3000, ASKED = 40, BLOCK = 4096 };

static char dir[] = "/tmp/malle-map.XXXXXX";
static char name[64], file[64], spec[64];
static uint64_t seed = 1;

static uint64_t
draw(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

static void
key_of(char *key, unsigned i)
{
	(void)snprintf(key, 64, "user%u@example%u.org", i, i % 7);
}

static void
value_of(char *value, unsigned i, unsigned version)
{
	(void)snprintf(value, 64, "box%u@host%u.example.net, v%u", i, i % 13,
	    version);
}

static bool
make(unsigned version)
{
	struct mapbuild b;
	struct why why;
	char key[64], value[64];
	bool good = mapbuild_begin(&b, name, &why) == 0;

	for (unsigned i = 0; good && i < KEYS; i++) {
		key_of(key, i);
		value_of(value, i, version);
		good = mapbuild_add(&b, key, value, i + 1, false) == 0;
	}
	good = good && mapbuild_commit(&b, 0644, NULL, NULL, &why) == 0;
	mapbuild_end(&b);
	return good;
}

static char *
slurp(size_t *len)
{
	struct stat st;
	char *s = NULL;
	int fd = open(file, O_RDONLY);

	*len = 0;
	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0) {
		*len = (size_t)st.st_size;
		s = malloc(*len);
		if (s != NULL && fsop_pread(fd, s, *len, 0) != (ssize_t)*len)
			abort();
	}
	if (fd >= 0)
		(void)close(fd);
	return s;
}

static void
spew(const char *s, size_t len)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || fsop_write(fd, s, len) != 0 || close(fd) != 0)
		abort();
}

/* Where the numbers that lead to others are: the header, the directory, the
 * heads of buckets, as well as anywhere. */
static size_t
place(const char *s, size_t len)
{
	uint64_t at;

	switch (draw(4)) {
	case 0:
		return draw(64);
	case 1:
		memcpy(&at, s + 8, sizeof(at));
		return at < len - BLOCK ? at + draw(BLOCK) : draw(len);
	default:
		return draw(len);
	}
}

static size_t
damage(char *s, size_t len, const char *other, size_t other_len)
{
	static const int32_t forged[] = { 0, -1, 1, INT32_MAX, INT32_MIN,
	    0x01010101, 4096, 65536 };
	size_t at = place(s, len), n, i;
	int32_t number;

	switch (draw(6)) {
	case 0:
		for (i = draw(8) + 1; i > 0; i--) {
			s[at] = (char)(s[at] ^ (char)(1 << draw(8)));
			at = place(s, len);
		}
		return len;
	case 1:
		n = draw(2) == 0 ? 512 : BLOCK;
		at = at / n * n;
		memset(s + at, 0, at + n < len ? n : len - at);
		return len;
	case 2:
		return draw(len);
	case 3:
		at = at / BLOCK * BLOCK;
		if (at + BLOCK <= other_len && at + BLOCK <= len)
			memcpy(s + at, other + at, BLOCK);
		return len;
	case 4:
		number = forged[draw(sizeof(forged) / sizeof(forged[0]))];
		at = at / 4 * 4;
		if (at + 4 <= len)
			memcpy(s + at, &number, 4);
		return len;
	default:
		for (i = 0; i < 64 && at + i < len; i++)
			s[at + i] = (char)draw(256);
		return len;
	}
}

struct count {
	unsigned hit, miss, later, wrong;
};

static void
ask(struct map_list *maps, unsigned i, struct count *c)
{
	char key[64], want[64];
	struct str value;
	struct why why;

	str_init(&value);
	key_of(key, i);
	value_of(want, i, 1);
	switch (map_list_find(maps, key, &value, &why)) {
	case MAP_HIT:
		c->hit++;
		c->wrong += i >= KEYS || strcmp(value.s, want) != 0;
		break;
	case MAP_MISS:
		c->miss++;
		c->wrong += i < KEYS;
		break;
	case MAP_LATER:
		c->later++;
		c->wrong += why.verdict != VERDICT_LATER || value.len > 0;
		break;
	}
	str_free(&value);
}

/* Asks for every step-th key, and some that do not exist. */
static void
ask_all(unsigned step, struct count *c)
{
	struct map_list maps;
	struct why why;

	if (map_list_open(&maps, spec, "", &why) != 0)
		abort();
	for (unsigned i = (unsigned)draw(step); i < KEYS + 200; i += step)
		ask(&maps, i, c);
	map_list_close(&maps);
}

static bool
count_entry(void *ctx, const char *key, size_t key_len, const char *value,
    size_t len)
{
	(void)key;
	(void)key_len;
	(void)value;
	(void)len;
	++*(size_t *)ctx;
	return true;
}

/* The open file is spoilt, but there is a new one of that name. */
static void
test_replaced(void)
{
	struct count c = { 0 };
	struct map_list maps;
	struct why why;

	for (unsigned read_before = 0; read_before < 2; read_before++) {
		if (map_list_open(&maps, spec, "", &why) != 0)
			abort();
		if (read_before)
			ask(&maps, 7, &c);
		if (truncate(file, 100) != 0)
			abort();
		ask(&maps, 8, &c);
		map_list_close(&maps);
		(void)make(1);
	}
	is_int(c.later, 2, "a map cut short while it is open: later");
	for (unsigned read_before = 0; read_before < 2; read_before++) {
		if (map_list_open(&maps, spec, "", &why) != 0)
			abort();
		if (read_before)
			ask(&maps, 7, &c);
		if (truncate(file, 100) != 0 || !make(1))
			abort();
		ask(&maps, 8, &c);
		ask(&maps, KEYS, &c);
		map_list_close(&maps);
	}
	is_int(c.later, 2, "and another one made: that is used");
	is_int(c.hit, 4, "its keys are found");
	is_int(c.wrong, 0, "nothing wrong is said");
}

int
main(int argc, char **argv)
{
	unsigned maps = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1000;
	struct count whole = { 0 }, c = { 0 };
	char *new, *old, *copy;
	size_t len, old_len, entries;
	unsigned bad_lists = 0;
	struct why why;

	if (argc > 2)
		seed = strtoull(argv[2], NULL, 10) | 1;
	(void)alarm(600);
	if (mkdtemp(dir) == NULL)
		return 1;
	(void)snprintf(name, sizeof(name), "%s/map", dir);
	(void)snprintf(file, sizeof(file), "%s/map.gdbm", dir);
	(void)snprintf(spec, sizeof(spec), "gdbm:%s/map", dir);
	ok(make(2), "a map is made");
	old = slurp(&old_len);
	ok(make(1), "and another one in its place");
	new = slurp(&len);
	copy = malloc(len);
	if (old == NULL || new == NULL || copy == NULL)
		return 1;
	ask_all(1, &whole);
	is_int(whole.hit, KEYS, "every key is found in the whole map");
	is_int(whole.miss, 200, "and no other one");
	is_int(whole.wrong, 0, "with its value");
	test_replaced();
	for (unsigned n = 0; n < maps; n++) {
		memcpy(copy, new, len);
		spew(copy, damage(copy, len, old, old_len));
		ask_all(KEYS / ASKED, &c);
		entries = 0;
		if (n % 8 == 0 && mapbuild_each(file, count_entry, &entries,
		    &why) == 0)
			bad_lists += entries != KEYS;
	}
	is_int(c.wrong, 0, "damaged maps: nothing wrong is said");
	is_int(bad_lists, 0, "nor listed");
	ok(c.later > maps && c.hit > maps, "they were damaged, and used: "
	    "%u hits, %u misses, %u times later", c.hit, c.miss, c.later);
	(void)unlink(file);
	(void)rmdir(dir);
	free(old);
	free(new);
	free(copy);
	return tap_done();
}
