/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/str.h"

#include <stdlib.h>

#include "pure/limits.h"
#include "tap.h"

static void
grows(void)
{
	struct str s;
	char want[1000];

	str_init(&s);
	is_str(s.s, "", "an empty string is a string");
	str_put(&s, NULL, 0);
	is_mem(s.s, s.len, "", 0, "nothing appended");
	for (size_t i = 0; i < sizeof(want); i++) {
		want[i] = (char)i;
		str_putc(&s, want[i]);
		if (s.s[s.len] != '\0')
			break;
	}
	is_mem(s.s, s.len, want, sizeof(want), "octet by octet, NULs too");
	is_int(s.s[s.len], '\0', "and a NUL behind them");
	str_cut(&s, sizeof(want) + 1);
	is_int((intmax_t)s.len, sizeof(want), "cut to more changes nothing");
	str_cut(&s, 3);
	is_mem(s.s, s.len, LIT("\0\1\2"), "cut");
	is_int(s.s[3], '\0', "a NUL where it was cut");
	str_reset(&s);
	is_str(s.s, "", "reset");
	str_free(&s);
	str_free(&s);
	is_int((intmax_t)s.cap, 0, "freed twice");
	str_cut(&s, 0);
	str_reset(&s);
	str_puts(&s, "again");
	is_str(s.s, "again", "a freed one can be used");
	str_free(&s);
}

/* Each size around each doubling, in one put and by printf. */
static void
boundaries(void)
{
	static char text[2050];
	struct str a, b;
	bool good = true;

	memset(text, 'x', sizeof(text) - 1);
	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		str_init(&a);
		str_init(&b);
		str_put(&a, text, n);
		str_printf(&b, "%.*s", (int)n, text);
		good &= a.len == n && strlen(a.s) == n && a.cap > n;
		good &= b.len == n && strlen(b.s) == n && b.cap > n;
		str_putc(&a, 'y');
		str_printf(&b, "%c%d", 'y', 12);
		good &= a.len == n + 1 && b.len == n + 3;
		good &= strcmp(b.s + n, "y12") == 0;
		str_free(&a);
		str_free(&b);
	}
	ok(good, "every length up to 2048 by put and printf");
}

static void
limit(void)
{
	char *big = calloc(1, LIMIT_STR + 1);
	struct str s;

	str_init(&s);
	str_put(&s, big, LIMIT_STR - 1);
	ok(!s.bad && s.len == LIMIT_STR - 1, "the largest there may be");
	str_put(&s, big, 0);
	ok(!s.bad, "nothing more is no failure");
	str_putc(&s, 'x');
	ok(s.bad && s.len == LIMIT_STR - 1, "one more is refused");
	str_cut(&s, 1);
	str_putc(&s, 'x');
	ok(s.bad && s.len == 1, "bad stays, and nothing is appended");
	str_printf(&s, "x");
	ok(s.bad && s.len == 1, "by printf neither");
	str_reset(&s);
	str_putc(&s, 'x');
	ok(!s.bad && s.len == 1, "until reset");
	str_put(&s, big, SIZE_MAX);
	ok(s.bad && s.len == 1, "a length that would wrap");
	str_free(&s);
	str_put(&s, big, LIMIT_STR);
	ok(s.bad && s.len == 0 && s.s[0] == '\0', "too much at once");
	str_free(&s);
	free(big);
}

int
main(void)
{
	grows();
	boundaries();
	limit();
	return tap_done();
}
