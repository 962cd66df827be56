#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# TLS: what is offered and when, what clients see, and that nothing said or
# left in clear ever counts.

use strict;
use warnings;
use lib 't/lib';
use Malle qw(is_root run skip_unless_command slurp spew wait_until);
use Malle::Tls qw(tls_main tls_talk through);
use POSIX qw(WNOHANG);
use Test::More;
use Time::HiRes qw(sleep time);

skip_unless_command(qw(certtool gnutls-cli openssl curl swaks mpop));

my $m = Malle->new;

# ---- not configured: as if there were none

$m->transcript('smtpd', <<'END', 'without a certificate there is no STARTTLS');
S* ^220
C: EHLO x
S* ^250 8BITMIME
C: STARTTLS
S: 502 5.5.1 Error: command not implemented
C: QUIT
S: 221 2.0.0 Bye
END
$m->transcript('pop3d', <<'END', 'nor STLS');
S~ ^\+OK
C: STLS
S~ ^-ERR
C: USER alice
S~ ^\+OK
END

sub children {
	my ($pid) = @_;

	return split ' ', slurp("/proc/$pid/task/$pid/children");
}

SKIP: {
	my $talk = $m->talk('smtpd');

	$talk->reply;
	skip 'the kernel does not tell children', 1
	    if !-e '/proc/self/task/' . $$ . '/children';
	is(scalar(children($talk->pid)), 0, 'and smtpd is one process');
	$talk->close;
}

# ---- with a certificate

my $tls  = tls_main($m);
my $ca   = "$tls/ca.pem";
my $smtp = $m->serve('smtpd', 'nowait');
my $pop3 = $m->serve('pop3d', 'nowait');

$m->transcript($smtp, <<'END', 'the rules of STARTTLS before it');
S* ^220
C: EHLO x
S* ^250-STARTTLS$
S* ^250 8BITMIME
C: STARTTLS now
S: 501 5.5.4 Syntax: STARTTLS
C: MAIL FROM:<bob>
S~ ^250
C: STARTTLS
S~ ^503
C: QUIT
S: 221 2.0.0 Bye
END

# openssl would wait for the server's end.
sub hang_up {
	my ($talk) = @_;

	kill KILL => $talk->pid;
	return $talk->close;
}

sub smtp_tls { return tls_talk($m, $smtp, '-starttls', 'smtp', @_) }

my $talk = smtp_tls();
like($talk->ask('EHLO y'), qr/^250-mail/, 'a session inside TLS');
unlike($talk->record, qr/STARTTLS/, 'that does not offer it again');
like($talk->ask('STARTTLS'), qr/^554/, 'nor does it');
is($talk->ask('QUIT'), '221 2.0.0 Bye', 'and ends in order');
is($talk->line, undef, 'with an end of file');
$talk->close;
like($m->log, qr/smtpd\[\d+\]: Anonymous TLS connection established from localhost\[127\.0\.0\.1\].*: TLSv1\.3 with cipher TLS_AES_\w+ \(\d+\/\d+ bits\)/,
    'the log has the facts');

$talk = smtp_tls();
like($talk->ask('MAIL FROM:<bob>'), qr/^250/, 'the greeting is forgotten, and HELO not required');
hang_up($talk);
$m->main(smtpd_helo_required => 'yes');
$talk = smtp_tls();
like($talk->ask('MAIL FROM:<bob>'), qr/^503/, 'what EHLO said before TLS is forgotten');
hang_up($talk);
$m->main(smtpd_helo_required => undef);

# ---- injection: the octets come with the command, or right behind it

sub inject {
	my ($port, $verb, $octets) = @_;

	return through($m, $port, sub {
		my ($s) = @_;

		sysread $s, my $greeting, 4096;
		syswrite $s, "EHLO x\r\n" if $verb eq 'STARTTLS';
		sysread $s, $greeting, 4096 if $verb eq 'STARTTLS';
		syswrite $s, "$verb\r\n$octets";
		sysread $s, my $answer, 4096;
	});
}

