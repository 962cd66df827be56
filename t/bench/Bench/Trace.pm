# SPDX-License-Identifier: GPL-3.0-or-later
package Bench::Trace;

# What a message costs in system calls, by strace of all processes of a
# server; and how many writes a reply takes.
use strict;
use warnings;
use Exporter      qw(import);
use POSIX         ();
use Time::HiRes   qw(sleep);
use Bench::Place  qw(scratch slurp wait_until);
use Bench::Report qw(note heading row text quick);
use Bench::Smtp   qw(servers send_mail watch);

our @EXPORT_OK = qw(attach detach count);

use constant MESSAGES => 10;

# Traces every process of the group and what they start.
sub attach
{
	my ($group, $name) = @_;
	my $file = scratch() . "/strace.$name";
	my @pid  = $group->pids;
	my $log  = scratch() . '/log';

	my $strace = fork // die "fork: $!\n";
	if (!$strace) {
		open STDERR, ">>", $log;
		exec { "strace" } qw(strace -f -qq -s 80 -o), $file,
		    map { ("-p", $_) } @pid
		    or POSIX::_exit(127);
	}
	wait_until {
		!grep { (slurp("/proc/$_/status") // '')
			=~ /^TracerPid:\t0$/m } @pid
	} 10 or die "strace does not attach to $name\n";
	return { pid => $strace, file => $file };
}

# Ends it; returns the calls made, as lines.
sub detach
{
	my ($trace) = @_;

	sleep 0.3;
	kill INT => $trace->{pid};
	waitpid $trace->{pid}, 0;
	return grep { !/^\d+\s+(?:---|\+\+\+|<\.\.\. )/ }
	    split /\n/, slurp($trace->{file}) // '';
}

# How many of these calls, a message.
sub count
{
	my ($calls, $pattern) = @_;

	return scalar(grep { /^\d+\s+(?:$pattern)\(/ } @$calls);
}

my @kind = (
	[ 'all system calls' => '\w+' ],
	[ 'opens'            => 'open|openat|openat2|creat' ],
	[ 'forks'            => 'fork|vfork|clone|clone3' ],
	[ 'execs'            => 'execve|execveat' ],
	[ 'syncs'            => 'fsync|fdatasync|syncfs|sync' ],
	[ 'renames, links'   => 'rename\w*|link|linkat' ],
	[ 'unlinks'          => 'unlink|unlinkat' ],
	[ 'stats'            => '\w*stat\w*' ],
	[ 'reads, writes'    => 'p?read(?:v|64)?|p?write(?:v|64)?|recv\w*|send\w*' ],
);

# Ten messages, one after the other, each in a session of its own.
sub messages
{
	my ($name, $keep) = @_;
	my %server = servers();
	my $s      = $server{$name};
	my $warm   = watch($name, 3);

	send_mail($s->{port}, 3, 1, 0);
	readline $warm;
	sleep 0.5;
	my $watch = watch($name, MESSAGES);
	my $trace = attach($s->{group}, $name);
	send_mail($s->{port}, MESSAGES, 1, $keep);
	readline $watch;
	return detach($trace);
}

# Replies are what smtpd writes to the socket: 7 in a session of smtp-source.
sub socket_writes
{
	my ($calls) = @_;

	return scalar grep {
		/^\d+\s+(?:write|writev|sendto|sendmsg)\((?:0|1), .*"[2345]\d\d[ -]/
	} @$calls;
}

sub measure
{
	my %server = servers();
	my @name   = qw(nowait wait postfix);
	my %calls  = map { note("trace: $_"); $_ => [ messages($_, 0) ] } @name;
	my @keep   = messages('wait', 1);

	heading('A message of one session, by strace -f (per message, of '
		. MESSAGES . ')');
	text('', sprintf '%8s %8s %8s %12s', @name, 'wait -d');
	for (@kind) {
		my ($label, $pattern) = @$_;
		text($label, sprintf '%8.1f %8.1f %8.1f %12.1f',
			map { count($_, $pattern) / MESSAGES }
			(map { $calls{$_} } @name), \@keep);
	}
	for my $name (qw(nowait wait)) {
		row("syncs a message, $name: file and directory",
			count($calls{$name}, 'fsync|fdatasync|syncfs|sync')
			/ MESSAGES, '<=', 2, '', 'one journal commit');
	}
	row('system calls a message against Postfix, nowait',
		count($calls{nowait}, '\w+') / count($calls{postfix}, '\w+'),
		'<=', 1, 'x');
	row('socket writes for the 7 replies of a session',
		socket_writes($calls{nowait}) / MESSAGES, '<=', 7, '');
	keep_traces();
	return;
}

# For whoever wants to see where the calls go.
sub keep_traces
{
	my $to = $ENV{BENCH_TRACES} or return;

	for my $file (glob scratch() . '/strace.*') {
		my ($name) = $file =~ m{([^/]+)\z};
		Bench::Place::spew("$to/$name", slurp($file));
	}
	return;
}

1;
