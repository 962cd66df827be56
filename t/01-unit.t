#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs every unit test program of the pure layer (t/unit), built by
# "make programs-and-tests".

use strict;
use warnings;
use Test::More;

my $build = $ENV{MALLE_BUILD} // 'build';
my @sources = glob 't/unit/*.c';

ok(@sources > 0, 'there are unit tests');
for my $source (@sources) {
	my $program = "$build/" . $source =~ s/\.c$//r;
	my @bad;

	if (!-x $program) {
		fail("$program: not built, run \"make programs-and-tests\"");
		next;
	}
	open my $out, '-|', $program or die "$program: $!\n";
	my ($run, $plan) = (0, -1);
	while (<$out>) {
		$run++ if /^(?:not )?ok /;
		$plan = $1 if /^1\.\.(\d+)$/;
		push @bad, $_ if !/^ok |^1\.\.\d+$/ && @bad < 40;
	}
	close $out;
	is($?, 0, "$program ends well") or diag @bad;
	is($run, $plan, "and ran all of its $plan checks");
}
done_testing;
