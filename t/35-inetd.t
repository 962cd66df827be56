#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# A main.cf that cannot be read, in each form of starting a server: the client
# is told, nothing crashes or spins, and once it is mended the next one is
# served.

use strict;
use warnings;
use lib 't/lib';
use Malle qw(kill_and_wait program slurp spew wait_until);
use POSIX qw(WNOHANG);
use Test::More;

my %says = (
	smtpd => {
		good => qr/^220 /,
		bad  => qr/^421 4\.3\.5 Error: server configuration error\r?$/,
	},
	pop3d => {
		good => qr/^\+OK/,
		bad  => qr/^-ERR \[SYS\/PERM\] Server configuration error\r?$/,
	},
);
my $m    = Malle->new;
my $good = slurp($m->main_cf);
my $bad  = $good . "max_idle = tomorrow\n";

# By a new file: the old one may be read meanwhile.
sub put {
	spew($m->main_cf . '.new', $_[0]);
	rename $m->main_cf . '.new', $m->main_cf or die;
	return;
}

sub greeting {
	my ($what) = @_;
	my $t      = $what =~ /^\d+$/ ? $m->connect($what) : $m->talk($what);
	my $line   = $t->line;
	my $next   = defined $line && $line !~ /^(?:220|\+OK)/ ? $t->line : undef;

	$t->close;
	return ($line, $next);
}

# A program that is to end by itself; its exit status.
sub started {
	my ($name, $sock) = @_;
	my $pid = fork // die;

	return $pid if $pid;
	$SIG{ALRM} = 'DEFAULT';
	$ENV{MAIL_CONFIG} = $m->etc;
	POSIX::dup2(fileno $sock, $_) for 0, 1, 2;
	{ exec program($name) }
	POSIX::_exit(127);
}

for my $name (sort keys %says) {
	my $says = $says{$name};
	my ($line, $next);

	# A typo while the acceptor runs.
	put($good);
	my $port = $m->serve($name, 'wait');
	like((greeting($port))[0], $says->{good}, "$name: it serves");
	for my $round (1, 2) {
		put($bad);
		($line, $next) = greeting($port);
		like($line, $says->{bad}, "$name: a typo is told ($round)");
		is($next, undef, 'and the connection ends');
		put($good);
		like((greeting($port))[0], $says->{good},
		    "$name: mended, the same process serves ($round)");
	}

	like($m->log, qr/malle\/$name\[\d+\]: warning: \S+main\.cf, line \d+: bad time .*max_idle = tomorrow/,
	    "$name: and the mail log has it");

	# A typo before it is started.
	put($bad);
	spew($m->maillog, '');
	($line) = greeting($name);
	like($line, $says->{bad}, "$name: nowait form: told");
	like($m->log, qr/malle\/$name\[\d+\]: warning: .*max_idle/, 'and logged');
	put($good . "no entry\n");
	($line) = greeting($name);
	like($line, $says->{bad}, "$name: a line that is no entry: told");
	like($m->log, qr/warning: .*main\.cf, line \d+: .*"no entry"/, 'and logged');
	put($bad);
	my $sock = IO::Socket::INET->new(
		LocalAddr => '127.0.0.1', Listen => 8, ReuseAddr => 1,
	) or die "listen: $!\n";
	for my $round (1, 2) {
		my $pid = started($name, $sock);
		my $c = $m->connect($sock->sockport);
		$line = $c->line;
		like($line, $says->{bad}, "$name: wait form: told ($round)");
		is($c->line, undef, 'and the connection ends');
		$c->close;
		ok(wait_until { waitpid($pid, WNOHANG) == $pid }, 'it exits');
		is($? >> 8, 78, 'with EX_CONFIG');
		is($? & 127, 0, 'and no signal');
	}
	$sock->blocking(0);
	is($sock->accept, undef, 'nobody is left waiting');
	$sock->blocking(1);
	put($good);
	my $pid = started($name, $sock);
	like((greeting($sock->sockport))[0], $says->{good},
	    "$name: mended, a new one serves");
	kill_and_wait($pid);
	close $sock;
}
done_testing;
