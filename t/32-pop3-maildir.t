#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# POP3 on a Maildir: what is a message, its size, its unique-id, its text as
# sent, and what other programs do meanwhile.

use strict;
use warnings;
use lib 't/lib';
use File::Path qw(make_path remove_tree);
use POSIX      qw(mkfifo);
use Test::More;
use Malle      qw(is_root spew slurp);

my $m   = Malle->new;
my $dir = $m->home('alice') . '/Maildir';
my @own = is_root() ? (stat $m->home('alice'))[ 4, 5 ] : ($>, $) + 0);

sub fresh {
	remove_tree($dir);
	make_path("$dir/new", "$dir/cur", "$dir/tmp", { mode => 0700 });
	chown @own, $dir, map { "$dir/$_" } qw(new cur tmp);
	return;
}

sub put {
	my ($name, $text) = @_;

	$name = "new/$name" unless $name =~ m{/};
	spew("$dir/$name", $text);
	chown @own, "$dir/$name";
	return;
}

sub login {
	my $t = $m->talk('pop3d');

	$t->line;
	$t->say('USER alice', 'PASS secret');
	$t->line;
	my $line = $t->line;
	return wantarray ? ($t, $line) : $t;
}

# The lines of a multi-line answer, as octets without the last ".".
sub many {
	my ($t, $command) = @_;
	my ($first, $text) = (undef, '');

	$t->say($command);
	$first = $t->line;
	return $first if $first !~ /^\+OK/;
	while (defined(my $line = $t->line)) {
		return ($first, $text) if $line eq '.';
		$text .= $line . ($line =~ /\n\z/ ? '' : "\r\n");
	}
	return ("EOF after $first", $text);
}

