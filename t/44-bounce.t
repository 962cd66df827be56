#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# Mail that cannot be delivered: the sender is told once, in a form that a
# MIME parser reads, whatever the message and the reasons look like; reports
# about reports end; old mail is given up, slow mail is announced; a runner
# killed anywhere never forgets to tell.

use strict;
use warnings;
use lib 't/lib';
use Faults qw(calls in_parallel in_worker sanitized sweep_result tracer);
use JSON::PP qw(decode_json);
use Malle    qw(is_root program run slurp spew);
use Malle::Next;
use Test::More;

my ($python) = grep { -x } map { "$_/python3" } split /:/, $ENV{PATH};

# A report as python's email module sees it.
my $parser = <<'END';
import email, email.policy, json, sys
data = sys.stdin.buffer.read()
m = email.message_from_bytes(data, policy=email.policy.default)
defects = [repr(d) for part in m.walk() for d in part.defects]
def text(part):
    return part.get_payload(decode=True).decode('utf-8', 'replace')
def fields(part):
    return [[k, ' '.join(str(v).split())] for k, v in part.items()]
parts = list(m.iter_parts())
third = parts[2] if len(parts) > 2 else None
json.dump({
    'head': fields(m), 'type': m.get_content_type(),
    'report': m.get_param('report-type'), 'defects': defects,
    'types': [p.get_content_type() for p in parts],
    'text': text(parts[0]) if parts else None,
    'status': [fields(p) for p in parts[1].get_payload()]
        if len(parts) > 1 else [],
    'returned': (fields(third.get_payload(0)) if third.get_content_type()
        == 'message/rfc822' else [l.split(': ', 1) for l in
        text(third).split('\n') if ': ' in l]) if third else [],
    'body': third.get_payload(0).get_payload(decode=True).decode('latin-1')
        if third and third.get_content_type() == 'message/rfc822' and
        not third.get_payload(0).is_multipart() else None,
    'tree': [p.get_content_type() for p in m.walk()],
}, sys.stdout)
END

sub parse {
	my ($text) = @_;
	my $r = run({ in => $text }, $python, '-c', $parser);

	$r->{status} == 0 or die "python: $r->{err}\n";
	return decode_json($r->{out});
}

sub field {
	my ($name, @field) = @_;

	return join '|', map { $_->[1] } grep { lc $_->[0] eq lc $name } @field;
}