my %evil = (
	'a transaction' => "MAIL FROM:<eve>\r\nRCPT TO:<alice>\r\n",
	'half a command' => 'RCPT TO:<alice>, or ',
	'a whole message' =>
	    "MAIL FROM:<eve>\r\nRCPT TO:<alice>\r\nDATA\r\nx\r\n.\r\n",
);
for my $name (sort keys %evil) {
	$talk = tls_talk($m, inject($smtp, 'STARTTLS', $evil{$name}));
	is($talk->ask('NOOP'), '250 2.0.0 Ok',
	    "$name in the segment of STARTTLS: the first answer is to what came after");
	is($talk->ask('RCPT TO:<alice>'), '503 5.5.1 Error: need MAIL command',
	    'and nothing of it counts');
	is($talk->ask('QUIT'), '221 2.0.0 Bye', 'not even later');
	$talk->close;
}
$talk = tls_talk($m, inject($pop3, 'STLS', "USER alice\r\nPASS secret\r\nUSER bob\r\n"));
$talk->say('PASS secret');
like($talk->line, qr/^-ERR USER first/, 'the same for STLS');
hang_up($talk);

sub raw_starttls {
	my $talk = $m->connect($smtp);

	$talk->reply;
	$talk->ask('EHLO x');
	$talk->ask('STARTTLS') =~ /^220/ or diag $talk->record;
	return $talk;
}

$talk = raw_starttls();
$talk->send("MAIL FROM:<eve>\r\nRCPT TO:<alice>\r\nDATA\r\n");
unlike($talk->rest, qr/^[25345]\d\d[ -]/m,
    'clear text in place of a handshake is answered by no SMTP reply');
$talk->close;
ok(scalar(wait_until { $m->log =~ /SSL_accept error from localhost/ } 5),
    'and the log says so');
is(scalar(() = $m->queue), 0, 'nothing was taken');

# ---- time

$m->main(smtpd_starttls_timeout => '2s');
for my $drip ('', "\x16", "\x16\x03\x01\x02\x00") {
	my $start = time;
	$talk = raw_starttls();
	for (1 .. 4) {
		last if !length $drip;
		$talk->send(substr $drip, ($_ - 1) % length $drip, 1);
		sleep 0.4;
	}
	$talk->seconds(10)->rest;
	cmp_ok(time - $start, '<', 7, 'a stalled handshake ends ('
	    . length($drip) . ' octets)');
	$talk->close;
}
$m->main(smtpd_starttls_timeout => undef);

# ---- versions

for my $old (qw(-tls1 -tls1_1)) {
	$talk = smtp_tls($old, '-cipher', 'ALL:@SECLEVEL=0');
	$talk->rest;
	unlike($talk->stderr, qr/verify return:1.*250/s, "$old is refused");
	isnt($talk->close, 0, 'and the client sees it');
}
for my $new (qw(-tls1_2 -tls1_3)) {
	$talk = smtp_tls($new);
	like($talk->ask('NOOP'), qr/^250/, "$new is not");
	hang_up($talk);
}
$talk = smtp_tls('-tls1_2', '-cipher', 'AES256-SHA:AES256-GCM-SHA384:ECDHE-ECDSA-AES256-SHA');
$talk->rest;
isnt($talk->close, 0, 'no cipher without forward secrecy or in CBC mode');

# ---- clients

my $message = $m->dir . '/message';
spew($message, "Subject: by curl\r\n\r\ntext\r\n");
$m->main(smtpd_tls_received_header => 'yes');

my $r = run('/usr/bin/swaks', '--server', "127.0.0.1:$smtp", '-tls',
	'--from', 'bob@mondomaine.lan', '--to', 'alice@mondomaine.lan');
is($r->{status}, 0, 'swaks -tls') or diag $r->{out}, $r->{err};

sub curl_send {
	my ($url, @arg) = @_;

	return run('/usr/bin/curl', '-sS', '--url', $url, @arg, '--mail-from',
		'bob@mondomaine.lan', '--mail-rcpt', 'alice@mondomaine.lan',
		'-T', $message);
}
$r = curl_send("smtp://127.0.0.1:$smtp", '--ssl-reqd', '--cacert', $ca);
is($r->{status}, 0, 'curl') or diag $r->{err};
$r = curl_send("smtp://127.0.0.1:$smtp", '--ssl-reqd');
is($r->{status}, 60, 'that a client who does not know the authority refuses');

