#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# The runner: many at once, wake-ups lost, mail put off and taken up again,
# the form that waits on a datagram socket.

use strict;
use warnings;
use lib 't/lib';
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(time);
use Malle  qw(is_root slurp spew program wait_until);
use Faults qw(tracer need_tracer sanitized);

need_tracer();
my $root = is_root();
my ($mail_uid, $mail_gid) = $root ? (getpwnam 'mail')[ 2, 3 ] : ($>, $) + 0);
my $next = int(time * 1e6);

sub put {
	my ($m, $to, $body) = @_;
	my $text = "Return-Path: <x\@y.example>\n" .
	    join('', map { "Delivered-To: $_\@mondomaine.lan\n" } @$to) .
	    "Received: from test.example by here\n\n$body\n";
	my $lines = () = $text =~ /\n/g;
	my $name = sprintf '%013XABCD,S=%d,W=%d', $next++, length $text,
	    $lines + length $text;
	my $path = $m->spool . "/incoming/$name";
	spew("$path.new", $text);
	chmod 0600, "$path.new";
	chown $mail_uid, $mail_gid, "$path.new";
	rename "$path.new", $path or die "$path: $!\n";
	return $name;
}

sub instance {
	my $m = Malle->new(main => {
		qrun_service         => 'inet:127.0.0.1:9',
		minimal_backoff_time => '1s',
		@_,
	});
	$m->queue_run;
	return $m;
}

sub start {
	my ($m, @argv) = @_;
	open my $null, '+<', '/dev/null';
	return Malle::spawn(\@argv, [ ($null) x 3 ], { env => $m->env });
}

sub counts {
	my ($m, $user) = @_;
	my %n;
	$n{$_}++ for map { /^number (\d+)$/m ? $1 : 'other' } $m->mail($user);
	return \%n;
}

# ---- many at once ----
{
	my $m = instance(default_process_limit => 3);
	my %want;
	for my $n (1 .. 60) {
		my @to = $n % 3 ? (qw(alice bob))[ $n % 2 ] : qw(alice bob);
		put($m, \@to, "number $n");
		$want{$_}{$n} = 1 for @to;
	}
	my @pid = map { start($m, program('qrun')) } 1 .. 4;
	waitpid $_, 0 for @pid;
	$m->queue_run;
	is_deeply(counts($m, $_), $want{$_}, "four runners at once: $_, each once")
	    for qw(alice bob);
	is_deeply([ $m->queue ], [], 'and the queue is empty');
	unlike($m->log, qr/warning/, 'with no complaint');
	$m->destroy;
}

# ---- one holds it, another must not touch it ----
# (An agent with a leak sanitizer cannot be traced.)
for my $to (['alice'], sanitized() ? () : [qw(alice bob)]) {
	my $m = instance();
	my $list = $m->dir . '/list';
	my $at = @$to > 1 ? '1.fork' : '1.rename';
	put($m, $to, 'number 1');
	my $pid = start($m, tracer(), '-l', $list, '-H', $at, program('qrun'));
	ok(wait_until { -e $list && slurp($list) =~ /^held/m }, 'one is held up');
	$m->queue_run;
	is(counts($m, 'alice')->{1}, undef, 'another leaves its message alone');
	kill USR1 => $pid;
	waitpid $pid, 0;
	is(counts($m, $_)->{1}, 1, "delivered once to $_") for @$to;
	is_deeply([ $m->queue ], [], 'and the queue is empty');
	$m->destroy;
}

# ---- the runner dies, its agent lives on, another runner begins ----

