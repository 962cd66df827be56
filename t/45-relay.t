#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# Mail for other machines: which way it goes, what is said on the wire, and
# what becomes of it whatever the other side answers.

use strict;
use warnings;
use lib 't/lib';
use Test::More;
use Malle qw(free_port is_root slurp spew wait_until);
use Malle::Next;
use Malle::Spool qw(id_of put);

my $time = time - 10;
my $n = 0;
my $m = Malle->new(main => {
	qrun_service         => 'inet:127.0.0.1:9',
	minimal_backoff_time => '1s',
	default_process_limit => 4,
});
my $nexts = 0;

sub next_hop {
	my (%opt) = @_;

	return Malle::Next->new(dir => $m->dir . '/next' . $nexts++, %opt);
}

# A message in the queue; its id.
sub queue {
	my ($o) = @_;
	my $id = id_of($time, ++$n);

	put($m, 'incoming', $id, { from => 'bob@mondomaine.lan',
	    ref $o eq 'HASH' ? %$o : (to => $o) });
	return $id;
}

sub log_of {
	my ($id) = @_;

	return join '', grep { /\b$id: to=/ } split /^/, $m->log;
}

sub clear {
	unlink map { $m->spool . "/$_" } $m->queue;
	unlink glob $m->spool . '/{state,lock}/*';
	unlink $m->maillog;
	return;
}

# One run for one message; its log lines.
sub deliver {
	my ($o) = @_;

	clear();
	my $id = queue($o);
	$m->queue_run;
	return log_of($id);
}

