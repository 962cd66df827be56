#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# What strangers with bad intentions send: smuggled messages, broken lines,
# relay probes, forged fields, too much of anything.

use strict;
use warnings;
use IO::Poll qw(POLLERR POLLOUT);
use IO::Socket::INET;
use POSIX qw(WNOHANG);
use Socket qw(SOL_SOCKET SO_LINGER);
use Test::More;
use Time::HiRes qw(time);
use lib 't/lib';
use Malle qw(wait_until slurp program);

my $host = 'mail.mondomaine.lan';
my $data = '354 End data with <CR><LF>.<CR><LF>';
my $queued = qr/^250 2\.0\.0 Ok: queued as ([0-9A-F]{6,20})$/;

# A stranger has no network of ours.
my $m = Malle->new(main => { mynetworks => '', smtpd_junk_command_limit => 10000 });

sub greeted {
	my ($from) = @_;
	my $talk = ($from // $m)->talk('smtpd');

	$talk->reply =~ /^220 / or BAIL_OUT('no greeting: ' . $talk->stderr);
	return $talk;
}

# Sends it, each piece only when the one before has been read.
sub send_pieces {
	my ($talk, @piece) = @_;

	my $poll = IO::Poll->new;

	$poll->mask($talk->{to} => POLLOUT);
	for my $piece (@piece) {
		$talk->send($piece) or return;
		wait_until {
			my $left = pack 'L', 0;
			ioctl($talk->{to}, 0x541b, $left);	# FIONREAD
			$poll->poll(0);
			!unpack('L', $left) || $poll->events($talk->{to}) & POLLERR;
		} 10, 'somebody to read it';
	}
	return;
}

# The replies to all of it, as the list of their codes.
sub codes {
	my ($talk) = @_;
	my @codes;

	while (defined(my $line = $talk->line)) {
		push @codes, $1 if $line =~ /^(\d{3}) /;
	}
	return "@codes";
}

sub delivered {
	my ($malle, $user) = @_;

	$malle->queue_run;
	wait_until { !$malle->queue } 20, 'an empty queue';
	return $malle->mail($user);
}

# Only CRLF.CRLF is an end.  What stands behind another one stays text, from
# friend and stranger, and however it comes in pieces.
my %no_end = (
	'LF . LF'         => ["\n.\n",           "\n.\n"],
	'LF . CRLF'       => ["\n.\r\n",         "\n.\n"],
	'CRLF . LF'       => ["\r\n.\n",         "\n\n"],
	'CR . CR'         => ["\r.\r",           ' . '],
	'CR . CRLF'       => ["\r.\r\n",         " .\n"],
	'CRLF . CR'       => ["\r\n.\r",         "\n "],
	'CR . LF'         => ["\r.\n",           " .\n"],
	'LF . CR'         => ["\n.\r",           "\n. "],
	'LF CR . LF CR'   => ["\n\r.\n\r",       "\n .\n "],
	'CRLF . CR CRLF'  => ["\r\n.\r\r\n",     "\n \n"],
	'CRLF NUL . CRLF' => ["\r\n\0.\r\n",     "\n\0.\n"],
	'CRLF . NUL CRLF' => ["\r\n.\0\r\n",     "\n\0\n"],
	'CRLF .. CRLF'    => ["\r\n..\r\n",      "\n.\n"],
	'CRLF " ." CRLF'  => ["\r\n .\r\n",      "\n .\n"],
	'CRLF ". " CRLF'  => ["\r\n. \r\n",      "\n \n"],
	'8 bit CRLF'      => ["\x8d\x8a.\x8d\x8a", "\x8d\x8a.\x8d\x8a"],
	'UTF-16 CRLF'     => ["\0\r\0\n\0.\0\r\0\n", "\0 \0\n\0.\0 \0\n"],
);
my $inside = "MAIL FROM:<evil>\r\nRCPT TO:<bob>\r\nDATA\r\nSubject: in\r\n";

my $friend = Malle->new;
for my $malle ($m, $friend) {
	my $who = $malle == $m ? 'a stranger' : 'a friend';
	my %want;

	for my $name (sort keys %no_end) {
		my ($octets, $text) = @{ $no_end{$name} };
		my @before = ("MAIL FROM:<eve>\r\nRCPT TO:<alice>\r\nDATA\r\n",
		    "Subject: $name\r\n\r\nbefore");
		my @after = ($inside, ".\r\nQUIT\r\n");

		for my $way (0 .. 2) {
			my @piece = (@before, $octets, @after);
			@piece = join '', @piece if $way == 0;
			@piece = (@before, split(//, $octets), @after) if $way == 2;
			my $talk = greeted($malle);
			send_pieces($talk, @piece);
			is(codes($talk), '250 250 354 250 221',
			    "one message: $name from $who, way $way");
			$talk->close;
		}
		$want{$name} = "before$text" . $inside =~ s/\r//gr;
	}
	my %got;
	for my $mail (delivered($malle, 'alice')) {
		my ($name) = $mail =~ /^Subject: (.*)/m;
		my ($body) = $mail =~ /\n\n(before.*)\z/s;
		$got{$name}{$body}++;
	}
	is_deeply(\%got, { map { $_ => { $want{$_} => 3 } } keys %want },
	    "and its text is what $who sent");
	is(scalar(() = $malle->mail('bob')), 0, 'nothing for bob');
}

# Line ends of commands.
for my $row (
	['first line', "NOOP\nQUIT\r\n", '521'],
	['bare LF', "NOOP\r\nNOOP\nQUIT\r\n", '250 521'],
	['two commands in one', "HELO x\r\nMAIL FROM:<a>\nRCPT TO:<bob>\r\n",
	    '250 521'],
	['LF CR', "HELO x\r\nNOOP\n\r\n", '250 521'],
	['bare CR', "NOOP\rNOOP\r\nQUIT\r\n", '500 221'],
	['CR CRLF', "NOOP\r\r\nQUIT\r\n", '500 221'],
	['CR in an address', "MAIL FROM:<a\rb>\r\nQUIT\r\n", '501 221'],
	['CR behind an address', "MAIL FROM:<a>\r\r\nQUIT\r\n", '501 221'],
	['NUL in an address', "MAIL FROM:<a\0b>\r\nQUIT\r\n", '500 221'],
	['no end', "NOOP\r\nQUIT", '250'],
	['nothing', '', ''],
	['only CRLF', "\r\n\r\nQUIT\r\n", '500 500 221'],
	['TLS', "\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" . "\xc3" x 150, ''],
	['TLS with a LF', "\x16\x03\x01\x00\xa5\x01\n\x00QUIT\r\n", '521'],
	['HTTP', "GET / HTTP/1.1\r\nHost: x\r\n\r\nMAIL FROM:<a>\r\n", '221'],
	['HTTP POST', "POST / HTTP/1.1\r\n\r\nMAIL FROM:<a>\r\n", '221'],
	['PROXY', "PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\nQUIT\r\n", '500 221'],
) {
	my ($name, $octets, $want) = @$row;

	for my $way (0, 1) {
		my $talk = greeted();
		send_pieces($talk, $way ? split //, $octets : $octets);
		$talk->shut;
		is(codes($talk), $want, "$name, way $way");
		is($talk->close, 0, 'and a good end');
	}
}

# Verbs of other days and other servers, and octets no command has.
{
	my $talk = greeted();

	like($talk->ask($_), qr/^50[02] 5\.5\.[12] /, $_)
	    for 'TURN', 'SEND FROM:<a>', 'SAML FROM:<a>', 'SOML FROM:<a>',
	    'XCLIENT ADDR=127.0.0.1', 'XFORWARD ADDR=127.0.0.1', 'ETRN x',
	    'BURL x', 'BDAT 0 LAST', 'EXPN alice', "\e[2JNOOP";
	is($talk->ask('VRFY alice'), '252 2.0.0 alice', 'a known user');
	is($talk->ask('VRFY eve'), '252 2.0.0 eve', 'and an unknown one');
	$talk->say("MAIL FROM:<b\xc3\xb6b>");
	like($talk->reply, qr/^501 /, '8 bit in an address');
	is($talk->ask('MAIL FROM:<bob>'), '250 2.1.0 Ok', 'nothing is half set');
	like($talk->ask("VRFY b\xc3\xb6b"), qr/^501 /, '8 bit in VRFY');
	like($talk->ask("RCPT TO:<b\xc3\xb6b>"), qr/^501 /, '8 bit in RCPT');
	like($talk->ask('RCPT TO:<alice> ' . 'A=b ' x 400), qr/^555 /,
	    'many parameters');
	is($talk->ask('RCPT TO:<alice>'), '250 2.1.5 Ok', 'and still');
	$talk->close;
}

# Names of hosts as they like: in the field and in the log without what
# could be mistaken there.
for my $helo ('"quoted"', '%s%n%x', '$(id)', '`id`', '(comment', 'a)b', 'a;b',
	"a\e[2Jb", "a\rb", "\xc3\xa9", 'x' x 1500, 'a b', '<a>', '\\', "a\tb")
{
	my $talk = greeted();

	like($talk->ask("EHLO $helo"), qr/^250-/, 'EHLO') for 1;
	like($talk->ask('MAIL FROM:<eve>'), qr/^250/, 'MAIL');
	like($talk->ask('RCPT TO:<eve>'), qr/^550/, 'a line for the log');
	like($talk->ask('RCPT TO:<alice>'), qr/^250/, 'RCPT');
	is($talk->ask('DATA'), $data, 'DATA');
	like($talk->ask("Subject: helo\r\n\r\n."), $queued, 'queued');
	$talk->close;
}
for my $mail (grep { /^Subject: helo$/m } delivered($m, 'alice')) {
	like($mail, qr/^Received: from [!#-'*+\-.\/0-9:=?-\[\]-~]{1,255} \(localhost /m,
	    'a tame name');
}
unlike($m->log, qr/[^ -~\n]/, 'the log is printable');

# Thirty and more ways to ask a stranger's mail through, none of which is one.
my @probe = ('user@outside.example', '@mondomaine.lan:user@outside.example',
	'@mondomaine.lan,@b:user@outside.example', 'user%outside.example@mondomaine.lan',
	'user%outside.example', 'user@outside.example@mondomaine.lan',
	'"user@outside.example"', '"user@outside.example"@mondomaine.lan',
	'"user%outside.example"@mondomaine.lan', 'outside.example!user',
	'outside.example!user@mondomaine.lan', 'mondomaine.lan!outside.example!user',
	'"outside.example!user"', 'user%outside.example@[127.0.0.1]',
	'"user@outside.example"@[127.0.0.1]', 'user@[192.0.2.1]', 'user@[127.0.0.2]',
	'user@[IPv6:2001:db8::1]', 'user@[IPv6:::1]', 'user@[IPv6:zz]', 'user@[256.1.1.1]',
	'user@[127.1]', 'user@[127.0.0.1', 'user@[]', 'user@outside.example.',
	'user@outside.example..', 'user@mondomaine.lan.outside.example',
	'user@outside.example%mondomaine.lan', 'user@xmondomaine.lan',
	'user@sub.mondomaine.lan', 'user@mondomaine.lan@outside.example',
	'@outside.example', 'user@', 'relay:user@outside.example',
	'user@outside.example(mondomaine.lan)', 'user@"mondomaine.lan"',
	'user@mondomaine.lan,user@outside.example', '${run{id}}@outside.example',
	'|sh@outside.example', '../../x@mondomaine.lan', 'a/b@mondomaine.lan',
	'.@mondomaine.lan', '..', '.ssh', '/etc/passwd', 'alice+../../x', 'alice+%s',
	'alice/../bob', q(alice'@mondomaine.lan), 'alice\\@mondomaine.lan', '"alice\\"',
	'a' x 2000, 'x@' . 'xn--a.' x 300 . 'lan', 'root:x', 'alice:x', '*', '""', '"/"');
for my $from ('<>', '<alice@mondomaine.lan>', '<root@localhost>', '<eve@outside.example>') {
	for my $wrap (1, 0) {
		my %bad;
		for (my @left = @probe; @left;) {
			my $talk = greeted();
			$talk->ask('HELO mail.mondomaine.lan');
			$talk->ask("MAIL FROM:$from");
			for my $rcpt (splice @left, 0, 18) {
				my $got = $talk->ask('RCPT TO:' . ($wrap ? "<$rcpt>" : " $rcpt"));
				$bad{$rcpt} = $got if $got !~
				    /^(?:454 4\.7\.1 |501 5\.1\.3 |550 5\.1\.1 |555 5\.5\.4 )/;
			}
			$talk->close;
		}
		is_deeply(\%bad, {}, "no relay from $from, " . ($wrap ? 'in <>' : 'bare'));
	}
}
is_deeply([grep { !m{^(?:incoming|deferred)/} } $m->queue], [], 'nothing was queued');

# Ours, however it is written.
{
	my $talk = greeted();

	$talk->ask('MAIL FROM:<>');
	is($talk->ask("RCPT TO:<$_>"), '250 2.1.5 Ok', $_)
	    for 'alice@MonDomaine.LAN.', '@outside.example:alice@mondomaine.lan',
	    '"alice"@mondomaine.lan', '"al\\ice"', 'POSTMASTER', 'alice@[127.0.0.1]';
	$talk->close;
}

# Forged fields: who reads the message sees ours first, and nobody else gets
# it for their sake.
{
	my $talk = greeted();

	$talk->ask($_) for 'MAIL FROM:<eve>', 'RCPT TO:<alice>', 'DATA';
	like($talk->ask("Return-Path: <forged>\r\nReturn-Path:\r\n <forged>\r\n"
	    . "Delivered-To: bob\@mondomaine.lan\r\nX-Original-To: bob\r\n"
	    . "Malle-Forged: x\r\nReceived: forged\r\nSubject: fields\r\n\r\n"
	    . "Return-Path: <stays>\r\n."), $queued, 'forged fields');
	$talk->close;
	my ($mail) = grep { /^Subject: fields$/m } delivered($m, 'alice');
	is(scalar(() = $mail =~ /^Return-Path: /mg), 2, 'one Return-Path, one in the text');
	like($mail, qr/\AReturn-Path: <eve\@mondomaine\.lan>\n(?:X-Original-To: alice\n)?Delivered-To: alice\@/,
	    'ours come first');
	is(scalar(() = $m->mail('bob')), 0, 'and bob got nothing');
}

# Messages of odd shapes; whatever else is added, the text is the same.
my @shape = (
	['empty', '', qr/\n\z/],
	['only a line end', "\r\n", qr/\n\n\z/],
	['no header', "hello\r\n", qr/\n\nhello\n\z/],
	['no body', "Subject: s\r\n", qr/^Subject: s\n(?:[\w-]+: .*\n)*\z/m],
	['dots', "\r\n..\r\n...\r\n..x\r\n", qr/\n\n\.\n\.\.\n\.x\n\z/],
	['octets', "\r\n\0\e\x80\xff\r\n", qr/\n\n\0\e\x80\xff\n\z/],
	['From_', "From eve Mon\r\nSubject: s\r\n\r\nx\r\n", qr/^X-Mailbox-Line: From eve Mon\nSubject: s\n/m],
);
for my $row (@shape) {
	my ($name, $text, $want) = @$row;
	my $talk = greeted();
	my $before = $m->mail('alice');

	$talk->ask($_) for 'MAIL FROM:<eve>', 'RCPT TO:<alice>', 'DATA';
	my ($id) = $talk->ask("$text.") =~ $queued;
	$talk->close;
	my ($mail) = grep { /\bid $id\b/ } delivered($m, 'alice');
	like($mail, $want, "$name: stored");
}

# Much of it: in time, and in memory that does not grow with it.
sub peak {
	my ($talk) = @_;

	return slurp('/proc/' . $talk->pid . '/status') =~ /^VmHWM:\s*(\d+)/m ? $1 : 0;
}
my $talk = greeted();
$talk->ask($_) for 'MAIL FROM:<eve>', 'RCPT TO:<alice>', 'DATA', "Subject: x\r\n\r\nx\r\n.";
my $small = peak($talk);
my $sanitized = slurp(program('smtpd')) =~ /__asan_init/;
for my $row (
	['100,000 header lines', "A: b\r\n" x 100_000 . "\r\n"],
	['a header line of 5 MB', 'Subject: ' . 'x' x 5_000_000 . "\r\n\r\n"],
	['a header folded 100,000 times', "Subject: x\r\n" . " y\r\n" x 100_000],
	['a line of 9 MB', "\r\n" . 'x' x 9_000_000 . "\r\n"],
	['1 MB of LF', "\n" x 1_000_000 . "\r\n"],
	['2 MB of CR', "\r" x 2_000_000 . "\r\n"],
	['100,000 Return-Path', "Return-Path: <x>\r\n" x 100_000],
) {
	my ($name, $text) = @$row;
	my $start = time;

	$talk->ask($_) for 'MAIL FROM:<eve>', 'RCPT TO:<alice>', 'DATA';
	like($talk->ask("$text."), $queued, $name);
	cmp_ok(time - $start, '<', 20, 'in good time');
	SKIP: {
		skip 'memory of a sanitizer', 1 if $sanitized;
		cmp_ok(peak($talk), '<', $small + 1000, 'in the same memory');
	}
}
$talk->ask($_) for 'MAIL FROM:<eve>', 'RCPT TO:<alice>', 'DATA';
is($talk->ask('x' x 11_000_000 . "\r\n."), '552 5.3.4 Error: message file too big',
    'too much is said to be, at its end');
$talk->close;

# All commands in one write, on a socket; the sending side closed behind it.
my $port = $m->serve('smtpd', 'nowait');
{
	my $t = $m->connect($port);
	my $one = "MAIL FROM:<eve>\r\nRCPT TO:<alice>\r\nDATA\r\nSubject: p\r\n\r\nx\r\n.\r\n";

	$t->send("EHLO x\r\n" . $one x 3 . "NOOP\r\n");
	$t->shut;
	is(codes($t), '220 250' . ' 250 250 354 250' x 3 . ' 250', 'pipelined, then half closed');
}
# Gone at once, with a reset: no noise, and the next one is served.
for (1 .. 3) {
	my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) or die;
	setsockopt $s, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
	close $s;
}
like($m->connect($port)->line, qr/^220 /, 'after resets');

# One that never reads: the end comes from us.
$m->main(smtpd_timeout => '1s');
{
	my $t = $m->talk('smtpd');
	my $pid = $t->pid;
	my $gone;

	$t->{to}->blocking(0);
	$t->send("EHLO x\r\n" x 2000);
	$gone = wait_until { return waitpid($pid, WNOHANG) == $pid } 20;
	ok($gone, 'a client that never reads is left');
	$t->{pid} = undef;
	$t->close;
}
# The client is gone in the middle of a message: nothing stays.
{
	my $t = greeted();

	$t->ask($_) for 'MAIL FROM:<eve>', 'RCPT TO:<alice>', 'DATA';
	$t->send("Subject: half\r\n\r\nx\r\n.\r");
	$t->shut;
	is(codes($t), '', 'no answer to half a message');
	$t->close;
	my @tmp = glob $m->spool . '/tmp/*';
	is(scalar @tmp, 0, 'and nothing of it stays');
	unlike(join('', delivered($m, 'alice')), qr/^Subject: half$/m, 'or is delivered');
}
done_testing;
