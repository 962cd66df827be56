#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# POP3 on an mbox: messages and their sizes, mail that comes during a session,
# other programs that rewrite the file, deletion with and without the right
# to make files beside it.

use strict;
use warnings;
use lib 't/lib';
use Fcntl qw(:flock F_SETLK F_WRLCK F_UNLCK SEEK_SET);
use Test::More;
use Malle qw(is_root spew slurp);

my $m    = Malle->new(main => { home_mailbox => undef });
my $file = $m->dir . '/mail/alice';
my @own  = is_root() ? ((stat $m->home('alice'))[4], (stat $m->dir . '/mail')[5])
    : ($>, $) + 0);
my $from = "From bob\@mondomaine.lan  Mon Jan  6 12:34:56 2025\n";

sub mbox {
	my (@text) = @_;

	spew($file, join '', @text);
	chown @own, $file;
	chmod 0660, $file;
	return;
}

sub mail {
	my ($n, %opt) = @_;

	return $from . "Message-ID: <$n\@x>\n" .
	    ($opt{status} ? "Status: $opt{status}\n" : '') .
	    "\n" . ($opt{body} // "body $n\n") . "\n";
}

sub append {
	open my $fh, '>>', $file or die;
	print {$fh} @_;
	return close $fh;
}

sub login {
	my $t = $m->talk('pop3d');

	$t->line;
	$t->say('USER alice', 'PASS secret');
	$t->line;
	my $line = $t->line;
	return wantarray ? ($t, $line) : $t;
}

sub many {
	my ($t, $command) = @_;
	my $text = '';

	$t->say($command);
	my $first = $t->line;
	return $first if $first !~ /^\+OK/;
	while (defined(my $line = $t->line)) {
		return ($first, $text) if $line eq '.';
		$text .= "$line\r\n";
	}
	return ("EOF after $first", $text);
}

# Deletes these and quits; returns the answer to QUIT.
sub delete_and_quit {
	my ($t, @n) = @_;

	$t->say(map { "DELE $_" } @n);
	$t->line for @n;
	$t->say('QUIT');
	my $line = $t->line;
	$t->close;
	return $line;
}

my ($t, $line) = login();
is($line, '+OK Mailbox open, 0 messages', 'no file: no messages');
is(delete_and_quit($t), '+OK Sayonara', 'and no harm');

mbox(mail(1), mail(2, body => ">From x\nFrom y\n\n.\n"), mail(3));
($t, $line) = login();
is($line, '+OK Mailbox open, 3 messages', 'three messages');
my ($first, $got) = many($t, 'LIST');
is($got, "1 29\r\n2 43\r\n3 29\r\n", 'sizes');
($first, $got) = many($t, 'RETR 1');
is($first, '+OK 29 octets', 'announced');
is($got, "Message-ID: <1\@x>\r\n\r\nbody 1\r\n",
	'without From_ line and separator');
($first, $got) = many($t, 'RETR 2');
is($got, "Message-ID: <2\@x>\r\n\r\n>From x\r\nFrom y\r\n\r\n..\r\n",
	'quoted as it is stored; From within a paragraph begins no message');
like((login())[1], qr/^-ERR \[IN-USE\] /, 'one session at a time');
ok(!-e "$file.lock", 'no dot-lock during the session');
my ($ids) = (many($t, 'UIDL'))[1];
is(delete_and_quit($t), '+OK Sayonara', 'QUIT');

mbox(mail(1, status => 'RO'), mail(2, body => "other\n"), mail(3), mail(3));
$t = login();
($first, $got) = many($t, 'UIDL');
my @id = map { (split / /)[1] } split /\r\n/, $got;
is(join('', map { sprintf "%d %s\r\n", $_, $id[$_ - 1] } 1 .. 3), $ids,
	'unique-ids do not change when a reader writes Status fields');
is(scalar(keys %{ { map { $_ => 1 } @id } }), 4, 'copies have their own');
is((grep { !/^[!-~]{1,70}$/ } @id) + 0, 0, '1 to 70 printable octets');
$t->close;

# Deleting, by every way.
my @mail = map { mail($_) } 1 .. 4;
for my $case ([1], [2], [4], [ 3, 4 ], [ 1, 2, 3, 4 ], [ 1, 3 ]) {
	for my $new ('', mail('new'), "\n\n" . mail('new')) {
		my %gone = map { $_ => 1 } @$case;
		mbox(@mail);
		$t = login();
		append($new) if $new ne '';
		is(delete_and_quit($t, @$case), '+OK Sayonara',
			"deleting @$case" . ($new && ' while mail comes'));
		my $want = join '', (map { $mail[$_ - 1] } grep { !$gone{$_} } 1 .. 4),
		    $gone{4} ? $new =~ s/^\n+//r : $new;
		is(slurp($file), $want, 'leaves the others');
		is((stat $file)[2] & 0777, 0660, 'and the mode');
		is((stat $file)[5], $own[1], 'and the group');
	}
}
ok(!-e "$file.malle-new", 'no other file is left');
ok(!-e "$file.lock", 'and no lock');

mbox($mail[0], $mail[1] =~ s/\n\n\z/\n/r);
$t = login();
is((many($t, 'RETR 2'))[1], "Message-ID: <2\@x>\r\n\r\nbody 2\r\n",
	'without an empty line at the end');
is(delete_and_quit($t, 1), '+OK Sayonara', 'QUIT');
is(slurp($file), $mail[1] =~ s/\n\n\z/\n/r, 'is what it was');

# What another program does.
mbox(@mail);
$t = login();
mbox(@mail[ 1 .. 3 ]);
like((many($t, 'RETR 1'))[0], qr/^-ERR /, 'shifted by another: not sent');
is(delete_and_quit($t, 1), '-ERR [SYS/TEMP] another program has changed the '
	. 'mailbox; nothing was deleted', 'and not deleted');
is(slurp($file), join('', @mail[ 1 .. 3 ]), 'nothing at all');

mbox(@mail);
$t = login();
rename $file, "$file.old";
mbox(@mail);
like(delete_and_quit($t, 1), qr/^-ERR .*nothing was deleted/,
	'replaced by another file');
is(slurp($file), join('', @mail), 'nothing is deleted');
unlink "$file.old";

mbox(@mail);
$t = login();
append("this is no mail\n");
is((many($t, 'RETR 4'))[1], "Message-ID: <4\@x>\r\n\r\nbody 4\r\n",
	'what was listed is still sent');
like(delete_and_quit($t, 1), qr/^-ERR .*nothing was deleted/,
	'something appended that is no mail');

mbox(@mail);
$t = login();
truncate $file, length $mail[0];
like((many($t, 'RETR 2'))[0], qr/^-ERR /, 'cut off by another');
is((many($t, 'RETR 1'))[1], "Message-ID: <1\@x>\r\n\r\nbody 1\r\n",
	'what is left can be read');
like(delete_and_quit($t, 1), qr/^-ERR .*nothing was deleted/, 'and stays');

mbox("this is no mbox\n");
($t, $line) = login();
like($line, qr{^-ERR \[SYS/PERM\] }, 'not an mbox');
$t->close;
mbox("From MAILER-DAEMON  Mon Jan  6 12:34:56 2025\n"
	. "Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\n"
	. "X-IMAP: 1 2\n\nnotes\n\n", mail(1));
($t, $line) = login();
is($line, '+OK Mailbox open, 1 messages', "an IMAP server's notes are no mail");
is(delete_and_quit($t, 1), '+OK Sayonara', 'QUIT');
like(slurp($file), qr/\AFrom MAILER-DAEMON.*notes\n\n\z/s, 'and stay');

# Nobody may make a file beside it.
SKIP: {
	skip 'needs root: a spool directory of root', 6 unless is_root();
	chmod 0755, $m->dir . '/mail';
	for my $case ([1], [ 2, 4 ], [ 3, 4 ]) {
		my %gone = map { $_ => 1 } @$case;
		mbox(@mail);
		$t = login();
		append(mail('new'));
		is(delete_and_quit($t, @$case), '+OK Sayonara',
			"deleting @$case in place");
		is(slurp($file), join('', (map { $mail[$_ - 1] }
			grep { !$gone{$_} } 1 .. 4), mail('new')),
			'leaves the others');
	}
	chmod 02775, $m->dir . '/mail';
}

SKIP: {
	skip 'needs root: other owners', 2 unless is_root();
	unlink $file;
	symlink $m->dir . '/mail/bob', $file;
	spew($m->dir . '/mail/bob', mail('secret'));
	($t, $line) = login();
	like($line, qr/^-ERR \[SYS/, "a link to bob's mbox is not followed");
	$t->close;
	unlink $file;
	mbox(mail(1));
	chown 0, 0, $file;
	($t, $line) = login();
	like($line, qr/^-ERR \[SYS/, "a file of root's is not alice's");
	$t->close;
}
done_testing;
