#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The inside of t/bench/run: process 1 of the benchmark's own namespaces.  It
# only waits (for the orphans that daemons leave, too); the work is done by a
# child, so that all that is left can be killed when it is over.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Bench::Place  ();
use Bench::Report qw(note);

my $pid = fork // die "fork: $!\n";
if (!$pid) {
	exit(eval { work(); 1 } ? 0 : do { print STDERR "bench: $@"; 1 });
}
$SIG{$_} = sub { clean(); exit 1 }
    for qw(INT TERM HUP);
my $status;
while ((my $got = wait) > 0) {
	next if $got != $pid;
	$status = $? ? 1 : 0;
	last;
}
clean();
exit($status // 1);

sub clean
{
	kill KILL => -1;
	1 while wait > 0;
	Bench::Place::remove_groups();
	return;
}

sub work
{
	my %part = map { $_ => 1 }
	    split ' ', $ENV{BENCH_ONLY} || 'smtp banner trace memory pop3 maps';

	local $SIG{ALRM} = sub { die "it took more than twelve minutes\n" };
	alarm 720;
	Bench::Place::prepare();
	require Bench::Ours;
	require Bench::Peers;
	Bench::Report::machine();
	for my $name (qw(smtp banner trace memory pop3 maps profile)) {
		next unless $part{$name};
		my $module = 'Bench::' . ucfirst $name;
		note("$name:");
		eval "require $module; 1" or die $@;
		$module->can('measure')->();
	}
	Bench::Report::end();
	return;
}
