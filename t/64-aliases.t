#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# /etc/aliases: lists, files, commands, :include:, owners, loops; and who may
# do what.

use strict;
use warnings;
use lib 't/lib';
use Aliases qw(instance aliases rcpt post deliver retry count_mail file_of
    targets_of);
use Malle qw(is_root slurp spew wait_until);
use Test::More;
use Time::HiRes qw(time);

my $m   = instance();
my $out = $m->dir . '/out';
my $log;

sub empty_queue {
	my ($name) = @_;

	is(join(' ', $m->queue), '', "$name: nothing is left in the queue");
	return;
}

sub drop_queue {
	my $r = $m->run('postsuper', '-d', 'ALL');

	$r->{status} == 0 or die $r->{err};
	return;
}

# A program in out/ that everyone may run.
sub script {
	my ($name, $text) = @_;

	spew("$out/$name", "#!/bin/sh\n$text");
	chmod 0755, "$out/$name";
	return "$out/$name";
}

# ---- addresses

aliases($m, <<'END');
# comment
postmaster: root
root: bob
team: alice, bob,
	"carol" ,
# in between
  bob@mondomaine.lan
deep: Team, alice@localhost
Mixed.Case: alice
bob.x: alice
comment: alice (this is Alice), Bob Builder <bob>
END
for my $row (
	[ 'team', 'alice=1 bob=1 carol=1', 'a list, each once' ],
	[ 'deep', 'alice=1 bob=1 carol=1', 'a list in a list' ],
	[ 'MIXED.case@LOCALHOST', 'alice=1', 'any case' ],
	[ '"bob.x"@mondomaine.lan', 'alice=1', 'a quoted name' ],
	[ 'postmaster', 'bob=1', 'postmaster, root' ],
	[ 'bob.x', 'alice=1', 'a dot' ],
	[ 'comment', 'alice=1 bob=1', 'comments and phrases' ],
	[ 'alice', 'alice=1', 'no alias' ])
{
	my ($to, $want, $name) = @$row;

	$log = deliver($m, $to);
	is(count_mail($m), $want, $name) or diag $log;
	empty_queue($name);
}
like(rcpt($m, 'nobody-here'), qr/^550 5\.1\.1 <nobody-here>: Recipient address rejected: User unknown in local recipient table$/,
    'an unknown name');
like(rcpt($m, 'team@other.example'), qr/^250 /,
    'an alias is not one in other domains');
deliver($m, 'team');
my ($text) = $m->mail('carol');
like($text, qr/\AReturn-Path: <bob\@mondomaine\.lan>\nX-Original-To: team\nDelivered-To: team\@mondomaine\.lan\nReceived: /,
    'the copy says which address it was for');
count_mail($m);
$log = deliver($m, 'team');
like($log, qr/to=<carol\@mondomaine\.lan>, orig_to=<team>, relay=local, .*dsn=2\.0\.0, status=sent \(delivered to maildir\)/,
    'the log says whose mailbox it was');
count_mail($m);

# ---- loops

aliases($m, <<'END');
bob: bob, alice
carol: \carol, alice
a1: a2
a2: a1
a3: a4, alice
a4: a3, bob
self: self
END
spew($m->home('bob') . '/.forward', "carol\n");
chown 61002, 61002, $m->home('bob') . '/.forward' if is_root();
spew($m->home('carol') . '/.forward', "bob\n");
chown 61003, 61003, $m->home('carol') . '/.forward' if is_root();
$log = deliver($m, 'bob');
is(count_mail($m), 'alice=1 carol=1',
    'an alias to itself means the account, with its .forward') or diag $log;
$log = deliver($m, 'carol');
is(count_mail($m), 'alice=1 carol=1',
    'a backslash means the mailbox, without') or diag $log;
