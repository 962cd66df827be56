#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# Files in the queue that are not what we put there, and mailboxes that are
# not what they should be.  The runner never touches what a link leads to,
# lives, and delivers what lies beside them; what is damaged goes to corrupt/
# and is logged once.

use strict;
use warnings;
use lib 't/lib';
use Fcntl qw(S_ISFIFO S_ISLNK);
use POSIX qw(mkfifo);
use Test::More;
use Malle qw(is_root slurp spew program wait_until);
use Faults;

my $root = is_root();
my ($mail_uid, $mail_gid) = $root ? (getpwnam 'mail')[ 2, 3 ] : ($>, $) + 0);

sub owned {
	my ($uid, $gid, @path) = @_;
	chown $uid, $gid, @path if $root;
	return;
}

# A whole queue file's text.
sub queue_text {
	my ($to, $body) = @_;
	return "Return-Path: <x\@y.example>\n" .
	    join('', map { "Delivered-To: $_\@mondomaine.lan\n" } @$to) .
	    "Received: from test.example by here\n\n$body\n";
}

my $next = 1795532400 * 1_000_000;

sub name_of {
	my ($text, $size) = @_;
	my $lines = () = $text =~ /\n/g;
	$size //= length $text;
	return sprintf '%013XABCD,S=%d,W=%d', $next++, $size, $size + $lines;
}

sub put {
	my ($m, $name, $text) = @_;
	my $path = $m->spool . "/incoming/$name";
	spew($path, $text);
	chmod 0600, $path;
	owned($mail_uid, $mail_gid, $path);
	return $path;
}

sub state_of {
	my ($path) = @_;
	my @st = lstat $path or return 'gone';
	return join ' ', @st[ 2, 3, 4, 5, 7 ],
	    -f _ ? slurp($path) : '';
}

# ---- in the queue ----

my $m = Malle->new(main => { qrun_service => 'inet:127.0.0.1:9' });
$m->queue_run;
my $in = $m->spool . '/incoming';
my $good = queue_text(['alice'], 'a neighbour');
my %damaged = (
	'empty'              => [ '', 100 ],
	'empty, said to be'  => [ '', 0 ],
	'cut short'          => [ substr($good, 0, 60), length $good ],
	'too long'           => [ $good . 'x', length $good ],
	'all NUL'            => [ "\0" x length $good ],
	'no envelope'        => ["Subject: x\n\nReceived: y\n"],
	'no recipient'       => ["Return-Path: <>\nReceived: by x\n\nx\n"],
	'NUL in the envelope' => [ $good =~ s/alice/al\0ice/r ],
	'endless envelope'   => [ "Return-Path: <x>\n" .
	    "Delivered-To: alice\@mondomaine.lan\n" x 40000 ],
	'huge first line'    => [ 'Return-Path: <' . 'x' x 2000000 ],
	'binary'             => [ join '', map { chr } 0 .. 255 ],
);
my %name;
for my $what (sort keys %damaged) {
	my ($text, $size) = @{ $damaged{$what} };
	$name{$what} = name_of($text, $size);
	put($m, $name{$what}, $text);
	put($m, name_of($good), $good);
}
$m->queue_run;
is(scalar(() = $m->mail('alice')), scalar(keys %damaged),
	'the neighbours of damaged files are delivered');
for my $what (sort keys %damaged) {
	my ($text) = @{ $damaged{$what} };
	my $at = $m->spool . "/corrupt/$name{$what}";
	ok(-e $at && slurp($at) eq $text && !-e "$in/$name{$what}",
		"$what: in corrupt/, unchanged");
}
my $log = $m->log;
$m->queue_run;
is($m->log, $log, 'and each was logged once');
for my $what (sort keys %damaged) {
	is(scalar(() = $log =~ /warning: .*\Q$name{$what}\E/g), 1,
		"$what: one warning");
}

