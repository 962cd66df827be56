#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# mailq and postqueue: what they show, octet for octet, and what they make
# the runner try.

use strict;
use warnings;
use lib 't/lib';
use IO::Socket::INET;
use JSON::PP;
use Malle qw(run is_root program spew build_dir wait_until);
use Malle::Spool qw(id_of put state lock_message place_of);
use Socket ();
use Test::More;
use Time::HiRes qw(time);

$ENV{TZ} = 'CET-1';
my $waker = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Proto => 'udp') or die;
my @wake = (qrun_service => 'inet:127.0.0.1:' . $waker->sockport);
my $t0 = 1736163296;	# Mon Jan  6 12:34:56 2025 in CET
my $r;

sub woken {
	my @name;
	while (defined $waker->recv(my $name, 1000, Socket::MSG_DONTWAIT())) {
		push @name, $name;
	}
	return @name;
}

my $head = "----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------\n";
my $m = Malle->new(main => {@wake});

subtest 'an empty queue' => sub {
	for my $arg ([qw(postqueue -p)], ['mailq'], [qw(sendmail -bp)]) {
		$r = $m->run(@$arg);
		is($r->{out}, "Mail queue is empty\n", "@$arg");
		is("$r->{status}$r->{err}", '0', 'and nothing else');
	}
	$r = $m->run(qw(postqueue -j));
	is("$r->{status}$r->{out}$r->{err}", '0', '-j: no line');
};

my ($now, $old, $later, $held, $two) = map { id_of($t0 - $_->[0], $_->[1]) }
    [ 0, 0xab ], [ 295, 2 ], [ 300, 3 ], [ 90000, 4 ], [ 0, 0xac ];
my $due = 1736164020;

subtest 'one message' => sub {
	my $path = put($m, 'incoming', $now,
		{ from => 'bob@example.com', to => ['alice@lan2.example.com'], size => 1023 });
	$r = $m->run('mailq');
	is($r->{out}, <<"END", 'byte for byte');
$head$now     1023 Mon Jan  6 12:34:56 bob\@example.com
                                               alice\@lan2.example.com

-- 0 Kbytes in 1 Request.
END
	is("$r->{status}$r->{err}", '0', 'and nothing else');
};

subtest 'all places, in order' => sub {
	put($m, "deferred/$due", $old, {
		from => '', size => 1024,
		to => ['carol@lan3.example.com', ['dave@lan3.example.com', 'dave'], 'erin@lan4.example.com',
			'frank@lan5.example.com', 'gone@lan6.example.com'],
	});
	my $refused = 'connect to lan3.example.com[10.0.0.3]:25: Connection refused';
	my $long = 'host mx[10.0.0.9] said: 450 4.2.0 ' . 'x' x 60;
	state($m, $old, "1 deferred 4.4.1 something else", "1 deferred 4.4.1 $refused",
		"2/0123456789abcdef sent 2.0.0 one target", "2/fedcba9876543210 deferred 4.4.1 $refused",
		"3 deferred 4.2.0 $long", "5 sent 2.0.0 delivered to maildir", "9 deferred 4.0.0 nobody",
		"junk", "4 defe");
	put($m, 'deferred/90', $later, { from => 'z@example.com', to => ['alice@mondomaine.lan'] });
	put($m, 'hold', $held, { from => 'bob@example.com', to => ['alice@lan2.example.com'] });
	my $busy = put($m, "deferred/$due", $two, { from => 'busy@example.com', to => ['x@y'], size => 99999 });
	my $lock = lock_message($busy);
	spew($m->spool . '/incoming/README', 'not ours');
	$r = $m->run(qw(postqueue -p));
	my $width = 78 - 2 - length $refused;
	is($r->{out}, $head . <<"END", 'byte for byte');
$two*    99999 Mon Jan  6 12:34:56 busy\@example.com
                                               x\@y

$now     1023 Mon Jan  6 12:34:56 bob\@example.com
                                               alice\@lan2.example.com

$later       59 Mon Jan  6 12:29:56 z\@example.com
                                               alice\@mondomaine.lan

$old     1024 Mon Jan  6 12:30:01 MAILER-DAEMON
@{[' ' x $width]}($refused)
                                               carol\@lan3.example.com
                                               dave\@lan3.example.com
($long)
                                               erin\@lan4.example.com
                                                          (reason unavailable)
                                               frank\@lan5.example.com

$held!       59 Sun Jan  5 11:34:56 bob\@example.com
                                               alice\@lan2.example.com

-- 99 Kbytes in 5 Requests.
END
	is("$r->{status}$r->{err}", '0', 'and nothing else');
	is(length((grep { /Connection/ } split /\n/, $r->{out})[0]), 78, 'a reason ends in column 78');

	$r = $m->run(qw(postqueue -j));
	my @line = split /^/, $r->{out};
	is($line[1], qq({"queue_name": "incoming", "queue_id": "$now", "arrival_time": $t0, "message_size": 1023, "forced_expire": false, "sender": "bob\@example.com", "recipients": [{"address": "alice\@lan2.example.com"}]}\n),
		'JSON, byte for byte');
	my @got = map { decode_json($_) } @line;
	is(join(' ', map { $_->{queue_name} } @got), 'active incoming deferred deferred hold', 'names');
	is_deeply($got[3], {
		queue_name => 'deferred', queue_id => $old, arrival_time => $t0 - 295,
		message_size => 1024, forced_expire => JSON::PP::false, sender => 'MAILER-DAEMON',
		next_attempt => $due,
		recipients => [
			{ address => 'carol@lan3.example.com', delay_reason => $refused },
			{ address => 'dave@lan3.example.com', orig_address => 'dave', delay_reason => $refused },
			{ address => 'erin@lan4.example.com', delay_reason => $long },
			{ address => 'frank@lan5.example.com' },
		],
	}, 'what a deferred one says');
	ok(flock($lock, 8), 'and the lock was never ours');
};