unlink $m->home('bob') . '/.forward', $m->home('carol') . '/.forward';
$log = deliver($m, 'bob');
is(count_mail($m), 'alice=1 bob=1', 'an alias to itself and another');
empty_queue('a list with itself');
for my $name (qw(a1 self)) {
	$log = deliver($m, $name);
	like($log, qr/status=(?:deferred|bounced) \(unknown user/, "$name: a loop ends")
	    or diag $log;
	is(count_mail($m), '', 'at nobody');
	drop_queue();
}
$log = deliver($m, 'a3');
is(count_mail($m), 'alice=1 bob=1', 'a loop with others: they have it');
drop_queue();

# More than fifty deep, and lists that name the next one twice.
aliases($m, join '', (map { "d$_: d" . ($_ + 1) . "\n" } 0 .. 60),
	"d61: alice\n", (map { "w$_: w" . ($_ + 1) . ', w' . ($_ + 1)
	. "\@localhost\n" } 0 .. 30), "w31: alice\n");
$log = deliver($m, 'd0');
like($log, qr/dsn=[45]\.4\.6, status=(?:deferred|bounced) \(alias nesting/,
    'nested too deeply');
is(count_mail($m), '', 'is not delivered');
drop_queue();
$log = deliver($m, 'd20');
is(count_mail($m), 'alice=1', 'nested forty deep');
my $start = time;
$log = deliver($m, 'w0');
is(count_mail($m), 'alice=1', 'two to the power of thirty ways to one');
cmp_ok(time - $start, '<', 10, 'are soon found');
empty_queue('many ways');

# ---- files

aliases($m, <<"END");
archive: $out/archive
box: $out/box/
devnull: /dev/null
both: "$out/with blank", alice
nodir: $out/none/file
END
$log = deliver($m, 'archive');
like($log, qr/to=<archive\@mondomaine\.lan>, .*status=sent \(delivered to file: \Q$out\E\/archive\)/,
    'the log names the file') or diag $log;
deliver($m, 'archive', from => 'x@y.example');
my $archive = file_of($m, 'archive');
is(scalar(() = $archive =~ /^From \S+  \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}$/mg),
    2, 'a file is an mbox') or diag $archive;
like($archive, qr/^From x\@y\.example  .*\nReturn-Path: <x\@y\.example>\nX-Original-To: archive\nDelivered-To: archive\@mondomaine\.lan\n/m,
    'with the envelope');
$log = deliver($m, "box");
is(scalar(() = glob "$out/box/new/*"), 1, "with a slash it is a Maildir") or diag $log;
$log = deliver($m, 'devnull');
like($log, qr{status=sent \(delivered to file: /dev/null\)}, '/dev/null');
empty_queue('/dev/null');
deliver($m, 'both');
is(count_mail($m), 'alice=1', 'a file and a person: the person');
like(file_of($m, 'with blank'), qr/^Subject: test$/m, 'and the file');
$log = deliver($m, 'nodir');
like($log, qr/status=deferred/, 'a file that cannot be made waits');
drop_queue();

$m->main(mailbox_size_limit => 100);
$log = deliver($m, 'archive');
like($log, qr/dsn=[45]\.2\.2, status=(?:deferred|bounced) \(mailbox is full/,
    'mailbox_size_limit holds for files too');
drop_queue();
$m->main(mailbox_size_limit => undef, allow_mail_to_files => 'forward');
$log = deliver($m, 'archive');
like($log, qr/dsn=[45]\.7\.1, .*restricted/, 'allow_mail_to_files');
drop_queue();
$m->main(allow_mail_to_files => undef);

# ---- commands

my $show = script('show', <<"END");
{ id -u; id -g; id -G; pwd; env | sort; ls /proc/self/fd | tr '\\n' ' '; echo
readlink /proc/\$\$/fd/*; cat; } >$out/shown 2>&1
END
aliases($m, <<"END");
show: |$show
quoted: "|$show 'a  b' \$RECIPIENT"
END
$log = deliver($m, 'show', from => 'a`id`$x@example.org');
my $shown = file_of($m, 'shown');
like($log, qr/status=sent \(delivered to command: \Q$show\E\)/, 'a command')
    or diag $log;
if (is_root()) {
	my ($uid, $gid) = (getpwnam 'nobody')[ 2, 3 ];

	like($shown, qr/\A$uid\n$gid\n$gid\n/,
	    'runs as default_privs, without other groups');
	like($shown, qr{^/$}m, 'in the root directory');
	like($shown, qr/^USER=nobody$/m, 'USER');
} else {
	like($shown, qr/\A$>\n/, 'runs as the one user there is');
}
my %env = $shown =~ /^([A-Z_]+)=(.*)$/mg;
is(join(' ', sort grep { !/^(?:PWD|OLDPWD|SHLVL|_)$/ } keys %env),
    'DOMAIN EXTENSION HOME LOCAL LOGNAME ORIGINAL_RECIPIENT PATH RECIPIENT '
    . 'SENDER SHELL USER', 'the environment is clean');
is($env{PATH}, '/usr/local/bin:/usr/bin:/bin', 'PATH');
is($env{RECIPIENT}, 'show@mondomaine.lan', 'RECIPIENT');
is($env{ORIGINAL_RECIPIENT}, 'show', 'ORIGINAL_RECIPIENT');
is($env{LOCAL}, 'show', 'LOCAL');
is($env{DOMAIN}, 'mondomaine.lan', 'DOMAIN');
is($env{SENDER}, 'a_id__x@example.org', 'SENDER is harmless to a shell');
# ls has one open for the directory it reads.
like($shown, qr/^0 1 2 3 $/m, 'nothing but descriptors 0, 1, 2') or diag $shown;
unlike($shown, qr/\Q@{[$m->spool]}\E/, 'none of them is in the spool');
like($shown, qr/^From \S+  .*\nReturn-Path: <.*>\nX-Original-To: show\nDelivered-To: show\@mondomaine\.lan\nReceived: .*\n/m,
    'the message on standard input');
$log = deliver($m, 'quoted');
like($log, qr/status=sent/, 'a quoted command') or diag $log;
file_of($m, 'shown');

# Exit codes: what is known decides, what is not is later.
my $exit = script('exit', "cat >/dev/null; \$@\n");
aliases($m, join '', map { "e$_: \"|$exit exit $_\"\n" } 0 .. 255);
for my $row ([ 0, '2.0.0', 'sent' ], [ 64, '4.3.0', 'deferred' ],
	[ 67, '5.1.1' ], [ 69, '5.3.0' ], [ 75, '4.3.0', 'deferred' ],
	[ 77, '5.7.0' ], [ 1, '4.3.0', 'deferred' ],
	[ 99, '4.3.0', 'deferred' ], [ 100, '4.3.0', 'deferred' ],
	[ 111, '4.3.0', 'deferred' ], [ 126, '4.3.0', 'deferred' ],
	[ 255, '4.3.0', 'deferred' ])
{
	my ($code, $dsn, $status) = @$row;
	my $never = !defined $status;

	$dsn =~ s/^5/[45]/ if $never;
	$status //= '(?:bounced|deferred)';
	$log = deliver($m, "e$code");
	like($log, qr/dsn=$dsn, status=$status \(/, "exit code $code")
	    or diag $log;
	drop_queue();
}

aliases($m, <<"END");
sig: "|kill -9 \$\$"
says: "|echo the disk is on fire; echo more; exit 75"
status: "|echo 4.2.2 quota of mine; exit 75"
missing: |$out/is-not-there
loud: "|head -c 300000 /dev/zero | tr '\\\\0' x; exit 75"
stderr: "|echo to stderr >&2; exit 75"
unread: "|exit 0"
END
for my $row ([ 'sig', qr/dsn=4\.3\.0, status=deferred \(died of a signal/ ],
	[ 'says', qr/dsn=4\.3\.0, status=deferred \(the disk is on fire\)/ ],
	[ 'status', qr/dsn=4\.2\.2, status=deferred \(quota of mine\)/ ],
	[ 'missing', qr/status=deferred \(unknown exit code 127: .*not found/ ],
	[ 'loud', qr/status=deferred \(x{100,}\)/ ],
	[ 'stderr', qr/status=deferred \(to stderr\)/ ],
	[ 'unread', qr/status=sent/ ])
{
	my ($to, $want) = @$row;

	$log = deliver($m, $to, text => "Subject: x\n\n" . "long\n" x 50000);
	like($log, $want, "a command: $to") or diag $log;
	drop_queue();
}

# Too slow: the whole group ends, also what has closed its output.
$m->main(command_time_limit => '2s');
my $slow = script('slow', <<"END");
sh -c 'echo \$\$ >>$out/pids; exec sleep 1000' &
sh -c 'echo \$\$ >>$out/pids; exec sleep 1000 >&- 2>&-' &
echo \$\$ >>$out/pids
wait
END
my $quiet = script('quiet', "exec >&- 2>&-; echo \$\$ >>$out/pids; exec sleep 1000\n");
aliases($m, "slow: |$slow\nquiet: |$quiet\n");
for my $row ([ slow => 3 ], [ quiet => 1 ]) {
	my ($to, $n) = @$row;
	my $begun = time;

	$log = deliver($m, $to);
	my $took = time - $begun;
	like($log, qr/status=deferred \(command time limit exceeded\)/,
	    "$to: the time limit") or diag $log;
	ok($took > 1 && $took < 15, "$to: after that time") or diag $took;
	my @pid = split /\n/, file_of($m, 'pids');
	is(scalar @pid, $n, "$to: all of it had begun");
	ok(scalar(wait_until { !grep { kill 0, $_ } @pid } 5),
	    "$to: all of it is gone");
	drop_queue();
}
$m->main(command_time_limit => undef, allow_mail_to_commands => '');
$log = deliver($m, 'quiet');
like($log, qr/dsn=[45]\.7\.1, .*restricted/, 'allow_mail_to_commands');
drop_queue();
$m->main(allow_mail_to_commands => undef);

# ---- :include:

sub include {
	my ($name, $body, $mode) = @_;

	spew("$out/$name", $body);
	chmod $mode // 0644, "$out/$name";
	return;
}

include('list', "# members\nalice\n\nbob ,\n\tcarol\n");
include('nested', ":include:$out/list\nalice\n");
include('loop', "alice\n:include:$out/loop\n");
include('empty', "# nobody\n\n");
include('unsafe', "alice\n", 0666);
include('group', "alice\n", 0664);
include('command', "|$show\n$out/by-include\n");
include('bad', "alice\n<bob\n");
include('large', 'alice ' x 200000);
symlink "$out/list", "$out/link" or die;
aliases($m, <<"END");
list: :include:$out/list
quoted: ":include:$out/list"
nested: :include:$out/nested, :INCLUDE:$out/list
loop: :include:$out/loop
empty: :include:$out/empty
missing: :include:$out/missing, bob
unsafe: :include:$out/unsafe
group: :include:$out/group
command: :include:$out/command
bad: :include:$out/bad
large: :include:$out/large
link: :include:$out/link
dir: :include:$out
END
for my $row (
	[ 'list', 'alice=1 bob=1 carol=1' ],
	[ 'quoted', 'alice=1 bob=1 carol=1' ],
	[ 'nested', 'alice=1 bob=1 carol=1' ],
	[ 'loop', 'alice=1', qr/dsn=[45]\.4\.6, .*alias nesting/ ],
	[ 'empty', '', qr/status=sent \(nothing to deliver\)/ ],
	[ 'missing', 'bob=1', qr/status=deferred \(.*No such file/ ],
	[ 'unsafe', '', qr/status=deferred \(.*permissions are not safe/ ],
	[ 'group', '', qr/status=deferred \(.*permissions are not safe/ ],
	[ 'command', '', qr/dsn=[45]\.7\.1, .*restricted/ ],
	[ 'bad', 'alice=1', qr/dsn=[45]\.3\.5, .*bad alias entry/ ],
	[ 'large', '', qr/status=deferred \(.*too large/ ],
	[ 'link', '', qr/status=deferred/ ],
	[ 'dir', '', qr/status=deferred/ ])
{
	my ($to, $want, $line) = @$row;

	$log = deliver($m, $to);
	is(count_mail($m), $want, ":include: $to") or diag $log;
	like($log, $line, ":include: $to: the log") if $line;
	is(scalar($m->queue), defined $line && $to ne 'empty' ? 1 : 0,
	    ":include: $to: what waits");
	drop_queue();
}
is(file_of($m, 'shown') . file_of($m, 'by-include'), '',
    'nothing ran or was written');

# ---- targets are remembered

aliases($m, "mixed: alice, \"|$exit exit 75\", $out/copy, "
	. ":include:$out/later\n");
$log = deliver($m, 'mixed');
is(count_mail($m), 'alice=1', 'one target fails, the others have it');
is(scalar(() = file_of($m, 'copy') =~ /^Subject: test$/mg), 1, 'the file too');
$log = retry($m);
like($log, qr/status=deferred/, 'again');
is(count_mail($m), '', 'it is not delivered again');
is(file_of($m, 'copy'), '', 'to none of them');
include('later', "bob\n");
aliases($m, "mixed: carol, alice, $out/copy, :include:$out/later\n");
$log = retry($m);
is(count_mail($m), 'bob=1 carol=1', 'the mended alias has new ones');
is(file_of($m, 'copy'), '', 'only they get it');
empty_queue('mended');
is(scalar(() = glob $m->spool . '/state/*'), 0, 'nor a record of it');

# ---- owner-

aliases($m, <<"END");
list: alice, carol\@far.example, "|$show"
owner-list: bob
END
$log = deliver($m, 'list', from => 'x@y.example');
($text) = $m->mail('alice');
like($text, qr/\AReturn-Path: <owner-list\@mondomaine\.lan>\n/,
    'owner-: the sender of a list is its owner') or diag $log;
$shown = file_of($m, 'shown');
like($shown, qr/^SENDER=owner-list\@mondomaine\.lan$/m, 'for commands too');
like($shown, qr/^From owner-list\@mondomaine\.lan  /m, 'in both places');
like($log, qr/qmgr\[\d+\]: \w+: from=<owner-list\@mondomaine\.lan>, size=\d+, nrcpt=1 \(queue active\)/,
    'and for what is forwarded');
count_mail($m);
drop_queue();
deliver($m, 'owner-list');
is(count_mail($m), 'bob=1', 'the owner has mail of his own');

# ---- forwarding

aliases($m, <<'END');
out: far@far.example, near@far.example, alice
self: self@mondomaine.lan, x@far.example
END
$log = deliver($m, 'out');
is(count_mail($m), 'alice=1', 'forwarding: who is here');
my @waits = $m->queue;
is(scalar @waits, 1, 'one new message for all who are not') or diag "@waits";
$text = slurp($m->spool . "/$waits[0]");
like($text, qr/\AReturn-Path: <bob\@mondomaine\.lan>\nDelivered-To: far\@far\.example\nDelivered-To: near\@far\.example\nReceived: by mail\.mondomaine\.lan .*\n\tid .*\nDelivered-To: out\@mondomaine\.lan\nReceived: from /,
    'with a mark of where it came from') or diag $text;
like($log, qr/to=<out\@mondomaine\.lan>, .*status=sent \(forwarded as [0-9A-F]+\)/,
    'and in the log');
drop_queue();
$log = deliver($m, 'out', text => "Delivered-To: out\@mondomaine.lan\n"
	. "Subject: loop\n\nx\n");
like($log, qr/dsn=[45]\.4\.6, status=(?:deferred|bounced) \(mail forwarding loop for out\@mondomaine\.lan\)/,
    'what comes back is not forwarded again') or diag $log;
is(count_mail($m), 'alice=1', 'who is here has it');
is(scalar($m->queue), 1, 'and nothing new is made');
drop_queue();
$log = deliver($m, 'out',
	text => "Subject: x\n\nDelivered-To: out\@mondomaine.lan\n");
like($log, qr/forwarded as/, 'a mark in the body is none');
count_mail($m);
drop_queue();

# A list larger than one envelope.
include('many', join '', map { sprintf "%060d\@%s.example\n", $_, 'x' x 60 }
	1 .. 6000);
aliases($m, "many: :include:$out/many\n");
$log = deliver($m, 'many');
@waits = $m->queue;
cmp_ok(scalar @waits, '>', 1, 'a long list becomes several messages')
    or diag $log;
is(scalar(grep { m{^corrupt/} } @waits), 0, 'all can be read');
my $to = join '', map { slurp($m->spool . "/$_") } @waits;
is(scalar(() = $to =~ /^Delivered-To: 0\d+\@/mg), 6000, 'and all are in them');
drop_queue();

# ---- damage: never a refusal, never a loss

aliases($m, "team: alice\n");
my $map  = $m->etc . '/aliases.gdbm';
my $good = slurp($map);

sub bad_map {
	my ($name, $damage) = @_;

	post($m, 'team');
	$damage->();
	Aliases::settle($m);
	is(count_mail($m), '', "$name: nothing goes elsewhere");
	is(scalar($m->queue), 1, "$name: it waits");
	like(rcpt($m, 'team'), qr/^451 4\.3\.0 <team>: Temporary lookup failure$/,
	    "$name: 451 at RCPT");
	like(rcpt($m, 'nobody-here'), qr/^451 /, "$name: also for the unknown");
	like(rcpt($m, 'alice'), qr/^(?:250|451) /, "$name: nor for an account");
	unlink $map;
	spew($map, $good);
	$log = retry($m);
	is(count_mail($m), 'alice=1', "$name: mended, it is delivered")
	    or diag $log;
	return;
}

SKIP: {
	# Without root, smtpd starts the runner before the damage is done.
	skip 'without root mail is delivered at once', 1 if !is_root();
	bad_map('missing', sub { unlink $map });
	bad_map('empty', sub { spew($map, '') });
	bad_map('half', sub { spew($map, substr $good, 0, length($good) / 2) });
	bad_map('text', sub { spew($map, "team: alice\n") });
	bad_map('everybody may write', sub { chmod 0666, $map });
}
SKIP: {
	skip 'needs the runner apart from smtpd', 3 if !is_root();
	$m->main(alias_maps => 'gdbm:$config_directory/aliases');
	post($m, 'alice');
	$m->main(alias_maps => '{gdbm:x');
	$log = do { my $n = length $m->log; Aliases::settle($m);
		substr $m->log, $n };
	like($log, qr/status=deferred \(.*do not match/,
	    'a list of tables that cannot be read: later') or diag $log;
	is(count_mail($m), '', 'and not as if there were none');
	$m->main(alias_maps => 'gdbm:$config_directory/aliases');
	retry($m);
	is(count_mail($m), 'alice=1', 'mended, it is delivered');
}
$m->main(alias_maps => 'gdbm:$config_directory/aliases');

# ---- whose the map is

SKIP: {
	skip 'needs root to be somebody else', 6 if !is_root();
	my $who = (getpwnam 'daemon')[2];

	aliases($m, "show: |$show\nfile: $out/theirs\ninc: :include:$out/list\n");
	chown $who, -1, $map;
	$log = deliver($m, 'show');
	like(file_of($m, 'shown'), qr/\A$who\n/,
	    'a command in a map of another user runs as he') or diag $log;
	deliver($m, 'file');
	is((stat "$out/theirs")[4], $who, 'a file is his');
	file_of($m, 'theirs');
	chown 61001, -1, $map;
	$log = deliver($m, 'show');
	like($log, qr/status=deferred \(the owner of the alias file has no account/,
	    'a map of nobody waits');
	drop_queue();
	chown scalar getpwnam('mail'), -1, $map;
	$log = deliver($m, 'show');
	my $nobody = getpwnam 'nobody';
	like(file_of($m, 'shown'), qr/\A$nobody\n/, "never as mail_owner");
	chown 0, -1, $map;
	$m->main(default_privs => 'mail');
	$log = deliver($m, 'show');
	like($log, qr/status=deferred \(commands and files are not for mail_owner/,
	    'even if default_privs says so');
	$m->main(default_privs => 'root');
	$log = retry($m);
	like($log, qr/status=deferred \(default_privs: no unprivileged account/,
	    'nor as root');
	is(file_of($m, 'shown'), '', 'it has not run');
}
done_testing;
