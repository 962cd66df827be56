#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# The log of a session has the lines that log readers know: pflogsumm,
# fail2ban, and people.

use strict;
use warnings;
use Test::More;
use lib 't/lib';
use Malle qw(wait_until);

my $peer = 'localhost[127.0.0.1]';

# A new instance each, so that a log is of one session.  Returns its lines
# without the prefix, as "role: text".
sub log_of {
	my ($main, @say) = @_;
	my $m = Malle->new(main => $main);
	my $talk = $m->talk('smtpd');

	$talk->reply;
	$talk->ask($_) for @say;
	$talk->shut;
	$talk->rest;
	$talk->close;
	$m->queue_run if $m->queue;
	wait_until { !$m->queue } 20;
	my @line = split /\n/, $m->log;
	my $prefix = qr{^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d [\w.-]+ malle/(\w+)\[\d+\]: };
	is(scalar(grep { !/$prefix/ } @line), 0, 'each line has the prefix');
	return map { s/$prefix/$1: /r } @line;
}

sub is_log {
	my ($name, $got, @want) = @_;

	for my $i (0 .. ($#$got > $#want ? $#$got : $#want)) {
		my ($g, $w) = ($got->[$i] // '(end)', $want[$i] // '(end)');

		ref $w ? like($g, $w, "$name: line $i") : is($g, $w, "$name: line $i");
	}
	return;
}

my @mail = ('MAIL FROM: bob', 'RCPT TO: alice', 'DATA',
	"Message-ID: <x\@y>\r\nSubject: s\r\n\r\nx\r\n.");

# One message, from the connection to its end.
my @line = log_of({}, 'EHLO h', @mail, 'QUIT');
my ($id) = "@line" =~ /smtpd: ([0-9A-F]{6,20}): client=/;
is_log('a message', \@line,
	"smtpd: connect from $peer",
	"smtpd: $id: client=$peer",
	"cleanup: $id: message-id=<x\@y>",
	"smtpd: disconnect from $peer ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5",
	qr/^qmgr: $id: from=<bob\@mondomaine\.lan>, size=\d+, nrcpt=1 \(queue active\)$/,
	qr{^local: $id: to=<alice\@mondomaine\.lan>, orig_to=<alice>, relay=local, delay=[\d.]+, delays=[\d.]+/[\d.]+/[\d.]+/[\d.]+, dsn=2\.0\.0, status=sent \(delivered to maildir\)$},
	"qmgr: $id: removed",
) if $> == 0;
SKIP: {
	# Without root, the runner is quicker than QUIT.
	skip 'lines of two programs in any order', 1 if $> == 0;
	is(scalar(@line), 7, 'seven lines');
}

is_log('no message-id', [grep { /^cleanup/ } log_of({},
	@mail[0 .. 2], "\r\nx\r\n.")],
	qr/^cleanup: [0-9A-F]+: message-id=<\d{14}\.[0-9A-F]+\@mail\.mondomaine\.lan>$/);

is_log('refused', [log_of({ mynetworks => '' }, 'EHLO h', 'MAIL FROM:<bob>',
	'RCPT TO:<nobody1>', 'RCPT TO:<x@y.example>', 'DATA', 'RSET', 'HELO s',
	'MAIL FROM:<>', 'RCPT TO:<nobody2>', 'FOO', 'QUIT')],
	"smtpd: connect from $peer",
	"smtpd: NOQUEUE: reject: RCPT from $peer: 550 5.1.1 <nobody1>: "
	    . 'Recipient address rejected: User unknown in local recipient '
	    . 'table; from=<bob> to=<nobody1> proto=ESMTP helo=<h>',
	"smtpd: NOQUEUE: reject: RCPT from $peer: 454 4.7.1 <x\@y.example>: "
	    . 'Relay access denied; from=<bob> to=<x@y.example> proto=ESMTP '
	    . 'helo=<h>',
	"smtpd: NOQUEUE: reject: RCPT from $peer: 550 5.1.1 <nobody2>: "
	    . 'Recipient address rejected: User unknown in local recipient '
	    . 'table; from=<> to=<nobody2> proto=SMTP helo=<s>',
	"smtpd: disconnect from $peer helo=1 ehlo=1 mail=2 rcpt=0/3 data=0/1 "
	    . 'rset=1 quit=1 unknown=0/1 commands=6/11');

is_log('lost', [log_of({}, 'HELO h', 'MAIL FROM:<bob>', 'RCPT TO:<alice>')],
	"smtpd: connect from $peer",
	"smtpd: lost connection after RCPT from $peer",
	"smtpd: disconnect from $peer helo=1 mail=1 rcpt=1 commands=3");
is_log('lost at once', [log_of({})],
	"smtpd: connect from $peer",
	"smtpd: lost connection after CONNECT from $peer",
	"smtpd: disconnect from $peer commands=0");
is_log('too many errors', [log_of({ smtpd_hard_error_limit => 2 },
	'FOO', 'BAR')],
	"smtpd: connect from $peer",
	qr/^smtpd: too many errors after \w+ from \Q$peer\E$/,
	"smtpd: disconnect from $peer unknown=0/2 commands=0/2");

# A client that says nothing more, before and in a message.
for my $row (['RCPT', 'mail=1 rcpt=1 commands=2', @mail[0, 1]],
	['DATA', 'mail=1 rcpt=1 data=0/1 commands=2/3', @mail[0 .. 2]])
{
	my ($after, $count, @say) = @$row;
	my $m = Malle->new(main => { smtpd_timeout => '1s' });
	my $talk = $m->talk('smtpd');

	$talk->reply;
	$talk->ask($_) for @say;
	is($talk->reply, '421 4.4.2 mail.mondomaine.lan Error: timeout exceeded',
	    "a timeout after $after");
	is($talk->rest, '', 'and the end');
	$talk->close;
	like($m->log, qr/smtpd\[\d+\]: timeout after $after from \Q$peer\E\n/,
	    'is in the log');
	like($m->log, qr/disconnect from \Q$peer\E \Q$count\E\n/, 'and counted');
}

# Another name, and a log that cannot be written does not stop the mail.
{
	my $m = Malle->new(main => { syslog_name => 'postfix' });
	my $talk = $m->talk('smtpd');

	$talk->reply;
	$talk->ask('QUIT');
	$talk->close;
	like($m->log, qr{ postfix/smtpd\[\d+\]: connect from }, 'syslog_name');

	$m->main(maillog_file => $m->dir . '/none/maillog');
	$talk = $m->talk('smtpd');
	$talk->reply;
	$talk->ask($_) for @mail[0 .. 2];
	like($talk->ask($mail[3]), qr/^250 2\.0\.0 Ok: queued/, 'without a log');
	$talk->close;
}
done_testing;
