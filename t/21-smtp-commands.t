#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# Every command of SMTP and every way to say it wrong: the replies are those
# that Postfix gives (which scripts and people know).

use strict;
use warnings;
use Test::More;
use lib 't/lib';
use Malle qw(wait_until);

my $m = Malle->new(main => {
	message_size_limit       => 1000,
	smtpd_recipient_limit    => 3,
	smtpd_hard_error_limit   => 20,
	smtpd_junk_command_limit => 5,
	hopcount_limit           => 4,
});
my $host = 'mail.mondomaine.lan';
my $data = '354 End data with <CR><LF>.<CR><LF>';
my $queued = qr/^250 2\.0\.0 Ok: queued as [0-9A-F]{6,20}$/;

# One session: what is sent, what is answered.  A command of undef only
# reads; a reply of undef is the end.
sub session {
	my ($name, @pairs) = @_;
	my $talk = $m->talk('smtpd');

	subtest $name => sub {
		like($talk->reply, qr/^220 /, 'greeting');
		while (my ($send, $want) = splice @pairs, 0, 2) {
			$talk->say($send) if defined $send;
			my $got = $talk->reply;
			my $what = substr $send // '(more)', 0, 60;
			$what =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ge;
			$got = '(end)' if $got eq '';
			ref $want ? like($got, $want, $what)
			    : is($got, $want // '(end)', $what);
		}
		$talk->close;
	};
	return;
}

session('HELO and EHLO',
	'HELO'             => '501 Syntax: HELO hostname',
	'EHLO'             => '501 Syntax: EHLO hostname',
	'HELO   '          => '501 Syntax: HELO hostname',
	'HELO mail.example.org' => "250 $host",
	'helo x'           => "250 $host",
	'EHLO [192.168.1.5]' => "250-$host\n250-PIPELINING\n250-SIZE 1000\n"
	    . "250-VRFY\n250-ENHANCEDSTATUSCODES\n250 8BITMIME",
	'eHlO two words'   => qr/^250-/,
	'QUIT'             => '221 2.0.0 Bye',
	undef()            => undef,
);

# As a person types it, and as a program does.
for my $from ('FROM: bob', 'from:bob', 'FROM:<bob>', 'from: <>', 'FROM:<>',
	'FROM:<bob@example.org>', 'FROM:bob@example.org', "FROM:\t<bob>",
	'FROM:<@a,@b:bob@example.org>', 'FROM:<"b b"@example.org>',
	'FROM:<bob@[192.0.2.1]>', 'FROM:<bob> SIZE=1000',
	'FROM:<bob>   size=0  BODY=8BITMIME', 'FROM:<bob> body=7bit',
	'FROM: bob SIZE=5', 'FROM:<bob>  ')
{
	session("MAIL $from", "MAIL $from" => '250 2.1.0 Ok',
	    "RCPT TO:<alice>" => '250 2.1.5 Ok');
}

session('MAIL gone wrong',
	'MAIL'             => '501 5.5.4 Syntax: MAIL FROM:<address>',
	'MAIL FROM'        => '501 5.5.4 Syntax: MAIL FROM:<address>',
	'MAIL FROM:'       => '501 5.5.4 Syntax: MAIL FROM:<address>',
	'MAIL bob'         => '501 5.5.4 Syntax: MAIL FROM:<address>',
	'MAIL TO:<bob>'    => '501 5.5.4 Syntax: MAIL FROM:<address>',
	'MAIL FROM:<bob'   => '501 5.1.7 Bad sender address syntax',
	'MAIL FROM:bob>'   => '501 5.1.7 Bad sender address syntax',
	'MAIL FROM:<a> <b>' => '501 5.1.7 Bad sender address syntax',
	'MAIL FROM:<a@b@c>' => '501 5.1.7 Bad sender address syntax',
	'MAIL FROM:<a@>'   => '501 5.1.7 Bad sender address syntax',
	'MAIL FROM:<bob> FOO=bar' => '555 5.5.4 Unsupported option: FOO=bar',
	'MAIL FROM:<bob> SMTPUTF8' => '555 5.5.4 Unsupported option: SMTPUTF8',
	'MAIL FROM:<bob> BODY=BINARYMIME' =>
	    '555 5.5.4 Unsupported option: BODY=BINARYMIME',
	'MAIL FROM:<bob> SIZE=' => '501 5.5.4 Bad message size syntax',
	'MAIL FROM:<bob> SIZE=-1' => '501 5.5.4 Bad message size syntax',
	'MAIL FROM:<bob> SIZE=1k' => '501 5.5.4 Bad message size syntax',
	'MAIL FROM:<bob> SIZE=1001' =>
	    '552 5.3.4 Message size exceeds fixed limit',
	# None of them began a transaction.
	'RCPT TO:<alice>'  => '503 5.5.1 Error: need MAIL command',
	'MAIL FROM:<bob>'  => '250 2.1.0 Ok',
);
session('SIZE in large numbers',
	'MAIL FROM:<bob> SIZE=9223372036854775807' => qr/^552 5\.3\.4 /,
	'MAIL FROM:<bob> SIZE=18446744073709551615' => qr/^5\d\d 5\./,
	'MAIL FROM:<bob> SIZE=18446744073709551617' => qr/^5\d\d 5\./,
	'MAIL FROM:<bob> SIZE=99999999999999999999999' => qr/^5\d\d 5\./,
	'MAIL FROM:<bob> SIZE=1000' => '250 2.1.0 Ok',
);
session('RCPT gone wrong',
	'MAIL FROM:<bob>'  => '250 2.1.0 Ok',
	'RCPT'             => '501 5.5.4 Syntax: RCPT TO:<address>',
	'RCPT TO'          => '501 5.5.4 Syntax: RCPT TO:<address>',
	'RCPT TO:'         => '501 5.5.4 Syntax: RCPT TO:<address>',
	'RCPT alice'       => '501 5.5.4 Syntax: RCPT TO:<address>',
	'RCPT FROM:<alice>' => '501 5.5.4 Syntax: RCPT TO:<address>',
	'RCPT TO:<>'       => '501 5.1.3 Bad recipient address syntax',
	'RCPT TO:<alice'   => '501 5.1.3 Bad recipient address syntax',
	'RCPT TO:<alice> <bob>' => '501 5.1.3 Bad recipient address syntax',
	'RCPT TO:<alice>,<bob>' => '501 5.1.3 Bad recipient address syntax',
	'RCPT TO:<a@b@c>'  => '501 5.1.3 Bad recipient address syntax',
	'RCPT TO:<alice> NOTIFY=NEVER' =>
	    '555 5.5.4 Unsupported option: NOTIFY=NEVER',
	'RCPT TO:<nobody1>' => '550 5.1.1 <nobody1>: Recipient address '
	    . 'rejected: User unknown in local recipient table',
	"RCPT TO:<nobody1\@$host>" => "550 5.1.1 <nobody1\@$host>: Recipient "
	    . 'address rejected: User unknown in local recipient table',
	'DATA'             => '554 5.5.1 Error: no valid recipients',
	'RCPT TO: alice'   => '250 2.1.5 Ok',
	'RCPT TO:<ALICE@MonDomaine.LAN>' => '250 2.1.5 Ok',
	'RCPT TO:<PostMaster>' => '250 2.1.5 Ok',
	'RCPT TO:<bob@localhost>' => '250 2.1.5 Ok',
	'RCPT TO:<eve@localhost>' => '452 4.5.3 Error: too many recipients',
);
session('recipients up to the limit and one more',
	'MAIL FROM:<bob>'  => '250 2.1.0 Ok',
	'RCPT TO:<alice>'  => '250 2.1.5 Ok',
	'RCPT TO:<bob>'    => '250 2.1.5 Ok',
	'RCPT TO:<alice@localhost>' => '250 2.1.5 Ok',
	'RCPT TO:<bob@localhost>' => '452 4.5.3 Error: too many recipients',
	'RSET'             => '250 2.0.0 Ok',
	'MAIL FROM:<bob>'  => '250 2.1.0 Ok',
	'RCPT TO:<bob@localhost>' => '250 2.1.5 Ok',
);
session('order',
	'DATA'             => '503 5.5.1 Error: need RCPT command',
	'RCPT TO:<alice>'  => '503 5.5.1 Error: need MAIL command',
	'MAIL FROM:<bob>'  => '250 2.1.0 Ok',
	'MAIL FROM:<bob>'  => '503 5.5.1 Error: nested MAIL command',
	'DATA'             => '503 5.5.1 Error: need RCPT command',
	'RCPT TO:<alice>'  => '250 2.1.5 Ok',
	'RSET'             => '250 2.0.0 Ok',
	'DATA'             => '503 5.5.1 Error: need RCPT command',
	'MAIL FROM:<bob>'  => '250 2.1.0 Ok',
	'RCPT TO:<alice>'  => '250 2.1.5 Ok',
	'HELO again'       => "250 $host",
	'RCPT TO:<alice>'  => '503 5.5.1 Error: need MAIL command',
	'DATA'             => '503 5.5.1 Error: need RCPT command',
	'MAIL FROM:<bob>'  => '250 2.1.0 Ok',
	'RCPT TO:<alice>'  => '250 2.1.5 Ok',
	'EHLO again'       => qr/^250-/,
	'DATA'             => '503 5.5.1 Error: need RCPT command',
	'RCPT TO:<alice>'  => '503 5.5.1 Error: need MAIL command',
	'MAIL FROM:<bob>'  => '250 2.1.0 Ok',
	'RCPT TO:<alice>'  => '250 2.1.5 Ok',
	'DATA now'         => '501 5.5.4 Syntax: DATA',
	'RSET now'         => '501 5.5.4 Syntax: RSET',
	'DATA'             => $data,
	'.'                => $queued,
	# The transaction is over.
	'DATA'             => '503 5.5.1 Error: need RCPT command',
	'RCPT TO:<alice>'  => '503 5.5.1 Error: need MAIL command',
	'MAIL FROM:<bob>'  => '250 2.1.0 Ok',
	'RCPT TO:<alice>'  => '250 2.1.5 Ok',
	'DATA'             => $data,
	'.'                => $queued,
	'QUIT'             => '221 2.0.0 Bye',
	undef()            => undef,
);
session('the small ones',
	'RSET'             => '250 2.0.0 Ok',
	'NOOP'             => '250 2.0.0 Ok',
	'NOOP with words'  => '250 2.0.0 Ok',
	'VRFY bob'         => '252 2.0.0 bob',
	'vrfy <nobody1>'   => '252 2.0.0 nobody1',
	'VRFY'             => '501 5.5.4 Syntax: VRFY address',
	'VRFY a b'         => qr/^501 5\.1\.3 /,
	'HELP'             => qr/^214 2\.0\.0 Commands: [A-Z ]+$/,
	'AUTH PLAIN AGEAYg==' => '503 5.5.1 Error: authentication not enabled',
	'STARTTLS'         => '502 5.5.1 Error: command not implemented',
	'FOO'              => '500 5.5.2 Error: command not recognized',
	'EXPN staff'       => '500 5.5.2 Error: command not recognized',
	'MAILFROM:<bob>'   => '500 5.5.2 Error: command not recognized',
	''                 => '500 5.5.2 Error: bad syntax',
	'  '               => '500 5.5.2 Error: bad syntax',
	"NO\0OP"           => qr/^500 5\.5\.2 /,
	"NOOP\0"           => qr/^500 5\.5\.2 /,
	"\xff\xfe"         => '500 5.5.2 Error: command not recognized',
	'QUIT now'         => '221 2.0.0 Bye',
	undef()            => undef,
);
session("not for us: $_",
	$_                 => qr/^221 2\.7\.0 Error: I can break rules, too\. Goodbye\.$/,
	undef()            => undef,
) for 'GET / HTTP/1.0', 'POST /x HTTP/1.1', 'Subject: x', 'Received: from x';

# Twenty errors are too many, nineteen are not.
session('errors',
	(map { ("FOO$_" => '500 5.5.2 Error: command not recognized') } 1 .. 19),
	'NOOP'             => '250 2.0.0 Ok',
	'FOO'              => "500 5.5.2 Error: command not recognized",
	undef()            => "421 4.7.0 $host Error: too many errors",
	undef()            => undef,
);
# Junk beyond its limit counts as errors; a message sets it back.
session('junk',
	(map { ('NOOP' => '250 2.0.0 Ok') } 1 .. 5 + 19),
	'RSET'             => '250 2.0.0 Ok',
	undef()            => "421 4.7.0 $host Error: too many errors",
	undef()            => undef,
);
session('junk between messages',
	map { (
		(map { ('NOOP' => '250 2.0.0 Ok') } 1 .. 5),
		'MAIL FROM:<bob>' => '250 2.1.0 Ok',
		'RCPT TO:<alice>' => '250 2.1.5 Ok',
		'DATA'            => $data,
		'.'               => $queued,
	) } 1 .. 6,
);

# The size of a message, with CRLF, at the limit.
sub message {
	my ($size) = @_;
	my $text = "Subject: x\r\n\r\n" . "abcdefgh\r\n" x 90;

	return $text . 'x' x ($size - 2 - length $text) . "\r\n";
}
session("a message of $_ octets",
	'MAIL FROM:<bob>'  => '250 2.1.0 Ok',
	'RCPT TO:<alice>'  => '250 2.1.5 Ok',
	'DATA'             => $data,
	message($_) . '.'  => $_ <= 1000 ? $queued
	    : '552 5.3.4 Error: message file too big',
	'NOOP'             => '250 2.0.0 Ok',
) for 999, 1000, 1001, 5000, 100_000;
session('SIZE was a lie',
	'MAIL FROM:<bob> SIZE=10' => '250 2.1.0 Ok',
	'RCPT TO:<alice>'  => '250 2.1.5 Ok',
	'DATA'             => $data,
	message(1001) . '.' => '552 5.3.4 Error: message file too big',
	'MAIL FROM:<bob> SIZE=1000' => '250 2.1.0 Ok',
	'RCPT TO:<alice>'  => '250 2.1.5 Ok',
	'DATA'             => $data,
	'.'                => $queued,
);
session("$_ hops",
	'MAIL FROM:<bob>'  => '250 2.1.0 Ok',
	'RCPT TO:<alice>'  => '250 2.1.5 Ok',
	'DATA'             => $data,
	"Received: x\r\n" x $_ . "\r\n." => $_ <= 4 ? $queued
	    : '554 5.4.0 Error: too many hops',
	'NOOP'             => '250 2.0.0 Ok',
) for 3, 4, 5;

# Command lines: 2048 octets with CRLF are read, more are not.
session('a long line',
	'NOOP ' . 'x' x (2048 - 2 - 5) => '250 2.0.0 Ok',
	'NOOP ' . 'x' x (2048 - 1 - 5) => '500 5.5.2 Error: line too long',
	'x' x 2047         => '500 5.5.2 Error: line too long',
	'x' x 100_000      => '500 5.5.2 Error: line too long',
	'NOOP'             => '250 2.0.0 Ok',
	'EHLO ' . 'x' x 2000 => qr/^250-/,
	'MAIL FROM:<' . 'x' x 2000 . '>' => '501 5.1.7 Bad sender address syntax',
	'MAIL FROM:<bob> ' . 'X' x 1000 =>
	    qr/^555 5\.5\.4 Unsupported option: X{200}$/,
	'VRFY ' . 'x' x 320 => qr/^252 2\.0\.0 x{320}$/,
);

$m->main(smtpd_helo_required => 'yes', smtpd_recipient_limit => undef,
    message_size_limit => 0);
session('HELO is required',
	'MAIL FROM:<bob>'  => '503 5.5.1 Error: send HELO/EHLO first',
	'EHLO x'           => qr/^250-SIZE$/m,
	'MAIL FROM:<bob> SIZE=99999999999' => '250 2.1.0 Ok',
);
$m->main(queue_minfree => 1_000_000_000_000);
session('the disk is full',
	'HELO x'           => "250 $host",
	'MAIL FROM:<bob>'  => '452 4.3.1 Insufficient system storage',
	'RCPT TO:<alice>'  => '503 5.5.1 Error: need MAIL command',
);
$m->main(queue_minfree => undef, passwd_file => $m->dir . '/none');
session('nobody knows the users',
	'HELO x'           => "250 $host",
	'MAIL FROM:<bob>'  => '250 2.1.0 Ok',
	'RCPT TO:<alice>'  =>
	    '451 4.3.0 <alice>: Temporary lookup failure',
	'RCPT TO:<postmaster>' => '250 2.1.5 Ok',
);
$m->main(passwd_file => $m->etc . '/passwd', smtpd_timeout => '1s');
session('the client says nothing', undef() =>
    "421 4.4.2 $host Error: timeout exceeded", undef() => undef);

# What was refused left nothing behind.
my @tmp = glob $m->spool . '/tmp/*';
is(scalar @tmp, 0, 'tmp/ is empty') or diag "@tmp";
my $log = $m->log;
unlike($log, qr/panic|fatal/, 'no complaints in the log');
is(scalar(() = $m->queue) + scalar(() = $m->mail_names('alice')),
    scalar(() = $log =~ /cleanup\[/g), 'each message that was queued is there');
done_testing;
