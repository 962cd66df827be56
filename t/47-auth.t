#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# AUTH: who may log in and when, what it allows, what the log says.

use strict;
use warnings;
use lib 't/lib';
use IO::Socket::INET;
use MIME::Base64 qw(encode_base64);
use Malle qw(run skip_unless_command slurp spew wait_until);
use Malle::Tls qw(tls_main tls_talk);
use Test::More;

skip_unless_command(qw(certtool openssl curl swaks));

my $m   = Malle->new;
my $tls = tls_main($m);

sub plain { return encode_base64(join("\0", @_), '') }

# ---- where it is not enabled, and where TLS is missing

$m->transcript('smtpd', <<'END', 'not enabled');
S* ^220
C: EHLO x
S* ^250 8BITMIME
C: AUTH PLAIN AGFsaWNlAHNlY3JldA==
S: 503 5.5.1 Error: authentication not enabled
C: QUIT
S: 221 2.0.0 Bye
END
$m->main(smtpd_sasl_auth_enable => 'yes');
my $talk = $m->talk('smtpd');
$talk->reply;
unlike($talk->ask('EHLO x'), qr/AUTH/, 'not offered before TLS');
like($talk->ask('AUTH PLAIN AGFsaWNlAHNlY3JldA=='), qr/^538 5\.7\.11/, 'nor taken');
like($talk->ask('MAIL FROM:<bob>'), qr/^250/, 'mail goes on without');
$talk->close;

# ---- the conversation

$m->main(smtpd_tls_auth_only => 'no', mynetworks => '192.0.2.0/24');
$m->transcript('smtpd', <<'END', 'PLAIN');
S* ^220
C: EHLO x
S* ^250-AUTH PLAIN LOGIN$
S* ^250 8BITMIME
C: AUTH
S: 501 5.5.4 Syntax: AUTH mechanism
C: AUTH CRAM-MD5
S~ ^504 5\.5\.4
C: AUTH PLAIN
S: 334 
C: *
S: 501 5.7.0 Authentication aborted
C: AUTH PLAIN !!!!
S~ ^501 5\.5\.2
C: AUTH PLAIN Ym9iAGFsaWNlAHNlY3JldA==
S~ ^501 5\.5\.2
C: RCPT TO:<x@elsewhere.example>
S~ ^503
C: AUTH plain AGFsaWNlAHNlY3JldA==
S: 235 2.7.0 Authentication successful
C: AUTH PLAIN AGFsaWNlAHNlY3JldA==
S: 503 5.5.1 Error: already authenticated
C: MAIL FROM:<alice>
S~ ^250
C: AUTH PLAIN AGFsaWNlAHNlY3JldA==
S: 503 5.5.1 Error: MAIL transaction in progress
C: RCPT TO:<x@elsewhere.example>
S: 250 2.1.5 Ok
C: QUIT
S: 221 2.0.0 Bye
END
$m->transcript('smtpd', <<'END', 'LOGIN, and no relaying without');
S* ^220
C: EHLO x
S* ^250 8BITMIME
C: MAIL FROM:<alice>
S~ ^250
C: RCPT TO:<x@elsewhere.example>
S~ ^454 4\.7\.1 .*Relay access denied
C: RSET
S~ ^250
C: AUTH LOGIN
S: 334 VXNlcm5hbWU6
C: YWxpY2U=
S: 334 UGFzc3dvcmQ6
C: c2VjcmV0
S: 235 2.7.0 Authentication successful
C: QUIT
S: 221 2.0.0 Bye
END
$m->transcript('smtpd', <<'END', 'three wrong passwords and out');
S* ^220
C: EHLO x
S* ^250 8BITMIME
C: AUTH PLAIN AGFsaWNlAHdyb25n
S: 535 5.7.8 Error: authentication failed: authentication failure
C: AUTH PLAIN AG5vYm9keQB3cm9uZw==
S: 535 5.7.8 Error: authentication failed: authentication failure
C: AUTH LOGIN
S~ ^334
C: YWxpY2U=
S~ ^334
C: d3Jvbmc=
S: 535 5.7.8 Error: authentication failed: authentication failure
S: EOF
END
my $log = $m->log;
for my $who ([ PLAIN => 'alice' ], [ PLAIN => 'nobody' ], [ LOGIN => 'alice' ]) {
	like($log, qr/smtpd\[\d+\]: warning: localhost\[127\.0\.0\.1\]: SASL $who->[0] authentication failed: authentication failure, sasl_username=$who->[1]$/m,
	    "the log of a failed $who->[0] of $who->[1]");
}
like($log, qr/ auth=0\/3 /, 'and its count in the last line');
unlike($log, qr/secret|wrong/, 'no password is in the log');

