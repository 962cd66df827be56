#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# sendmail as programs call it: arguments, what becomes of the message, what
# it says when it cannot be.

use strict;
use warnings;
use lib 't/lib';
use File::Copy qw(copy);
use IO::Socket::INET;
use IO::Socket::UNIX;
use Malle qw(run wait_until program spew slurp is_root build_dir);
use POSIX ();
use Socket qw(SOCK_DGRAM);
use Test::More;

# Where qrun would be woken: here.
my $waker = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Proto => 'udp')
    or die "udp: $!\n";
my $service = 'inet:127.0.0.1:' . $waker->sockport;
my $m       = Malle->new(main => { qrun_service => $service });
my $login   = getpwuid($<) // $<;
my $spool   = $m->spool;

# The names of datagrams that came.
sub woken {
	my @name;
	while (defined $waker->recv(my $name, 1000, Socket::MSG_DONTWAIT())) {
		push @name, $name;
	}
	return @name;
}

# Runs it; what it put into the queue is taken out again and returned as
# {status, err, file, envelope, head, body}.
sub submit {
	my ($in, @arg) = @_;
	my $opt = ref $in ? $in : { in => $in };
	my $r   = $m->run($opt, $opt->{program} || 'sendmail', @arg);
	my @q   = $m->queue;

	is($r->{out}, '', "@arg: silent");
	is(scalar @q, $r->{status} == 0 ? 1 : 0,
		"@arg: in the queue if it says so") or diag $r->{err}, @q;
	is(join(' ', glob "$spool/tmp/*"), '', "@arg: nothing half written");
	return $r unless @q;
	$r->{file} = $q[0];
	my $text = slurp("$spool/$q[0]");
	unlink map { "$spool/$_" } @q;
	like($q[0], qr{^incoming/[0-9A-F]{17},S=${\length $text},W=\d+$},
		'the name of the file');
	($r->{envelope}, my $rest) = $text =~ /\A(.*?\n)(Received: .*)\z/s;
	($r->{received}, $rest) = $rest =~ /\A(Received:[^\n]*\n(?:[ \t][^\n]*\n)*)(.*)\z/s;
	($r->{head}, $r->{body}) = split /^\n/m, $rest, 2;
	is_deeply([woken()], [ $q[0] =~ s{.*/}{}r ], 'the runner is woken');
	return $r;
}

sub envelope_is {
	my ($r, $sender, @rcpt) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	is($r->{status}, 0, 'accepted') or diag $r->{err};
	is($r->{envelope}, join('', "Return-Path: <$sender>\n",
		map { my ($full, $given) = ref ? @$_ : $_;
			(defined $given ? "X-Original-To: $given\n" : '')
			    . "Delivered-To: $full\n" } @rcpt), 'envelope');
	return;
}

my $me    = "$login\@mondomaine.lan";
my @alice = ('alice@mondomaine.lan', 'alice');
my @bob   = ('bob@mondomaine.lan', 'bob');
my $mail  = "From: x\@y\nTo: alice\@mondomaine.lan, Bob <bob>\nSubject: s\n\nhello\n";
my $r;

