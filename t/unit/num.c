/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/num.h"

#include "tap.h"

static const struct {
	const char *s;
	size_t len;
	uint64_t max;
	bool good;
	uint64_t value;
} numbers[] = {
	{ LIT("0"), 10, true, 0 },
	{ LIT("7"), 7, true, 7 },
	{ LIT("8"), 7, false, 0 },
	{ LIT("000000000000000000000000000012"), 12, true, 12 },
	{ LIT("18446744073709551614"), UINT64_MAX, true, UINT64_MAX - 1 },
	{ LIT("18446744073709551615"), UINT64_MAX, true, UINT64_MAX },
	{ LIT("18446744073709551616"), UINT64_MAX, false, 0 },
	{ LIT("18446744073709551617"), UINT64_MAX, false, 0 },
	{ LIT("184467440737095516150"), UINT64_MAX, false, 0 },
	{ LIT("99999999999999999999"), UINT64_MAX, false, 0 },
	{ LIT("4294967297"), UINT32_MAX, false, 0 },
	{ LIT("4294967295"), UINT32_MAX, true, UINT32_MAX },
	{ LIT(""), 10, false, 0 },
	{ LIT("-1"), UINT64_MAX, false, 0 },
	{ LIT("+1"), UINT64_MAX, false, 0 },
	{ LIT(" 1"), UINT64_MAX, false, 0 },
	{ LIT("1 "), UINT64_MAX, false, 0 },
	{ LIT("0x10"), UINT64_MAX, false, 0 },
	{ LIT("1e3"), UINT64_MAX, false, 0 },
	{ LIT("1\0"), UINT64_MAX, false, 0 },
	{ LIT("\xd9\xa1"), UINT64_MAX, false, 0 },	/* an Arabic one */
	{ LIT("12,5"), UINT64_MAX, false, 0 },
	{ "123", 2, UINT64_MAX, true, 12 }
};

static const struct {
	const char *s;
	char unit;
	uint64_t max;
	bool good;
	uint64_t value;
} times[] = {
	{ "300s", 's', UINT64_MAX, true, 300 },
	{ "300", 's', UINT64_MAX, true, 300 },
	{ "5", 'm', UINT64_MAX, true, 300 },
	{ "5d", 's', UINT64_MAX, true, 432000 },
	{ "5d", 'w', UINT64_MAX, true, 432000 },
	{ "0h", 's', UINT64_MAX, true, 0 },
	{ "2w", 's', UINT64_MAX, true, 1209600 },
	{ "1h", 's', 3600, true, 3600 },
	{ "1h", 's', 3599, false, 0 },
	{ "", 's', UINT64_MAX, false, 0 },
	{ "s", 's', UINT64_MAX, false, 0 },
	{ "5y", 's', UINT64_MAX, false, 0 },
	{ "5 d", 's', UINT64_MAX, false, 0 },
	{ "5dd", 's', UINT64_MAX, false, 0 },
	{ "-5d", 's', UINT64_MAX, false, 0 },
	{ "5D", 's', UINT64_MAX, false, 0 },
	{ "30500568904943w", 's', UINT64_MAX, true, 18446744073709526400ULL },
	{ "30500568904944w", 's', UINT64_MAX, false, 0 }
};

int
main(void)
{
	uint64_t v;
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		bool good;

		v = 4711;
		good = num_parse(numbers[i].s, numbers[i].len, numbers[i].max,
		    &v);
		ok(good == numbers[i].good &&
		    v == (good ? numbers[i].value : 4711),
		    "number \"%.*s\"", (int)numbers[i].len, numbers[i].s);
	}
	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		bool good;

		v = 4711;
		good = num_parse_time(times[i].s, times[i].unit,
		    times[i].max, &v);
		ok(good == times[i].good &&
		    v == (good ? times[i].value : 4711),
		    "time \"%s\"", times[i].s);
	}
	return tap_done();
}
