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
use Faults qw(need_tracer calls in_parallel tracer sanitized);

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
	my @call = one_worker(sub {
		my $s = Faults->new(%option);
		$s->receive;
		$s->rest;
		$s->reset;
		my @got = calls(sub { $s->receive(@_) });
		$s->finish;
		return @got;
	});
	my @job = (points('-k', @call), points('-K', @call));
	my ($acked, $not) = (0, 0);
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
	my @call = one_worker(sub {
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

# What CODE returns (a list of arrays), from a process of its own: it may
# change its user for good.
sub one_worker {
	my ($code) = @_;
	my @got = in_parallel([1], sub {
		return sub {
			my ($job, $report) = @_;
			$report->("@$_") for $job ? $code->() : ();
		};
	});
	my @call = map { [ split ] } grep { /^\d+ \d+ \S+$/ } @got;

	@call == @got && @call or die "counting: @got[0 .. 3]\n";
	return @call;
}

sub result {
	my ($what, $job, $bad) = @_;

	ok(@$job > 20 && !@$bad, "$what: killed at each of " . @$job . ' calls')
	    or diag join "\n", map { substr $_, 0, 500 } @$bad[ 0 .. ($#$bad > 9 ? 9 : $#$bad) ];
	return;
}

for my $name (qw(rename two mbox both)) {
	result("deliver $name", sweep_deliver($name));
	next unless is_root();
	result("receive $name", sweep_receive($name)) if $name ne 'mbox';
}
for my $name (qw(rename two mbox)) {
	result("one user: receive and deliver $name",
		sweep_receive($name, single => 1));
}
done_testing;
