#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# Every system call of a run that hands a message over to another machine is
# the place where the process is killed, or all of them are: the runner, its
# worker, relay.  After each, the queue is run to rest: every recipient's mail
# has arrived, whole, and at most twice.

use strict;
use warnings;
use lib 't/lib';
use Test::More;
use Malle  qw(program wait_until);
use Faults qw(need_tracer calls in_parallel in_worker tracer sanitized
    sweep_result);
use Malle::Next;
use Malle::Spool qw(id_of put);

plan skip_all => 'the calls are the same without sanitizers' if sanitized();
need_tracer();

my @to = map { "$_\@other.example" } qw(a b);
my $text = "Received: by x\nSubject: s\n\n" . join '', map { "line $_\n.\n" } 1 .. 2000;

# An instance and its next hop, which takes all but says "later" to b when it
# hears of him first.
sub scene {
	my $m = Malle->new(main => {
		qrun_service => 'inet:127.0.0.1:9', minimal_backoff_time => '1s',
	});
	my $next = Malle::Next->new(dir => $m->dir . '/next', ehlo => ['PIPELINING'],
		reply => sub {
			my ($verb, $line) = @_;
			my $mark = $m->dir . '/next/asked';
			return if $line !~ /RCPT TO:<b@/ || -e $mark;
			open my $fh, '>', $mark;
			return '450 4.2.1 later';
		});
	$m->main(relayhost => '[127.0.0.1]:' . $next->port);
	return { m => $m, next => $next, n => 0 };
}

sub settled {
	my ($s) = @_;

	return wait_until {
		my $open = grep { !@$_ || $_->[-1] ne 'END' } $s->{next}->sessions;
		!$open
	} 20, 'the end of a session';
}

sub run_once {
	my ($s, @how) = @_;
	my $m = $s->{m};

	settled($s);
	$s->{next}->reset;
	unlink map { $m->spool . "/$_" } $m->queue;
	unlink glob $m->spool . '/{state,lock}/*';
	put($m, 'incoming', id_of(time - 10, ++$s->{n}), { from => 'bob@mondomaine.lan',
	    to => \@to, text => $text });
	return $m->run({ seconds => 50 }, tracer(), @how, program('qrun'));
}

sub rest {
	my ($s) = @_;
	my $m = $s->{m};

	for (1 .. 5) {
		my $n = 1;
		for (sort glob $m->spool . '/deferred/*') {
			rename $_, $m->spool . '/deferred/' . $n++ unless m{/\d$};
		}
		$m->queue_run;
		last if !$m->queue;
	}
	settled($s);
	return map { "in the queue: $_" } $m->queue;
}

# What is wrong: how often was the text taken for each?
sub check {
	my ($s) = @_;
	my @wrong;
	my $want = $text =~ s/^\./../gmr =~ s/\n/\r\n/gr;
	my %copies = map { $_ => 0 } @to;

	$copies{$_}++ for map { @$_ } $s->{next}->taken;
	push @wrong, "$_: $copies{$_} copies"
	    for grep { $copies{$_} < 1 || $copies{$_} > 2 } @to;
	push @wrong, 'damaged' if grep { $_ ne $want } $s->{next}->messages;
	return @wrong;
}

sub points {
	my ($mode, @call) = @_;
	my %last;

	$last{ $_->[0] } = $_->[1] for @call;
	return map { my $p = $_; map { [ $mode, "$p.$_" ] } 1 .. $last{$p} }
	    sort { $a <=> $b } keys %last;
}

my @call = in_worker(sub {
	my $s = scene();
	run_once($s);
	my @got = calls(sub { run_once($s, @_) });
	return @got;
});
my @job = (points('-k', @call), points('-K', @call));
my @bad = in_parallel(\@job, sub {
	my $s = scene();
	return sub {
		my ($job, $report) = @_;
		if (!$job) {
			$s->{next}->stop;
			return $s->{m}->destroy;
		}
		run_once($s, @$job);
		$report->("@$job: $_") for rest($s), check($s);
	};
});
sweep_result('relay, killed', \@job, \@bad);
done_testing;
