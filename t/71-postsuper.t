#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# postsuper: what it says, what becomes of the messages, and that it leaves
# alone what is being delivered.

use strict;
use warnings;
use lib 't/lib';
use IO::Socket::INET;
use Malle qw(run is_root program slurp wait_until);
use Malle::Spool qw(id_of put state lock_message place_of);
use POSIX ();
use Socket ();
use Test::More;
use Time::HiRes qw(time);

my $waker = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Proto => 'udp') or die;
my $m = Malle->new(main => { qrun_service => 'inet:127.0.0.1:' . $waker->sockport });
my $t0 = 1736163296;
my ($r, @id);

sub woken {
	my @name;
	while (defined $waker->recv(my $name, 1000, Socket::MSG_DONTWAIT())) {
		push @name, $name;
	}
	return @name;
}

# A new spool with these messages, ids in @id.
sub fill {
	my (@place) = @_;

	@id = ();
	unlink map { $m->spool . "/$_" } $m->queue;
	unlink glob $m->spool . '/state/*';
	for (@place) {
		push @id, id_of($t0 + @id, 0xa0 + @id);
		put($m, $_, $id[-1], { from => 'a@b', to => [ 'alice@mondomaine.lan', 'c@d' ] });
	}
	woken();
	return;
}

sub places {
	return join ' ', map { place_of($m, $_) // '-' } @id;
}

# Options, what stands on standard error, where the messages are then.
sub case {
	my ($name, $arg, $err, $places, $in) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	$r = $m->run({ in => $in // '' }, 'postsuper', @$arg);
	is($r->{err}, join('', map { "postsuper: $_\n" } @$err), "$name: says");
	is($r->{out}, '', "$name: nothing else");
	is($r->{status}, 0, "$name: status");
	is(places(), $places, "$name: does");
	return;
}

my $wait = 'deferred/2000000040';

fill('incoming', $wait, 'hold', 'corrupt');
state($m, $id[1], '2 sent 2.0.0 x');
case('remove one', [ '-d', $id[1] ], [ "$id[1]: removed", 'Deleted: 1 message' ], 'incoming - hold corrupt');
ok(!-e $m->spool . "/state/$id[1]", 'its record too');
like($m->log, qr{ malle/postsuper\[\d+\]: $id[1]: removed\n\S+ +\S+ \S+ \S+ malle/postsuper\[\d+\]: Deleted: 1 message\n\z},
	'the same in the log');
case('gone', [ '-d', $id[1] ], ['Deleted: 0 messages'], 'incoming - hold corrupt');
case('all', [qw(-d ALL)], [ "$id[0]: removed", "$id[2]: removed", 'Deleted: 2 messages' ], '- - - corrupt');
case('corrupt must be named', [qw(-d ALL corrupt)], [ "$id[3]: removed", 'Deleted: 1 message' ], '- - - -');
case('nothing there', [qw(-d ALL)], ['Deleted: 0 messages'], '- - - -');
is_deeply([woken()], [], 'nobody was woken for that');

fill('incoming', $wait, 'hold', 'incoming');
case('hold', [ '-h', $id[0] ], [ "$id[0]: placed on hold", 'Placed on hold: 1 message' ],
	"hold $wait hold incoming");
case('hold twice', [ '-h', $id[0] ], ['Placed on hold: 0 messages'], "hold $wait hold incoming");
case('hold all deferred', [qw(-h ALL deferred)], [ "$id[1]: placed on hold", 'Placed on hold: 1 message' ],
	'hold hold hold incoming');
state($m, $id[1], '1 deferred 4.0.0 x');
case('release', [ '-H', $id[1] ], [ "$id[1]: released from hold", 'Released from hold: 1 message' ],
	'hold incoming hold incoming');
my ($file) = grep { /$id[1]/ } $m->queue;
is_deeply([woken()], [ $file =~ s{.*/}{}r ], 'and tried');
ok(-e $m->spool . "/state/$id[1]", 'its record stays');
case('release all', [qw(-H ALL)], [ "$id[0]: released from hold", "$id[2]: released from hold",
	'Released from hold: 2 messages' ], 'incoming incoming incoming incoming');
is_deeply([woken()], [''], 'and tried');

fill('incoming', $wait, 'deferred/60', 'hold');
state($m, $id[1], '2 sent 2.0.0 x');
case('requeue', [ '-r', $id[1] ], [ "$id[1]: requeued", 'Requeued: 1 message' ],
	'incoming incoming deferred/60 hold');
like(slurp($m->spool . "/state/$id[1]"), qr/ 2 sent 2\.0\.0 x$/m, 'who has it is remembered');
case('requeue all deferred', [qw(-r ALL deferred)], [ "$id[2]: requeued", 'Requeued: 1 message' ],
	'incoming incoming incoming hold');
case('requeue all', [qw(-r ALL)], [ map({ "$_: requeued" } @id), 'Requeued: 4 messages' ],
	'incoming incoming incoming incoming');

fill('incoming', $wait, 'hold', 'incoming');
case('ids on standard input', [qw(-d -)], [ "$id[0]: removed", "$id[1]: removed", 'Deleted: 2 messages' ],
	'- - hold incoming', "$id[1]*\n\n  $id[0]  x\r\n" . id_of(1, 1));
case('several', [ '-d', $id[3], '-H', $id[2], '-h', 'ALL' ], [ "$id[3]: removed", 'Deleted: 1 message',
	'Placed on hold: 0 messages', "$id[2]: released from hold", 'Released from hold: 1 message' ],
	'- - incoming -');
case('odd ids', [ '-d', '../x', '-d', '', '-d', 'a' x 300, '-h', "x\n" ],
	[ map({ 'warning: invalid mail queue id: ' . substr $_, 0, 100 } '../x', '', 'a' x 300), "warning: invalid mail queue id: x\n",
	'Deleted: 0 messages', 'Placed on hold: 0 messages' ], '- - incoming -');
case('active is no place', [qw(-d ALL active)], ['Deleted: 0 messages'], '- - incoming -');

for ([], ['x'], [qw(-d all)], [qw(-d ALL nowhere)], [qw(-Z)], ['-d']) {
	$r = $m->run('postsuper', @$_);
	is($r->{status}, 64, "@$_: EX_USAGE");
	ok($r->{err} ne '', 'says why');
}
is(places(), '- - incoming -', 'and does nothing');
like($m->run(qw(postsuper --help))->{out}, qr/^usage: postsuper /, '--help');

subtest 'what is being delivered' => sub {
	fill('incoming', $wait);
	my $lock = lock_message($m->spool . '/' . ($m->queue)[0]);
	my $pid = fork // die;
	if (!$pid) {
		# Delivered to the end while postsuper waits.
		select undef, undef, undef, 0.3;
		unlink $m->spool . '/' . (grep { /$id[0]/ } $m->queue)[0];
		POSIX::_exit(0);
	}
	case('it is gone in the end', [ '-d', $id[0] ], ['Deleted: 0 messages'], "- $wait");
	waitpid $pid, 0;
	undef $lock;

	fill('incoming', $wait);
	$lock = lock_message($m->spool . '/' . (grep { /$id[0]/ } $m->queue)[0]);
	$pid = fork // die;
	if (!$pid) {
		# Deferred while postsuper waits; the lock goes with us.
		close $lock;
		my ($name) = grep { /$id[0]/ } $m->queue;
		open my $other, '+<', $m->spool . "/$name" or POSIX::_exit(1);
		select undef, undef, undef, 0.2;
		rename $m->spool . "/$name", $m->spool . "/$wait/" . $name =~ s{.*/}{}r;
		POSIX::_exit(0);
	}
	my $out = $m->dir . '/err';
	my $super = fork // die;
	if (!$super) {
		close $lock;
		$ENV{MAIL_CONFIG} = $m->etc;
		exec '/bin/sh', '-c', 'exec "$0" -h "$1" 2> "$2"', program('postsuper'), $id[0], $out
		    or POSIX::_exit(127);
	}
	waitpid $pid, 0;
	is(place_of($m, $id[0]), $wait, 'not touched while locked');
	undef $lock;
	waitpid $super, 0;
	is(slurp($out), "postsuper: $id[0]: placed on hold\npostsuper: Placed on hold: 1 message\n",
		'found where it then is');
	is(places(), "hold $wait", 'held');

	fill('incoming', $wait);
	$lock = lock_message($m->spool . '/' . (grep { /$id[0]/ } $m->queue)[0]);
	my $start = time;
	$r = $m->run(qw(postsuper -d ALL));
	cmp_ok(time - $start, '<', 20, 'it does not wait for ever');
	is($r->{status}, 75, 'EX_TEMPFAIL');
	is($r->{err}, "postsuper: $id[1]: removed\npostsuper: warning: $id[0]: being delivered now, "
		. "left alone; try again later\npostsuper: Deleted: 1 message\n", 'says which');
	is(places(), 'incoming -', 'and leaves it');
};

subtest 'with a runner at work' => sub {
	# Each message is delivered once, or removed; never both.
	my $o = Malle->new(main => { alias_maps => '' });
	my $n = 300;
	put($o, 'incoming', id_of($t0 + $_, 1), { from => 'a@b', to => ['alice@mondomaine.lan'] }) for 1 .. $n;
	my $pid = fork // die;
	if (!$pid) {
		$ENV{MAIL_CONFIG} = $o->etc;
		exec program('qrun') or POSIX::_exit(127);
	}
	wait_until { $o->mail_names('alice') };
	$r = $o->run(qw(postsuper -d ALL));
	waitpid $pid, 0;
	my ($removed) = $r->{err} =~ /Deleted: (\d+) message/;
	my @got = $o->mail_names('alice');
	is(@got + $removed, $n, "$removed removed, the rest delivered") or diag $r->{err} =~ s/^.*removed\n//mgr;
	is_deeply([ $o->queue ], [], 'none left');
};

subtest 'who may' => sub {
	plan skip_all => 'needs root' unless is_root();
	my $p = Malle->new(mode => 0755);
	chmod 0755, $p->etc;
	chmod 0777, $p->dir . '/log';
	put($p, 'hold', $id[0], { from => 'a@b', to => ['c@d'] });
	chmod 0755, $p->spool;
	my @as = ('/bin/sh', '-c', 'cat "$1" > "$2"/ps; chmod 755 "$2"/ps; u=$3; exec setpriv --reuid=$u --regid=$u --clear-groups "$2"/ps -d ALL',
		'sh', program('postsuper'), $p->dir);
	$r = $p->run(@as, 61009);
	is($r->{status}, 77, 'EX_NOPERM');
	like($r->{err}, qr/^postsuper: fatal: use of this command is reserved for the superuser and the owner of /, 'says so');
	is(place_of($p, $id[0]), 'hold', 'nothing done');
	$r = $p->run(@as, scalar getpwnam 'mail');
	is($r->{status}, 0, 'the owner of the spool') or diag $r->{err};
	is(place_of($p, $id[0]), undef, 'may');
};

done_testing;
