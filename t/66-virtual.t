#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# Virtual domains: addresses that stand for others, mailboxes without Unix
# accounts, and what happens when their tables are wrong.

use strict;
use warnings;
use lib 't/lib';
use Aliases qw(instance aliases table rcpt post deliver retry count_mail);
use Malle qw(hash_password is_root slurp spew);
use Test::More;

my $m = instance(
	virtual_alias_domains => 'virtual.example other.example',
	virtual_alias_maps    => 'gdbm:$config_directory/virtual',
	recipient_delimiter   => '+',
);
my $log;

sub drop_queue {
	$m->run('postsuper', '-d', 'ALL')->{status} == 0 or die;
	return;
}

# ---- virtual aliases

table($m, 'virtual', <<'END');
info@virtual.example	alice
team@virtual.example	alice, bob,carol@localhost
bad@virtual.example	alice, bob carol
bad2@virtual.example	|cat, alice
one@virtual.example	two@virtual.example
two@virtual.example	three@other.example, alice
three@other.example	bob
@virtual.example	carol
bob@virtual.example	bob
ext+known@other.example	carol
ext@other.example	bob
away@other.example	@virtual.example
loop1@other.example	loop2@other.example
loop2@other.example	loop1@other.example
self@other.example	self@other.example
real			carol
alice@localhost		bob
rooty@other.example	root@mondomaine.lan, alice
END
for my $row (
	[ 'info@virtual.example', 'alice=1', 'one' ],
	[ 'INFO@Virtual.EXAMPLE', 'alice=1', 'in any case' ],
	[ 'team@virtual.example', 'alice=1 bob=1 carol=1', 'several' ],
	[ 'one@virtual.example', 'alice=1 bob=1', 'through others' ],
	[ 'any.body@virtual.example', 'carol=1', 'the catch-all' ],
	[ 'bob@virtual.example', 'bob=1', 'an exact entry wins over it' ],
	[ 'ext+known@other.example', 'carol=1', 'with its extension' ],
	[ 'ext+x@other.example', 'bob=1', 'without it' ],
	[ 'away@other.example', 'carol=1', '@other keeps the user' ],
	[ 'real', 'carol=1', 'a bare name, for domains of ours' ],
	[ 'real@localhost', 'carol=1', 'in any of them' ],
	[ 'alice@localhost', 'bob=1', 'before the account' ],
	[ 'alice', 'alice=1', 'only that one' ])
{
	my ($to, $want, $name) = @$row;

	$log = deliver($m, $to);
	is(count_mail($m), $want, "virtual alias: $name") or diag $log;
	is(join(' ', $m->queue), '', "$name: nothing is left");
	drop_queue();
}
deliver($m, 'ext+x@other.example');
my ($text) = $m->mail('bob');
like($text, qr/^X-Original-To: ext\+x\@other\.example\nDelivered-To: bob\+x\@mondomaine\.lan$/m,
    'the extension goes along');
count_mail($m);
deliver($m, [ 'info@virtual.example', 'alice', 'two@virtual.example' ]);
is(count_mail($m), 'alice=1 bob=1', 'who is named twice has it once');

like(rcpt($m, 'nobody@other.example'), qr/^550 5\.1\.1 <nobody\@other\.example>: Recipient address rejected: User unknown in virtual alias table$/,
    'unknown');
for my $to ('bad@virtual.example', 'bad2@virtual.example') {
	like(rcpt($m, $to), qr/^451 4\.6\.0 <\Q$to\E>: Alias expansion error$/,
	    "what cannot be read may be someone: $to");
}
like(rcpt($m, 'loop1@other.example'), qr/^451 4\.6\.0 .*Alias expansion error/,
    'a loop is a mistake, not a refusal');
like($m->log, qr/warning: Alias expansion error: loop1\@other\.example leads to nobody/,
    'and in the log');