subtest 'any octet' => sub {
	my $o = Malle->new(main => {@wake});
	my $id = id_of($t0, 1);
	put($o, 'incoming', $id, { from => "\"a\\\"b\"\@x", to => [ "\xc3\xa9\@y", "\xff\xfe\@z" ] });
	state($o, $id, "1 deferred 4.0.0 say \"no\\\" \xe9");
	$r = $o->run(qw(postqueue -j));
	my $got = eval { decode_json($r->{out}) };
	is($@, '', 'is valid JSON');
	is($got->{sender}, '"a\\"b"@x', 'quotes and backslashes');
	is($got->{recipients}[0]{address}, "\xe9\@y", 'UTF-8');
	is($got->{recipients}[1]{address}, "\x{fffd}\x{fffd}\@z", 'what is none');
	is($got->{recipients}[0]{delay_reason}, "say \"no\\\" \x{fffd}", 'a reason');
};

subtest 'what is no message' => sub {
	my $o = Malle->new(main => {@wake});
	my $path = put($o, 'incoming', id_of($t0, 1), { from => 'a@b', to => ['c@d'] });
	spew($path, 'junk');
	symlink '/etc/passwd', $o->spool . '/incoming/' . id_of($t0, 2) . ',S=1,W=1' or die;
	$r = $o->run(qw(postqueue -p));
	is($r->{out}, "Mail queue is empty\n", 'is not shown');
	is(() = $r->{err} =~ /^postqueue: warning: incoming\/62B080487B8000/mg, 2, 'but told of');
	is($r->{status}, 0, 'no reason to fail');
};

subtest 'try now' => sub {
	woken();
	$r = $m->run(qw(postqueue -i), $old);
	is("$r->{status}$r->{out}$r->{err}", '0', '-i: silent');
	is(place_of($m, $old), 'incoming', 'moved');
	my ($file) = grep { /$old/ } $m->queue;
	is_deeply([woken()], [ $file =~ s{.*/}{}r ], 'and the runner has its name');
	like($m->run('mailq')->{out}, qr/Connection refused/, 'its past is still known');
	$r = $m->run(qw(postqueue -i), $old);
	is(scalar(() = woken()), 1, 'once more: only wakes');
	$r = $m->run(qw(postqueue -i), id_of(1, 1));
	is("$r->{status}$r->{out}$r->{err}", '0', 'an id that is not there');
	is_deeply([woken()], [], 'wakes nobody');
	$m->run(qw(postqueue -i), $held);
	is(place_of($m, $held), 'hold', 'hold is hold');

	my ($a, $b, $c) = map { id_of($t0, $_) } 10 .. 12;
	put($m, 'deferred/2000000040', $a, { from => 'x@y', to => [ 'a@b', 'c@Site.Example' ] });
	put($m, 'deferred/2000000040', $b, { from => 'c@site.example', to => ['a@not.site.example'] });
	my $lock = lock_message(put($m, 'deferred/2000000100', $c, { from => 'x@y', to => ['c@site.example'] }));
	$r = $m->run(qw(postqueue -s site.example));
	is("$r->{status}$r->{out}$r->{err}", '0', '-s: silent');
	is(place_of($m, $a), 'incoming', 'a recipient there');
	is(place_of($m, $b), 'deferred/2000000040', 'none there');
	is(place_of($m, $c), 'deferred/2000000100', 'somebody has it');
	($file) = grep { /$a/ } $m->queue;
	is_deeply([woken()], [ $file =~ s{.*/}{}r ], 'the runner is woken');
	undef $lock;

	$r = $m->run(qw(postqueue -f));
	is("$r->{status}$r->{out}$r->{err}", '0', '-f: silent');
	is(join(' ', map { place_of($m, $_) } $later, $b, $c, $held),
		'incoming incoming incoming hold', 'all but what is on hold');
	is_deeply([woken()], [''], 'the runner is woken for all');

	for (map { [ '-s', $_ ] } '', 'a@b', 'a/b') {
		is($m->run('postqueue', @$_)->{status}, 64, "@$_");
	}
	is($m->run('postqueue', '-i', $_)->{status}, 64, "-i '$_'") for '', 'x', '../tmp';
	is($m->run('postqueue', @$_)->{status}, 64, "@$_") for [], ['-p', '-j'], ['-p', 'x'], ['-Z'];
	like($m->run(qw(postqueue --help))->{out}, qr/^usage: postqueue /, '--help');
};