$r = run({ in => "NOOP\nQUIT\n" }, '/usr/bin/gnutls-cli',
	'--starttls-proto=smtp', "--x509cafile=$ca", '-p', $smtp, 'localhost');
like($r->{out}, qr/^- Status: The certificate is trusted/m, 'gnutls-cli')
    or diag $r->{out}, $r->{err};
like($r->{out}, qr/221 2\.0\.0 Bye/, 'to the end');

$m->queue_run;
my @mail = wait_until { my @got = $m->mail('alice'); @got == 2 ? \@got : () } 10;
@mail = @{ $mail[0] || [] };
is(scalar @mail, 2, 'both messages are there');
like($mail[0], qr/^\t\(using TLSv1\.\d with cipher \w+ \(\d+\/\d+ bits\).*^\tby mail\.mondomaine\.lan \(\w+\) with ESMTPS id/ms,
    'Received has protocol and cipher');

# ---- POP3

$m->main(pop3_tls_auth_only => undef);
$m->transcript($pop3, <<'END', 'passwords wait for TLS');
S~ ^\+OK
C: CAPA
S~ ^\+OK
S: TOP
S: UIDL
S: STLS
S* ^\.$
C: USER alice
S~ ^-ERR \[AUTH\]
C: AUTH PLAIN AGFsaWNlAHNlY3JldA==
S~ ^-ERR \[AUTH\]
C: QUIT
S~ ^\+OK
END
$talk = tls_talk($m, $pop3, '-starttls', 'pop3');
$talk->say('CAPA');
1 while ($talk->line // '.') ne '.';
like($talk->record, qr/^S: USER$/m, 'inside they are offered');
unlike($talk->record, qr/^S: STLS$/m, 'and TLS is not');
$talk->say('USER alice');
$talk->line;
$talk->say('PASS secret');
like($talk->line, qr/^\+OK Mailbox open, 2 messages/, 'and taken');
$talk->say('RETR 1');
1 while ($talk->line // '.') ne '.';
like($talk->record, qr/^S: X-Mailer: swaks|^S: Subject: by curl/m, 'a message');
$talk->say('STLS');
like($talk->line, qr/^-ERR/, 'no STLS after the login');
$talk->say('QUIT');
like($talk->line, qr/^\+OK/, 'QUIT');
$talk->close;

my $to = $m->dir . '/mpop';
mkdir $_ for $to, map { "$to/$_" } qw(cur new tmp);
$r = run({ env => { HOME => $to } }, '/usr/bin/mpop', '--host=localhost',
	"--port=$pop3", '--auth=plain', '--user=alice',
	'--passwordeval=echo secret', '--tls=on', '--tls-starttls=on',
	"--tls-trust-file=$ca", '--keep=on', "--uidls-file=$to/uidls",
	"--delivery=maildir,$to");
is($r->{status}, 0, 'mpop with STLS') or diag $r->{out}, $r->{err};
is(scalar(() = glob "$to/new/*"), 2, 'has both');

# ---- from the first octet, in both forms

for my $form (qw(nowait wait)) {
	my $smtps = $m->serve('smtpd', $form, '-o', 'smtpd_tls_wrappermode=yes');
	my $pop3s = $m->serve('pop3d', $form, '-o', 'pop3_tls_wrappermode=yes');

	$r = curl_send("smtps://127.0.0.1:$smtps", '--cacert', $ca);
	is($r->{status}, 0, "smtps, $form") or diag $r->{err};
	$r = run('/usr/bin/curl', '-sS', '--cacert', $ca, '-u', 'alice:secret',
		"pop3s://127.0.0.1:$pop3s/1");
	like($r->{out}, qr/^Delivered-To: alice/m, "pop3s, $form") or diag $r->{err};

	# A renewed certificate, and the next client sees it.
	unlink "$tls/cert.pem";
	my $before = serial($smtps);
	Malle::Tls::make_certs($m);
	my $after = serial($smtps);
	ok($after && $after ne $before, "a new certificate is served at once, $form");
	$talk = $m->connect($smtps);
	$talk->send("EHLO x\r\nQUIT\r\n");
	unlike($talk->rest, qr/220|250|221/, 'clear text gets no SMTP');
	$talk->close;
}
sub serial {
	my ($port) = @_;
	my $out = `echo | openssl s_client -connect 127.0.0.1:$port 2>/dev/null | openssl x509 -noout -serial 2>/dev/null`;

	return $out;
}

# ---- resuming, by processes that do not know each other

my $session = $m->dir . '/session';
for my $version (qw(-tls1_2 -tls1_3)) {
	$talk = smtp_tls($version, '-sess_out', $session);
	$talk->ask('NOOP');
	$talk->ask('QUIT');
	$talk->rest;
	$talk->close;
	my $seen = () = $m->log =~ /\(resumed\)/g;
	$talk = smtp_tls($version, '-sess_in', $session);
	like($talk->ask('QUIT'), qr/^221/, "$version with a ticket");
	$talk->close;
	is(scalar(() = $m->log =~ /\(resumed\)/g), $seen + 1, 'is resumed');
}
is((stat "$tls/tls-ticket.key")[2] & 07777, 0600, 'the key of the tickets is private');
my $old = slurp("$tls/tls-ticket.key");
utime time - 90000, time - 90000, "$tls/tls-ticket.key";
$talk = smtp_tls('-sess_in', $session);
like($talk->ask('QUIT'), qr/^221/, 'with a ticket of an old key');
$talk->close;
isnt(slurp("$tls/tls-ticket.key"), $old, 'which has been replaced');

# ---- certificates that cannot be used

my $warnings = () = $m->log =~ /TLS is not available/g;
$m->main(smtpd_tls_key_file => "$tls/none.pem");
$m->transcript($smtp, <<'END', 'no key: not available, and the session goes on');
S* ^220
C: EHLO x
S* ^250 8BITMIME
C| STARTTLS\r\nNOOP\r\n
S: 454 4.7.0 TLS not available due to local problem
C: MAIL FROM:<bob>
S~ ^250
C: QUIT
S: 221 2.0.0 Bye
END
like($m->log, qr/warning: TLS is not available: \S+none\.pem: No such file/,
    'the log names the file');
$m->main(smtpd_tls_security_level => 'encrypt');
$m->transcript($smtp, <<'END', 'where TLS is required there is no mail without');
S* ^220
C: EHLO x
S* ^250 8BITMIME
C: MAIL FROM:<bob>
S: 530 5.7.0 Must issue a STARTTLS command first
C: RSET
S~ ^530 5\.7\.0
C: STARTTLS
S~ ^454
C: RCPT TO:<alice>
S~ ^530 5\.7\.0
C: NOOP
S~ ^250
C: QUIT
S: 221 2.0.0 Bye
END
$m->main(smtpd_tls_security_level => 'may', smtpd_tls_key_file => "$tls/ca-key.pem");
$talk = smtp_tls();
$talk->rest;
isnt($talk->close, 0, 'the key of another certificate: no handshake');
ok(scalar(wait_until { $m->log =~ /SSL_accept error.*ca-key\.pem: not the key of the certificate/ } 5),
    'and the log says why') or diag $m->log =~ s/.*(?=(?:.*\n){5}\z)//sr;
$m->main(smtpd_tls_key_file => "$tls/key.pem");

# ---- RSA beside ECDSA

{
	my $rsa = "$tls/rsa.pem";
	my $both = run('/bin/sh', '-c',
	    'openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=rsa -days 9 -keyout "$0.key" -out "$0.crt" && cat "$0.key" "$0.crt" >"$0"',
	    $rsa);
	is($both->{status}, 0, 'an RSA certificate') or diag $both->{err};
	spew("$tls/ec.pem", slurp("$tls/key.pem") . slurp("$tls/cert.pem"));
	$m->main(smtpd_tls_chain_files => "$tls/ec.pem, $rsa");
	my $who = sub {
		my $out = `echo QUIT | openssl s_client -connect 127.0.0.1:$smtp -starttls smtp @_ 2>/dev/null`;
		return $out =~ /^subject=(.*)$/m ? $1 : '';
	};
	like($who->(), qr/CN = mail/, 'ECDSA for those who can');
	like($who->('-sigalgs', 'RSA-PSS+SHA256:RSA+SHA256'), qr/CN = rsa/, 'RSA for the others');
	like($who->('-tls1_2', '-sigalgs', 'RSA-PSS+SHA256:RSA+SHA256'), qr/CN = rsa/, 'in TLS 1.2 too');
	$m->main(smtpd_tls_chain_files => undef);
}

# ---- the end of TLS is the end

my $queued = () = $m->queue;
my $start_data = sub {
	my $talk = smtp_tls();
	$talk->ask($_) for 'EHLO x', 'MAIL FROM:<bob>', 'RCPT TO:<alice>';
	like($talk->ask('DATA'), qr/^354/, 'DATA');
	$talk->say('Subject: half', '', 'half a message');
	return $talk;
};
sub helpers {
	return grep { (eval { slurp("/proc/$_/cmdline") } // '') =~ m{/tlsd\0-c\0\Q@{[$m->etc]}\E} }
	    map { m{(\d+)} } glob '/proc/[0-9]*';
}
sub lost { return scalar(() = $m->log =~ /lost connection after DATA/g) }

ok(scalar(wait_until { !helpers() } 5), 'no helper outlives its session');
for my $how ('close_notify', 'FIN', 'kill -9 of the helper') {
	my $before = lost();
	$talk = $start_data->();
	if ($how eq 'close_notify') {
		# openssl says it when its input ends, without -quiet's wait.
		kill INT => $talk->pid;
	} elsif ($how eq 'FIN') {
		kill KILL => $talk->pid;
	} else {
		my @pid = helpers();
		is(scalar @pid, 1, 'one helper for one connection');
		kill KILL => @pid;
	}
	ok(scalar(wait_until { lost() > $before } 10), "$how is the end of the session");
	is(scalar(() = $m->queue), $queued, 'and commits nothing');
	$talk->close;
}

# The helper dies after each of a few thousand octets, the last dot among
# them: either there is an answer, or no message.
my $lied = 0;
for my $at (0 .. 5) {
	$talk = smtp_tls();
	$talk->ask('EHLO x');
	my @pid = helpers();
	my @say = ('EHLO y', 'MAIL FROM:<bob>', 'RCPT TO:<alice>', 'DATA',
	    "Subject: $at\r\n\r\ntext", '.');
	for my $n (0 .. $#say) {
		kill KILL => @pid if $n == $at;
		$talk->say($say[$n]);
		last if !defined $talk->line && $n != 4;
	}
	hang_up($talk);
}
wait_until { !helpers() } 5;
is(scalar(() = $m->queue), $queued, 'a helper killed before the last dot commits nothing');

# ---- who holds what

SKIP: {
	skip 'needs root', 6 unless is_root();
	$talk = smtp_tls();
	$talk->ask('NOOP');
	my ($helper) = helpers();
	my $mail = getpwnam 'mail';
	like(slurp("/proc/$helper/status"), qr/^Uid:\t$mail\t$mail\t$mail\t$mail$/m,
	    'the helper has given its rights away');
	like(slurp("/proc/$helper/status"), qr/^NoNewPrivs:\t1$/m, 'for good');
	is(length slurp("/proc/$helper/environ"), 0, 'its environment is empty');
	my $parent = slurp("/proc/$helper/status") =~ /^PPid:\t(\d+)/m ? $1 : 0;
	my ($session) = grep { $_ != $helper } children($parent);
	like(slurp("/proc/$session/status"), qr/^Uid:\t$mail\t/m, 'so has the session');
	unlike(join(' ', map { readlink($_) // '' } glob "/proc/$session/fd/*"), qr/\.pem/,
	    'which has no key open');
	my %tcp = map { $_ => 1 } slurp('/proc/net/tcp') =~ /(?:\S+\s+){9}(\d+)/g;
	my @net = grep { $tcp{$_} } map { (readlink($_) // '') =~ /^socket:\[(\d+)\]/ }
	    map { glob "/proc/$_/fd/*" } $session, $parent;
	is(scalar @net, 0, 'nor the connection: neither it nor the monitor');
	hang_up($talk);
}

done_testing;