$m->main(virtual_alias_expansion_limit => 3);
like(rcpt($m, 'team@virtual.example'), qr/^451 4\.6\.0 .*Alias expansion error/,
    'too many: likewise');
like(rcpt($m, 'info@virtual.example'), qr/^250 /, 'within the limit');
$m->main(virtual_alias_expansion_limit => undef);

# The classic form: virtual_alias_domains is by default what the maps name.
table($m, 'virtual', "mine.example anything\ninfo\@mine.example alice\n");
$m->main(virtual_alias_domains => undef);
$log = deliver($m, 'info@mine.example');
is(count_mail($m), 'alice=1', 'a domain that the map names') or diag $log;
like(rcpt($m, 'x@mine.example'), qr/^550 5\.1\.1 .*virtual alias table/,
    'its unknown addresses are unknown');
$m->main(virtual_alias_domains => 'virtual.example');

# An alias of the aliases file behind a virtual one, and elsewhere.
aliases($m, "local: alice, bob\n");
table($m, 'virtual', "x\@virtual.example local\ny\@virtual.example y\@far.example\n");
deliver($m, 'x@virtual.example');
is(count_mail($m), 'alice=1 bob=1', 'to an alias');
deliver($m, 'y@virtual.example');
my ($waits) = $m->queue;
like(slurp($m->spool . "/$waits"), qr/^X-Original-To: y\@virtual\.example\nDelivered-To: y\@far\.example$/m,
    'to another machine');
drop_queue();

# Nobody outside may use it to relay where it says nothing.
$m->main(mynetworks => '192.0.2.1');
like(rcpt($m, 'y@virtual.example'), qr/^250 /, 'a stranger may write there');
like(rcpt($m, 'y@far.example'), qr/^[45]54 .*Relay access denied/,
    'but not to where it leads');
$m->main(mynetworks => undef);

# Damage: 451, and never 550.
my $map  = $m->etc . '/virtual.gdbm';
my $good = slurp($map);
for my $row (
	[ 'missing', sub { unlink $map } ],
	[ 'empty', sub { spew($map, '') } ],
	[ 'half', sub { spew($map, substr $good, 0, length($good) / 2) } ],
	[ 'text', sub { spew($map, "x\@virtual.example local\n") } ])
{
	my ($name, $damage) = @$row;

	$damage->();
	for my $to ('x@virtual.example', 'nobody@virtual.example', 'alice',
		'nobody1')
	{
		like(rcpt($m, $to), qr/^451 4\.3\.0 <\Q$to\E>: Temporary lookup failure$/,
		    "virtual_alias_maps $name: $to");
	}
	unlink $map;
	spew($map, $good);
}
like(rcpt($m, 'x@virtual.example'), qr/^250 /, 'mended');
$m->main(virtual_alias_maps => undef, virtual_alias_domains => undef);

# ---- virtual mailboxes

my $base = $m->dir . '/vmail';
my $uid  = is_root() ? 61050 : $>;
my $gid  = is_root() ? 61050 : $) + 0;
my %vm = (
	virtual_mailbox_domains => 'vm.example, vm2.example',
	virtual_mailbox_base    => $base,
	virtual_mailbox_maps    => 'gdbm:$config_directory/vmailbox',
	virtual_uid_maps        => "static:$uid",
	virtual_gid_maps        => "static:$gid",
	virtual_minimum_uid     => is_root() ? 100 : 1,
);

sub box {
	my ($name) = @_;

	return glob "\Q$base\E/$name/new/*";
}

