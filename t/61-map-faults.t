#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# postmap is killed at each of its system calls, and each of them fails: a
# reader finds the old map, whole, or the new one; and two that are started
# at once make one after the other.  (t/unit/mapdamage.c damages maps.)

use strict;
use warnings;
use lib 't/lib';
use Test::More;
use Malle  qw(program run spew);
use Faults qw(need_tracer calls tracer sanitized);

plan skip_all => 'the calls are the same without sanitizers' if sanitized();
need_tracer();

my $m   = Malle->new;
my $dir = $m->dir . '/maps';
mkdir $dir or die;

my %text = map { my $v = $_; ($v => join '', map { "key$_ $v$_\n" } 1 .. 50) }
    qw(old new);
my %list = map { ($_ => join '', sort map { s/ /\t/r } split /^/, $text{$_}) }
    keys %text;

sub listed {
	my $r = run('postmap', '-s', "hash:$dir/t");

	return $r->{status} == 0 ? join '', sort split /^/, $r->{out} : $r->{err};
}

sub reset_map {
	unlink glob "$dir/t.*";
	spew("$dir/t", $text{old});
	my $r = run('postmap', "hash:$dir/t");
	die $r->{err} if $r->{status} || listed() ne $list{old};
	spew("$dir/t", $text{new});
	return;
}

sub make { return run(tracer(), @_, program('postmap'), "hash:$dir/t") }

reset_map();
my @call = calls(\&make);
is(listed(), $list{new}, 'without a fault the map is new');
for my $process (1, 2) {
	cmp_ok(scalar(grep { $_->[0] == $process } @call), '>', 15,
		"the system calls of process $process are known");
}

subtest 'killed' => sub {
	my (@bad, %seen);

	for my $c (@call) {
		reset_map();
		my $r = make('-k', "$c->[0].$c->[1]");
		my $got = listed();
		my ($version) = grep { $list{$_} eq $got } keys %list;
		push @bad, "call @$c: $got" unless $version;
		push @bad, "call @$c: silent"
		    if $c->[0] != 1 && $r->{err} !~ /^postmap: fatal: write /m;
		$seen{$version // ''}++;
		$r = run('postmap', "hash:$dir/t");
		push @bad, "call @$c: then: $r->{err}" if $r->{status};
		push @bad, "call @$c: not new after that" if listed() ne $list{new};
		my @left = grep { !m{/t(?:\.gdbm)?$} } glob "$dir/* $dir/.m*";
		push @bad, "call @$c: left: @left" if @left;
	}
	is(scalar @bad, 0, 'the map is the old or the new one') or diag map { "$_\n" } @bad;
	ok($seen{old} && $seen{new}, "$seen{old} times old, $seen{new} times new");
};

subtest 'calls that fail' => sub {
	my ($first) = grep { $call[$_][2] =~ /^open/ } 0 .. $#call;
	my @bad;

	for my $error (28, 5) {	# ENOSPC, EIO
		# Before that the C library starts, or does not.
		for my $c (@call[ $first .. $#call ]) {
			reset_map();
			my $r = make('-e', "$c->[0].$c->[1]:$error");
			my $got = listed();
			push @bad, "call @$c, $error: $got"
			    unless grep { $list{$_} eq $got } keys %list;
			push @bad, "call @$c, $error: done, but old"
			    if $r->{status} == 0 && $got ne $list{new};
			push @bad, "call @$c, $error: silent"
			    if $r->{status} == 1 && $r->{err} !~ /^postmap: fatal: /m;
			push @bad, "call @$c, $error: status $r->{status}"
			    if $r->{status} != 0 && $r->{status} != 1;
		}
	}
	is(scalar @bad, 0, 'the map is the old or the new one, and what is said true')
	    or diag map { "$_\n" } @bad;
};

subtest 'at once' => sub {
	my @pid;

	reset_map();
	for my $i (1 .. 8) {
		spew("$dir/in$i", "extra$i v$i\n");
		open my $in, '<', "$dir/in$i" or die;
		open my $out, '>', '/dev/null' or die;
		push @pid, Malle::spawn([ program('postmap'), '-i', "hash:$dir/t" ],
			[ $in, $out, $out ], {});
	}
	my @status = map { waitpid $_, 0; $? } @pid;
	is_deeply(\@status, [ (0) x 8 ], 'all of them are done');
	my $got = listed();
	is(scalar(grep { $got =~ /^extra$_\tv$_$/m } 1 .. 8), 8, 'none is lost');
};

done_testing;
