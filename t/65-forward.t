#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# .forward files, extensions of addresses, mailbox_command, and who gets the
# mail of nobody; in Postfix's order of precedence.

use strict;
use warnings;
use lib 't/lib';
use Aliases qw(instance aliases table rcpt post deliver retry count_mail
    file_of);
use Malle qw(is_root slurp spew);
use POSIX ();
use Test::More;

my $m   = instance(recipient_delimiter => '+-');
my $out = $m->dir . '/out';
my %uid = is_root() ? (alice => 61001, bob => 61002, carol => 61003)
    : map { $_ => $> } qw(alice bob carol);
my $log;

sub forward {
	my ($user, $text, $name, $mode) = @_;
	my $path = $m->home($user) . '/' . ($name // '.forward');

	unlink $path;
	return if !defined $text;
	spew($path, $text);
	chmod $mode // 0600, $path;
	chown $uid{$user}, $uid{$user}, $path if is_root();
	return;
}

sub drop_queue {
	$m->run('postsuper', '-d', 'ALL')->{status} == 0 or die;
	return;
}

# ---- what it may say

for my $row (
	[ "\\alice, bob\n", 'alice=1 bob=1', 'a copy and a forward' ],
	[ "alice\nbob\n", 'alice=1 bob=1', 'its own name is the mailbox' ],
	[ "ALICE\@mondomaine.lan\n", 'alice=1', 'also with the domain' ],
	[ '', 'alice=1', 'an empty one is none' ],
	[ "\n# nothing\n", 'alice=1', 'nor is one of comments' ],
	[ "bob", 'bob=1', 'without a line end' ],
	[ "bob\r\n", 'bob=1', 'with CRLF' ],
	[ "bob, carol\n", 'bob=1 carol=1', 'two others' ],
	[ "/dev/null\n", '', '/dev/null' ],
	[ "\"$out/f\"\n", '', 'a file' ])
{
	my ($text, $want, $name) = @$row;

	forward('alice', $text);
	$log = deliver($m, 'alice');
	is(count_mail($m), $want, "a .forward: $name") or diag $log;
	is(join(' ', $m->queue), '', "$name: nothing is left");
	drop_queue();
}
is((stat "$out/f")[4], $uid{alice}, 'the file is hers');
file_of($m, 'f');

# Two who name each other; one reached in two ways.
forward('alice', "bob\n");
forward('bob', "alice\n");
$log = deliver($m, 'alice');
is(count_mail($m), 'alice=1', 'two that name each other end where it began')
    or diag $log;
forward('alice', "bob, carol\n");
forward('bob', "carol\n");
forward('carol', "bob\n");
$log = deliver($m, 'alice');
is(count_mail($m), 'bob=1 carol=1', 'three') or diag $log;
is(join(' ', $m->queue), '', 'nothing is left');
aliases($m, "team: alice, bob, carol\n");
forward('alice', "bob\n");
forward('bob', "\\bob\n");
forward('carol');
deliver($m, 'team');
is(count_mail($m), 'bob=1 carol=1', 'a list, one member twice: once');

# ---- commands

my $show = "$out/show";
spew($show, <<"END");
#!/bin/sh
{ id -u; id -G; pwd; env; ls /proc/self/fd | tr '\\n' ' '; echo; cat; } >>$out/shown.\$USER 2>&1
END
chmod 0755, $show;
forward($_, "|$show\n") for qw(alice bob);
forward('carol', "\"|$show arg\", \\carol\n");
$log = deliver($m, 'team');
for my $user (qw(alice bob carol)) {
	my $text = file_of($m, "shown.$user");

	like($text, qr/\A$uid{$user}\n/, "each has a command of his own: $user");
	like($text, qr/^HOME=\Q@{[$m->home($user)]}\E$/m, "$user: HOME");
	like($text, qr/^\Q@{[$m->home($user)]}\E$/m, "$user: starts there");
	like($text, qr/^USER=$user$/m, "$user: USER");
	like($text, qr/^0 1 2 3 $/m, "$user: no other descriptors");
	is(scalar(() = $text =~ /^Subject: test$/mg), 1, "$user: it ran once");
}
is(count_mail($m), 'carol=1', 'and a mailbox beside it');
forward($_) for qw(bob carol);

# ---- extensions

forward('alice', "|$show\n");
forward('alice', "bob\n", '.forward+list');
for my $row (
	[ 'alice+list', 'bob=1', 'the .forward of an extension' ],
	[ 'alice-list', '', 'the delimiter counts' ],
	[ 'alice+LIST', 'bob=1', 'the case does not' ],
	[ 'alice+other', '', 'without one: .forward' ],
	[ 'bob+x', 'bob=1', 'no .forward at all' ],
	[ 'bob-x+y', 'bob=1', 'any of the delimiters' ],
	[ 'team+x', 'bob=1 carol=1', 'an extension of an alias' ])
{
	my ($to, $want, $name) = @$row;

	$log = deliver($m, $to);
	is(count_mail($m), $want, "extensions: $name") or diag $log;
}
my $shown = file_of($m, 'shown.alice');
like($shown, qr/^EXTENSION=other$/m, 'EXTENSION');
like($shown, qr/^LOCAL=alice\+other$/m, 'LOCAL has it');
like($shown, qr/^EXTENSION=list$/m, 'EXTENSION of alice-list');
like(rcpt($m, 'nobody+alice'), qr/^550 /, 'the name is before it');
like(rcpt($m, '+alice'), qr/^550 /, 'and not empty');
aliases($m, "team: alice, bob, carol\nbob+special: carol\nowner-team: alice\n");
deliver($m, 'bob+special');
is(count_mail($m), 'carol=1', 'an alias with an extension comes first');
forward('alice');
forward('alice', undef, '.forward+list');
deliver($m, 'owner-team');
is(count_mail($m), 'alice=1', 'owner- has no extension');
my $deep = '../bob/x';
forward('alice', "carol\n", '.forward+x');
for my $to ('alice+../x', 'alice+x/../x') {
	my $reply = rcpt($m, $to);

	if ($reply =~ /^250/) {
		deliver($m, $to);
		is(count_mail($m), 'alice=1', "no path: $to");
	} else {
		like($reply, qr/^5/, "no path: $to");
	}
}
forward('alice', undef, '.forward+x');

# ---- files that cannot be trusted or read

for my $row (
	[ 0666, qr/permissions are not safe\)$/m ],
	[ 0660, qr/permissions are not safe\)$/m ])
{
	my ($mode, $want) = @$row;

	forward('alice', "bob\n", undef, $mode);
	$log = deliver($m, 'alice');
	like($log, qr/status=deferred \(.*$want/,
	    sprintf 'mode %o: it waits', $mode);
	is(count_mail($m), '', 'nobody has it');
	forward('alice', "bob\n");
	retry($m);
	is(count_mail($m), 'bob=1', 'mended, it is delivered');
}
my $path = $m->home('alice') . '/.forward';
SKIP: {
	skip 'needs another user', 4 if !is_root();
	chown $uid{bob}, -1, $path;
	chmod 0644, $path;
	$log = deliver($m, 'alice');
	like($log, qr/status=deferred \(.*owner or permissions/,
	    'a .forward of another user');
	chown 0, 0, $path;
	retry($m);
	is(count_mail($m), 'bob=1', "root's is taken");
	chmod 0600, $path;
	$log = deliver($m, 'alice');
	like($log, qr/status=deferred \(.*Permission denied/,
	    'one that she may not read is not read as root');
	is(count_mail($m), '', 'it waits');
	drop_queue();
}
unlink $path;
for my $row (
	[ 'a link', sub { symlink $m->home('bob') . '/.forward', $path } ],
	[ 'a directory', sub { mkdir $path, 0700 } ],
	[ 'a FIFO', sub { POSIX::mkfifo($path, 0600) } ],
	[ 'a hard link', sub { forward('alice', "bob\n");
		link $path, "$path.2" } ],
	[ 'a device', sub { is_root() && system("mknod $path c 1 5 && "
		. "chown $uid{alice} $path") == 0 } ],
	[ 'too large', sub { forward('alice', "bob\n" x 300000); 1 } ],
	[ 'binary', sub { forward('alice', "\0\1\2bob\n"); 1 } ])
{
	my ($name, $make) = @$row;

	SKIP: {
		skip "cannot make $name here", 2 if !$make->();
		$log = deliver($m, 'alice');
		like($log, qr/status=deferred/, "$name: it waits");
		like($log, qr/status=deferred \(\S+: not a regular file with one name\)$/m,
		    "$name: and says so in words") if $name =~ /hard/;
		is(count_mail($m), '', "$name: nobody has it");
		drop_queue();
	}
	rmdir $path;
	unlink $path, "$path.2";
}
forward('alice', "<bob\ncarol\n");
$log = deliver($m, 'alice');
is(count_mail($m), 'carol=1', 'a bad line: the others have it');
like($log, qr/bad alias entry/, 'and it is named');
forward('alice', "bob, carol\n");
retry($m);
is(count_mail($m), 'bob=1', 'mended: only who had nothing');
forward('alice');

# A home that cannot be opened may have one.
SKIP: {
	my $home = $m->home('alice');

	skip 'needs root, who asks for each user', 3 if !is_root();
	rename $home, "$home.away" or die;
	spew($home, '');
	$log = deliver($m, 'alice');
	like($log, qr/status=deferred \(open home directory: Not a directory\)$/m,
	    'a home that cannot be opened: it waits');
	unlink $home;
	rename "$home.away", $home or die;
	forward('alice', "bob\n");
	retry($m);
	is(count_mail($m), 'bob=1', 'and then goes where .forward says');
	forward('alice');
	ok(!$m->queue, 'nothing is left');
}

# ---- forwarded elsewhere

forward('alice', "alice\@far.example, \\alice\n");
$log = deliver($m, 'alice');
like($log, qr/forwarded as/, 'to another machine');
is(count_mail($m), 'alice=1', 'and a copy here');
my ($waits) = $m->queue;
like(slurp($m->spool . "/$waits"), qr/^Delivered-To: alice\@mondomaine\.lan$/m,
    'with its mark');
drop_queue();
$log = deliver($m, 'alice', text => "Received: by far.example\n"
	. "delivered-to:  Alice\@Mondomaine.lan\nSubject: x\n\nx\n");
like($log, qr/dsn=[45]\.4\.6, .*mail forwarding loop/,
    'what comes back is not sent again') or diag $log;
is(count_mail($m), 'alice=1', 'the copy is kept');
drop_queue();

# A virtual alias is one for what people name, too.
table($m, 'virtual', "info\@virtual.example bob, carol\@localhost\n"
	. "v2\@virtual.example alice\n");
$m->main(virtual_alias_domains => 'virtual.example',
	virtual_alias_maps => 'gdbm:$config_directory/virtual');
forward('alice', "info\@virtual.example\n");
$log = deliver($m, 'alice');
is(count_mail($m), 'bob=1 carol=1', 'a virtual alias in a .forward')
    or diag $log;
forward('alice', "v2\@virtual.example\n");
$log = deliver($m, 'alice');
is(count_mail($m), 'alice=1', 'one that leads back means the mailbox')
    or diag $log;
forward('alice', "nobody\@virtual.example, bob\n");
$log = deliver($m, 'alice');
is(count_mail($m), 'bob=1', 'one that is unknown');
like($log, qr/user unknown in virtual alias table/i, 'is told of');
drop_queue();
$m->main(virtual_alias_domains => undef, virtual_alias_maps => undef);
forward('alice');

# ---- mailbox_command

$m->main(mailbox_command => "$show \$USER");
$log = deliver($m, 'alice+ext');
$shown = file_of($m, 'shown.alice');
like($shown, qr/\A$uid{alice}\n/, 'mailbox_command runs as the user')
    or diag $log;
like($shown, qr/^EXTENSION=ext$/m, 'with the extension');
is(count_mail($m), '', 'instead of a mailbox');
forward('alice', "\\alice, bob\n");
deliver($m, 'alice');
is(count_mail($m), '', 'also after a .forward');
like(file_of($m, "shown.$_"), qr/^Subject: test$/m, "for $_") for qw(alice bob);
forward('alice', "carol\n");
aliases($m, "bob: alice\n");
deliver($m, 'bob');
is(file_of($m, 'shown.bob'), '', 'an alias comes first');
is(file_of($m, 'shown.alice'), '', 'then a .forward');
like(file_of($m, 'shown.carol'), qr/^Subject: test$/m, 'then the command');
$m->main(mailbox_command => 'exit 75');
deliver($m, 'carol');
is(scalar($m->queue), 1, 'a command that fails: it waits');
$m->main(mailbox_command => undef);
$log = retry($m);
is(count_mail($m), 'carol=1', 'without it: the mailbox');
forward('alice');
aliases($m, '');

# ---- mailbox_size_limit, and mbox

$m->main(home_mailbox => undef, mailbox_size_limit => 1000);
post($m, 'alice');
post($m, 'alice');
post($m, 'alice');
Aliases::settle($m);
like($m->log, qr/dsn=[45]\.2\.2, status=(?:deferred|bounced) \(mailbox is full/,
    'mailbox_size_limit');
my $mbox = slurp($m->dir . '/mail/alice');
cmp_ok(length $mbox, '<=', 1000, 'the mbox does not grow beyond it');
like($mbox, qr/^From bob\@mondomaine\.lan  /, 'an mbox it is');
drop_queue();
$m->main(home_mailbox => 'Maildir/', mailbox_size_limit => undef);

# ---- nobody

like(rcpt($m, 'nobody1'), qr/^550 5\.1\.1 /, 'unknown');
$m->main(luser_relay => 'carol', local_recipient_maps => '');
$log = deliver($m, 'nobody1');
is(count_mail($m), 'carol=1', 'luser_relay') or diag $log;
$m->main(luser_relay => '$user+$extension@far.example');
$log = deliver($m, 'nobody1+ext');
($waits) = $m->queue;
like(slurp($m->spool . "/$waits"), qr/^Delivered-To: nobody1\+ext\@far\.example$/m,
    'luser_relay elsewhere, with what was asked for') or diag $log;
drop_queue();
$m->main(luser_relay => 'nobody2');
$log = deliver($m, 'nobody1');
like($log, qr/dsn=[45]\.1\.1, .*unknown user/, 'luser_relay unknown itself');
drop_queue();
$m->main(luser_relay => undef);
$log = deliver($m, 'nobody1');
like($log, qr/dsn=[45]\.1\.1, .*unknown user: "nobody1"/,
    'local_recipient_maps empty: found out at delivery');
drop_queue();
table($m, 'known', "bob x\nlist\@mondomaine.lan x\n");
$m->main(local_recipient_maps => 'gdbm:$config_directory/known');
like(rcpt($m, 'bob'), qr/^250 /, 'local_recipient_maps: a name in it');
like(rcpt($m, 'list'), qr/^250 /, 'an address in it');
like(rcpt($m, 'bob+x'), qr/^250 /, 'a name with an extension');
like(rcpt($m, 'alice'), qr/^550 /, 'an account that is not in it');
like(rcpt($m, 'postmaster'), qr/^250 /, 'postmaster always');
$m->main(local_recipient_maps => undef);

table($m, 'relocated', "gone\@mondomaine.lan gone\@far.example\n"
	. "carol carol\@else.example, phone 17\n");
$m->main(relocated_maps => 'gdbm:$config_directory/relocated');
like(rcpt($m, 'gone'), qr/^550 5\.1\.6 <gone>: Recipient address rejected: User has moved to gone\@far\.example$/,
    'relocated_maps');
like(rcpt($m, 'carol'), qr/^550 5\.1\.6 .*phone 17$/, 'by name, an account');
aliases($m, "team: carol, bob\n");
$log = deliver($m, 'team');
is(count_mail($m), 'bob=1', 'and when an alias names him');
like($log, qr/dsn=[45]\.1\.6, .*user has moved to/, 'it says so') or diag $log;
drop_queue();
unlink $m->etc . '/relocated.gdbm';
like(rcpt($m, 'bob'), qr/^451 4\.3\.0 /, 'a missing map: later');
$m->main(relocated_maps => undef);
done_testing;