subtest 'arguments that programs really use' => sub {
	my @case = (
		[ 'cron', [qw(-FCronDaemon -i -B8BITMIME -oem alice)], $me, [ \@alice ] ],
		[ 'unattended-upgrades', [qw(-oi -t)], $me, [ $alice[0], \@bob ] ],
		[ 'logwatch, mdadm', ['-t'], $me, [ $alice[0], \@bob ] ],
		[ 'PHP', [qw(-t -i -fbob@example.org)], 'bob@example.org',
			[ $alice[0], \@bob ] ],
		[ 'mutt', [qw(-oem -oi -f bob@example.org -B 8BITMIME -N failure
			-R hdrs -- alice bob@mondomaine.lan)], 'bob@example.org',
			[ \@alice, $bob[0] ] ],
		[ 'git send-email', [qw(-i -f bob@example.org alice@mondomaine.lan)],
			'bob@example.org', [ $alice[0] ] ],
		[ 'procmail', [qw(-oi -f bob alice)], 'bob@mondomaine.lan', [ \@alice ] ],
		[ 'mailx', [qw(-i -odb -oem -om -v -r bob alice)],
			'bob@mondomaine.lan', [ \@alice ] ],
		[ 'mailutils', [qw(-oi -f a@b -t)], 'a@b', [ $alice[0], \@bob ] ],
		[ 'options behind', [qw(alice -f a@b)], 'a@b', [ \@alice ] ],
		[ 'everything', [qw(-bm -A x -C /nonexistent/../x -D f -d9.1 -em -G -h 3 -L l -m
			-n -O a=b -oA/x -p x -U -V id -X /dev/null -x -c), $m->etc,
			'alice' ], $me, [ \@alice ] ],
		[ 'null sender', [ '-f', '', 'alice' ], '', [ \@alice ] ],
		[ 'null sender in brackets', [ '-f', '<>', 'alice' ], '', [ \@alice ] ],
		[ 'sender with a name', [ '-f', 'Bob <b@x>', 'alice' ], 'b@x', [ \@alice ] ],
		[ 'a list in one argument', ['alice, "A B" <a@b>,,(c) c@d'], $me,
			[ \@alice, 'a@b', 'c@d' ] ],
		[ 'twice is once', [qw(alice alice@mondomaine.lan alice)], $me, [ \@alice ] ],
		[ 'both', [qw(-t carol@mondomaine.lan alice)], $me,
			[ 'carol@mondomaine.lan', \@alice, \@bob ] ],
		[ 'backslash', ['\\alice'], $me, [ \@alice ] ],
		[ 'dash', [qw(-- -alice)], $me, [ [ '-alice@mondomaine.lan', '-alice' ] ] ],
	);
	for (@case) {
		my ($name, $arg, $sender, $rcpt) = @$_;
		$r = submit($mail, @$arg);
		note $name;
		envelope_is($r, $sender, @$rcpt);
		is($r->{body}, "hello\n", 'the text');
	}
};

subtest 'trace and missing fields' => sub {
	$r = submit("Subject: s\n\nhello\n", '-F', 'A Name', 'alice');
	my ($id) = $r->{file} =~ m{/(\w+)};
	like($r->{received}, qr/\AReceived: by mail\.mondomaine\.lan \(malle, from userid $<\)\n\tid $id; \w{3}, [ \d]\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4} \(\w+\)\n\z/,
		'Received');
	my ($date) = $r->{received} =~ /; (.*)/;
	no warnings 'portable';
	my @t = gmtime(hex(substr $id, 0, 13) / 1000000);
	my $stamp = POSIX::strftime('%Y%m%d%H%M%S', @t);
	is($r->{head}, "Subject: s\nDate: $date\nFrom: A Name <$me>\n"
		. "Message-Id: <$stamp.$id\@mail.mondomaine.lan>\n", 'filled in');
	my $log = $m->log;
	like($log, qr{malle/pickup\[\d+\]: $id: uid=$< from=<$login>\n}, 'log: pickup');
	like($log, qr{malle/cleanup\[\d+\]: $id: message-id=<\Q$stamp.$id\E\@mail\.mondomaine\.lan>\n},
		'log: cleanup');

	my $all = "dAte: d\nfrom : f\@g\nMessage-ID:\n <m\@i>\nX: y\n";
	$r = submit("$all\nb\n", '-f', 'q@r', 'alice');
	is($r->{head}, $all, 'nothing to add');
	like($m->log, qr/pickup\[\d+\]: \w+: uid=$< from=<q\@r>\n.*message-id=<m\@i>\n\z/, 'log');

	my %name = (
		'CronDaemon'     => 'CronDaemon',
		'J. Random'      => '"J. Random"',
		'a "b" \\c'      => '"a \\"b\\" \\\\c"',
		"J\xc3\xa9r\xc3\xb4me" => '=?utf-8?B?SsOpcsO0bWU=?=',
		''               => undef,
	);
	for my $name (sort keys %name) {
		$r = submit("\nx\n", "-F$name", '-fa@b', 'alice') if $name ne '';
		$r = submit("\nx\n", '-F', '', '-fa@b', 'alice') if $name eq '';
		my ($from) = $r->{head} =~ /^From: (.*)$/m;
		is($from, defined $name{$name} ? "$name{$name} <a\@b>" : 'a@b', "name $name");
	}
	$r = submit("\nx\n", '-F' . "\xc3\xa9" x 60, '-fa@b', 'alice');
	my ($from) = $r->{head} =~ /^From: (.*\n(?: .*\n)*)/m;
	my @word = $from =~ /=\?utf-8\?B\?([^?]+)\?=/g;
	is(join('', map { length > 60 ? 'too long' : unpack 'u', b64($_) } @word),
		"\xc3\xa9" x 60, 'a long name is cut between characters');
	unlike(join('', map { unpack('u', b64($_)) . "\n" } @word), qr/\xc3\n/, 'whole characters');
	$r = submit({ in => "\nx\n", env => { NAME => 'From Env' } }, 'alice');
	like($r->{head}, qr/^From: From Env </m, 'NAME');
	$r = submit({ in => "\nx\n", env => { NAME => "Evil\nBcc: all" } }, 'alice');
	unlike($r->{head}, qr/Evil/, 'NAME with a line end');
	$r = submit("\nx\n", '-f', '', 'alice');
	like($r->{head}, qr/^From: Mail Delivery System <MAILER-DAEMON\@mondomaine\.lan>$/m,
		'the null sender');
};

