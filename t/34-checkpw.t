#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# checkpw: passwords from a passwd file and from a shadow file; who is
# refused; and that refusals take the same time.

use strict;
use warnings;
use lib 't/lib';
use POSIX       qw(dup2);
use Test::More;
use Malle       qw(hash_password program run spew);

my $m    = Malle->new;
my $good = hash_password('secret');
my $slow = crypt 'secret', '$y$j9T$saltsaltsaltsalt$';
my $day  = int(time / 86400);

sub row { return "$_[0]:$_[1]:1000:1000::/home/$_[0]:/usr/sbin/nologin\n" }

my %shadow = (
	shadowed   => "$good:19000:0:99999:7:::",
	noage      => "${good}:::::::",
	minus      => "$good:19000:-1:-1:-1:-1:-1:",
	short      => $good,
	expired    => "$good:19000:0:99999:7::@{[$day - 1]}:",
	lasttoday  => "$good:19000:0:99999:7::@{[$day + 2]}:",
	mustchange => "$good:0:0:99999:7:::",
	old        => "$good:@{[$day - 100]}:0:30:7:10::",
	grace      => "$good:@{[$day - 35]}:0:30:7:10::",
	noinactive => "$good:@{[$day - 100]}:0:30:7:::",
	slocked    => "!$good:19000:0:99999:7:::",
	sstar      => '*:19000:0:99999:7:::',
	sempty     => ':19000:0:99999:7:::',
	broken     => "$good:x:0:99999:7:::",
	sx         => 'x:19000:0:99999:7:::',
);
my %passwd = (
	alice    => $good,
	Capital  => $good,
	yescrypt => $slow,
	locked   => "!$good",
	star     => '*',
	empty    => '',
	nohash   => '(none)',
	des      => 'NP',
	missing  => 'x',
	map { $_ => 'x' } keys %shadow,
);
spew($m->etc . '/passwd', join '', map { row($_, $passwd{$_}) } sort keys %passwd);
spew($m->etc . '/shadow', join '', map { "$_:$shadow{$_}\n" } sort keys %shadow);
$m->main(shadow_file => $m->etc . '/shadow');

# Asks, with the question on descriptor 3; the exit code, -1 for a signal.
sub ask {
	my ($question, @arg) = @_;
	my $program = program('checkpw');

	pipe my $in, my $out or die;
	my $pid = fork // die;
	if (!$pid) {
		close $out;
		dup2(fileno $in, 3) if fileno $in != 3;
		$^F = 3;
		fcntl $in, 2, 0 if fileno $in == 3;
		$ENV{MAIL_CONFIG} = $m->etc;
		{ exec $program, @arg };
		POSIX::_exit(99);
	}
	close $in;
	print {$out} $question;
	close $out;
	waitpid $pid, 0;
	return $? & 127 ? -1 : $? >> 8;
}

sub login { return ask("$_[0]\0$_[1]\0" . "0\0") }

is(login(@$_), 0, "right: $_->[0]") for [ alice => 'secret' ],
    [ capital => 'secret' ], [ yescrypt => 'secret' ],
    map { [ $_ => 'secret' ] }
    qw(shadowed noage minus short lasttoday grace noinactive);
is(login(@$_), 1, "refused: @$_") for [ alice => 'Secret' ], [ alice => '' ],
    [ alice => 'secret ' ], [ nobody => 'secret' ], [ '' => 'secret' ],
    [ 'alice:' . $good => 'secret' ], [ "alice\n" => 'secret' ],
    [ empty => '' ], [ sempty => '' ], [ nohash => 'secret' ],
    [ sx => 'secret' ], [ star => '*' ],
    map { [ $_ => 'secret' ] }
    qw(locked star empty des missing expired mustchange old slocked sstar
    sempty);
is(login('broken', 'secret'), 111, 'a row that nobody understands');
is(login('alice', 'x' x 511), 1, 'a password of 511 octets is hashed');
is(login('alice', 'x' x 512), 1, '512 octets are refused');
is(login('alice', 'x' x 60_000), 1, 'and 60000');
is(login('x' x 256, 'secret'), 1, 'a name of 256 octets');
is(ask(''), 2, 'nothing');
is(ask('alice'), 2, 'no NUL');
is(ask("alice\0secret"), 2, 'only one');
is(ask("alice\0secret\0"), 0, 'the timestamp may be missing');
is(ask("alice\0secret\0" . "0\0", '-c', $m->etc), 0, '-c');
is(ask("alice\0secret\0" . "0\0", '-c', '/nonexistent'), 111,
	'no configuration: cannot tell');

$m->main(passwd_file => '/nonexistent');
is(login('alice', 'secret'), 111, 'no passwd file: cannot tell');
spew($m->etc . '/half', row('bob', $good) . 'alice:$y$');
$m->main(passwd_file => $m->etc . '/half');
is(login('alice', 'secret'), 111, 'a half written one: cannot tell');
$m->main(passwd_file => $m->etc . '/passwd', shadow_file => '/nonexistent');
is(login('shadowed', 'secret'), 111, 'no shadow file: cannot tell');
$m->main(shadow_file => $m->etc . '/shadow');

is(run('checkpw', '--help')->{status}, 0, '--help');
is(run('checkpw', '-x')->{status}, 64, 'an unknown option');
is($m->run('checkpw')->{status}, 2, 'no descriptor 3');

# CPU time, not the clock: the machine has other things to do.  Summed, since
# it is counted in hundredths; a hash that was not computed would be next to
# nothing.
my %cpu;
for my $round (1 .. 9) {
	for my $user (qw(yescrypt nobody locked empty nohash missing)) {
		my (undef, undef, @before) = times;
		login($user, 'wrong');
		my (undef, undef, @after) = times;
		$cpu{$user} += $after[0] + $after[1] - $before[0] - $before[1];
	}
}
for my $user (qw(nobody locked empty nohash missing)) {
	my $ratio = $cpu{$user} / ($cpu{yescrypt} || 0.01);
	ok($ratio > 0.5 && $ratio < 2, "$user takes as long as a wrong password")
	    or diag "ratio $ratio";
}
done_testing;