sub fresh {
	my $talk = $m->talk('smtpd');

	$talk->reply;
	$talk->ask('EHLO x');
	return $talk;
}

for my $case (
	[ 'a name that would end the line', "eve, ip=[192.0.2.1]\n", 'x' ],
	[ 'an empty password',      'alice', '' ],
	[ 'a password of 512 octets', 'alice', 'x' x 512 ],
	[ 'root',                   'root', 'secret' ],
) {
	my ($name, $user, $password) = @$case;
	$talk = fresh();
	like($talk->ask('AUTH PLAIN ' . plain('', $user, $password)), qr/^5(?:35|01)/, "$name is refused");
	$talk->close;
}
unlike($m->log, qr/ip=\[192\.0\.2\.1\]/, 'a name cannot forge a log line');

# ---- checkpw fails: later, never yes

my $bin = $m->dir . '/bin';
mkdir $bin;
symlink Malle::program('tlsd'), "$bin/tlsd";
for my $how ('missing', 'killed', 'garbage') {
	unlink "$bin/checkpw";
	spew("$bin/checkpw", "#!/bin/sh\n" . ($how eq 'killed' ? "kill -9 \$\$\n" : "exit 77\n"))
	    if $how ne 'missing';
	chmod 0755, "$bin/checkpw";
	$m->main(daemon_directory => $bin);
	$talk = fresh();
	like($talk->ask('AUTH PLAIN ' . plain('', qw(alice secret))),
	    qr/^454 4\.7\.0 Temporary authentication failure/, "checkpw $how is a 454");
	$talk->close;
}
$m->main(daemon_directory => Malle::build_dir());

# ---- submission

$m->main(smtpd_tls_auth_only => 'yes', smtpd_sasl_authenticated_header => 'yes');
my $submission = $m->serve('smtpd', 'nowait', '-o', 'smtpd_tls_security_level=encrypt',
	'-o', 'smtpd_sasl_auth_required=yes');
my $smtps = $m->serve('smtpd', 'wait', '-o', 'smtpd_tls_wrappermode=yes',
	'-o', 'smtpd_sasl_auth_required=yes');

$talk = tls_talk($m, $smtps);
$talk->reply;
$talk->ask('EHLO x');
like($talk->ask('MAIL FROM:<alice>'), qr/^530 5\.7\.0 Authentication required/, 'no mail without a login');
like($talk->ask('RSET'), qr/^250/, 'RSET may be said');
like($talk->ask('QUIT'), qr/^221/, 'and QUIT');
$talk->rest;
$talk->close;

sub swaks {
	return run('/usr/bin/swaks', '--server', "127.0.0.1:$submission", '-tls',
		'--from', 'alice@mondomaine.lan', '--to', 'bob@mondomaine.lan', @_);
}
my $r = swaks('--auth', 'PLAIN', '--auth-user', 'alice', '--auth-password', 'secret');
is($r->{status}, 0, 'swaks, PLAIN') or diag $r->{out}, $r->{err};
$r = swaks('--auth', 'LOGIN', '--auth-user', 'alice@mondomaine.lan', '--auth-password', 'secret');
is($r->{status}, 0, 'swaks, LOGIN with a domain') or diag $r->{out}, $r->{err};
$r = swaks('--auth', 'PLAIN', '--auth-user', 'alice', '--auth-password', 'wrong');
is($r->{status}, 28, 'swaks with a wrong password');
$r = swaks();
isnt($r->{status}, 0, 'swaks without one');

