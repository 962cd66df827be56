#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# sendmail for a caller who may not write to the spool: by SMTP to
# sendmail_service, all of the message or nothing.

use strict;
use warnings;
use lib 't/lib';
use File::Copy qw(copy);
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use Malle qw(run wait_until program spew slurp skip_unless_root skip_unless_command);
use POSIX ();
use Test::More;

skip_unless_root('to become someone without rights');
skip_unless_command('setpriv');

my $m = Malle->new(mode => 0755, main => { alias_maps => '' });
my $dir = $m->dir;
chmod 0755, $m->etc;
copy(program('sendmail'), "$dir/sendmail") or die;
chmod 0755, "$dir/sendmail";
my @nobody = qw(setpriv --reuid=61009 --regid=61009 --clear-groups);

sub submit {
	my ($in, @arg) = @_;

	return $m->run({ in => $in }, '/usr/bin/env', @nobody, "$dir/sendmail", @arg);
}

my $mail = "From: x\@y\nTo: alice\nBcc: bob\nDate: d\nMessage-ID: <m\@i>\n\nhello\n";
my $r;

subtest 'to smtpd' => sub {
	my $port = $m->serve('smtpd', 'nowait');
	$m->main(sendmail_service => "inet:127.0.0.1:$port");
	$r = submit($mail, qw(-t -f bob@example.org));
	is($r->{status}, 0, 'accepted') or diag $r->{err};
	is("$r->{out}$r->{err}", '', 'silent');
	my @q = $m->queue;
	is(scalar @q, 1, 'one message');
	my $text = slurp($m->spool . "/$q[0]");
	like($text, qr/\AReturn-Path: <bob\@example\.org>\n/, 'sender');
	is(join(' ', $text =~ /^Delivered-To: (.*)/mg), 'alice@mondomaine.lan bob@mondomaine.lan',
		'recipients, completed');
	my ($id) = $text =~ /^Received: by mail\.mondomaine\.lan \(malle, from userid 61009\)\n\tid ([0-9A-F]{17}); /m;
	ok(defined $id, 'who sent it');
	unlike($text, qr/^Bcc/m, 'Bcc is out');
	like($text, qr/\n\nhello\n\z/, 'the text');
	unlink $m->spool . "/$q[0]";

	my $odd = "a\0b\n.\n..\n.x\n\xe9\xff\n" . 'x' x 70000 . "\n.";
	$r = submit("$mail$odd", qw(-i -f bob@example.org alice));
	is($r->{status}, 0, 'dots, octets, long lines') or diag $r->{err};
	($text) = map { slurp($m->spool . "/$_") } $m->queue;
	is(substr($text // '', -length("hello\n$odd\n")), "hello\n$odd\n", 'come through');
	unlink map { $m->spool . "/$_" } $m->queue;

	$r = submit("\nx\n", '-f', '', map { "user$_\@mondomaine.lan" } 1 .. 3);
	is($r->{status}, 67, 'EX_NOUSER');
	like($r->{err}, qr/^sendmail: fatal: sendmail_service inet:127\.0\.0\.1:$port: 550 5\.1\.1 <user1\@mondomaine\.lan>.*; the message was not taken$/,
		'in the words of the server');
	$r = submit("\nx\n", 'alice', 'nobody');
	is($r->{status}, 67, 'one of two is not known');
	is_deeply([ $m->queue ], [], 'then nobody gets it');
	$m->main(message_size_limit => 1000);
	$r = submit("\n" . "x\n" x 1000, 'alice');
	is($r->{status}, 65, 'too big');
	$m->main(message_size_limit => undef);
	$r = submit('', qw(-bv alice));
	is($r->{out}, "alice\@mondomaine.lan... deliverable\n", '-bv');
};

subtest 'nobody there' => sub {
	my $s = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1) or die;
	my $port = $s->sockport;
	close $s;
	$m->main(sendmail_service => "inet:127.0.0.1:$port");
	$r = submit($mail, 'alice');
	is($r->{status}, 75, 'EX_TEMPFAIL');
	like($r->{err}, qr/^sendmail: fatal: sendmail_service inet:127\.0\.0\.1:$port: Connection refused; the message was not taken: /,
		'says so');
	for my $bad ('127.0.0.1:25', 'inet:localhost:25', 'unix:x') {
		$m->main(sendmail_service => $bad);
		$r = submit($mail, 'alice');
		is($r->{status}, 75, $bad);
		like($r->{err}, qr/sendmail_service must be .*, not \Q$bad\E;/, 'says what it must be');
	}
};

# A server that says these, the first at once, each other after a command (or
# the text, once it has said 354); after half a line, and for undef, it closes the
# connection.
sub play {
	my ($listen, @answer) = @_;
	my $pid = fork // die;

	return $pid if $pid;
	$SIG{ALRM} = 'DEFAULT';
	alarm 20;
	my $c = $listen->accept or POSIX::_exit(1);
	my $buf = '';
	for my $i (0 .. $#answer) {
		if ($i > 0) {
			my $end = $answer[$i - 1] =~ /^354/ ? qr/\r\n\.\r\n/ : qr/\r\n/;
			while ($buf !~ s/\A.*?$end//s) {
				sysread $c, $buf, 4096, length $buf or POSIX::_exit(2);
			}
		}
		POSIX::_exit(0) if !defined $answer[$i];
		syswrite $c, $answer[$i];
		POSIX::_exit(0) if $answer[$i] !~ /\n\z/;
	}
	sysread $c, $buf, 100;
	syswrite $c, "221 bye\r\n";
	POSIX::_exit(0);
}

my @good = ("220 hi\r\n", "250-x\r\n250-SIZE 100\r\n250 8BITMIME\r\n", "250 ok\r\n", "250 ok\r\n",
	"354 go\r\n", "250 taken\r\n");

subtest 'what a server may say' => sub {
	my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 5) or die;
	$m->main(sendmail_service => 'inet:127.0.0.1:' . $listen->sockport);
	my @case = ([ 'good', 0, @good ]);
	for my $step (0 .. 5) {
		my @until = @good[ 0 .. $step - 1 ];
		@until = () if $step == 0;
		push @case,
		    [ "421 at $step", 75, @until, "421 4.3.2 going down\r\n" ],
		    [ "closed at $step", 75, @until, undef ],
		    [ "garbage at $step", 75, @until, "what?\r\n" ],
		    [ "half a line at $step", 75, @until, '25' ],
		    [ "a wrong code at $step", 75, @until, "199 x\r\n" ];
		push @case, [ "554 at $step", 69, @until, "554 5.7.1 no\r\n" ] if $step != 1;
	}
	push @case, [ 'no EHLO', 0, $good[0], "502 what\r\n", "250 x\r\n", @good[ 2 .. 3 ],
		    "354 go\r\n", "250 y\r\n" ],
	    [ 'unknown', 67, @good[ 0 .. 2 ], "550 5.1.1 who?\r\n" ],
	    [ 'too big', 65, @good[ 0 .. 1 ], "552 5.3.4 big\r\n" ];
	for (@case) {
		my ($name, $code, @answer) = @$_;
		my $pid = play($listen, @answer);
		$r = submit($mail, 'alice');
		waitpid $pid, 0;
		is($r->{status}, $code, $name) or diag $r->{err};
		like($r->{err}, qr/^sendmail: fatal: sendmail_service .*; the message was not taken/,
			"$name: says so") if $code;
	}
	is_deeply([ $m->queue ], [], 'nothing in the spool');
};