SKIP: {
	skip 'a uid of at least 1 is needed', 1 if $uid < 1;
mkdir $base, 0755;
chown $uid, $gid, $base;
table($m, 'vmailbox', <<'END');
info@vm.example		vm.example/info/Maildir/
sales@vm.example	vm.example/sales
@vm2.example		vm2.example/all/
bad@vm.example		../outside/
abs@vm.example		/abs/
END
$m->main(%vm);
$log = deliver($m, 'info@vm.example');
my @new = box('vm.example/info/Maildir');
is(scalar @new, 1, 'a Maildir') or diag $log;
is((stat $new[0])[4], $uid, 'it is of virtual_uid_maps');
is((stat $new[0])[5], $gid, 'and virtual_gid_maps');
is((stat $new[0])[2] & 07777, 0600, 'and nobody else may read it');
is((stat "$base/vm.example/info/Maildir")[2] & 07777, 0700, 'nor its folder');
like(slurp($new[0]), qr/^Delivered-To: info\@vm\.example$/m, 'the address');
like($log, qr/to=<info\@vm\.example>, .*status=sent \(delivered to maildir\)/,
    'the log');
deliver($m, 'Info+ext@VM.example');
@new = box('vm.example/info/Maildir');
is(scalar @new, 2, 'in any case, with an extension');
$log = deliver($m, 'sales@vm.example');
deliver($m, 'sales@vm.example');
my $mbox = slurp("$base/vm.example/sales");
is(scalar(() = $mbox =~ /^From bob\@mondomaine\.lan  /mg), 2, 'an mbox')
    or diag $log;
is((stat "$base/vm.example/sales")[4], $uid, 'it is of that user');
deliver($m, 'anyone@vm2.example');
@new = box('vm2.example/all');
is(scalar @new, 1, 'a catch-all');
deliver($m, [ 'info@vm.example', 'a@vm2.example', 'alice' ]);
is(count_mail($m), 'alice=1', 'mixed with an account');
@new = box('vm2.example/all');
is(scalar @new, 2, 'each is in its mailbox');
like(rcpt($m, 'nobody@vm.example'), qr/^550 5\.1\.1 <nobody\@vm\.example>: Recipient address rejected: User unknown in virtual mailbox table$/,
    'unknown');
like(rcpt($m, 'info'), qr/^550 /, 'an address of it is no local name');
for my $to ('bad@vm.example', 'abs@vm.example') {
	$log = deliver($m, $to);
	if ($to =~ /^abs/) {
		like($log, qr/dsn=4\.3\.5, status=deferred|status=sent/, $to);
	} else {
		like($log, qr/dsn=4\.3\.5, status=deferred/,
		    "a path that leads outside waits: $to");
		ok(!-e $m->dir . '/outside', 'and nothing is made there');
	}
	ok(!-e '/abs', 'nor at the root');
	drop_queue();
}

# Virtual aliases know these addresses first; so do lists.
table($m, 'virtual', "boss\@vm.example info\@vm.example\n"
	. "sales\@vm.example alice\n");
$m->main(virtual_alias_maps => 'gdbm:$config_directory/virtual');
deliver($m, 'boss@vm.example');
@new = box('vm.example/info/Maildir');
is(scalar @new, 4, 'an alias in a domain of mailboxes');
deliver($m, 'sales@vm.example');
is(count_mail($m), 'alice=1', 'an alias before the mailbox');
aliases($m, "list: info\@vm.example, boss\@vm.example, sales\@vm.example\n");
$log = deliver($m, 'list');
@new = box('vm.example/info/Maildir');
is(scalar @new, 5, 'a list that names them: once') or diag $log;
is(count_mail($m), 'alice=1', 'and by way of a virtual alias');
$m->main(virtual_alias_maps => undef);

# virtual_mailbox_limit, for mbox.
$m->main(virtual_mailbox_limit => 500, mailbox_size_limit => 0);
$log = deliver($m, 'sales@vm.example');
like($log, qr/dsn=[45]\.2\.2, .*mailbox is full/, 'virtual_mailbox_limit');
drop_queue();
$m->main(virtual_mailbox_limit => undef, mailbox_size_limit => undef);

# ids that cannot be used: it waits, and is delivered when they are mended.
for my $row (
	[ 'no uid', { virtual_uid_maps => '' } ],
	[ 'no gid', { virtual_gid_maps => '' } ],
	[ 'uid 0', { virtual_uid_maps => 'static:0' } ],
	[ 'gid 0', { virtual_gid_maps => 'static:0' } ],
	[ 'a uid that is too small', { virtual_minimum_uid => 4294967294 } ],
	[ 'a uid that is no number', { virtual_uid_maps => 'static:vmail' } ],
	[ 'a negative one', { virtual_uid_maps => 'static:-1' } ],
	[ 'a huge one', { virtual_uid_maps => 'static:4294967296' } ],
	[ 'a map without the address',
		{ virtual_uid_maps => 'inline:{x@vm.example=61050}' } ],
	[ 'a missing map', { virtual_uid_maps => 'gdbm:/nonexistent' } ],
	[ 'no base', { virtual_mailbox_base => '' } ])
{
	my ($name, $set) = @$row;
	my $before = () = box('vm.example/info/Maildir');

	$m->main(%$set);
	$log = deliver($m, 'info@vm.example');
	like($log, qr/dsn=4\.3\.[05], status=deferred/, "$name: it waits") or diag $log;
	@new = box('vm.example/info/Maildir');
	is(scalar @new, $before, "$name: it is nowhere");
	$m->main(%vm);
	retry($m);
	@new = box('vm.example/info/Maildir');
	is(scalar @new, $before + 1, "$name: mended, it is there");
}
SKIP: {
	skip 'needs users of their own', 3 if !is_root();
	table($m, 'uids', "info\@vm.example 61051\n\@vm.example 61052\n");
	$m->main(virtual_uid_maps => 'gdbm:$config_directory/uids');
	table($m, 'vmailbox', "info\@vm.example own/info/\nx\@vm.example own/x/\n"
	    . "link\@vm.example link/box/\n");
	mkdir "$base/own", 0777;
	chmod 01777, "$base/own";
	deliver($m, 'x@vm.example');
	my ($file) = box('own/x');
	is($file && (stat $file)[4], 61052, 'a uid for each address')
	    or diag $m->log;
	# A link in the way leads nowhere.
	symlink $m->home('alice'), "$base/own/y" or die;
	table($m, 'vmailbox', "info\@vm.example own/y/Maildir/\n");
	$log = deliver($m, 'info@vm.example');
	like($log, qr/status=deferred/, "another's folder is not written to");
	is(count_mail($m), '', 'indeed');
	drop_queue();
	chmod 0777, "$base";
	$log = deliver($m, 'info@vm.example');
	like($log, qr/status=deferred/, 'a base that all may write to');
	drop_queue();
	chmod 0755, $base;
}
$m->main(%vm);
table($m, 'vmailbox', "info\@vm.example vm.example/info/Maildir/\n");
$map  = $m->etc . '/vmailbox.gdbm';
$good = slurp($map);
for my $row (
	[ 'missing', sub { unlink $map } ],
	[ 'half', sub { spew($map, substr $good, 0, length($good) / 2) } ])
{
	my ($name, $damage) = @$row;

	post($m, 'info@vm.example');
	Aliases::settle($m) if !is_root();
	my $before = () = box('vm.example/info/Maildir');
	$damage->();
	Aliases::settle($m);
	@new = box('vm.example/info/Maildir');
	is(scalar @new, $before, "virtual_mailbox_maps $name: it waits");
	like(rcpt($m, $_), qr/^451 4\.3\.0 /, "$name: 451 for $_")
	    for 'info@vm.example', 'nobody@vm.example';
	unlink $map;
	spew($map, $good);
	retry($m);
	@new = box('vm.example/info/Maildir');
	is(scalar @new, is_root() ? $before + 1 : $before,
	    "$name: mended, it is there");
}

# Their owners read it by POP3, from the passwd file.
my $passwd = slurp($m->etc . '/passwd');
spew($m->etc . '/passwd', $passwd . join(':', 'info@vm.example',
	hash_password('vsecret'), $uid, $gid, '', '/nonexistent',
	'/usr/sbin/nologin') . "\n" . join(':', 'home@vm.example',
	hash_password('vsecret'), $uid, $gid, '', "$base/vm.example/info",
	'/usr/sbin/nologin') . "\n" . join(':', 'mbox@vm.example',
	hash_password('vsecret'), $uid, $gid, '', '/nonexistent',
	'/usr/sbin/nologin') . "\n");
@new = box('vm.example/info/Maildir');
my $n = @new;
$m->transcript('pop3d', <<"END", 'POP3 for a virtual mailbox');
S~ ^\\+OK
C: USER info\@vm.example
S~ ^\\+OK
C: PASS vsecret
S~ ^\\+OK
C: STAT
S~ ^\\+OK $n 
C: QUIT
S~ ^\\+OK
S: EOF
END

# The answer to the password, and the number of messages.
sub login {
	my ($user) = @_;
	my $t = $m->talk('pop3d');

	$t->line;
	$t->say("USER $user", 'PASS vsecret');
	$t->line;
	my $answer = $t->line;
	my $stat   = '';
	if ($answer =~ /^\+OK/) {
		$t->say('STAT');
		$stat = $t->line;
	}
	$t->close;
	return "$answer / $stat";
}

like(login('Info@VM.example'), qr{^\+OK .* / \+OK $n }, 'in any case');
like(login('home@vm.example'), qr{^\+OK .* / \+OK $n },
    'without an entry in virtual_mailbox_maps it is home_mailbox');
my $map_text = "info\@vm.example vm.example/info/Maildir/\n";
table($m, 'vmailbox', $map_text . "home\@vm.example vm.example/new/\n"
    . "mbox\@vm.example vm.example/sales\n\@vm.example vm.example/rest/\n");
like(login('home@vm.example'), qr{^\+OK .* / \+OK 0 },
    'with one it is that, made or not');
like(login('mbox@vm.example'), qr{^\+OK .* / \+OK [1-9]}, 'an mbox');
table($m, 'vmailbox', $map_text . "\@vm.example vm.example/sales\n"
    . "mbox\@vm.example ../home/alice/Maildir/\n");
like(login('home@vm.example'), qr{^\+OK .* / \+OK $n },
    'a catch-all is not the mailbox of each: the home is');
like(login('mbox@vm.example'), qr{^-ERR \[SYS/PERM\] .*virtual_mailbox_},
    'nothing outside of the base');
unlink $map;
like(login('info@vm.example'), qr{^-ERR \[SYS/TEMP\] },
    'no table, no empty mailbox');
table($m, 'vmailbox', $map_text);
SKIP: {
	skip 'needs users of their own', 2 if !is_root();
	mkdir "$base/vm.example/other", 0755;
	table($m, 'vmailbox', "info\@vm.example vm.example/other/\n");
	like(login('info@vm.example'), qr{^-ERR \[SYS/PERM\] mailbox does not belong},
	    "another's mailbox");
	# As a tutorial has it: all below a directory of the one user, closed.
	chmod 0700, $base;
	table($m, 'vmailbox', $map_text);
	like(login('info@vm.example'), qr{^\+OK .* / \+OK $n },
	    'below a base that is closed to others');
	chmod 0755, $base;
}
$m->transcript('pop3d', <<'END', 'with the wrong password');
S~ ^\+OK
C: USER info@vm.example
S~ ^\+OK
C: PASS secret
S~ ^-ERR
C: QUIT
S~ ^\+OK
S: EOF
END
$m->transcript('pop3d', <<'END', 'and without the domain');
S~ ^\+OK
C: USER info
S~ ^\+OK
C: PASS vsecret
S~ ^-ERR
C: QUIT
S~ ^\+OK
S: EOF
END
}
done_testing;
