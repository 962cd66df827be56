#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# What nobody should send to a POP3 server, and what must come of it.

use strict;
use warnings;
use lib 't/lib';
use File::Path   qw(make_path);
use MIME::Base64 qw(encode_base64);
use Test::More;
use Time::HiRes  qw(time);
use Malle        qw(is_root spew wait_until);

my $m = Malle->new;

sub deliver {
	my ($name, $text) = @_;
	my $dir = $m->home('alice') . '/Maildir';

	make_path("$dir/new", "$dir/cur", "$dir/tmp", { mode => 0700 });
	spew("$dir/new/$name", $text);
	my ($uid, $gid) = (stat $m->home('alice'))[ 4, 5 ];
	chown $uid, $gid, $dir, "$dir/new", "$dir/cur", "$dir/tmp",
	    "$dir/new/$name" if is_root();
	return;
}

sub b64 { return encode_base64($_[0], '') }

sub login {
	my ($how) = @_;
	my $t = $m->talk($how // 'pop3d');

	$t->line;
	$t->say('USER alice', 'PASS secret');
	$t->line;
	$t->line =~ /^\+OK Mailbox open/ or die $t->record;
	return $t;
}

deliver("1$_.host", "S: $_\n\n$_\n") for 1 .. 3;

# Numbers (the classic: 4294967297 is 1 in 32 bits).
my @bad = ('', ' ', '0', '-1', '+1', '4', '4294967297', '18446744073709551617',
	'99999999999999999999', '0x1', '1 2', '01a', ' 1', "1\t", '1,2', 'one');
my $t = login();
for my $verb (qw(RETR DELE TOP UIDL LIST)) {
	for my $n (@bad) {
		next if $verb =~ /UIDL|LIST/ && $n =~ /^\s*$/;
		next if $n eq "1\t";
		$t->say($verb eq 'TOP' ? "TOP $n 1" : "$verb $n");
		my $line = $t->line // 'EOF';
		like($line, qr/^-ERR /, "$verb '$n'");
	}
}
for my $n ('-1', '', 'x', '1 1', '99999999999999999999') {
	$t->say("TOP 1 $n");
	like($t->line, qr/^-ERR /, "TOP 1 '$n'");
}
$t->say('STAT');
is($t->line, '+OK 3 33', 'and nothing was deleted');
$t->say("\0RETR 1", "RETR\0 1", '', 'XXXX', 'RETR' x 500, 'A' x 100_000,
	'STLS', 'AUTH PLAIN', 'PASS x', 'NOOP');
like($t->line, qr/^-ERR /, 'nonsense') for 1 .. 9;
like($t->line, qr/^\+OK /, 'and the session goes on');
$t->close;
is(scalar $m->mail_names('alice'), 3, 'a session without QUIT deletes nothing');

$t = login();
$t->say('DELE 1', 'DELE 2', 'DELE 3', 'STAT');
$t->line for 1 .. 3;
is($t->line, '+OK 0 0', 'all marked');
kill KILL => $t->pid;
$t->close;
is(scalar $m->mail_names('alice'), 3, 'killed: nothing is deleted');

# Logins.
sub refused {
	my ($name, @line) = @_;
	my $talk = $m->talk('pop3d');

	$talk->line;
	$talk->say(@line, 'QUIT');
	my @got = split /\r\n/, $talk->rest;
	is((grep { /^-ERR/ } @got) + 0, 1, $name) or diag $talk->record;
	is($got[-1], '+OK Sayonara', '... and it can QUIT');
	$talk->close;
	return;
}

refused('a wrong password', 'USER alice', 'PASS wrong');
refused('no such user', 'USER nobody', 'PASS secret');
refused('an empty password', 'USER alice', 'PASS ');
refused('no password', 'USER alice', 'PASS');
refused('PASS first', 'PASS secret');
refused('no name', 'USER');
refused('a password of 512 octets', 'USER alice', 'PASS ' . 'x' x 512);
refused('a long name', 'USER ' . 'x' x 300, 'PASS secret');
refused('a name with a colon', 'USER alice:' , 'PASS secret');
refused('a path for a name', 'USER ../alice', 'PASS secret');
refused('another domain', 'USER alice@example.org', 'PASS secret');
refused('a blank too many', 'USER alice', 'PASS secret ');
refused('STAT before the login', 'STAT');
refused('a line of 10000 octets', 'USER ' . 'a' x 10_000);
refused("AUTH PLAIN, $_->[0]", 'AUTH PLAIN ' . $_->[1]) for
    [ 'for another', b64("bob\0alice\0secret") ],
    [ 'one NUL', b64("alice\0secret") ],
    [ 'three NULs', b64("\0alice\0secret\0x") ],
    [ 'no name', b64("\0\0secret") ],
    [ 'no password', b64("\0alice\0") ],
    [ 'nothing', '=' ],
    [ 'no base64', '*' ],
    [ 'half base64', 'AGFsaWNlAHNlY3JldA=' ],
    [ 'a password of 512 octets', b64("\0alice\0" . 'x' x 512) ];
refused('AUTH LOGIN, a NUL', 'AUTH LOGIN', b64('alice'), b64("secret\0"));
refused('AUTH LOGIN, no base64', 'AUTH LOGIN', 'alice');
refused('AUTH LOGIN, a long answer', 'AUTH LOGIN', 'A' x 8000);

$t = $m->talk('pop3d');
$t->line;
$t->say(('USER alice', 'PASS x') x 5);
my @got = split /\r\n/, $t->rest;
is((grep { /\[AUTH\]/ } @got) + 0, 3, 'three tries a connection');
is($got[-1], '-ERR [AUTH] Bad login', 'and it ends');
$t->close;
$m->log =~ /^(.*LOGIN FAILED.*)$/m;
like($1, qr/: LOGIN FAILED, user=alice, ip=\[127\.0\.0\.1\]$/,
	'a failure as fail2ban knows it');
$t = $m->talk('pop3d');
$t->line;
$t->say("USER a, ip=[192.0.2.1]\x1b", 'PASS x', 'QUIT');
$t->rest;
$t->close;
like($m->log, qr/user=a\?\?ip\?\?192\.0\.2\.1\?\?, ip=\[127\.0\.0\.1\]$/m,
	'a name cannot write the rest of the line');
unlike($m->log, qr/secret/, 'no password in the log');

# checkpw that does not do its work.
for my $bad ('exit 7', 'kill -9 $$', 'echo; exit 111', 'exit 2') {
	my $dir = $m->dir . '/bad';

	mkdir $dir;
	spew("$dir/checkpw", "#!/bin/sh\n$bad\n");
	chmod 0755, "$dir/checkpw";
	$m->main(daemon_directory => $dir);
	$t = $m->talk('pop3d');
	$t->line;
	$t->say('USER alice', 'PASS secret', 'QUIT');
	$t->line;
	is($t->line, '-ERR [SYS/TEMP] Cannot check passwords now', "checkpw: $bad");
	$t->close;
	unlink "$dir/checkpw";
}
$t = $m->talk('pop3d');
$t->line;
$t->say('USER alice', 'PASS secret');
$t->line;
like($t->line, qr{^-ERR \[SYS/TEMP\]}, 'no checkpw');
$t->close;
$m->main(daemon_directory => Malle::build_dir());

# Time.
$m->main(pop3_login_timeout => '1s', pop3_timeout => '1s');
for my $form ('pop3d', $m->serve('pop3d', 'nowait')) {
	my $what = $form eq 'pop3d' ? 'on pipes' : 'on a socket';
	my $start = time;
	$t = $form eq 'pop3d' ? $m->talk($form) : $m->connect($form);
	$t->line;
	my $sent = 0;
	# Each line in time, all of them not.
	my $gone = wait_until { $sent++; !$t->say('CAPA') ||
	    ($t->line // '') eq '' } 10;
	ok($gone, "$what: the login must be over in time");
	cmp_ok(time - $start, '<', 6, '... and is not prolonged by talking');
	$t->close;

	$t = $form eq 'pop3d' ? $m->talk($form) : $m->connect($form);
	$t->line;
	$t->say('USER alice', 'PASS secret', 'DELE 1');
	$t->line for 1 .. 3;
	is($t->rest, '', "$what: an idle session ends without a word");
	$t->close;
}
is(scalar $m->mail_names('alice'), 3, 'and deletes nothing');
ok(wait_until { $m->log =~ /TIMEOUT, user=alice,/ },
	'which the log calls a timeout');
done_testing;
