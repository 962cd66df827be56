#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# The sessions of the course, octet for octet: a person with telnet, and a
# mail program on the LAN.

use strict;
use warnings;
use Test::More;
use lib 't/lib';
use Malle qw(wait_until);

my $m = Malle->new;

# telnet sends CRLF; the names are bare, with the blank after the colon.
$m->transcript('smtpd', <<'END', 'a person with telnet');
S~ ^220 mail\.mondomaine\.lan ESMTP \S+$
C: HELO mail.mondomaine.lan
S: 250 mail.mondomaine.lan
C: MAIL FROM: bob
S: 250 2.1.0 Ok
C: RCPT TO: alice
S: 250 2.1.5 Ok
C: DATA
S: 354 End data with <CR><LF>.<CR><LF>
C: Subject: essai
C:
C: Bonjour Alice.
C: .
S~ ^250 2\.0\.0 Ok: queued as [0-9A-F]{6,20}$
C: QUIT
S: 221 2.0.0 Bye
S: EOF
END

# As root, smtpd has become mail_owner, and the runner must be started by
# someone else; without root it has been started already.
$m->queue_run;
my ($mail) = wait_until { $m->mail('alice') } 20, 'mail for alice';
my ($id) = $m->log =~ /cleanup\[\d+\]: ([0-9A-F]+): message-id=/;
my $date = qr/\w{3}, [ \d]\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4} \(\w+\)/;

like($mail, qr/^Return-Path: <bob\@mondomaine\.lan>
X-Original-To: alice
Delivered-To: alice\@mondomaine\.lan
Received: from mail\.mondomaine\.lan \(localhost \[127\.0\.0\.1\]\)
\tby mail\.mondomaine\.lan \(\w+\) with SMTP id $id
\tfor <alice>; $date
Subject: essai
Date: $date
From: bob\@mondomaine\.lan
Message-I[dD]: <\d{14}\.$id\@mail\.mondomaine\.lan>

Bonjour Alice\.
\z/, 'what alice reads');
ok((wait_until { !$m->queue }), 'and the queue is empty');
my ($name) = $m->mail_names('alice');
like($name, qr{^new/}, 'it is new');
is(length $mail, $name =~ /,S=(\d+)/ && $1, 'the name says its size');
is(length($mail =~ s/\n/\r\n/gr), $name =~ /,W=(\d+)/ && $1,
    'and the one with CRLF');

# The recorded session of Mozilla on a LAN.
my $lan = Malle->new(
	main => {
		myhostname    => 'mail.iscb-corporation.com',
		mydomain      => 'iscb-corporation.com',
		mydestination => '$mydomain, $myhostname, localhost',
	},
	users => { alice => 'secret', julien => 'secret' },
);

$lan->transcript('smtpd', <<'END', 'a mail program');
S~ ^220 mail\.iscb-corporation\.com ESMTP \S+$
C: EHLO [192.168.1.5]
S: 250-mail.iscb-corporation.com
S: 250-PIPELINING
S: 250-SIZE 10240000
S: 250-VRFY
S: 250-ENHANCEDSTATUSCODES
S: 250 8BITMIME
C: MAIL FROM:<julien@iscb-corporation.com> SIZE=640
S: 250 2.1.0 Ok
C: RCPT TO:<alice@iscb-corporation.com>
S: 250 2.1.5 Ok
C: DATA
S: 354 End data with <CR><LF>.<CR><LF>
C: Message-ID: <4F9A8B3C.7050101@iscb-corporation.com>
C: Date: Fri, 27 Apr 2012 13:52:28 +0200
C: From: Julien <julien@iscb-corporation.com>
C: User-Agent: Mozilla/5.0 (X11; Linux i686; rv:12.0) Gecko/20120412
C: MIME-Version: 1.0
C: To: alice@iscb-corporation.com
C: Subject: Test
C: Content-Type: text/plain; charset=ISO-8859-1; format=flowed
C: Content-Transfer-Encoding: 8bit
C:
C| D\xe9j\xe0 vu ?\r\n
C: .. deux points
C: .
S~ ^250 2\.0\.0 Ok: queued as [0-9A-F]{6,20}$
C: QUIT
S: 221 2.0.0 Bye
S: EOF
END

$lan->queue_run;
($mail) = wait_until { $lan->mail('alice') } 20, 'mail for alice';
($id) = $lan->log =~ /cleanup\[\d+\]: ([0-9A-F]+): message-id=/;
like($mail, qr/^Return-Path: <julien\@iscb-corporation\.com>
Delivered-To: alice\@iscb-corporation\.com
Received: from \[192\.168\.1\.5\] \(localhost \[127\.0\.0\.1\]\)
\tby mail\.iscb-corporation\.com \(\w+\) with ESMTP id $id
\tfor <alice\@iscb-corporation\.com>; $date
Message-ID: <4F9A8B3C\.7050101\@iscb-corporation\.com>
Date: Fri, 27 Apr 2012 13:52:28 \+0200
From: /, 'the envelope, then the message as it came');
like($mail, qr/\n\nD\xe9j\xe0 vu \?\n\. deux points\n\z/,
    '8 bit stays, one dot goes');

# A person with nc, whose lines end in LF.
$m->transcript('smtpd', <<'END', 'a person with nc');
S~ ^220
C| HELO nc\n
S: 250 mail.mondomaine.lan
C| MAIL FROM: bob\n
S: 250 2.1.0 Ok
C| RCPT TO: alice\n
S: 250 2.1.5 Ok
C| DATA\n
S: 354 End data with <CR><LF>.<CR><LF>
C| Subject: nc\n\nHello\n.\n
S~ ^250 2\.0\.0 Ok: queued as [0-9A-F]{6,20}$
C| QUIT\n
S: 221 2.0.0 Bye
S: EOF
END
$m->queue_run;
my @mails = wait_until { my @all = $m->mail('alice'); @all == 2 ? @all : () }
    20, 'the second mail';
like($mails[1], qr/^Subject: nc\n(?:\S.*\n)+\nHello\n\z/m, 'nc works, too');
done_testing;