sub descendants {
	my ($pid) = @_;
	my %of;
	for my $file (glob '/proc/[0-9]*/stat') {
		open my $fh, '<', $file or next;
		push @{ $of{$2} }, $1 if (<$fh> // '') =~ /^(\d+) \(.*\) \S (\d+)/;
	}
	return map { ($_, descendants($_)) } @{ $of{$pid} || [] };
}

for my $where (sanitized() ? () : qw(write fsync rename)) {
	my $m = instance();
	my $list = $m->dir . '/list';
	my $body = join "\n", map { "number 1 line $_" } 1 .. 9000;
	my $at = "3.$where";
	put($m, [qw(alice bob)], $body);
	my $pid = start($m, tracer(), '-l', $list, '-H', $at, program('qrun'));
	ok(wait_until { -e $list && slurp($list) =~ /^held/m },
		"an agent is held up at its $where");
	my @all = descendants($pid);
	kill KILL => grep { (readlink("/proc/$_/exe") // '') =~ /qrun/ } @all;
	wait_until { !grep { (readlink("/proc/$_/exe") // '') =~ /qrun/ } @all };
	my $other = start($m, program('qrun'));
	# It may deliver meanwhile, or find that it cannot now.
	wait_until { waitpid($other, POSIX::WNOHANG()) == $other } 20;
	kill USR1 => $pid;
	waitpid $pid, 0;
	Faults::rest({ m => $m, to => [] });
	for my $user (qw(alice bob)) {
		my @mail = $m->mail($user);
		is(scalar @mail, 1, "two agents, held at $where: once for $user");
		ok($mail[0] && $mail[0] =~ /\n\n\Q$body\E\n\z/, 'and whole');
		is_deeply([ glob $m->home($user) . '/Maildir/tmp/*' ], [],
			'nothing left in tmp');
	}
	$m->destroy;
}

# The same, and the second one is held up too, and dies: what the first then
# hands over must not be the second one's file.
if (!sanitized()) {
	my $m = instance();
	my $body = join "\n", map { "number 1 line $_" } 1 .. 9000;
	my @run;

	put($m, [qw(alice bob)], $body);
	for my $where (qw(rename write)) {
		my $list = $m->dir . "/list-$where";
		my $pid = start($m, tracer(), '-l', $list, '-H', "3.$where",
			program('qrun'));
		wait_until { waitpid($pid, POSIX::WNOHANG()) == $pid ||
			(-e $list && slurp($list) =~ /^held/m) } 10;
		my @all = descendants($pid);
		kill KILL => grep { (readlink("/proc/$_/exe") // '') =~ /qrun/ }
		    @all;
		wait_until { !grep { (readlink("/proc/$_/exe") // '') =~ /qrun/ }
			@all };
		push @run, [ $pid, @all ];
		Faults::make_due({ m => $m });
	}
	kill USR1 => $run[0][0];
	waitpid $run[0][0], 0;
	# The second dies where it is, if it came that far.
	kill KILL => @{ $run[1] };
	waitpid $run[1][0], 0;
	Faults::rest({ m => $m, to => [] });
	for my $user (qw(alice bob)) {
		my @mail = $m->mail($user);
		is(scalar @mail, 1, "two agents, one dies: once for $user");
		ok($mail[0] && $mail[0] =~ /\n\n\Q$body\E\n\z/, 'and whole');
	}
	$m->destroy;
}

# ---- a wake-up that is lost; mail that is put off ----
{
	my $m = instance();
	my $talk = $m->talk('smtpd');
	$talk->play(<<'END');
S~ ^220
C: HELO test.example
S~ ^250
C: MAIL FROM:<bob>
S~ ^250
C: RCPT TO:<alice>
S~ ^250
C: DATA
S~ ^354
C: number 1
C: .
S~ ^250
C: QUIT
S~ ^221
END
	$talk->close;
	is(scalar(() = $m->queue), 1, 'nobody heard the wake-up');
	$m->queue_run;
	is(scalar(() = $m->mail('alice')), 1, 'the next run finds the message');

	for my $to (['alice'], [qw(alice bob)]) {
		my $passwd = $m->etc . '/passwd';
		my $name = put($m, $to, 'number 2');
		my $before = () = $m->mail('alice');
		rename $passwd, "$passwd.away" or die;
		my $start = int time;
		$m->queue_run;
		my ($path) = $m->queue;
		like($path, qr{^deferred/\d+/\Q$name\E$}, 'no accounts: put off');
		my ($due) = ($path // '') =~ m{/(\d+)/};
		ok($due && $due > $start && $due <= $start + 121 &&
			$due % 60 == 0, 'to a bucket of the near future');
		ok(-s $m->spool . '/state/' . substr($name, 0, 17),
			'and why is written down');
		rename "$passwd.away", $passwd or die;
		$m->queue_run;
		is(($m->queue)[0], $path, 'a run before that does not look at it');
		my $spool = $m->spool;
		rename "$spool/deferred/$due", "$spool/deferred/" . ($start - 60);
		$m->queue_run;
		$m->queue_run;	# takes the empty bucket away
		is(scalar(() = $m->mail('alice')), $before + 1,
			'delivered when it is due');
		is_deeply([ $m->queue, glob("$spool/state/*"),
			glob("$spool/deferred/*") ], [],
			'no record and no bucket is left');
	}
	# It waits longer the older it is.
	$m->main(minimal_backoff_time => '300s', maximal_backoff_time => '4000s',
		soft_bounce => 'yes');
	$next = int((time - 1000) * 1e6);
	put($m, ['nobody-of-that-name'], 'number 3');
	$m->queue_run;
	my ($due) = ($m->queue)[0] =~ m{^deferred/(\d+)/};
	cmp_ok($due - time, '>', 900, 'after 1000 s the next try is as far away');
	cmp_ok($due - time, '<', 1100, 'and no farther');
	$m->destroy;
}

# ---- the form that waits ----
{
	my $sock = IO::Socket::INET->new(Proto => 'udp',
		LocalAddr => '127.0.0.1') or die "socket: $!\n";
	my $service = 'inet:127.0.0.1:' . $sock->sockport;
	my $m = instance(max_idle => '2s', qrun_service => $service);
	my $pid = Malle::spawn([ program('qrun') ], [ ($sock) x 3 ],
		{ env => $m->env });
	my $name = put($m, ['alice'], 'number 1');
	IO::Socket::INET->new(Proto => 'udp', PeerAddr => '127.0.0.1',
		PeerPort => $sock->sockport)->send($name);
	ok((wait_until { counts($m, 'alice')->{1} } 5),
		'a datagram wakes the runner');
	put($m, [qw(alice bob)], 'number 2');
	ok((wait_until { counts($m, 'bob')->{2} && !$m->queue } 5),
		'it looks for what nobody told it');
	my $noise = IO::Socket::INET->new(Proto => 'udp',
		PeerAddr => '127.0.0.1', PeerPort => $sock->sockport);
	$noise->send($_) for '', 'x' x 2000, "../../etc/passwd\0", "\n", $name;
	my $start = time;
	my $status;
	ok((wait_until { waitpid($pid, POSIX::WNOHANG()) == $pid &&
		do { $status = $?; 1 } } 15), 'it ends when nothing comes');
	is($status, 0, 'well, whatever it was sent');
	cmp_ok(time - $start, '>=', 0.9, 'not before max_idle');
	is_deeply(counts($m, 'alice'), { 1 => 1, 2 => 1 }, 'each once');
	$m->destroy;
}

# ---- one message for many, many for one run ----
{
	my $m = instance();
	my $passwd = '';
	for my $n (1 .. 200) {
		my ($uid, $gid) = $root ? (61000 + $n, 61000 + $n) : ($>, $) + 0);
		mkdir $m->home("u$n"), 0700;
		chown $uid, $gid, $m->home("u$n");
		$passwd .= "u$n:*:$uid:${gid}::" . $m->home("u$n") . ":/bin/false\n";
	}
	spew($m->etc . '/passwd', $passwd);
	put($m, [ map { "u$_" } 1 .. 200 ], 'number 1');
	$m->queue_run;
	is(scalar(grep { my @mail = $m->mail("u$_"); @mail == 1 &&
		(() = $mail[0] =~ /^Delivered-To: /mg) == 1 &&
		$mail[0] =~ /^Delivered-To: u$_\@/m } 1 .. 200), 200,
		'200 recipients: each has it once, and sees only himself');
	is_deeply([ $m->queue, glob $m->spool . '/state/*' ], [],
		'and nothing is left');
	$m->destroy;
}
# An agent has copied a message into a Maildir and died before it could say so:
# the next run finds it there under its own name, and is content.
{
	my $m = Malle->new(main => { qrun_service => 'inet:127.0.0.1:9' });
	$m->queue_run;
	$m->transcript('smtpd', <<'END');
S~ ^220
C: HELO x
S~ ^250
C: MAIL FROM:<bob>
S~ ^250
C: RCPT TO:<alice>
S~ ^250
C: DATA
S~ ^354
C: Subject: twice
C:
C: text
C: .
S~ ^250
C: QUIT
S~ ^221
S: EOF
END
	my ($file) = glob $m->spool . '/incoming/*';
	my $text = slurp($file);
	$m->queue_run;
	my ($there) = glob $m->home('alice') . '/Maildir/new/*';
	ok($there, 'delivered');
	my $again = $m->spool . '/incoming/' . $file =~ s{.*/}{}r;
	spew($again, $text);
	chmod 0600, $again;
	chown((getpwnam 'mail')[ 2, 3 ], $again) if is_root();
	$m->queue_run;
	is_deeply([ $m->queue ], [], 'the same once more is nothing to do');
	is(scalar(my @all = glob $m->home('alice') . '/Maildir/new/*'), 1,
		'and it is there once');
	$m->destroy;
}

done_testing;
