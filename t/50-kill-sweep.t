#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# Every system call of a run that receives or delivers a message is the place
# where the process is killed, or all of them are.  After each, the queue is
# run to rest: what got its 250 is in the mailbox (exactly once where it gets
# there by rename, at most once more where it is copied), what got none is
# absent or whole.

use strict;
use warnings;
use lib 't/lib';
use Test::More;
use Malle  qw(is_root program);
use Faults qw(need_tracer calls in_parallel in_worker tracer sanitized
    sweep_result);

plan skip_all => 'the calls are the same without sanitizers' if sanitized();
need_tracer();

my %scene = (
	rename => { to => ['alice'], fresh => 1 },
	two    => { to => [qw(alice carol)], size => 20000 },
	mbox   => { to => ['alice'], size => 20000, mbox => 1 },
	both   => { to => [qw(alice carol)], size => 600, mbox => 1 },
);

# A crash in the middle of an mbox leaves a part, and may make a second copy.
my %allow = (
	mbox => { most => 2, parts => 1 },
	both => { most => 2, parts => 1 },
);

sub points {
	my ($mode, @call) = @_;
	my %last;

	$last{ $_->[0] } = $_->[1] for @call;
	return map { my $p = $_; map { [ $mode, "$p.$_" ] } 1 .. $last{$p} }
	    sort { $a <=> $b } keys %last;
}

# The smtpd of SCENE is killed; without root the runner it starts, too.
sub sweep_receive {
	my ($name, %more) = @_;
	my $single = $more{single} || !is_root();
	my %option = (%{ $scene{$name} }, %more);

	$option{main} = { qrun_service => '' } if $single;
	my @call = in_worker(sub {
		my $s = Faults->new(%option);
		$s->receive;
		$s->rest;
		$s->reset;
		my @got = calls(sub { $s->receive(@_) });
		$s->finish;
		return @got;
	});
	my @job = (points('-k', @call), points('-K', @call));
	my @bad = in_parallel(\@job, sub {
		my $s = Faults->new(%option);
		return sub {
			my ($job, $report) = @_;
			return $s->finish unless $job;
			$s->reset;
			my $got = $s->receive(@$job);
			my @wrong = grep { !/^[2-4]/ } @{ $got->{replies} };
			push @wrong, $s->rest;
			push @wrong, $s->check($got->{acked},
				%{ $allow{$name} || {} });
			$report->("@$job: $_") for @wrong;
		};
	});
	return (\@job, \@bad);
}

# The runner of SCENE and its agents are killed.
sub sweep_deliver {
	my ($name, %more) = @_;
	my %option = (%{ $scene{$name} }, %more);
	my @argv = (program('qrun'));
	my $run = sub {
		my ($s, @how) = @_;
		$s->plant;
		return $s->m->run({ seconds => 50 }, tracer(), @how, @argv);
	};
	my @call = in_worker(sub {
		my $s = Faults->new(%option);
		$s->template;
		my @got = calls(sub { $run->($s, @_) });
		$s->finish;
		return @got;
	});
	my @job = (points('-k', @call), points('-K', @call));
	my @bad = in_parallel(\@job, sub {
		my $s = Faults->new(%option);
		$s->template;
		return sub {
			my ($job, $report) = @_;
			return $s->finish unless $job;
			$run->($s, @$job);
			my @wrong = $s->rest;
			push @wrong, $s->check(1, %{ $allow{$name} || {} });
			$report->("@$job: $_") for @wrong;
		};
	});
	return (\@job, \@bad);
}

for my $name (qw(rename two mbox both)) {
	sweep_result("deliver $name, killed", sweep_deliver($name));
	next unless is_root();
	sweep_result("receive $name, killed", sweep_receive($name)) if $name ne 'mbox';
}
for my $name (qw(rename two mbox)) {
	sweep_result("one user: receive and deliver $name, killed",
		sweep_receive($name, single => 1));
}
done_testing;