subtest 'from one malle to another' => sub {
	my $there = Malle->new(
		users => { carol => 'secret' },
		main  => {
			myhostname    => 'there.example',
			mydestination => 'there.example',
			mynetworks    => '192.0.2.0/24',
			qrun_service  => 'inet:127.0.0.1:9',
			smtpd_forbid_bare_newline_exclusions => '',
		},
	);
	my $port = $there->serve('smtpd', 'nowait');
	$m->main(relayhost => "[127.0.0.1]:$port");
	my $body = "Date: Tue, 24 Nov 2026 12:00:00 +0000\nFrom: bob\@x.example\n" .
	    "Message-Id: <1\@x.example>\nSubject: x\n\n.\n..\n.dot\nlast line without end\n" .
	    "\xe9 and " . 'long ' x 30 . "\n" . join '', map { "line $_\n.\n" } 1 .. 3000;
	$m->transcript('smtpd', join("\n", 'S* ^220', 'C: EHLO test', 'S* ^250 ',
	    'C: MAIL FROM:<bob>', 'S: 250 2.1.0 Ok', 'C: RCPT TO:<carol@there.example>',
	    'S: 250 2.1.5 Ok', 'C: DATA', 'S~ ^354',
	    (map { "C: $_" =~ s/^C: \./C: ../r =~ s/\xe9/e/r } split /\n/, $body),
	    'C: .', 'S~ ^250', 'C: QUIT', 'S: 221 2.0.0 Bye', 'S: EOF', ''), 'received');
	$m->queue_run;
	$there->queue_run;
	my ($mail) = $there->mail('carol');
	like($mail, qr/\AReturn-Path: <bob\@mondomaine\.lan>\nDelivered-To: carol\@there\.example\nReceived: from mail\.mondomaine\.lan .*\n(?:\t.*\n)*Received: from test /,
	    'with both Received fields and one envelope');
	$body =~ s/\xe9/e/;
	is($mail =~ s/\A.*?(?=^Date)//msr, $body, 'and the same text');
	my ($there_id) = $there->log =~ /(\w+): client=/;
	like($m->log, qr{malle/smtp\[\d+\]: \w+: to=<carol\@there\.example>, relay=127\.0\.0\.1\[127\.0\.0\.1\]:$port, delay=[\d.]+, delays=[\d.]+/0/[\d.]+/[\d.]+, dsn=2\.0\.0, status=sent \(250 2\.0\.0 Ok: queued as $there_id\)\n.*: removed\n},
	    'the log');
	is(scalar $m->queue, 0, 'the queue is empty');
	is(join('', glob $m->spool . '/state/*'), '', 'and no record is left');
	$m->main(relayhost => undef);
	$there->destroy;
};

my $next = next_hop(ehlo => [qw(PIPELINING 8BITMIME), 'SIZE 100000']);
my $hop  = '[127.0.0.1]:' . $next->port;
$m->main(relayhost => $hop);

subtest 'one transaction' => sub {
	my $log = deliver([map { "u$_\@other.example" } 1 .. 3]);
	my @s = $next->sessions;

	is(() = $log =~ /status=sent \(250 2\.0\.0 taken\)/g, 3, 'all of them sent');
	is(@s, 1, 'one connection');
	my $size = length(($next->messages)[0]);
	is_deeply($s[0], ['EHLO mail.mondomaine.lan',
	    "MAIL FROM:<bob\@mondomaine.lan> SIZE=$size",
	    (map { "RCPT TO:<u$_\@other.example>" } 1 .. 3),
	    'DATA', 'QUIT', 'END'], 'one of each');
	like(($next->messages)[0], qr/\AReceived: by x id \w+; now\r\nSubject: s\r\n\r\nhello\r\n\z/,
	    'the message, without our envelope');

	$next->reset;
	$m->main(default_destination_recipient_limit => 2);
	deliver([map { "u$_\@other.example" } 1 .. 5]);
	@s = $next->sessions;
	is(@s, 1, 'limit 2: still one connection');
	is(() = "@{ $s[0] }" =~ /MAIL FROM/g, 3, 'three transactions');
	is(scalar $next->messages, 3, 'three messages');
	$m->main(default_destination_recipient_limit => undef);

	$next->reset;
	my $all = deliver({ to => ['u@other.example'], from => '' });
	like($next->text, qr/^MAIL FROM:<> SIZE=/m, 'the null sender');
	$next->reset;
	$all = deliver({ to => [(map { "u$_\@other.example" } 1 .. 400), 'alice@mondomaine.lan'] });
	is(() = $next->text =~ /^RCPT/mg, 400, 'four hundred');
	is(scalar(my @a = $m->mail('alice')), 1, 'and one for here');
	is(scalar $m->queue, 0, 'done');
};

subtest 'the text on the wire' => sub {
	my $text = "Received: by x\nSubject: \xe9\n\n.\n..\n.x\na\r.\r\rb\n\r\n.\r\n";

	$next->reset;
	deliver({ to => ['u@other.example'], text => $text . "end" });
	my $want = $text =~ s/\r/ /gr =~ s/^\./../gmr =~ s/\n/\r\n/gr . "end\r\n";
	is(($next->messages)[0], $want, 'dots doubled, a stray CR is a blank, the end has a line end');
	my ($size) = $next->text =~ /SIZE=(\d+)/;
	is($size, length($want) - 4, 'SIZE counts what counts');
	like($next->text, qr/BODY=8BITMIME/, '8 bits are said');
	$next->reset;
	deliver({ to => ['u@other.example'], text => "Received: x\n\n" . "\r" x 70000 . "\n.\n" });
	is(($next->messages)[0], "Received: x\r\n\r\n" . ' ' x 70000 . "\r\n..\r\n", 'CR at the end of a piece');
	$next->reset;
	my $log = deliver({ to => ['u@other.example'], size => 100001 });
	like($log, qr/dsn=4\.3\.4|dsn=5\.3\.4/, 'too large');
	like($log, qr/message size \d+ exceeds size limit 100000 of server 127/, 'as the log says');
	unlike($next->text, qr/MAIL/, 'and it was not begun');
};

subtest 'without extensions' => sub {
	my $old = next_hop(ehlo => undef, early => 1);
	$m->main(relayhost => '[127.0.0.1]:' . $old->port);
	my $log = deliver({ to => [qw(a@other.example b@other.example)],
	    text => "Received: x\n\n\xe9\n" });
	is(() = $log =~ /status=sent/g, 2, 'sent');
	is_deeply([$old->sessions], [['EHLO mail.mondomaine.lan', 'HELO mail.mondomaine.lan',
	    'MAIL FROM:<bob@mondomaine.lan>', 'RCPT TO:<a@other.example>',
	    'RCPT TO:<b@other.example>', 'DATA', 'QUIT', 'END']],
	    'HELO, no parameters, and each waits for its answer');
	$m->main(relayhost => $hop);
};

# What the other side does; what the log says; is it still in the queue?
my @close = ('close');
my $lost  = qr/dsn=4\.4\.2, status=deferred \(lost connection with 127\.0\.0\.1\[127\.0\.0\.1\] while /;
my $slow  = qr/dsn=4\.4\.2, status=deferred \(conversation with 127\.0\.0\.1\[127\.0\.0\.1\] timed out while /;
my $bad   = qr/dsn=4\.5\.0, status=deferred \(host 127\.0\.0\.1\[127\.0\.0\.1\] sent a malformed reply while /;
my $talk  = qr/status=deferred \(host 127\.0\.0\.1\[127\.0\.0\.1\] refused to talk to me: /;
my $host  = qr/host 127\.0\.0\.1\[127\.0\.0\.1\] said: /;

sub to { my ($verb, @what) = @_; return sub { $_[0] eq $verb ? [@what] : undef } }

my @row = (
	[ 'greeting 421', to('CONNECT', '421 4.3.2 busy'), qr/dsn=4\.3\.2, ${talk}421 4\.3\.2 busy\)/ ],
	[ 'greeting 554', to('CONNECT', "554-go\n554 away"), qr/dsn=4\.0\.0, ${talk}554-go 554 away\)/ ],
	[ 'greeting none', to('CONNECT', @close), qr/${lost}receiving the initial server greeting/ ],
	[ 'greeting of another kind', to('CONNECT', \"SSH-2.0-x\r\n"), qr/${bad}receiving the initial/ ],
	[ 'greeting too slow', to('CONNECT', 'drip', '220 ' . 'x' x 40), qr/${slow}receiving the initial/ ],
	[ 'greeting not at all', to('CONNECT', 'wait'), qr/${slow}receiving the initial/ ],
	[ 'EHLO, the end', to('EHLO', @close), qr/${lost}performing the EHLO/ ],
	[ 'EHLO and HELO refused', sub { $_[0] =~ /^[EH].LO/ ? '550 5.7.1 no' : undef }, qr/${host}550 5\.7\.1 no \(in reply to HELO command\)/ ],
	[ 'two codes in one reply', to('EHLO', \"250-a\r\n251 b\r\n"), qr/${bad}performing the EHLO/ ],
	[ 'no CR', to('MAIL', \"250 ok\n"), qr/${bad}sending MAIL FROM/ ],
	[ 'code 999', to('MAIL', \"999 ok\r\n"), qr/${bad}sending MAIL FROM/ ],
	[ 'code 25', to('MAIL', \"25 ok\r\n"), qr/${bad}sending MAIL FROM/ ],
	[ 'NUL', to('MAIL', \"250 o\0k\r\n"), qr/${bad}sending MAIL FROM/ ],
	[ 'a line too long', to('MAIL', \('250 ' . 'x' x 5000 . "\r\n")), qr/${bad}sending MAIL FROM/ ],
	[ 'a reply without end', to('MAIL', \("250-x\r\n" x 5000)), qr/${bad}sending MAIL FROM/ ],
	[ 'MAIL 451', to('MAIL', '451 4.7.1 grey'), qr/dsn=4\.7\.1, status=deferred \(${host}451 4\.7\.1 grey \(in reply to MAIL FROM command\)\)/ ],
	[ 'MAIL 550', to('MAIL', '550 5.7.1 no'), qr/dsn=.\.7\.1, .*${host}550 5\.7\.1 no \(in reply to MAIL FROM command\)\)/ ],
	[ 'RCPT 450', to('RCPT', '450 4.2.0 grey'), qr/dsn=4\.2\.0, status=deferred \(${host}450 4\.2\.0 grey \(in reply to RCPT TO command\)\)/ ],
	[ 'RCPT 550', to('RCPT', "550-5.1.1 no\n550 5.1.1 such"), qr/dsn=.\.1\.1, .*${host}550-5\.1\.1 no 550 5\.1\.1 such \(in reply to RCPT TO command\)\)/ ],
	[ 'RCPT 354', to('RCPT', '354 go'), qr/status=deferred \(${host}354 go \(in reply to RCPT TO/ ],
	[ 'RCPT 421', to('RCPT', '421 4.3.2 down', 'close'), qr/status=deferred/ ],
	[ 'DATA 554', to('DATA', '554 5.6.0 no'), qr/${host}554 5\.6\.0 no \(in reply to DATA command\)\)/ ],
	[ 'DATA 250', to('DATA', '250 what?'), qr/dsn=4\.5\.0, status=deferred \(host .* did not answer DATA with 354\)/ ],
	[ 'DATA, the end', to('DATA', @close), qr/${lost}sending DATA command/ ],
	[ 'end 451', to('.', '451 4.3.0 full'), qr/dsn=4\.3\.0, status=deferred \(${host}451 4\.3\.0 full \(in reply to end of DATA command\)\)/ ],
	[ 'end 554', to('.', '554 5.7.1 spam'), qr/dsn=.\.7\.1, .*${host}554 5\.7\.1 spam \(in reply to end of DATA command\)\)/ ],
	[ 'end, and no word', to('.', @close), qr/${lost}sending end of data -- message may be sent more than once\)/ ],
	[ 'end, and silence', to('.', 'wait'), qr/${slow}sending end of data -- message may be sent more than once\)/ ],
	[ 'end 250 of another status', to('.', '250 5.0.0 fine'), qr/dsn=2\.0\.0, status=sent \(250 5\.0\.0 fine\)/ ],
	[ 'end 250 and nothing else', to('.', '250'), qr/dsn=2\.0\.0, status=sent \(250\)/ ],
);

