#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What run-private needs and a shell cannot do; perl-base is enough.
#
#   free NAME/PROTO/PORT...      exit 1, naming those that are in use
#   answer LOG NAME/PORT...      wait until each greets; exit 1 after 15 s,
#                                or when LOG says that a port was not got
#   hash PASSWORD                a yescrypt hash
#   guard FIFO MARK              wait until nobody has FIFO open any more,
#                                then end every process started with
#                                MALLE_RUN=MARK, and their children
use strict;
use warnings;
use Fcntl;
use IO::Socket::INET;
use POSIX ();

sub free {
	my $used = 0;

	for (@_) {
		my ($name, $proto, $port) = split m{/};
		my $s = IO::Socket::INET->new(
			LocalAddr => '127.0.0.1',
			LocalPort => $port,
			Proto     => $proto,
			$proto eq 'tcp' ? (Listen => 1, ReuseAddr => 1) : (),
		);
		next if $s;
		warn "port $port ($name) cannot be used: $!\n";
		$used = 1;
	}
	return $used;
}

sub greeting {
	my ($name, $port) = @_;
	my $s = IO::Socket::INET->new(
		PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 5,
	) or return;
	# TLS from the first octet, which perl-base does not speak: it listens.
	return 1 if $name =~ /s\z/;
	# Only so that a server that says nothing cannot hold us.
	POSIX::sigaction(POSIX::SIGALRM(), POSIX::SigAction->new(sub { }));
	alarm 5;
	my $line = '';
	1 while $line !~ /\n/ && sysread $s, $line, 512, length $line;
	alarm 0;
	my $good = $line =~ /^(?:220|\+OK)/;
	syswrite $s, "QUIT\r\n" if $good;
	# To its end, so that the log shows no lost connection.
	alarm 5;
	1 while $good && sysread $s, $line, 512;
	alarm 0;
	return $good;
}

sub said_no {
	my ($log) = @_;

	open my $fh, '<', $log or return;
	while (<$fh>) {
		return $_ if /bind failed|no services|execv.*failed/;
	}
	return;
}

sub answer {
	my ($log, @wanted) = @_;
	my $end = time + 15;

	local $SIG{PIPE} = 'IGNORE';
	while (@wanted) {
		my $why = said_no($log);
		if (defined $why) {
			warn $why;
			return 1;
		}
		my ($name, $port) = split m{/}, $wanted[0];
		if (greeting($name, $port)) {
			shift @wanted;
		} elsif (time > $end) {
			warn "port $port ($name) does not answer\n";
			return 1;
		} else {
			select undef, undef, undef, 0.05;
		}
	}
	return 0;
}

sub hash {
	my ($password) = @_;
	my @set = ('a' .. 'z', 'A' .. 'Z', 0 .. 9);
	my $random = '';

	open my $fh, '<:raw', '/dev/urandom' or die "/dev/urandom: $!\n";
	sysread $fh, $random, 16;
	my $salt = join '', map { $set[ ord($_) % @set ] } split //, $random;
	my $hash = crypt $password, "\$y\$j9T\$$salt\$";
	die "crypt(3) knows no yescrypt here\n"
	    unless defined $hash && $hash =~ /^\$y\$/;
	print "$hash\n";
	return 0;
}

# Every process: pid => parent.
sub parents {
	my %parent;

	for my $stat (glob '/proc/[0-9]*/stat') {
		open my $fh, '<', $stat or next;
		my $text = <$fh> // next;
		$parent{$1} = $2 if $text =~ /^(\d+) \(.*\) [^Z] (\d+) /s;
	}
	return \%parent;
}

sub is_marked {
	my ($pid, $mark) = @_;

	open my $fh, '<', "/proc/$pid/environ" or return 0;
	local $/ = undef;
	my $text = <$fh> // return 0;
	return $text =~ /(?:^|\0)MALLE_RUN=\Q$mark\E(?:\0|$)/;
}

# The marked and all below them: a program for a user has an environment of
# its own.
sub ours {
	my ($mark) = @_;
	my $parent = parents();
	my %in = map { $_ => 1 } grep { is_marked($_, $mark) } keys %$parent;
	my $grew = 1;

	while ($grew) {
		$grew = 0;
		for (keys %$parent) {
			next if $in{$_} || !$in{ $parent->{$_} };
			$in{$_} = $grew = 1;
		}
	}
	delete $in{$$};
	return keys %in;
}

sub guard {
	my ($fifo, $mark) = @_;

	POSIX::setsid();
	$SIG{$_} = 'IGNORE' for qw(INT TERM HUP QUIT PIPE);
	sysopen my $fh, $fifo, O_RDONLY or die "$fifo: $!\n";
	unlink $fifo;
	my $n;
	do { $n = sysread $fh, my $octet, 1 } until defined $n && $n == 0;
	for my $try (0 .. 200) {
		my @pid = ours($mark) or last;
		kill $try < 60 ? 'TERM' : 'KILL', @pid if $try % 20 == 0 || $try > 60;
		select undef, undef, undef, 0.05;
	}
	return 0;
}

my %command = (free => \&free, answer => \&answer, hash => \&hash,
	guard => \&guard);
my $name = shift // '';
exit(($command{$name} // die "private.pl: see its first lines\n")->(@ARGV));