my $message = $m->dir . '/message';
spew($message, "Subject: by curl\r\n\r\ntext\r\n");
$r = run('/usr/bin/curl', '-sS', '--url', "smtps://127.0.0.1:$smtps", '--cacert', "$tls/ca.pem",
	'-u', 'alice:secret', '--mail-from', 'alice@mondomaine.lan',
	'--mail-rcpt', 'bob@mondomaine.lan', '-T', $message);
is($r->{status}, 0, 'curl on 465') or diag $r->{err};

$m->queue_run;
my ($got) = wait_until { my @mail = $m->mail('bob'); @mail == 3 ? \@mail : () } 10;
is(scalar @{ $got || [] }, 3, 'bob has all three');
like($got->[0], qr/^\t\(Authenticated sender: alice\)$/m, 'Received says who');
like($got->[0], qr/ with ESMTPSA id/, 'and how');
like($m->log, qr/: client=localhost\[127\.0\.0\.1\], sasl_method=(?:PLAIN|LOGIN), sasl_username=alice$/m,
    'so does the log');

# ---- whose address is it?

spew($m->etc . '/senders', "alice\@mondomaine.lan alice, bob\nbob\@mondomaine.lan bob\n");
$m->main(smtpd_tls_auth_only => 'no',
	smtpd_sender_login_maps => 'texthash:' . $m->etc . '/senders');
$talk = fresh();
$talk->ask('AUTH PLAIN ' . plain('', qw(alice secret)));
like($talk->ask('MAIL FROM:<bob@mondomaine.lan>'),
    qr/^553 5\.7\.1 <bob\@mondomaine\.lan>: Sender address rejected: not owned by user alice/,
    'another one\'s address is refused');
like($talk->ask('MAIL FROM:<x@y.example>'), qr/^553/, 'nobody\'s too');
like($talk->ask('MAIL FROM:<alice>'), qr/^250/, 'one\'s own is not');
$talk->ask('RSET');
like($talk->ask('MAIL FROM:<>'), qr/^250/, 'nor the null one');
$talk->close;

# ---- injection: a login in clear behind STARTTLS is none

my $smtp = $m->serve('smtpd', 'nowait');
my $port = Malle::Tls::through($m, $smtp, sub {
	my ($s) = @_;

	sysread $s, my $octets, 4096;
	syswrite $s, "EHLO x\r\n";
	sysread $s, $octets, 4096;
	syswrite $s, "STARTTLS\r\nAUTH PLAIN " . plain('', qw(bob secret)) . "\r\n";
	sysread $s, $octets, 4096;
});
$talk = tls_talk($m, $port);
$talk->ask('EHLO y');
like($talk->ask('AUTH PLAIN ' . plain('', qw(alice secret))), qr/^235/,
    'AUTH in the segment of STARTTLS did not log anyone in');
$talk->ask('QUIT');
$talk->rest;
$talk->close;

# ---- fail2ban's own filter, where there is one

SKIP: {
	my ($regex) = grep { -x } map { "$_/fail2ban-regex" } split /:/, $ENV{PATH};
	skip 'needs fail2ban', 1 if !$regex;
	$m->main(syslog_name => 'postfix');
	$talk = fresh();
	$talk->ask('AUTH PLAIN ' . plain('', qw(alice wrong)));
	$talk->close;
	my $file = $m->dir . '/banned';
	spew($file, join '', grep { /postfix.*SASL/ } split /^/, $m->log);
	$r = run($regex, $file, '/etc/fail2ban/filter.d/postfix.conf[mode=auth]');
	like($r->{out}, qr/\b1 matched/, 'fail2ban matches') or diag $r->{out};
}
done_testing;