# The real runner, started by us.
subtest 'and it is tried' => sub {
	my $o = Malle->new(mode => 0755, main => { alias_maps => '' });
	my $id = id_of($t0, 1);
	put($o, 'deferred/2000000040', $id, { from => 'x@y', to => ['alice@mondomaine.lan'] });
	$o->run(qw(postqueue -f));
	ok(wait_until { $o->mail('alice') } , '-f') or diag $o->log, $o->queue;
	put($o, 'deferred/2000000040', id_of($t0, 2), { from => 'x@y', to => ['bob@mondomaine.lan'] });
	my $start = time;
	$o->run(qw(postqueue -i), id_of($t0, 2));
	ok(wait_until { $o->mail('bob') }, '-i');
	cmp_ok(time - $start, '<', 1, 'within a second');
};

subtest 'no access' => sub {
	my $o = Malle->new(main => { @wake, queue_directory => '/nonexistent/spool' });
	$r = $o->run(qw(postqueue -p));
	is($r->{status}, 69, 'EX_UNAVAILABLE');
	like($r->{err}, qr{^postqueue: fatal: Queue report unavailable: queue_directory /nonexistent/spool: No such file or directory; correct }, 'says why');
	$r = $o->run(qw(postqueue -f));
	is($r->{status}, 69, '-f too');
	like($r->{err}, qr{^postqueue: fatal: Cannot flush mail queue: }, 'in its words');
	$r = $o->run(qw(postqueue -c /nonexistent -p));
	is($r->{status}, 78, 'no main.cf');
	SKIP: {
		skip 'needs root', 2 unless is_root();
		my $p = Malle->new(mode => 0755);
		chmod 0755, $p->etc;
		$r = $p->run('/bin/sh', '-c', 'cat "$1" > "$2"/pq; chmod 755 "$2"/pq; exec setpriv --reuid=61009 --regid=61009 --clear-groups "$2"/pq -p',
			'sh', program('postqueue'), $p->dir);
		is($r->{status}, 69, 'somebody else');
		like($r->{err}, qr/Permission denied; do it as root or as mail \(mail_owner\)$/m, 'says who may');
	}
};

subtest '100,000 messages' => sub {
	my $o = Malle->new(main => {@wake});
	my $spool = $o->spool;
	put($o, "deferred/$_", id_of($t0 - $_, 0), { from => 'a@b', to => ['c@d'] }) for 60, 120;
	my $text = "Return-Path: <a\@b>\nDelivered-To: c\@d\nReceived: x\n\nx\n";
	my $n = 100000;
	for my $i (3 .. $n) {
		my $bucket = $i % 2 ? 60 : 120;
		spew(sprintf('%s/deferred/%d/%s,S=%d,W=%d', $spool, $bucket, id_of($t0 + $i, 7),
			length $text, length($text) + 5), $text);
	}
	my $start = time;
	my $out = $o->dir . '/out';
	$r = $o->run('/bin/sh', '-c', 'ulimit -v 100000; exec "$1" -p > "$2"', 'sh', program('postqueue'), $out);
	my $took = time - $start;
	is("$r->{status}$r->{err}", '0', 'shown in 100 MB of address space');
	is(`tail -n 1 $out`, "-- " . int((($n - 2) * 15 + 118) / 1024) . " Kbytes in $n Requests.\n", 'all of them');
	cmp_ok($took, '<', 20, sprintf 'in %.1f s', $took);
	$start = time;
	$r = $o->run(qw(postqueue -i), id_of($t0 + 99999, 7));
	$took = time - $start;
	is(place_of($o, id_of($t0 + 99999, 7)), 'incoming', '-i finds one');
	cmp_ok($took, '<', 5, sprintf 'in %.1f s', $took);
};

done_testing;
