#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# Gives every fuzz target (t/fuzz) the inputs of its corpus; "make check-asan"
# does it with sanitizers, "make fuzz" looks for new ones.

use strict;
use warnings;
use Test::More;

my $build = $ENV{MALLE_BUILD} // 'build';
my @targets = map { m{([^/]+)\.c$} } grep { !m{/main\.c$} } glob 't/fuzz/*.c';

ok(@targets > 0, 'there are fuzz targets');
for my $name (@targets) {
	my $program = "$build/t/fuzz/$name";
	my @inputs = glob "t/fuzz/corpus/$name/*";

	cmp_ok(@inputs, '>=', 4, "$name has a corpus");
	if (!-x $program) {
		fail("$program: not built, run \"make programs-and-tests\"");
		next;
	}
	my $said = `$program t/fuzz/corpus/$name 2>&1`;
	is($?, 0, "$name takes all of it") or diag substr $said, -4000;
	like($said, qr/^@{[scalar @inputs]} inputs$/m, 'and got all of it');
}
is_deeply([sort @targets], [sort map { m{([^/]+)$} } glob 't/fuzz/corpus/*'],
    'and each corpus has its target');
done_testing;