subtest 'a writer that takes its time' => sub {
	my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 5) or die;
	$m->main(sendmail_service => 'inet:127.0.0.1:' . $listen->sockport);
	local $ENV{MAIL_CONFIG} = $m->etc;
	open my $pipe, '|-', '/usr/bin/env', @nobody, "$dir/sendmail", 'alice' or die;
	$pipe->autoflush(1);
	print {$pipe} "\n" . "x\n" x 100000;
	# All but what the pipe holds has been read by then.
	ok(!IO::Select->new($listen)->can_read(0), 'no connection yet');
	my $server = fork // die;
	if (!$server) {
		POSIX::close(fileno $pipe);
		my $pid = play($listen, @good);
		waitpid $pid, 0;
		POSIX::_exit(0);
	}
	ok(close $pipe, 'taken at the end');
	waitpid $server, 0;
};

subtest 'a socket in the file system' => sub {
	my $listen = IO::Socket::UNIX->new(Local => "$dir/sock", Listen => 5) or die;
	chmod 0666, "$dir/sock";
	$m->main(sendmail_service => "unix:$dir/sock");
	my $pid = play($listen, @good);
	$r = submit($mail, 'alice');
	waitpid $pid, 0;
	is($r->{status}, 0, 'accepted') or diag $r->{err};
};

done_testing;