# What holds for every report; returns it parsed.
sub report_ok {
	my ($text, $name, %want) = @_;
	my $rcpts = $want{rcpts} // 1;
	my $to    = $want{to} // 'bob@mondomaine.lan';
	my $from  = $want{from} // '';

	like($text, qr/\AReturn-Path: <\Q$from\E>\n(?:Delivered-To: \Q$to\E\n)/,
		"$name: envelope");
	unlike($text, qr/[^\x20-\x7e\n\t]/, "$name: printable ASCII") unless $want{octets};
	return if !defined $python;
	my $p = parse($text);
	is_deeply($p->{defects}, [], "$name: no defects");
	is($p->{type}, 'multipart/report', "$name: multipart/report");
	is($p->{report}, 'delivery-status', "$name: report-type");
	my $third = $want{header} ? 'text/rfc822-headers' : 'message/rfc822';
	is("@{$p->{types}}", "text/plain message/delivery-status $third", "$name: three parts");
	my @head = @{ $p->{head} };
	is(field('From', @head), 'Mail Delivery System <MAILER-DAEMON@mail.mondomaine.lan>', "$name: From");
	is(field('To', @head), $to, "$name: To");
	is(field('Subject', @head), $want{subject} // 'Undelivered Mail Returned to Sender', "$name: Subject");
	is(field('Auto-Submitted', @head), 'auto-replied', "$name: Auto-Submitted");
	is(field('MIME-Version', @head), '1.0', "$name: MIME-Version");
	like(field($_, @head), qr/^[^|]+$/, "$name: one $_") for qw(Date Message-ID Received);
	my ($all, @each) = @{ $p->{status} };
	is(field('Reporting-MTA', @$all), 'dns; mail.mondomaine.lan', "$name: Reporting-MTA");
	like(field('X-Malle-Queue-ID', @$all), qr/^[0-9A-F]{17}$/, "$name: queue id");
	is(field('X-Malle-Sender', @$all), ($want{sender} // 'rfc822; bob@mondomaine.lan'), "$name: sender");
	like(field('Arrival-Date', @$all), qr/^\w{3}, +\d+ \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}/, "$name: Arrival-Date");
	is(scalar @each, $rcpts, "$name: $rcpts recipients");
	for (@each) {
		like(field('Final-Recipient', @$_), qr/^rfc822; ?\S+\@\S+$/, "$name: Final-Recipient");
		is(field('Action', @$_), $want{action} // 'failed', "$name: Action");
		like(field('Status', @$_), $want{status} // qr/^5\.\d+\.\d+$/, "$name: Status");
		like(field('Diagnostic-Code', @$_), $want{diagnostic} // qr/^x-malle; ?\S/, "$name: Diagnostic-Code");
	}
	return $p;
}

# The instance's own bob gets the reports, and nobody is woken by chance.
sub instance {
	my %main = @_;

	return Malle->new(
		main => {
			qrun_service         => 'inet:127.0.0.1:9',
			minimal_backoff_time => '1s',
			%main
		},
		users => { map { $_ => 'secret' } qw(alice bob carol keeper postmaster) },
	);
}

sub without {
	my ($m, @gone) = @_;
	my $path = $m->etc . '/passwd';

	my $gone = join '|', @gone;
	spew("$path.new", join '', grep { !/^(?:$gone):/ } split /^/, slurp($path));
	rename "$path.new", $path or die "$path: $!\n";
	return;
}

sub submit {
	my ($m, $from, $text, @to) = @_;

	my $r = $m->run({ in => $text }, 'sendmail', '-i', '-f', $from, @to);
	$r->{status} == 0 or die "sendmail: $r->{err}\n";
	return;
}

sub make_due {
	my ($m) = @_;
	my $dir = $m->spool . '/deferred';

	my $n = 1;
	for my $due (grep { !/^\d+\z/ || $_ > 1000 } Malle::names($dir)) {
		$n++ while -e "$dir/$n";
		rename "$dir/$due", "$dir/$n" or die "$dir/$due: $!\n";
	}
	return;
}

# Runs the queue until nothing is to be done at once, and a little more.
sub rest {
	my ($m, $times) = @_;

	for (1 .. $times // 4) {
		make_due($m);
		$m->queue_run;
	}
	return;
}

sub microseconds {
	my ($id) = @_;

	return hex(substr $id, 0, 6) * 0x10000000 + hex substr $id, 6, 7;
}

# The time is in the id: a message of some seconds ago.
sub make_old {
	my ($m, $seconds) = @_;
	my @new;

	for my $path ($m->queue) {
		my ($place, $id, $rest) = $path =~ m{^(.*)/([0-9A-F]{17})(,.*)$} or die $path;
		my $old = sprintf '%013X%s', microseconds($id) - $seconds * 1_000_000, substr $id, 13;
		rename $m->spool . "/$path", $m->spool . "/$place/$old$rest" or die "$path: $!\n";
		rename $m->spool . "/state/$id", $m->spool . "/state/$old";
		push @new, $old;
	}
	return @new;
}

my $letter = "Subject: hello\nFrom: bob\n\nA letter.\n";

subtest 'unknown after it was accepted' => sub {
	my $m = instance();
	submit($m, 'bob@mondomaine.lan', $letter, qw(alice carol));
	without($m, 'alice');
	rest($m);
	is(scalar(my @carol = $m->mail('carol')), 1, 'the other one has it');
	my @got = $m->mail('bob');
	is(scalar @got, 1, 'one report');
	is_deeply([$m->queue], [], 'the queue is empty');
	my $p = report_ok($got[0], 'report') or return;
	like($p->{text}, qr/^<alice\@mondomaine\.lan> \(expanded from <alice>\):\n    unknown user: "alice"$/m,
		'text for people');
	my $f = $p->{status}[1];
	is(field('Final-Recipient', @$f), 'rfc822; alice@mondomaine.lan', 'final');
	is(field('Original-Recipient', @$f), 'rfc822;alice', 'original');
	is(field('Status', @$f), '5.1.1', 'status');
	is(field('Subject', @{ $p->{returned} }), 'hello', 'the message comes back');
	is($p->{body}, "A letter.\n", 'with its text');
	my $log = $m->log;
	my ($id) = $log =~ /local\[\d+\]: (\w+): to=<alice\@mondomaine\.lan>, orig_to=<alice>, relay=local, delay=\S+, delays=\S+, dsn=5\.1\.1, status=bounced \(unknown user: "alice"\)\n/;
	ok(defined $id, 'logged as bounced') or diag $log;
	like($log, qr/bounce\[\d+\]: $id: sender non-delivery notification: (\w+)\n(?s:.*)qmgr\[\d+\]: \1: from=<>, /, 'the report is logged');
	is(() = $log =~ /status=bounced/g, 1, 'once');
};

subtest 'several at once are one report' => sub {
	my $m = instance();
	submit($m, 'bob@mondomaine.lan', $letter, qw(alice carol postmaster));
	without($m, qw(alice carol postmaster));
	rest($m);
	my @got = $m->mail('bob');
	is(scalar @got, 1, 'one report');
	report_ok($got[0], 'report', rcpts => 3);
};

subtest 'an mbox that is full, and soft_bounce' => sub {
	my $m = instance(home_mailbox => '', mailbox_size_limit => 2000, message_size_limit => 1500,
		soft_bounce => 'yes');
	spew($m->dir . '/mail/alice', "From x\n\n" . "x" x 3000 . "\n\n");
	chmod 0600, $m->dir . '/mail/alice';
	chown +(stat $m->home('alice'))[ 4, 5 ], $m->dir . '/mail/alice';
	submit($m, 'bob@mondomaine.lan', $letter, 'alice');
	rest($m);
	is(scalar(my @q = $m->queue), 1, 'soft_bounce: kept');
	my $first = $m->log =~ /dsn=4\.2\.2, status=deferred/;
	ok($first, 'as a temporary failure') or diag $m->log;
	$m->main(soft_bounce => 'no');
	without($m, 'alice');
	$m->main(soft_bounce => 'yes');
	rest($m);
	like($m->log, qr/dsn=4\.1\.1, status=deferred \(unknown user/, 'unknown user too');
	$m->main(soft_bounce => undef);
	rest($m);
	like($m->log, qr/dsn=5\.1\.1, status=bounced/, 'and then no longer');
	like(join('', $m->mail('bob')), qr/Undelivered Mail Returned/, 'the sender is told');
};

sub alias_instance {
	my ($text, %main) = @_;
	my $m = instance(alias_maps => 'texthash:ALIASES', %main);

	$m->main(alias_maps => 'texthash:' . $m->etc . '/aliases');
	spew($m->etc . '/aliases', $text =~ s/^([^\s:]+):/$1/gmr);
	return $m;
}

subtest 'aliases: each target that fails is told, once' => sub {
	my $m = alias_instance("list: alice, carol, nobody-here\n");
	submit($m, 'bob@mondomaine.lan', $letter, qw(list));
	without($m, 'carol');
	rest($m);
	is(scalar(my @alice = $m->mail('alice')), 1, 'alice has it');
	my @got = $m->mail('bob');
	is(scalar @got, 1, 'one report');
	is_deeply([$m->queue], [], 'the queue is empty');
	my $p = report_ok($got[0], 'report', rcpts => 2) or return;
	like($p->{text}, qr/^<$_\@mondomaine\.lan> \(expanded from <list>\):\n    unknown user: "$_"/m, $_)
	    for qw(carol nobody-here);
};

subtest 'a list with an owner' => sub {
	my $m = alias_instance("list: alice, nobody-here\nowner-list: carol\n");
	submit($m, 'bob@mondomaine.lan', $letter, qw(list));
	submit($m, '<>', $letter, qw(list));
	rest($m);
	is(scalar(my @bob = $m->mail('bob')), 0, 'the sender is not told');
	my @got = $m->mail('carol');
	is(scalar @got, 1, 'the owner is');
	report_ok($got[0], 'report', to => 'owner-list@mondomaine.lan') if @got;
	my @post = $m->mail('postmaster');
	is(scalar @post, 1, 'of a report it is the postmaster');
};

subtest 'commands' => sub {
	my $m = alias_instance(join '', map { "exit$_: \"|echo 'said [$_] \t\x01 --x'; exit $_\"\n" } 65, 67, 69, 70, 75, 77, 99);
	submit($m, 'bob@mondomaine.lan', $letter, map { "exit$_" } 65, 67, 69, 70, 75, 77, 99);
	rest($m, 1);
	$m->queue_run;
	my @got = $m->mail('bob');
	is(scalar @got, 1, 'one report');
	my $p = report_ok($got[0], 'report', rcpts => 4) or return;
	is(join(' ', map { field('Final-Recipient', @$_) . '=' . field('Status', @$_) } @{ $p->{status} }[ 1 .. 4 ]),
	    join(' ', map { "rfc822; exit$_->[0]\@mondomaine.lan=$_->[1]" }
	    [ 65, '5.6.0' ], [ 67, '5.1.1' ], [ 69, '5.3.0' ], [ 77, '5.7.0' ]), 'which codes are final');
	like($p->{text}, qr/said \[67\]/, 'what it said');
	is(scalar(my @q = $m->queue), 1, 'the others wait');
	my $log = $m->log;
	rest($m);
	is(scalar(@got = $m->mail('bob')), 1, 'those that were told are not told again');
	like($m->log, qr/to=<exit75\@mondomaine\.lan>.*status=deferred/, 'waits');
};

subtest 'tables that cannot be asked' => sub {
	my $m = alias_instance("list: alice\n");
	submit($m, 'bob@mondomaine.lan', $letter, qw(list alice));
	$m->main(alias_maps => 'gdbm:' . $m->etc . '/missing');
	without($m, 'alice');
	rest($m);
	unlike($m->log, qr/bounced/, 'nothing is returned');
	is(scalar(my @q = $m->queue), 1, 'the message waits');
};

subtest 'another machine refuses' => sub {
	my $m    = instance();
	my $next = Malle::Next->new(dir => $m->dir . '/next', reply => sub {
		my ($verb, $rest) = @_;
		return $verb eq 'RCPT' && $rest =~ /no/ ? ["550-5.1.1 no such\n550 5.1.1 <user> (here)"] : undef;
	});
	$m->main(relayhost => '[127.0.0.1]:' . $next->port, transport_maps => 'inline:{{gone.example=error:5.1.6 gone away}}');
	submit($m, 'bob@mondomaine.lan', $letter, map { "$_\@x.example" } qw(yes no-one no-two));
	submit($m, 'bob@mondomaine.lan', $letter, 'carol@gone.example');
	rest($m);
	is_deeply([$m->queue], [], 'the queue is empty');
	my @got = sort { length $a <=> length $b } $m->mail('bob');
	is(scalar @got, 2, 'a report for each message') or diag $m->log;
	my $p = report_ok($got[1], 'refused', rcpts => 2, diagnostic => qr/^smtp; 550-5\.1\.1 no such 550 5\.1\.1 <user> \(here\)$/);
	is(field('Remote-MTA', @{ $p->{status}[1] }), 'dns; 127.0.0.1', 'Remote-MTA') if $p;
	$p = report_ok($got[0], 'error transport', status => qr/^5\.1\.6$/);
	is(field('Diagnostic-Code', @{ $p->{status}[1] }), 'x-malle; gone away', 'its own words') if $p;
	is(() = $m->log =~ /to=<no-one\@x\.example>, .*status=bounced/g, 1, 'logged once');
};

subtest 'reports about reports' => sub {
	my $m = instance();
	submit($m, 'bob@mondomaine.lan', $letter, 'alice');
	without($m, qw(alice bob));
	rest($m, 6);
	is_deeply([$m->queue], [], 'the queue is empty');
	my @got = $m->mail('postmaster');
	is(scalar @got, 1, 'the postmaster is told');
	my $p = report_ok($got[0], 'double bounce', to => 'postmaster@mondomaine.lan', sender => 'rfc822;',
		from => 'double-bounce@mail.mondomaine.lan', subject => 'Postmaster Copy: Undelivered Mail');
	like($m->log, qr/postmaster non-delivery notification: \w+\n/, 'logged');

	without($m, 'postmaster');
	submit($m, '<>', $letter, 'carol');
	without($m, 'carol');
	rest($m, 6);
	is_deeply([$m->queue], [], 'and there is an end');
	like($m->log, qr/bounce\[\d+\]: warning: \w+: undeliverable postmaster notification discarded\n/, 'which is logged');
	is(() = $m->log =~ /postmaster non-delivery notification/g, 2, 'one report each');
};

subtest 'classes' => sub {
	my $m = instance(notify_classes => 'bounce, delay', bounce_notice_recipient => 'carol',
		delay_notice_recipient => 'carol', delay_warning_time => '1h');
	submit($m, 'bob@mondomaine.lan', $letter, 'alice');
	without($m, 'alice');
	rest($m);
	my @got = $m->mail('carol');
	is(scalar @got, 1, 'a copy of a failure');
	report_ok($got[0], 'copy', to => 'carol@mondomaine.lan', header => 1,
		from => 'double-bounce@mail.mondomaine.lan', subject => 'Postmaster Copy: Undelivered Mail');
	unlike($got[0], qr/A letter/, 'without the text');
	unlink glob $m->home('carol') . '/Maildir/new/*';

	submit($m, 'bob@mondomaine.lan', $letter, 'carol');
	make_old($m, 7200);
	$m->main(passwd_file => $m->etc . '/missing');
	$m->queue_run;
	$m->main(passwd_file => $m->etc . '/passwd');
	rest($m);
	@got = grep { /^Subject: Postmaster/m } $m->mail('carol');
	is(scalar @got, 1, 'a copy of a delay warning');
	report_ok($got[0], 'delay copy', to => 'carol@mondomaine.lan', header => 1, action => 'delayed', status => qr/^4/,
		from => 'double-bounce@mail.mondomaine.lan', subject => 'Postmaster Warning: Delayed Mail') if @got;

	$m->main(notify_classes => 'resource');
	submit($m, '<>', $letter, 'carol');
	without($m, 'carol');
	rest($m);
	is_deeply([$m->queue], [], 'without a class: the queue is empty');
	is(scalar(my @post = $m->mail('postmaster')), 0, 'the postmaster hears nothing');
	like($m->log, qr/warning: \w+: undeliverable mail without a sender discarded/, 'but it is logged');
};

subtest 'too old' => sub {
	my $m = instance(passwd_file => '/missing');
	$m->main(passwd_file => $m->etc . '/passwd');
	submit($m, 'bob@mondomaine.lan', $letter, qw(alice carol));
	my ($id) = make_old($m, 5 * 86400 - 3600);
	$m->main(passwd_file => $m->etc . '/missing');
	$m->queue_run;
	is(scalar(my @q = $m->queue), 1, 'an hour before its time it waits');
	unlike($m->log, qr/expired/, 'not expired');
	($id) = make_old($m, 7200);
	make_due($m);
	$m->queue_run;
	like($m->log, qr/qmgr\[\d+\]: $id: from=<bob\@mondomaine\.lan>, status=expired, returned to sender\n/, 'an hour after it is given up');
	like($m->log, qr/qmgr\[\d+\]: $id: removed\n/, 'and gone');
	$m->main(passwd_file => $m->etc . '/passwd');
	rest($m);
	my @got = $m->mail('bob');
	is(scalar @got, 1, 'one report');
	my $p = report_ok($got[0], 'report', rcpts => 2, status => qr/^4\.3\.0$/);
	like($p->{text}, qr/account file \S+ cannot\s+be\s+read/, 'says what it waited for') if $p;
	is(scalar(my @alice = $m->mail('alice')), 0, 'it is not delivered any more');
	is_deeply([$m->queue], [], 'the queue is empty');

	$m->main(passwd_file => $m->etc . '/missing', bounce_queue_lifetime => '1d');
	submit($m, '<>', $letter, 'alice');
	submit($m, 'bob@mondomaine.lan', $letter, 'alice');
	make_old($m, 2 * 86400);
	$m->queue_run;
	$m->queue_run;
	is(() = $m->log =~ /from=<>, status=expired/g, 1, 'reports have a lifetime of their own');
	is(() = $m->log =~ /status=expired/g, 2, 'other mail has not');
};

subtest 'a delivery by rename that fails until it is too old' => sub {
	my $m = instance();
	my $dir = $m->home('alice') . '/Maildir';
	spew($dir, 'not a directory');
	submit($m, 'bob@mondomaine.lan', $letter, 'alice');
	rest($m);
	is(scalar(my @q = $m->queue), 1, 'waits');
	make_old($m, 6 * 86400);
	rest($m);
	is_deeply([$m->queue], [], 'is given up');
	report_ok(($m->mail('bob'))[0] // '', 'report', status => qr/^4/);
};

subtest 'slow mail is announced, once' => sub {
	my $m = instance(delay_warning_time => '2h');
	submit($m, 'bob@mondomaine.lan', $letter, 'alice');
	submit($m, '<>', $letter, 'alice');
	make_old($m, 3600);
	my $missing = sub { $m->main(passwd_file => $m->etc . ($_[0] ? '/missing' : '/passwd')) };
	$missing->(1);
	$m->queue_run;
	unlike($m->log, qr/delay notification/, 'not before its time');
	make_old($m, 7200);
	rest($m, 1);
	my @id = $m->log =~ /bounce\[\d+\]: \w+: sender delay notification: (\w+)\n/g;
	is(scalar @id, 1, 'the sender is told');
	rest($m, 1) for 1 .. 3;
	is(() = $m->log =~ /delay notification/g, 1, 'once; and for no sender never');
	$missing->(0);
	rest($m);
	is(scalar(my @alice = $m->mail('alice')), 2, 'both arrive in the end');
	my @got = $m->mail('bob');
	is(scalar @got, 1, 'one warning');
	my $p = report_ok($got[0], 'warning', subject => 'Delayed Mail (still being retried)', action => 'delayed', status => qr/^4\.3\.0$/);
	return if !$p;
	like(field('Will-Retry-Until', @{ $p->{status}[1] }), qr/^\w{3}, +\d+ \w{3} \d{4}/, 'Will-Retry-Until');
	like($p->{text}, qr/It is tried until: /, 'in the text too');
};

subtest 'what comes back' => sub {
	my $m = instance(bounce_size_limit => 2000);
	my %message = (
		large => "Subject: large\n\n" . ("a line of text\n" x 200),
		octets => "Subject: octets \xe9\n\nh\xf4tel\n",
		'no line end' => "Subject: no line end\n\nlast line",
		'no body'     => "Subject: no body\n",
		'huge header' => "Subject: huge header\n" . join('', map { "X-$_: " . 'x' x 70 . "\n" } 1 .. 100) . "\nbody\n",
		parts => "Subject: parts\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n",
		cut => "Subject: cut\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\n",
	);
	submit($m, 'bob@mondomaine.lan', $message{$_}, 'alice') for sort keys %message;
	without($m, 'alice');
	rest($m);
	my @got = $m->mail('bob');
	is(scalar @got, keys %message, 'reports');
	for my $name (sort keys %message) {
		my ($text) = grep { /^Subject: \Q$name\E/m } @got;
		ok(defined $text, $name) or next;
		if ($name eq 'cut') {	# its own defect
			like($text, qr/^--b\n\none\n\n--[0-9A-F.]+--\n\z/m, 'cut: the report ends well');
			next;
		}
		my $p = report_ok($text, $name, header => scalar $name =~ /large|huge/,
		    octets => $name eq 'octets') or next;
		is(field('Subject', @{ $p->{returned} }) =~ s/octets.*/octets/r, $name, "$name: its subject");
		is(field('Return-Path', @{ $p->{returned} }), '<bob@mondomaine.lan>', "$name: its sender");
		is(field('Delivered-To', @{ $p->{returned} }), '', "$name: no envelope");
	}
	my ($octets) = grep { /^Subject: octets/m } @got;
	like($octets, qr/^Content-Transfer-Encoding: 8bit\n(?s:.*)\n\nh\xf4tel\n/m, 'octets are as they were');
	my ($huge) = grep { /^Subject: huge/m } @got;
	cmp_ok(length $huge, '<', 6000, 'a huge header is cut');
	like($huge, qr/^X-\d+: x{70}\n\n--/m, 'at a line');
};

subtest 'nothing is injected' => sub {
	my $m = alias_instance(qq(evil: "|printf 'a\\\\r\\\\nb: c\\\\n--x--\\\\n\\\\nStatus: 2.0.0'; exit 69"\n));
	my @sender = (q("a b"@example.org), q("x>y"@mondomaine.lan), q(bob+%0aBcc:@mondomaine.lan));
	my $text = "Subject: --\nContent-Type: multipart/mixed; boundary=\"x\"\n\n--x\n--x--\n\nFrom x\n.\n";
	for my $from (@sender) {
		$m->run({ in => $text }, 'sendmail', '-i', '-f', $from, 'evil');
	}
	$m->queue_run;
	my @file = map { slurp($m->spool . "/$_") } grep { /^incoming/ } $m->queue;
	cmp_ok(scalar @file, '>=', 2, 'reports in the queue');
	for my $text (@file) {
		my ($head) = $text =~ /\A(.*?)\n\n/s;
		is(() = $head =~ /^(?!\t)/mg, 12, 'the head has its fields and no more');
		is(() = $text =~ /^Status: 2\.0\.0$/mg, 0, 'no status of its own');
		next if !$python;
		my $p = parse($text);
		is("@{$p->{types}}", 'text/plain message/delivery-status message/rfc822', 'three parts');
		is(scalar @{ $p->{status} }, 2, 'one recipient');
		is(field('Status', @{ $p->{status}[1] }), '5.3.0', 'its status');
	}
};

subtest 'no bounce program, or a broken one' => sub {
	my $m = instance();
	my $dir = $m->dir . '/libexec';
	mkdir $dir or die;
	symlink program($_), "$dir/$_" or die for qw(local);
	$m->main(daemon_directory => $dir);
	submit($m, 'bob@mondomaine.lan', $letter, 'alice');
	without($m, 'alice');
	rest($m, 1);
	is(scalar(my @q = $m->queue), 1, 'missing: the message stays');
	like($m->log, qr/warning: daemon_directory: bounce: /, 'a warning');
	like($m->log, qr/dsn=4\.1\.1, status=deferred/, 'deferred');
	my $script = "$dir/bounce";
	for my $what ('exit 70', 'kill -9 $$', 'exit 0', 'echo ../../etc/passwd', 'echo 4.3.0 no; exit 75', 'cat </dev/zero | head -c 1000000') {
		spew("$script.new", "#!/bin/sh\n$what\n");
		chmod 0755, "$script.new";
		rename "$script.new", $script or die;
		rest($m, 1);
		is(scalar(@q = $m->queue), 1, "$what: the message stays");
	}
	like($m->log, qr/bounce\[\d+\]: warning: \w+: no report: /, 'a warning');
	unlike($m->log, qr/status=bounced/, 'never said to be bounced');
	# A descriptor of it is used, and a script is opened by its name then.
	unlink $script;
	symlink program('bounce'), $script or die;
	rest($m);
	is_deeply([$m->queue], [], 'mended: the queue is empty');
	is(scalar(my @got = $m->mail('bob')), 1, 'one report');
};

subtest 'called by hand' => sub {
	is(run('bounce', '--help')->{status}, 0, '--help');
	is(run('bounce', 'failure')->{status}, 64, 'arguments are missing');
	is(run('bounce', qw(-i 123 -m h -t a@b failure))->{status}, 64, 'no queue id');
	is(run('bounce', '-i', '0' x 17, qw(-m h -t a@b never))->{status}, 64, 'no kind');
	is(run('bounce', '-i', '0' x 17, qw(-m h -t a@b failure))->{status}, is_root() ? 78 : 75, 'no message, or root');
};

# ---- killed anywhere ----

# After it and any number of further runs the sender has one report, or two.
sub sweep {
	my ($aliases, $to, $told) = @_;
	my $make = sub {
		my $s = Faults->new(to => [ 'alice' ], main => { alias_maps => '' });
		$s->m->main(alias_maps => 'texthash:' . $s->m->etc . '/aliases');
		spew($s->m->etc . '/aliases', $aliases =~ s/^([^\s:]+):/$1/gmr);
		submit($s->m, 'bob@mondomaine.lan', $letter, $to);
		my ($path) = map { $s->m->spool . "/$_" } $s->m->queue;
		$s->{file} = [ $path, slurp($path), (stat $path)[ 4, 5 ] ];
		without($s->m, 'alice');
		return $s;
	};
	my $go = sub {
		my ($s, @how) = @_;
		unlink glob $s->m->home('bob') . '/Maildir/*/*';
		$s->plant;
		return $s->m->run({ seconds => 50 }, tracer(), @how, program('qrun'));
	};
	my @call = in_worker(sub {
		my $s   = $make->();
		my @got = calls(sub { $go->($s, @_) });
		$s->finish;
		return @got;
	});
	my %last;
	$last{ $_->[0] } = $_->[1] for @call;
	my @job = map { my $mode = $_; map { my $p = $_; map { [ $mode, "$p.$_" ] } 1 .. $last{$p} }
	    sort { $a <=> $b } keys %last } qw(-k -K);
	@job = @job[ grep { $_ % 2 } 0 .. $#job ] if ($ENV{MALLE_SWEEP} // '') ne 'all';
	my @bad = in_parallel(\@job, sub {
		my $s = $make->();
		return sub {
			my ($job, $report) = @_;
			return $s->finish unless $job;
			$go->($s, @$job);
			my @wrong = $s->rest;
			my @got   = $s->m->mail('bob');
			push @wrong, 'no report' if !@got;
			push @wrong, @got . ' reports' if @got > 2;
			push @wrong, grep { my $to = $_; !grep { /^Final-Recipient: rfc822; \Q$to\E\@/m } @got } @$told;
			push @wrong, map { 'not whole' } grep { !/^Final-Recipient: (?s:.*)^--\S+--\n\z/m } @got;
			$report->("@$job: $_") for @wrong;
		};
	});
	return (\@job, \@bad);
}

SKIP: {
	skip 'the calls are the same without sanitizers', 2 if sanitized();
	my $status = -x tracer() ? run(tracer(), '-l', '/dev/null', '/bin/true')->{status} : 1;
	skip 'processes cannot be traced here', 2 if $status != 0;
	sweep_result('killed: one recipient', sweep("x: y\n", 'alice', ['alice']));
	sweep_result('killed: an alias', sweep("list: nobody-here, alice\n", 'list', [qw(nobody-here alice)]));
}
done_testing;