sub b64 {
	my ($s) = @_;
	my $n = length($s) / 4 * 3 - ($s =~ tr/=//);

	$s =~ tr{A-Za-z0-9+/=}{ -_A};
	return chr(32 + $n) . $s;
}

subtest 'the text' => sub {
	my $h = "Date: d\nFrom: f\@g\nMessage-ID: <m>\n";
	my @case = (
		[ 'a dot ends it', "$h\na\n.\nb\n", [], "a\n" ],
		[ 'a dot at the end of input', "$h\na\n.", [], "a\n" ],
		[ 'not with -i', "$h\na\n.\nb\n", ['-i'], "a\n.\nb\n" ],
		[ 'not with -oi', "$h\na\n.\nb\n", ['-oi'], "a\n.\nb\n" ],
		[ 'only a lone one', "$h\n..\n.a\n", [], "..\n.a\n" ],
		[ 'CRLF', "Date: d\r\nFrom: f\@g\r\nMessage-ID: <m>\r\n\r\na\r\nb\r\n.\r\n", [], "a\nb\n" ],
		[ 'CR alone', "$h\na\rb\r\r\n\rc", ['-i'], "a b \n c\n" ],
		[ 'no line end', "$h\na", [], "a\n" ],
		[ 'no text', "$h", [], undef ],
		[ 'NUL and 8 bit', "$h\na\0b\xff\n", [], "a\0b\xff\n" ],
		[ 'long lines', "$h\n" . 'x' x 200000 . "\ny\n", [], 'x' x 200000 . "\ny\n" ],
		[ 'a dot in a long line', "$h\n" . 'x' x 65535 . "\n.\ny\n", [], 'x' x 65535 . "\n" ],
		map({ my $n = $_; [ "CRLF at $n", "$h\n" . 'x' x $n . "\r\ny\n", ['-i'],
			'x' x $n . "\ny\n" ] } 65500 .. 65503, 65534, 65535, 65536,
			65536 - length("$h\n") .. 65538 - length("$h\n")),
	);
	for (@case) {
		my ($name, $in, $arg, $body) = @$_;
		$r = submit($in, @$arg, 'alice');
		ok($r->{head} eq $h && ($r->{body} // '-') eq ($body // '-'), $name)
		    or diag explain $r->{head}, substr $r->{body} // '-', 0, 200;
	}
	$r = submit("hello\nthere\n", 'alice');
	is($r->{body}, "hello\nthere\n", 'no header');
	$r = submit('', 'alice');
	like($r->{head}, qr/^From: /m, 'an empty message');
	$r = submit("From bob  Mon Jan  6 12:34:56 2025\n$h\na\n", 'alice');
	is($r->{head}, $h, 'From_ line');
	$r = submit("From here to there\n", 'alice');
	like("$r->{head}\n" . ($r->{body} // ''), qr/From here to there/,
		'text that begins like one is kept');
};

subtest '-t' => sub {
	my $rest = "Date: d\nFrom: f\@x\nMessage-ID: <m>\n";
	my @case = (
		[ 'to, cc, bcc', "To: a\@x\nCc: b\@x\nBcc: c\@x\n", "To: a\@x\nCc: b\@x\n",
			qw(a@x b@x c@x) ],
		[ 'several lines', "To: a\@x,\n\tB (comment,\n more) <b\@x>\n ,c\@x\nSubject: q\@x\n",
			"To: a\@x,\n\tB (comment,\n more) <b\@x>\n ,c\@x\nSubject: q\@x\n",
			qw(a@x b@x c@x) ],
		[ 'bcc over lines', "bcc : a\@x,\n b\@x\nBCC:c\@x\n", '', qw(a@x b@x c@x) ],
		[ 'groups', "To: friends: a\@x, \"B, C\" <b\@x>;, undisclosed-recipients:;\n",
			"To: friends: a\@x, \"B, C\" <b\@x>;, undisclosed-recipients:;\n", qw(a@x b@x) ],
		[ 'resent', "To: a\@x\nResent-To: b\@x\nResent-Bcc: c\@x\n",
			"To: a\@x\nResent-To: b\@x\n", qw(b@x c@x) ],
		[ 'others', "To: a\@x\nReply-To: b\@x\nX-To: c\@x\nTo-Do: d\@x\n",
			"To: a\@x\nReply-To: b\@x\nX-To: c\@x\nTo-Do: d\@x\n", 'a@x' ],
	);
	for (@case) {
		my ($name, $in, $out, @rcpt) = @$_;
		$r = submit("$in$rest\nTo: not\@me\n", '-t', '-fs@x');
		envelope_is($r, 's@x', @rcpt);
		is($r->{head}, "$out$rest", $name);
		is($r->{body}, "To: not\@me\n", 'text is not header');
	}
	$r = submit("Bcc: q\@x\n$rest\n", 'alice');
	is($r->{head}, $rest, 'Bcc goes without -t too');
	my @many = map { "user$_\@x" } 1 .. 3000;
	$r = submit('To: ' . join(",\n ", @many) . "\n$rest\n", '-t', '-fs@x');
	envelope_is($r, 's@x', @many);
};

subtest 'errors' => sub {
	my $none = "sendmail: fatal: Recipient addresses must be specified on the "
	    . "command line or via the -t option\n";
	my @case = (
		[ 'no recipient', 64, qr/\A\Q$none\E\z/, '', [] ],
		[ 'no recipient in the header', 64,
			qr/^sendmail: fatal: \Q$login($<)\E: No recipient addresses found in message header$/,
			"To: x:;\n\n", ['-t'] ],
		[ 'unknown option', 64, qr/usage: sendmail/, '', ['-Z'] ],
		[ '-bd', 64, qr/super-server.* starts smtpd/, '', ['-bd'] ],
		[ '-bz', 64, qr/no such mode/, '', ['-bz'] ],
		[ '-q30m', 64, qr/no daemon.*qrun/, '', ['-q30m'] ],
		[ '-qR nowhere', 64, qr/invalid destination/, '', ['-qRa@b'] ],
		[ '-qI nothing', 64, qr/invalid queue id/, '', ['-qI'] ],
		[ '-bv nobody', 64, qr/must be specified/, '', ['-bv'] ],
		[ 'line end in -f', 64, qr/control character/, '', [ '-f', "a\nBcc: b", 'alice' ] ],
		[ 'line end in -r', 64, qr/control character/, '', [ '-r', "a\r", 'alice' ] ],
		[ 'line end in -F', 64, qr/control character/, '', [ '-F', "a\nBcc: b", 'alice' ] ],
		[ 'line end in a recipient', 64, qr/control character/, '', ["alice\n"] ],
		[ 'two senders', 64, qr/-f: no valid address: a, b$/m, '', [ '-f', 'a, b', 'alice' ] ],
		[ 'bad sender', 64, qr/-f: no valid address: a b$/m, '', [ '-f', 'a b', 'alice' ] ],
		[ 'bad recipient', 64, qr/command line: no valid address: a b$/m, '', ['a b'] ],
		[ 'bad domain', 64, qr/no valid address: a\@b\.\.c$/m, '', ['a@b..c'] ],
		[ '8-bit recipient', 64, qr/no valid address: \?\?\@b$/m, '', ["\xc3\xa9\@b"] ],
		[ 'huge recipient', 64, qr/no valid address: x+$/m, '', [ 'x' x 100000 ] ],
		[ 'huge name', 64, qr/too long/, '', [ '-F', 'x' x 100000, 'alice' ] ],
		[ 'bad address in To', 65, qr/header: no valid address:.* bob alice$/m,
			"To: a\@x, bob alice\n\n", ['-t'] ],
		[ 'NUL in To', 65, qr/header: no valid address: a\?b\@x$/m, "To: a\0b\@x\n\n", ['-t'] ],
		[ 'a loop', 65, qr/too many hops/, "Received: x\n" x 51 . "\nx\n", ['alice'] ],
		[ 'no configuration', 75, qr{^sendmail: fatal: .*/nonexistent/main\.cf}, '',
			[ '-c', '/nonexistent', 'alice' ] ],
	);
	for (@case) {
		my ($name, $code, $err, $in, $arg) = @$_;
		$r = submit($in, @$arg);
		is($r->{status}, $code, $name);
		like($r->{err}, $err, "$name: says why");
	}
	$r = run('sendmail', '--help');
	is($r->{status}, 0, '--help');
	like($r->{out}, qr/^usage: sendmail /, 'usage on standard output');
};

subtest 'size' => sub {
	$m->main(message_size_limit => 1000);
	$r = submit("Subject: s\n\n" . 'x' x 900 . "\n", 'alice');
	is($r->{status}, 0, 'below the limit');
	$r = submit("Subject: s\n\n" . "x\n" x 400, 'alice');
	is($r->{status}, 65, 'over the limit, as SMTP counts');
	like($r->{err}, qr/^sendmail: fatal: \Q$login($<)\E: message file too big/, 'says why');
	$r = submit('To: ' . 'x@y,' x 400 . "\n\n", '-t');
	is($r->{status}, 65, 'a large header');

	# The writer is not killed by SIGPIPE: he shall see the exit code.
	local $ENV{MAIL_CONFIG} = $m->etc;
	open my $pipe, '|-', program('sendmail') . ' alice 2>/dev/null' or die;
	my $written = print {$pipe} "x\n" x 1000000;
	ok(!close $pipe, 'refused');
	is($? >> 8, 65, 'and nothing else');
	ok($written, 'all of it was read');
	$m->main(message_size_limit => undef);
};

subtest 'other names and modes' => sub {
	for my $name (qw(mailq sendmail)) {
		$r = $m->run($name, $name eq 'sendmail' ? '-bp' : ());
		is($r->{status}, 0, $name);
		is($r->{out}, "Mail queue is empty\n", 'an empty queue');
	}
	my $bin = $m->dir . '/cmd';
	mkdir $bin or die;
	$m->main(command_directory => $bin);
	for my $arg ([ 'mailq', 'postqueue' ], [ 'newaliases', 'postalias' ]) {
		$r = $m->run($arg->[0]);
		is($r->{status}, 69, "$arg->[0]: not there");
		like($r->{err}, qr{^$arg->[0]: fatal: \Q$bin\E/$arg->[1]: No such file or directory; correct command_directory in \Q$m->{dir}\E/etc/main\.cf$},
			'says what');
	}
	for my $name (qw(postqueue postalias)) {
		spew("$bin/$name", "#!/bin/sh\necho \"\${0##*/}\" \"\$@\"; exit 3\n");
		chmod 0755, "$bin/$name";
	}
	$m->main(alias_database => 'hash:/a, gdbm:/b, /c');
	my $c = "-c $m->{dir}/etc";
	my @case = (
		[ "postqueue $c -p", 'mailq' ],
		[ "postqueue $c -f", qw(sendmail -q) ],
		[ "postqueue $c -i 0123456789ABCDEF0", qw(sendmail -qI0123456789ABCDEF0) ],
		[ "postqueue $c -s example.org", qw(sendmail -qRexample.org) ],
		[ "postqueue $c -s example.org", qw(sendmail -qSexample.org) ],
		[ "postalias $c hash:/a gdbm:/b /c", 'newaliases' ],
		[ "postalias $c hash:/a gdbm:/b /c", qw(sendmail -bi) ],
		[ "postalias $c hash:/a gdbm:/b /c", qw(sendmail -I) ],
	);
	for (@case) {
		my ($want, @arg) = @$_;
		$r = $m->run(@arg);
		is($r->{out}, "$want\n", "@arg");
		is($r->{status}, 3, 'with its exit code');
	}
	$m->main(alias_database => '{ gdbm:/a b } /c');
	is($m->run('newaliases')->{out}, "postalias $c gdbm:/a b /c\n", 'a path with a blank');
	$m->main(alias_database => '{ gdbm:/a');
	is($m->run('newaliases')->{status}, 78, 'half a brace');
	$m->main(alias_database => '');
	is($m->run('newaliases')->{status}, 0, 'no aliases to build');
	$m->main(command_directory => build_dir(), alias_database => undef);
	$m->transcript([ 'sendmail', '-bs' ], <<'END', '-bs is smtpd');
S~ ^220 mail\.mondomaine\.lan ESMTP
C: QUIT
S: 221 2.0.0 Bye
S: EOF
END
	$m->main(alias_maps => '');
	$r = $m->run(qw(sendmail -bv -f bob alice bob@mondomaine.lan));
	is($r->{out}, "alice\@mondomaine.lan... deliverable\nbob\@mondomaine.lan... deliverable\n",
		'-bv');
	is($r->{status}, 0, 'both good');
	$r = $m->run(qw(sendmail -bv alice nobody));
	like($r->{out}, qr/\Aalice\S+ deliverable\nnobody\@mondomaine\.lan\.\.\. 550 5\.1\.1 [^\n]+\n\z/,
		'-bv: not known');
	is($r->{status}, 67, 'EX_NOUSER');
	is_deeply([ $m->queue ], [], 'and nothing is sent');

	submit($mail, 'alice');
	$m->run({ in => $mail }, 'sendmail', '-f', 'bob@example.org', 'alice');
	woken();
	$r = $m->run('sendmail', '-q');
	is($r->{status}, 0, '-q');
	is_deeply([woken()], [''], 'wakes the runner for all');
	$m->queue_run;
	my @got = $m->mail('alice');
	is(scalar @got, 1, 'into the mailbox');
	like($got[0], qr/\AReturn-Path: <bob\@example\.org>\n.*^hello\n\z/ms, 'whole');
	$m->main(alias_maps => undef);
};

subtest 'waking the runner' => sub {
	my $path = $m->dir . '/wake';
	my $sock = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $path) or die;
	$m->main(qrun_service => "unix:$path");
	$m->run({ in => $mail }, 'sendmail', 'alice');
	my ($file) = $m->queue;
	ok(defined $sock->recv(my $name, 1000, Socket::MSG_DONTWAIT()), 'unix');
	is("incoming/$name", $file, 'with the name');
	unlink "$spool/$file";
	close $sock;

	for my $bad ("unix:$path", 'inet:localhost:25', 'inet:127.0.0.1', 'inet:127.0.0.1:0',
		'inet:::1:25', 'tcp:x', 'unix:relative', 'unix:/' . 'x' x 200) {
		$m->main(qrun_service => $bad);
		$r = $m->run({ in => $mail }, 'sendmail', 'alice');
		is($r->{status}, 0, "$bad: stored anyway");
		my @q = $m->queue;
		is(scalar @q, 1, 'in the queue');
		unlink map { "$spool/$_" } @q;
		like($m->log, qr{malle/qmgr\[\d+\]: warning: cannot wake the queue runner: .*\Q$bad\E: .*; mail waits for the next periodic run\n},
			'a warning');
	}
	my $v6 = IO::Socket::INET->can('new') && eval { require IO::Socket::IP;
		IO::Socket::IP->new(LocalAddr => '::1', Proto => 'udp') };
	SKIP: {
		skip 'no IPv6 on loopback', 1 unless $v6;
		$m->main(qrun_service => 'inet:[::1]:' . $v6->sockport);
		$m->run({ in => $mail }, 'sendmail', 'alice');
		ok(defined $v6->recv(my $got, 1000, Socket::MSG_DONTWAIT()), 'IPv6');
		unlink map { "$spool/$_" } $m->queue;
	}
	$m->main(qrun_service => $service);
};

subtest 'without a service it starts the runner' => sub {
	# As root, nothing is: it would be mail_owner, who cannot become
	# alice, and would put the mail off.
	my $o = Malle->new(mode => 0755);
	chmod 01777, $o->dir . '/log';
	chmod 0755, $o->etc;
	$o->main(daemon_directory => bin_for_all($o->dir)) if is_root();
	my $pid = open my $out, '-|', 'sh', '-c',
	    "MAIL_CONFIG=" . $o->etc . " " . program('sendmail') . " alice 2>&1 <<E\nSubject: s\n\nE\n"
	    or die;
	my $said = join '', <$out>;
	close $out;
	is($said, '', 'and does not keep our descriptors');
	my @done = wait_until { is_root() ? grep { /^incoming/ } $o->queue : $o->mail('alice') };
	is(scalar @done, 1, 'it came to the message') or diag $o->log, $o->queue;
};

# The build directory may be out of reach for others.
sub bin_for_all {
	my ($dir) = @_;

	mkdir "$dir/bin", 0755 or die;
	for my $name (qw(qrun local)) {
		copy(program($name), "$dir/bin/$name") or die;
		chmod 0755, "$dir/bin/$name";
	}
	return "$dir/bin";
}

subtest 'no access to the spool' => sub {
	my $dir = $m->dir;
	if (!is_root()) {
		chmod 0500, $spool, glob "$spool/*";
		$r = $m->run({ in => $mail }, 'sendmail', 'alice');
		chmod 0700, $spool, glob "$spool/*";
	} else {
		# Someone who is neither root nor mail_owner.
		copy(program('sendmail'), "$dir/sendmail") or die;
		chmod 0755, "$dir/sendmail", $dir, $m->etc;
		my $c = "exec setpriv --reuid=61009 --regid=61009 --clear-groups $dir/sendmail alice";
		$r = $m->run({ in => $mail }, '/bin/sh', '-c', $c);
	}
	is($r->{status}, 75, 'EX_TEMPFAIL') or diag $r->{err};
	like($r->{err}, qr/^sendmail: fatal: queue_directory \Q$spool\E: Permission denied, and there is no sendmail_service; .*not taken: set sendmail_service/,
		'with a remedy');
	$m->main(queue_directory => "$dir/none");
	$r = $m->run({ in => $mail }, 'sendmail', 'alice');
	is($r->{status}, 75, 'no spool');
	like($r->{err}, qr{\Q$dir\E/none: No such file or directory; .*correct queue_directory in \Q$dir\E/etc/main\.cf},
		'says which');
	$m->main(queue_directory => $spool, mail_owner => 'nosuchuser');
	$r = $m->run({ in => $mail }, 'sendmail', 'alice');
	is($r->{status}, is_root() ? 75 : 0, 'no mail_owner');
	like($r->{err}, qr/mail_owner: no unprivileged account nosuchuser/, 'says so') if is_root();
	$m->main(mail_owner => $m->{owner});
	unlink map { "$spool/$_" } $m->queue;
	woken();
};

subtest 'a file size limit' => sub {
	my $c = 'ulimit -f 8; exec ' . program('sendmail') . ' alice';
	$r = submit({ in => "\n" . "x\n" x 50000, program => '/bin/sh' }, '-c', $c);
	is($r->{status}, 75, 'EX_TEMPFAIL, not a signal') or diag $r->{err};
};

subtest 'a full disk' => sub {
	plan skip_all => 'needs root to mount a small file system' unless is_root();
	my $dir = $m->dir . '/small';
	mkdir $dir or die;
	plan skip_all => 'cannot mount a tmpfs here'
	    if system('mount', '-t', 'tmpfs', '-o', 'size=64k,mode=0777', 'malle', $dir) != 0;
	$m->main(queue_directory => $dir);
	my $file = $m->dir . '/input';
	spew($file, "Subject: s\n\n" . "x\n" x 100000);
	my $c = program('sendmail') . " alice < $file";
	$r = $m->run('/bin/sh', '-c', $c);
	is($r->{status}, 75, 'EX_TEMPFAIL');
	like($r->{err}, qr/Insufficient system storage: No space left on device; .*not taken/, 'says why');
	is(-s $file, 200012, 'the input is unharmed');
	is(join(' ', glob "$dir/tmp/* $dir/incoming/*"), '', 'nothing is left');
	$r = $m->run({ in => $mail }, 'sendmail', 'alice');
	is($r->{status}, 0, 'a small message still fits') or diag $r->{err};
	system('umount', $dir) == 0 or diag "umount $dir";
	$m->main(queue_directory => $spool);
	woken();
};

subtest 'hostile callers' => sub {
	my $sendmail = program('sendmail');
	local $ENV{MAIL_CONFIG} = $m->etc;
	my $pid = fork // die;
	if (!$pid) {
		POSIX::close($_) for 0 .. 63;
		exec $sendmail, 'alice' or POSIX::_exit(127);
	}
	waitpid $pid, 0;
	is($?, 0, 'no descriptors at all: an empty message');
	my @q = $m->queue;
	is(scalar @q, 1, 'one file');
	like(slurp("$spool/$q[0]"), qr/\AReturn-Path: .*Message-Id: <[^>]+>\n\z/s, 'that is intact');
	unlink map { "$spool/$_" } @q;
	woken();
	$r = submit("\nx\n", map { "user$_\@example.org" } 1 .. 20000);
	is($r->{status}, 0, '20,000 recipients on the command line');
	$r = submit("\nx\n", map { 'user' x 15 . "$_\@" . 'example.' x 20 . 'org' } 1 .. 8000);
	is($r->{status}, 64, 'more than an envelope holds');
	like($r->{err}, qr/too many recipients/, 'says so');
	$r = submit({ in => "\nx\n", env => { MAIL_CONFIG => $m->etc, TZ => 'x' x 5000,
		LD_PRELOAD => '/nonexistent', NAME => 'x' x 5000 } }, 'alice');
	is($r->{status}, 0, 'an environment');
};

done_testing;