for my $pipelining (1, 0) {
	subtest $pipelining ? 'every answer, with PIPELINING' : 'and without' => sub {
		$m->main(map { +"smtp_${_}_timeout" => '1s' }
		    qw(helo mail rcpt data_init data_done data_xfer));
		for (@row) {
			my ($name, $reply, $match) = @$_;
			my $hop = next_hop(reply => $reply, ehlo => $pipelining ? ['PIPELINING'] : []);
			$m->main(relayhost => '[127.0.0.1]:' . $hop->port);
			my $log = deliver(['u@other.example']);
			like($log, $match, $name);
			my $sent = $match =~ /status=sent/;
			my $never = $match =~ /dsn=\\?\.|dsn=\.|dsn=5/;
			is(scalar(my @q = grep { /^deferred/ } $m->queue), $sent ? 0 : 1,
			    'and it is ' . ($sent ? 'gone' : 'kept'))
			    unless $log =~ /status=bounced/;
			is(() = $log =~ /\n/g, 1, 'one line');
			$hop->stop;
		}
		$m->main(map { +"smtp_${_}_timeout" => undef }
		    qw(helo mail rcpt data_init data_done data_xfer));
	};
}

subtest 'for some of them' => sub {
	my $some = next_hop(ehlo => ['PIPELINING'], reply => sub {
		my ($verb, $line) = @_;
		return $line =~ /RCPT TO:<later/ ? '450 4.2.1 later' : undef;
	});
	$m->main(relayhost => '[127.0.0.1]:' . $some->port);
	my $log = deliver([map { "$_\@other.example" } qw(a later b)]);
	is(() = $log =~ /status=sent/g, 2, 'two are sent');
	is(() = $log =~ /<later\@.*status=deferred/g, 1, 'one waits');
	$some->reset;
	my ($path) = grep { /^deferred/ } $m->queue;
	rename $m->spool . "/$path", $m->spool . '/incoming/' . $path =~ s{.*/}{}r;
	$m->queue_run;
	is_deeply([grep { /RCPT/ } split /\n/, $some->text], ['RCPT TO:<later@other.example>'],
	    'and only that one is tried again');
	$some->stop;

	my %have;
	$some = next_hop(ehlo => ['PIPELINING'], reply => sub {
		my ($verb, $line) = @_;
		%have = () if $verb eq 'MAIL';
		return $verb eq 'RCPT' && ++$have{rcpt} > 3 ? '452 4.5.3 too many' : undef;
	});
	$m->main(relayhost => '[127.0.0.1]:' . $some->port);
	$log = deliver([map { "u$_\@other.example" } 1 .. 8]);
	is(() = $log =~ /status=sent/g, 8, 'a server that takes three at once gets all eight');
	is(scalar $some->sessions, 1, 'in one connection');
	is(scalar $some->messages, 3, 'three times');
};