sub unstuffed { return $_[0] =~ s/^\.//gmr }

# Every text is announced with the octets that are sent.
my %text = (
	'plain'            => [ "A: b\n\nc\n", "A: b\r\n\r\nc\r\n" ],
	'no last newline'  => [ "A: b\n\nc", "A: b\r\n\r\nc\r\n" ],
	'empty'            => [ '', '' ],
	'one newline'      => [ "\n", "\r\n" ],
	'CRLF as stored'   => [ "A: b\r\n\r\nc\r\n", "A: b\r\n\r\nc\r\n" ],
	'dots'             => [ ".\n..\n.x\n...\n", ".\r\n..\r\n.x\r\n...\r\n" ],
	'a dot at the end' => [ "x\n.", "x\r\n.\r\n" ],
	'NUL and 8 bits'   => [ "a\0b\xe9\n\0\n", "a\0b\xe9\r\n\0\r\n" ],
	'a long line'      => [ 'x' x 70_000 . "\n", 'x' x 70_000 . "\r\n" ],
	'CR LF at a buffer end' =>
	    [ 'x' x 16_383 . "\r\n.\n", 'x' x 16_383 . "\r\n.\r\n" ],
	'LF at a buffer end' =>
	    [ 'x' x 16_384 . "\n.\n", 'x' x 16_384 . "\r\n.\r\n" ],
);
for my $name (sort keys %text) {
	my ($stored, $want) = @{ $text{$name} };

	fresh();
	put('1.a.host', $stored);
	my $t = login();
	$t->say('LIST 1');
	is($t->line, '+OK 1 ' . length $want, "$name: size");
	my ($first, $got) = many($t, 'RETR 1');
	is($first, '+OK ' . length($want) . ' octets', '... announced');
	ok(unstuffed($got) eq $want, '... and what is sent')
	    or diag length $got, ' octets';
	$t->close;
}

fresh();
put('1.a.host', "S: x\n\na\r.\rb\r.\r\n");
my $t = login();
my ($first, $got) = many($t, 'RETR 1');
is($first, '+OK 17 octets', 'a lone CR is an octet');
is($got, "S: x\r\n\r\na\r..\rb\r..\r\n", 'and a dot after it is doubled');
$t->close;

# What is no message.
fresh();
put('1.a.host,W=7', "A: b\n");
put('cur/2.b.host:2,S', "A: b\n");
spew($m->dir . '/secret', "not yours\n");
symlink $m->dir . '/secret', "$dir/new/3.link.host,W=10";
mkdir "$dir/new/4.dir.host,W=1";
mkfifo("$dir/new/5.fifo.host,W=1", 0600);
put('.6.hidden,W=1', 'x');
if (is_root()) {
	link $m->dir . '/secret', "$dir/new/7.hard.host,W=10";
	chmod 0644, $m->dir . '/secret';
}
my $line;
($t, $line) = login();
is($line, '+OK Mailbox open, ' . (is_root() ? 3 : 2) . ' messages',
	'links, directories and FIFOs are no messages');
($first, $got) = many($t, 'LIST');
like($got, qr/\A1 7\r\n2 6\r\n/, 'the size stands in the name, or is counted');
SKIP: {
	skip 'needs root: another owner', 1 unless is_root();
	($first) = many($t, 'RETR 3');
	like($first, qr/^-ERR /, "a second name of another's file is not sent");
}
$t->close;
unlink glob "$dir/new/[3-7]*";

# Unique-ids.
fresh();
my %name = (
	'new/1600000000.a.host,S=3,W=4' => '1600000000.a.host',
	'cur/1600000001.b.host,S=3:2,RS' => '1600000001.b.host',
	'new/999999999.old' => '999999999.old',
	'new/1600000002.' . 'x' x 80 => undef,
	"new/1600000003.sp ace" => undef,
	"new/1600000004.twin,1" => undef,
	"new/1600000004.twin,2" => undef,
	"new/1600000005.caf\xe9" => undef,
);
put($_, "x\n") for keys %name;
$t = login();
($first, $got) = many($t, 'UIDL');
my @id = map { (split / /)[1] } split /\r\n/, $got;
is(scalar @id, 8, 'each message has one');
is(scalar(keys %{ { map { $_ => 1 } @id } }), 8, 'of its own');
is((grep { !/^[!-~]{1,70}$/ } @id) + 0, 0, '1 to 70 printable octets');
is_deeply([ @id[ 0 .. 2 ] ], [ '999999999.old', '1600000000.a.host',
	'1600000001.b.host' ], 'from the name, in the order of time');
$t->close;
rename "$dir/new/1600000000.a.host,S=3,W=4",
    "$dir/cur/1600000000.a.host,S=3,W=4:2,FS";
$t = login();
is((many($t, 'UIDL'))[1], $got, 'the same in the next session');
$t->close;

# Others at work.
fresh();
put("$_.m.host,W=6", "n: $_\n") for 1 .. 6;
$t = login();
put('7.m.host', "n: 7\n");
unlink "$dir/new/1.m.host,W=6";
rename "$dir/new/2.m.host,W=6", "$dir/cur/2.m.host,W=6:2,S";
like((many($t, 'RETR 1'))[0], qr/^-ERR /, 'a vanished message');
is((many($t, 'RETR 2'))[1], "n: 2\r\n", 'one that a reader has flagged');
$t->say('STAT');
is($t->line, '+OK 6 36', 'new mail does not count');
rename "$dir/new/3.m.host,W=6", "$dir/cur/3.m.host,W=6:2,S";
rename "$dir/cur/2.m.host,W=6:2,S", "$dir/cur/2.m.host,W=6:2,RS";
$t->say('DELE 1', 'DELE 2', 'DELE 3', 'DELE 4', 'QUIT');
$t->line for 1 .. 4;
is($t->line, '+OK Sayonara', 'QUIT');
$t->close;
is_deeply([ $m->mail_names('alice') ],
	[ 'new/5.m.host,W=6', 'new/6.m.host,W=6', 'new/7.m.host' ],
	'all of the deleted are gone, whatever they are called now');

$t = login();
like((login())[1], qr/^-ERR \[IN-USE\] /, 'one session at a time');
kill KILL => $t->pid;
$t->close;
(undef, $line) = login();
is($line, '+OK Mailbox open, 3 messages', 'the lock dies with its process');

# Removing that fails: the directory is not writable (not for root as user).
SKIP: {
	skip 'needs root: chattr on a directory', 3
	    unless is_root() && system("chattr +a $dir/new 2>/dev/null") == 0;
	$t = login();
	$t->say('DELE 1', 'QUIT');
	$t->line;
	like($t->line, qr{^-ERR \[SYS/TEMP\] 1 of 1 deleted messages were not },
		'QUIT says what stayed');
	$t->close;
	is(scalar $m->mail_names('alice'), 3, 'and it did');
	is(system("chattr -a $dir/new"), 0, 'as before');
}

# A mailbox that is somebody else's.
SKIP: {
	skip 'needs root: another owner', 2 unless is_root();
	chown 0, 0, $m->home('alice');
	(undef, $line) = login();
	like($line, qr/^-ERR \[SYS/, "a home of root's is not alice's");
	chown @own, $m->home('alice');
	my $bob = $m->home('bob') . '/Maildir';
	make_path("$bob/new", "$bob/cur", "$bob/tmp", { mode => 0755 });
	spew("$bob/new/1.secret", "x\n");
	my @bob = (stat $m->home('bob'))[ 4, 5 ];
	chown @bob, $bob, map { "$bob/$_" } qw(new cur tmp new/1.secret);
	chmod 0755, $m->home('bob');
	rename $dir, "$dir.own";
	symlink $bob, $dir;
	(undef, $line) = login();
	like($line, qr/^-ERR \[SYS/, "a link to bob's Maildir is not followed");
	unlink $dir;
	rename "$dir.own", $dir;
}

# Listing opens nothing: sizes are believed as they stand in the names.
fresh();
put("$_.host,W=1000", 'x') for 1 .. 2000;
$t = login();
$t->say('STAT');
is($t->line, '+OK 2000 2000000', '2000 messages, none opened');
($first, $got) = many($t, 'UIDL');
is((() = $got =~ /\n/g) + 0, 2000, 'a long list comes whole');
$t->say(map { "DELE $_" } 1 .. 2000);
$t->line for 1 .. 2000;
$t->say('QUIT');
is($t->line, '+OK Sayonara', 'all deleted');
$t->close;
is_deeply([ $m->mail_names('alice') ], [], 'and gone');
done_testing;