# Names that are not ours are nobody's message.
my @foreign = ('README', '.hidden', 'core', 'x' x 200, 'tmp,S=1,W=1',
	(name_of($good) =~ s/,W=.*//r), name_of($good) . ',X=1',
	lc name_of($good), '6610700000000ABC' . ',S=1,W=2',
	(name_of($good) =~ s/S=\d+/S=99999999999999999999/r),
	name_of($good) =~ s/S=/S=-/r, "\n", '%s%n');
put($m, $_, $good) for @foreign;
my $before = () = $m->mail('alice');
$m->queue_run;
is(scalar(() = $m->mail('alice')), $before, 'wrong names are not delivered');
is(scalar(grep { -e "$in/$_" } @foreign), scalar @foreign,
	'and stay where they are');
unlink map { "$in/$_" } @foreign;
for my $name ('../../etc/passwd', '/etc/passwd', '', 'x' x 5000, '.', '..',
	'incoming/' . name_of($good)) {
	is($m->run('qrun', $name)->{status}, 0,
		'a wake-up for ' . substr($name, 0, 20) . ' is harmless');
}

# ---- links, as a receiver that was broken into could place them ----

my $secret = $m->dir . '/secret';
my $target_text = queue_text(['alice'], 'not yours');
spew($secret, $target_text);
chmod 0640, $secret;
my $state = state_of($secret);
my %link = (
	symlink  => sub { symlink $secret, $_[0] },
	hardlink => sub { link $secret, $_[0] },
	fifo     => sub { mkfifo($_[0], 0600) },
	dangling => sub { symlink '/nowhere', $_[0] },
	directory => sub { mkdir $_[0], 0700 },
	socket   => sub {
		require IO::Socket::UNIX;
		IO::Socket::UNIX->new(Local => $_[0], Listen => 1);
	},
);
for my $what (sort keys %link) {
	my $n = () = $m->mail('alice');
	my $name = name_of($target_text);
	chdir $in;
	$link{$what}->($name) or die "$what: $!\n";
	chdir Malle::top_dir();
	# A link count is of the file: what is compared is the rest.
	my $then = state_of($secret);
	my $now_good = name_of($good);
	put($m, $now_good, $good);
	my $r = $m->run({ seconds => 20 }, 'qrun');
	is($r->{status}, 0, "$what: the runner ends well");
	is(scalar(() = $m->mail('alice')), $n + 1,
		"$what: not delivered, but its neighbour");
	is(state_of($secret), $then, "$what: its target is as it was");
	ok(!-e "$in/$name" && !-l "$in/$name", "$what: set aside");
	is(scalar(() = $m->log =~ /warning: .*\Q$name\E/g), 1,
		"$what: one warning");
	my $at = $m->spool . "/corrupt/$name";
	-d $at && !-l $at ? rmdir $at : unlink $at;
}
is(state_of($secret), $state, 'the file that links led to is as ever');

# A link in place of a directory of the spool, or of a state record.
{
	my $two = queue_text([qw(alice bob)], 'two');
	my $name = name_of($two);
	put($m, $name, $two);
	symlink $secret, $m->spool . '/state/' . substr $name, 0, 17;
	$m->queue_run;
	is(state_of($secret), $state, 'a state record that is a link: untouched');
	ok((grep { m{/\Q$name\E$} } $m->queue), 'and the message waits');
	unlink $m->spool . '/state/' . substr $name, 0, 17;
	$m->destroy;
}

# ---- mailboxes ----

sub scene {
	my ($mbox) = @_;
	my $s = Faults->new(to => ['alice'], size => 3000, mbox => $mbox);
	$s->template;
	$s->plant;
	return $s;
}

# Deliveries that must be put off, and leave TARGET as it is.
sub put_off {
	my ($what, $s, @target) = @_;
	my @then = map { state_of($_) } @target;

	my $r = $s->m->run({ seconds => 60 }, 'qrun');
	is($r->{status}, 0, "$what: the runner ends well");
	like($s->m->log, qr/status=deferred/, "$what: deferred");
	unlike($s->m->log, qr/status=(?:sent|bounced)/, "$what: nothing else");
	is_deeply([ map { state_of($_) } @target ], \@then,
		"$what: what is there is as it was") if @target;
	is(scalar(grep { /^deferred/ } $s->m->queue), 1, "$what: the mail waits");
	return;
}

for my $how (qw(symlink hardlink fifo directory)) {
	my $s = scene(1);
	my $dir = $s->m->dir;
	my $box = "$dir/mail/alice";
	spew("$dir/secret", "root's\n");
	$how eq 'symlink' ? symlink("$dir/secret", $box) :
	    $how eq 'hardlink' ? link("$dir/secret", $box) :
	    $how eq 'fifo' ? mkfifo($box, 0600) : mkdir $box;
	put_off("mbox is a $how", $s, "$dir/secret", $box);
	$s->finish;
}

SKIP: {
	skip 'needs root: other users', 1 unless $root;

	my $s = scene(1);
	my $box = $s->m->dir . '/mail/alice';
	spew($box, '');
	chown 61002, 61002, $box;
	put_off("another's mbox", $s, $box);
	chown 0, 0, $box;
	Faults::make_due($s);
	$s->m->queue_run;
	is(slurp($box), '', "and root's is not written to");
	$s->finish;

	$s = scene(1);
	chmod 0777, $s->m->dir . '/mail';
	put_off('mail spool that all may write to', $s);
	$s->finish;

	for my $sub ('', '/new') {
		$s = scene(0);
		my $dir = $s->m->home('alice') . "/Maildir$sub";
		mkdir $s->m->home('alice') . '/Maildir', 0700;
		owned(61001, 61001, $s->m->home('alice') . '/Maildir');
		mkdir $_, 0700 for $dir;
		chown 61002, 61002, $dir;
		put_off("another's Maildir$sub", $s, $dir);
		$s->finish;
	}

	$s = scene(0);
	chown 61002, 61002, $s->m->home('alice');
	put_off("another's home", $s);
	$s->finish;

	# The account names another's home.
	$s = scene(0);
	my $bob = $s->m->home('bob');
	my $passwd = slurp($s->m->etc . '/passwd');
	spew($s->m->etc . '/passwd',
		$passwd =~ s{/home/alice:}{/home/bob:}r);
	put_off('home of another account', $s, $bob);
	ok(!-e "$bob/Maildir", 'where nothing was made');
	$s->finish;

	# A link to another's mailbox: nothing is written there.
	$s = scene(0);
	my ($alice, $other) = map { $s->m->home($_) } qw(alice bob);
	mkdir "$other/Maildir";
	mkdir "$other/Maildir/$_" for qw(new tmp cur);
	chown 61002, 61002, "$other/Maildir",
	    map { "$other/Maildir/$_" } qw(new tmp cur);
	Faults::empty($alice);
	symlink "$other/Maildir", "$alice/Maildir";
	put_off("Maildir is a link to another's", $s);
	is_deeply([ glob "$other/Maildir/*/*" ], [], 'and nothing is there');
	$s->finish;
}

# A lock of someone living is waited for, and respected; an old one is not.
{
	my $s = scene(1);
	my $lock = $s->m->dir . '/mail/alice.lock';
	spew($lock, '');
	my $start = time;
	put_off('dot-lock of another', $s, $lock);
	cmp_ok(time - $start, '>=', 10, 'after some waiting');
	Faults::age(1000, $lock);
	is_deeply([ $s->rest, $s->check(1) ], [], 'old dot-lock: delivered');
	ok(!-e $lock, 'and taken away');
	$s->finish;
}

# What a dead writer left half is closed off; "From " is quoted wherever the
# pieces in which the file is read happen to end.
{
	my $s = scene(1);
	my $box = $s->m->dir . '/mail/alice';
	my @uid = $root ? (61001, 61001) : ($>, $) + 0);
	for my $half ("From x  Tue\nSubject: a\n\nhalf a li", "x\n", "y\n\n", 'z') {
		spew($box, $half);
		chmod 0600, $box;
		chown @uid, $box;
		$s->{fresh} = 0;
		my ($path, $text, @own) = @{ $s->{file} };
		spew($path, $text);
		chmod 0600, $path;
		chown @own, $path;
		$s->m->queue_run;
		like(slurp($box), qr/\A\Q$half\E\n{0,2}(?<=\n\n)From bob\@/,
			'the next message begins anew after ' .
			($half =~ s/\n/\\n/gr));
	}
	$s->finish;
}
{
	my $m2 = Malle->new(main => {
		home_mailbox => '', qrun_service => 'inet:127.0.0.1:9' });
	$m2->queue_run;
	my @want;
	for my $edge (8192, 16384, 32768, 65536) {
		for my $off (-60 .. -40, -6 .. 1) {
			my $head = queue_text(['alice'], '');
			my $fill = $edge + $off - length $head;
			my $body = 'x' x ($fill - 1) . "\nFrom here\nFro\n";
			my $text = queue_text(['alice'], $body);
			put($m2, name_of($text), $text);
			push @want, $body;
		}
	}
	$m2->run({ seconds => 100 }, 'qrun');
	# On a slow machine some may have to wait for the lock too long.
	Faults::rest({ m => $m2, to => [] });
	my $box = join '', $m2->mail('alice');
	is(scalar(() = $box =~ /^From /mg), scalar @want,
		'no line of a body looks like the start of a message');
	is(scalar(() = $box =~ /^>From here$/mg), scalar @want,
		'each is quoted once');
	is(scalar(grep { index($box, $_ =~ s/^From/>From/mr) < 0 } @want), 0,
		'and nothing else is changed');
	$m2->destroy;
}