subtest 'LMTP' => sub {
	my $path = $m->dir . '/lmtp';
	chmod 0711, $m->dir;
	my $l = next_hop(path => $path, lmtp => 1, ehlo => ['PIPELINING'], reply => sub {
		my ($verb, $line, $n) = @_;
		return $verb eq '.' && $n == 2 ? '452 4.2.2 full' : undef;
	});
	chmod 0777, $path;
	$m->main(relayhost => '', transport_maps => "inline:{other.example=lmtp:unix:$path}");
	my $log = deliver([map { "u$_\@other.example" } 1 .. 3]);
	like($log, qr/malle\/lmtp.*u$_\@.*relay=localhost\[\Q$path\E\].*status=sent/, "u$_: sent")
	    for 1, 3;
	like($log, qr/u2\@.*status=deferred.*452 4\.2\.2 full/, 'u2: its own answer');
	like($l->text, qr/^LHLO mail\.mondomaine\.lan\n/, 'LHLO');
	is(scalar $l->messages, 1, 'one message');
	$l->stop;
	$l = next_hop(lmtp => 1);
	$m->main(transport_maps => undef, virtual_mailbox_domains => 'v.example',
	    virtual_transport => 'lmtp:inet:127.0.0.1:' . $l->port);
	like(deliver(['u@v.example']), qr/lmtp\[.*status=sent/, 'virtual_transport');
	$m->main(virtual_mailbox_domains => undef, virtual_transport => undef);
};

subtest 'which way' => sub {
	my $one = next_hop();
	my $two = next_hop();
	my ($p, $q) = map { '127.0.0.1:' . $_->port } $one, $two;
	s/^([\d.]+)/[$1]/ for $p, $q;
	my $dead = '[127.0.0.1]:' . free_port();
	my @way = (
		# name, parameters, sender, recipient, which
		[ 'relayhost', { relayhost => $p }, 'b@x', 'u@other.example', 1 ],
		[ 'relayhost, a name', { relayhost => $p =~ s/127.0.0.1/localhost/r }, 'b@x', 'u@other.example', 1 ],
		[ 'a list', { relayhost => "$dead, $q" }, 'b@x', 'u@other.example', 2 ],
		[ 'fallback', { relayhost => $dead, smtp_fallback_relay => $q }, 'b@x', 'u@other.example', 2 ],
		[ 'relay domain too', { relayhost => $p, relay_domains => 'other.example' }, 'b@x', 'u@other.example', 1 ],
		[ 'relay_transport', { relayhost => $p, relay_domains => 'other.example', relay_transport => "relay:$q" }, 'b@x', 'u@other.example', 2 ],
		[ 'default_transport', { relayhost => $p, default_transport => "smtp:$q" }, 'b@x', 'u@other.example', 2 ],
		[ 'domain', { relayhost => $p, transport_maps => "inline:{other.example=smtp:$q}" }, 'b@x', 'u@other.example', 2 ],
		[ 'not below it', { relayhost => $p, transport_maps => "inline:{other.example=smtp:$q}" }, 'b@x', 'u@sub.other.example', 1 ],
		[ '.domain', { relayhost => $p, transport_maps => "inline:{.other.example=smtp:$q}" }, 'b@x', 'u@sub.other.example', 2 ],
		[ 'not itself', { relayhost => $p, transport_maps => "inline:{.other.example=smtp:$q}" }, 'b@x', 'u@other.example', 1 ],
		[ 'address', { relayhost => $p, transport_maps => "inline:{u\@other.example=smtp:$q}" }, 'b@x', 'u@other.example', 2 ],
		[ 'not another', { relayhost => $p, transport_maps => "inline:{u\@other.example=smtp:$q}" }, 'b@x', 'v@other.example', 1 ],
		[ 'only the hop', { transport_maps => "inline:{other.example=:$q}" }, 'b@x', 'u@other.example', 2 ],
		[ 'neither', { relayhost => $p, transport_maps => "inline:{other.example=:, *=smtp:$q}" }, 'b@x', 'u@other.example', 1 ],
		[ '*', { transport_maps => "inline:{*=smtp:$q}" }, 'b@x', 'u@other.example', 2 ],
		[ 'a local address', { transport_maps => "inline:{alice\@mondomaine.lan=smtp:$q}" }, 'b@x', 'alice@mondomaine.lan', 2 ],
		[ 'sender', { relayhost => $p, sender_dependent_relayhost_maps => "inline:{b\@x.example=$q}" }, 'b@x.example', 'u@other.example', 2 ],
		[ 'sender domain', { relayhost => $p, sender_dependent_relayhost_maps => "inline:{\@x.example=$q}" }, 'c@x.example', 'u@other.example', 2 ],
		[ 'other sender', { relayhost => $p, sender_dependent_relayhost_maps => "inline:{b\@x.example=$q}" }, 'c@x.example', 'u@other.example', 1 ],
		[ 'sender DUNNO', { relayhost => $p, sender_dependent_relayhost_maps => "inline:{b\@x.example=DUNNO}" }, 'b@x.example', 'u@other.example', 1 ],
	);
	my @names = qw(relayhost smtp_fallback_relay relay_domains relay_transport
	    default_transport transport_maps sender_dependent_relayhost_maps);

	for (@way) {
		my ($name, $main, $from, $to, $which) = @$_;
		$_->reset for $one, $two;
		$m->main((map { $_ => undef } @names), %$main);
		my $log = deliver({ from => $from, to => [$to] });
		like($log, qr/status=sent/, $name);
		is(join(' ', scalar $one->messages, scalar $two->messages),
		    $which == 1 ? '1 0' : '0 1', 'the right one');
	}
	$m->main(map { $_ => undef } @names);
	$m->main(transport_maps => 'inline:{{e.example=error:5.1.6 moved away}, plain.example=error:, ' .
	    '{r.example=retry:4.3.2 not now}, d.example=discard:, l.example=local:, bad.example=nothing:x, no.example=nocolon}');
	like(deliver(['u@e.example']), qr/relay=none, .*dsn=.\.1\.6, .*\(moved away\)/, 'error:');
	like(deliver(['u@plain.example']), qr/relay=none, .*dsn=.\.0\.0/, 'error: and no text');
	like(deliver(['u@r.example']), qr/dsn=4\.3\.2, status=deferred \(not now\)/, 'retry:');
	like(deliver(['u@d.example']), qr/dsn=2\.0\.0, status=sent \(d\.example\)/, 'discard:');
	like(deliver(['bob@l.example']), qr/local\[.*status=sent/, 'local:');
	is(scalar(my @b = $m->mail('bob')), 1, 'to the account of that name');
	like(deliver(['u@bad.example']), qr/dsn=4\.3\.0, status=deferred \(mail transport "nothing" unavailable\)/, 'no such transport: later');
	like(deliver(['u@no.example']), qr/dsn=4\.3\.5, status=deferred \(transport_maps: /, 'no colon: later');
	$m->main(transport_maps => 'texthash:/nonexistent/transport');
	like(deliver(['u@other.example']), qr/status=deferred/, 'a table that is missing: later');
	like(deliver(['alice@mondomaine.lan']), qr/status=deferred/, 'also for here');
	$m->main(transport_maps => undef, relayhost => '[127.0.0.1]:x');
	like(deliver(['u@other.example']), qr/dsn=4\.3\.5, status=deferred \(not a next hop: \[127\.0\.0\.1\]:x\)/, 'a relayhost that is none: later');
	$m->main(relayhost => "[127.0.0.1]:" . $one->port, smtp_tls_security_level => 'encrypt');
	$one->reset;
	like(deliver(['u@other.example']), qr/dsn=4\.7\.4, status=deferred \(TLS is required/, 'no clear text where TLS must be');
	is($one->text, '', 'not even a connection');
	$m->main(smtp_tls_security_level => 'may');
	like(deliver(['u@other.example']), qr/status=sent/, 'but where it may be');
	$m->main(smtp_tls_security_level => undef);
	for my $self ('[127.0.0.1]', '[127.9.9.9]', '[0.0.0.0]', '[::1]', '[localhost]') {
		$m->main(relayhost => $self);
		like(deliver(['u@other.example']), qr/relay=none, .*dsn=.\.4\.6, .*\(mail for .* loops back to myself\)/, "$self is ourselves");
	}
	$m->main(relayhost => undef);
};

subtest 'an alias that leads elsewhere' => sub {
	my $one = next_hop();
	my $aliases = $m->etc . '/aliases';
	spew($aliases, "list alice, far\@other.example, div\n");
	$m->main(relayhost => '[127.0.0.1]:' . $one->port, alias_maps => "texthash:$aliases",
	    transport_maps => 'inline:{div@mondomaine.lan=smtp:[127.0.0.1]:' . $one->port . '}');
	clear();
	my $before = () = $m->mail('alice');
	my $id = queue(['list@mondomaine.lan']);
	$m->queue_run;
	$m->queue_run;
	is(scalar(my @a = $m->mail('alice')), $before + 1, 'here');
	like($one->text, qr/RCPT TO:<far\@other\.example>/, 'and there');
	like($one->text, qr/RCPT TO:<div\@mondomaine\.lan>/, 'and what transport_maps sends away');
	$m->main(alias_maps => '', transport_maps => undef, relayhost => undef);
};

subtest 'a dead next hop' => sub {
	my $port = free_port();
	$m->main(relayhost => "[127.0.0.1]:$port", minimal_backoff_time => '300s');
	clear();
	my @id = map { queue(["u$_\@other.example"]) } 1 .. 30;
	$m->queue_run;
	is(scalar(my @q = grep { /^deferred/ } $m->queue), 30, 'all wait');
	like(log_of($id[0]), qr/relay=none, .*dsn=4\.4\.1, status=deferred \((?:delivery temporarily suspended: )?connect to 127\.0\.0\.1\[127\.0\.0\.1\]:$port: Connection refused\)/, 'with the reason');
	my $made_due = sub {
		my $i = 1;
		for (glob $m->spool . '/deferred/*') {
			rename $_, $m->spool . '/deferred/' . $i++ if !m{/\d$};
		}
		unlink $m->maillog;
	};
	$made_due->();
	$m->queue_run;
	is(() = $m->log =~ /smtp\[\d+\]: connect to /g, $_, "the next run tries it once") for 1;
	is(() = $m->log =~ /\(delivery temporarily suspended: connect to 127/g, 29, 'the others only look');
	$made_due->();
	my $up = next_hop(port => $port);
	$m->queue_run;
	is(scalar $m->queue, 0, 'when it is back, all leaves in one run');
	is(join('', glob $m->spool . '/lock/hop-*'), '', 'and it is forgotten');
	$m->main(relayhost => undef, minimal_backoff_time => '1s');
};

subtest 'so many at once' => sub {
	my $busy = $m->dir . '/busy';
	my $many = next_hop(reply => sub {
		my ($verb) = @_;
		mkdir "$busy/$$" if $verb eq 'EHLO';
		if ($verb eq '.') {
			# Long enough for others to come, if they may.
			select undef, undef, undef, 0.1;
			my $n = () = glob "$busy/*";
			mkdir "$busy-$n";
			rmdir "$busy/$$";
		}
		return;
	});
	mkdir $busy;
	$m->main(relayhost => '[127.0.0.1]:' . $many->port,
	    default_destination_concurrency_limit => 2, default_process_limit => 8);
	clear();
	queue(["u$_\@other.example"]) for 1 .. 12;
	my @pid = map { Malle::spawn([ Malle::program('qrun') ], [ \*STDIN, \*STDOUT, \*STDERR ],
	    { env => $m->env }) } 1 .. 2;
	waitpid $_, 0 for @pid;
	is(scalar $m->queue, 0, 'all of them went');
	ok(-d "$busy-2", 'two at once');
	is(join(' ', grep { !/-[12]$/ } glob "$busy-*"), '', 'by two runners, and never three');
	$m->main(map { $_ => undef } qw(relayhost default_destination_concurrency_limit));
	$m->main(default_process_limit => 4);
};

subtest 'IPv6' => sub {
	my $six = eval { next_hop(host => '::1') };
	plan skip_all => 'no ::1 here' if !$six;
	$m->main(relayhost => '[::1]:' . $six->port);
	like(deliver(['u@other.example']), qr/relay=::1\[::1\]:\d+, .*status=sent/, 'sent');
	$m->main(relayhost => '[localhost]:' . $six->port);
	like(deliver(['u@other.example']), qr/relay=localhost\[::1\]:\d+, .*status=sent/, 'where IPv4 is dead');
	$m->main(relayhost => undef);
};

subtest 'the program' => sub {
	my $r = $m->run('relay', '--help');
	is($r->{status}, 0, '--help');
	like($r->{out}, qr/^usage: relay\n/, 'usage');
	is($m->run('relay', '-x')->{status}, 64, 'an unknown option');
};

done_testing;