# mail_owner puts a link where a place of the spool was: nothing happens
# where it leads to, whatever the runner wants to do in that place.
SKIP: {
	skip 'not root: nobody could be led anywhere', 12 unless $root;
	for my $place (qw(tmp incoming deferred corrupt state lock)) {
		my $m4 = Malle->new(main => { qrun_service => 'inet:127.0.0.1:9',
			default_transport => 'retry:4.0.0 not now' });
		my $other = $m4->dir . '/other';
		my ($there, $spool) = ("$other/precious", $m4->spool);
		$m4->queue_run;
		mkdir $other, 0755;
		spew($there, 'x');
		utime 1, 1, $there;
		my $text = queue_text([ 'x@remote.example', 'alice' ], 'hello');
		put($m4, name_of($text), $text);
		put($m4, name_of($text) =~ s/S=/S=9/r, $text);
		utime 1, 1, "$spool/lock/swept";
		rename "$spool/$place", "$spool/$place.x" or die;
		symlink $other, "$spool/$place" or die;
		$m4->queue_run;
		is(slurp($there), 'x', "$place is a link: what it leads to stays");
		is(join(' ', Malle::names($other)), 'precious', 'and nothing comes to it');
		$m4->destroy;
	}
}

# Twenty at once into one mbox.
{
	my $m3 = Malle->new(main => {
		home_mailbox => '', qrun_service => 'inet:127.0.0.1:9' });
	$m3->queue_run;
	my @name = map {
		my $text = queue_text(['alice'], "message number $_.");
		my $name = name_of($text);
		put($m3, $name, $text);
		$name;
	} 1 .. 20;
	my @pid = map {
		open my $null, '+<', '/dev/null';
		Malle::spawn([ program('qrun'), $_ ], [ ($null) x 3 ],
			{ env => $m3->env });
	} @name;
	waitpid $_, 0 for @pid;
	Faults::rest({ m => $m3, to => [] });
	my $box = join '', $m3->mail('alice');
	is(scalar(grep { $box !~ /^message number $_\.$/m } 1 .. 20), 0,
		'twenty deliveries at once into one mbox: all there');
	is(scalar(() = $box =~ /^From /mg), 20, 'and once each');
	ok(!-e $m3->dir . '/mail/alice.lock', 'no lock is left');
	$m3->destroy;
}
done_testing;
