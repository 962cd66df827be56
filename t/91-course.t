#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# A classic course on a LAN mail server, typed command by command on an
# instance of "make run": telnet, mailx, swaks, aliases, a relay host, domains,
# networks, storage, the table of routes, virtual mailboxes, the archive.

use strict;
use warnings;
use lib 't/lib';
use Malle qw(build_dir top_dir free_base free_port hash_password is_root run
    skip_unless_command slurp spew wait_until);
use Net::POP3;
use POSIX qw(WNOHANG);
use Test::More;

skip_unless_command(qw(make xinetd swaks s-nail setpriv));
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES MAIL_CONFIG)};

my $m    = Malle->new;	# for its directory, and the end of it
my $dir  = $m->dir . '/run';
my $base = free_base(24, 25, 110, 465, 587, 628, 995);
my $smtp = $base + 25;
my $pid;
END { kill KILL => -$pid if $pid }

# What "make run" prints.
my $out = $m->dir . '/out';
{
	open my $null, '<', '/dev/null' or die;
	open my $to, '>', $out or die "$out: $!\n";
	$pid = Malle::spawn([
		'/usr/bin/make', '-s', '-C', top_dir(), 'run',
		'B=' . build_dir(), "RUN_DIR=$dir", "PORT_BASE=$base",
	], [ $null, $to, $to ], { group => 1 });
	wait_until {
		slurp($out) =~ /^ready: /m || waitpid($pid, WNOHANG) != 0
	} 60, 'ready';
}
slurp($out) =~ /^ready: /m or BAIL_OUT(slurp($out));

# ---- what the course does

# A command line of the administrator's.
sub types {
	my ($line, $in) = @_;

	return run({ in => $in // '' }, '/bin/sh', '-c',
		". '$dir/env'; cd '$dir/etc'; $line");
}

sub succeeds {
	my ($line, $want, $name) = @_;
	my $r = types($line);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is("$r->{status}: $r->{out}$r->{err}", "0: $want", $name // $line);
	return;
}

sub send_to {
	my ($to, @more) = @_;

	return run('/usr/bin/swaks', '--server', "127.0.0.1:$smtp", '--helo',
		'localhost', '--from', 'bob@mondomaine.lan', '--to', $to, @more);
}

sub mails {
	my ($user) = @_;

	return map { slurp($_) } glob "$dir/home/$user/Maildir/new/*";
}

# The new mail of a user, who has read it then.
sub gets {
	my ($user, $n, $name) = @_;
	my @text = wait_until { my @t = mails($user); @t >= $n ? @t : () } 20;

	unlink glob "$dir/home/$user/Maildir/new/*";
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(scalar @text, $n, $name) or diag slurp("$dir/log/maillog");
	return "@text";
}

sub logged {
	my ($want, $name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok(scalar(wait_until { slurp("$dir/log/maillog") =~ $want } 10), $name)
	    or diag slurp("$dir/log/maillog");
	return;
}

sub pop3 {
	my ($user, $password) = @_;
	my $p = Net::POP3->new('127.0.0.1', Port => $base + 110, Timeout => 20);
	my $n = $p ? $p->login($user, $password) : undef;
	my $text = join '', map { @{ $p->get($_) || [] } } 1 .. ($n || 0);

	$p->quit if $p;
	return defined $n ? $n + 0 . " $text" : 'no';
}

# ---- telnet

$m->transcript($smtp, <<'END', 'telnet');
S~ ^220 mail\.mondomaine\.lan ESMTP
C: HELO mail.mondomaine.lan
S: 250 mail.mondomaine.lan
C: MAIL FROM: bob
S: 250 2.1.0 Ok
C: RCPT TO: alice
S: 250 2.1.5 Ok
C: DATA
S: 354 End data with <CR><LF>.<CR><LF>
C: From: test
C: To: monalice
C: Subject: Test de message
C:
C: Ceci est un test.
C: Merci de votre coopération
C: .
S~ ^250 2\.0\.0 Ok: queued as [0-9A-F]+$
C: QUIT
S: 221 2.0.0 Bye
S: EOF
END
like(gets('alice', 1, 'alice has it'), qr/^Subject: Test de message$/m,
    'as it was typed');
logged(qr{malle/local\[\d+\]: [0-9A-F]+: to=<alice\@mondomaine\.lan>, orig_to=<alice>, relay=local, .*dsn=2\.0\.0, status=sent},
    'the log tells its way');

# ---- mailx

my $mailx = "s-nail -S mta='$dir/bin/sendmail' -S sendwait";
for my $row (
	[ "$mailx -n -s 'Objet du message' alice", 'bonjour' ],
	[ "$mailx -n -r bob\@mondomaine.lan -s 'Objet du message' -b bob "
	    . "alice\@mondomaine.lan", 'bonjour' ])
{
	my ($line, $text) = @$row;
	my $r = types("echo $text | $line");

	is($r->{status}, 0, "mailx: $line") or diag $r->{err};
	my $got = gets('alice', 1, 'alice has it');
	like($got, qr/^Subject: Objet du message$/m, 'with its subject');
	like($got, qr/^bonjour$/m, 'and text');
}
unlike(gets('bob', 1, 'bob has the blind copy'), qr/^Bcc:/mi, 'unseen');

# ---- swaks

my $r = send_to('alice@mondomaine.lan', '--header', 'Subject: swaks',
	'--body', 'corps');
is($r->{status}, 0, 'swaks') or diag $r->{out};
like(gets('alice', 1, 'alice has it'), qr/^Subject: swaks$/m, 'swaks');

# ---- aliases

types("printf 'support:\\talice, bob\\n' >>aliases");
is(send_to('support@mondomaine.lan')->{status} == 0, '',
    'an alias is none before newaliases');
succeeds('newaliases', '');
is(send_to('support@mondomaine.lan')->{status}, 0, 'and then it is');
gets($_, 1, "support: $_") for qw(alice bob);
logged(qr/to=<bob\@mondomaine\.lan>, orig_to=<support\@mondomaine\.lan>/,
    'orig_to in the log');
succeeds("postalias -q support gdbm:'$dir/etc/aliases'", "alice, bob\n",
    'postalias -q');
is(send_to('postmaster')->{status}, 0, 'postmaster');
gets('bob', 1, 'postmaster: root: bob');

# ---- a relay host

my $there = Malle->new(main => {
	mydestination => 'ailleurs.lan, loin.lan', myhostname => 'mail.ailleurs.lan',
});
my $port = $there->serve('smtpd', 'wait');

sub there {
	my ($name) = @_;
	# Where it runs without root it has a mailbox already.
	my @text = wait_until {
		($there->mail('alice'), map { slurp($there->spool . "/$_") }
			grep { m{^incoming/} } $there->queue)
	} 20;

	unlink map { $there->home('alice') . "/Maildir/$_" }
	    $there->mail_names('alice');
	unlink map { $there->spool . "/$_" } $there->queue;
	ok(scalar @text, $name) or diag slurp("$dir/log/maillog");
	return;
}

SKIP: {
	skip 'no relay in this build', 4 if !-x build_dir() . '/relay';
	succeeds("postconf -e 'relayhost = [127.0.0.1]:$port'", '',
	    'postconf -e relayhost');
	succeeds('postconf relayhost', "relayhost = [127.0.0.1]:$port\n");
	is(send_to('alice@ailleurs.lan')->{status}, 0, 'mail for elsewhere');
	there('goes through the relay host');
	logged(qr/to=<alice\@ailleurs\.lan>, relay=127\.0\.0\.1\[127\.0\.0\.1\]:$port, .*status=sent \(250 2\.0\.0 Ok/,
	    'and the log says so');
}
succeeds("postconf -e 'relayhost ='", '', 'no relay host');

# ---- a domain

succeeds('postconf -e \'mydestination = $mydomain, $myhostname, localhost, '
    . "formation.lan'", '', 'a new domain');
is(send_to('alice@formation.lan')->{status}, 0, 'is ours at once');
gets('alice', 1, 'and alice has its mail');
like(send_to('nobody@formation.lan')->{out}, qr/550 5\.1\.1 .*User unknown in local recipient table/,
    'with its unknown users');
succeeds("postconf -e mydomain=entreprise.lan myhostname=srv.entreprise.lan",
    '', 'mydomain');
$m->transcript($smtp, <<'END', 'acts on the next connection');
S~ ^220 srv\.entreprise\.lan ESMTP
C: HELO x
S: 250 srv.entreprise.lan
C: MAIL FROM: bob
S: 250 2.1.0 Ok
C: RCPT TO: alice@entreprise.lan
S: 250 2.1.5 Ok
C: DATA
S~ ^354
C:
C: .
S~ ^250
C: QUIT
S~ ^221
S: EOF
END
like(gets('alice', 1, 'alice of the new domain'),
    qr/\AReturn-Path: <bob\@entreprise\.lan>\nDelivered-To: alice\@entreprise\.lan\n/,
    'bare names are completed with it');
succeeds("postconf -e mydomain=mondomaine.lan myhostname=mail.mondomaine.lan",
    '', 'and back');

# ---- mynetworks

succeeds("postconf -e 'mynetworks = 192.168.1.0/24'", '', 'mynetworks');
like(send_to('x@ailleurs.lan')->{out}, qr/454 4\.7\.1 <x\@ailleurs\.lan>: Relay access denied/,
    'who is not in it may not relay');
is(send_to('alice')->{status}, 0, 'but may write to us');
gets('alice', 1, 'alice has it');
succeeds("postconf -e 'mynetworks = 127.0.0.0/8'", '', 'with us in it');

# ---- storage

succeeds("postconf -e 'home_mailbox ='", '', 'mbox');
is(send_to('alice', '--header', 'Subject: mbox')->{status}, 0, 'a message');
ok(scalar(wait_until { -s "$dir/mail/alice" } 10),
    'it is below mail_spool_directory') or diag slurp("$dir/log/maillog");
like(slurp("$dir/mail/alice"), qr/\AFrom bob\@mondomaine\.lan  .*^Subject: mbox$/ms,
    'in an mbox');
like(pop3('alice', 'secret'), qr/^1 .*^Subject: mbox\r?$/ms,
    'POP3 finds it there');
$r = types("s-nail -n -R -H -f '$dir/mail/alice'");
like($r->{out}, qr/mbox/, 'mailx reads it') or diag $r->{err};
succeeds("postconf -e 'home_mailbox = Maildir/'", '', 'Maildir again');
send_to('alice');
gets('alice', 1, 'and it is there');

# ---- the table of routes

SKIP: {
	skip 'no relay in this build', 4 if !-x build_dir() . '/relay';
	types("printf 'loin.lan\\tsmtp:[127.0.0.1]:$port\\n"
	    . "attente.lan\\tsmtp:[127.0.0.1]:@{[free_port()]}\\n' >transport");
	succeeds("postmap hash:'$dir/etc/transport'", '', 'postmap');
	succeeds("postmap -q loin.lan hash:'$dir/etc/transport'",
	    "smtp:[127.0.0.1]:$port\n", 'postmap -q');
	succeeds("postconf -e 'transport_maps = hash:$dir/etc/transport'", '',
	    'transport_maps');
	send_to('alice@loin.lan');
	there('a route of its own');
}

# ---- the queue

succeeds('mailq', "Mail queue is empty\n");
SKIP: {
	skip 'no relay in this build', 8 if !-x build_dir() . '/relay';
	send_to('x@attente.lan');
	my ($id) = wait_until {
		types('mailq')->{out} =~ /^([0-9A-F]+)  .*\n.*refused.*\n +x\@attente\.lan$/m
	} 20;
	ok($id, 'mailq shows what waits, why, and for whom')
	    or diag types('mailq')->{out}, slurp("$dir/log/maillog");
	$id //= 'none';
	is(types('postqueue -p')->{out}, types('mailq')->{out},
	    'postqueue -p is the same');
	like(types('mailq')->{out}, qr/^-- \d+ Kbytes in 1 Request\.$/m, 'counted');
	like(types("postcat -q $id")->{out}, qr/^Subject: test /m, 'postcat');
	my $tries = () = slurp("$dir/log/maillog") =~ /$id: to=<x\@attente/g;
	succeeds('postqueue -f', '', 'postqueue -f');
	ok(scalar(wait_until {
		(() = slurp("$dir/log/maillog") =~ /$id: to=<x\@attente/g) > $tries
	} 20), 'tries again');
	ok(scalar(wait_until {
		my $d = types("postsuper -d $id");
		$d->{out} . $d->{err} =~ /Deleted: 1 message/
	} 20), 'postsuper -d');
	succeeds('mailq', "Mail queue is empty\n", 'it is gone');
}

# ---- virtual mailboxes

my $uid = is_root() ? 61090 : $>;
my $gid = is_root() ? 61090 : $) + 0;
types("mkdir -p '$dir/vmail'" . (is_root() ? " && chown $uid:$gid '$dir/vmail'"
	: ''));
types("printf 'info\@virtuel.lan\\tvirtuel.lan/info/Maildir/\\n' >vmailbox");
succeeds("postmap hash:'$dir/etc/vmailbox'", '', 'postmap vmailbox');
succeeds("postconf -e virtual_mailbox_domains=virtuel.lan "
    . "virtual_mailbox_base='$dir/vmail' "
    . "virtual_mailbox_maps='hash:$dir/etc/vmailbox' "
    . "virtual_uid_maps=static:$uid virtual_gid_maps=static:$gid "
    . 'virtual_minimum_uid=1', '', 'postconf -e virtual_...');
is(send_to('info@virtuel.lan', '--header', 'Subject: virtuel')->{status}, 0,
    'a virtual mailbox');
ok(scalar(wait_until { glob "$dir/vmail/virtuel.lan/info/Maildir/new/*" } 10),
    'has its mail') or diag slurp("$dir/log/maillog");
like(send_to('x@virtuel.lan')->{out}, qr/550 5\.1\.1 .*virtual mailbox table/,
    'an unknown one is refused');
{
	open my $passwd, '>>', "$dir/etc/passwd" or die;
	print {$passwd} join(':', 'info@virtuel.lan', hash_password('motdepasse'),
		$uid, $gid, '', "$dir/vmail/virtuel.lan/info", '/sbin/nologin'), "\n";
	close $passwd;
}
like(pop3('info@virtuel.lan', 'motdepasse'), qr/^1 .*^Subject: virtuel\r?$/ms,
    'and POP3 gives it to its owner');
is(pop3('info@virtuel.lan', 'secret'), 'no', 'to no one else');

# ---- the archive

types("printf 'archive:\\tbob\\n' >>aliases; newaliases");
gets('bob', scalar mails('bob'), 'bob has read all');
succeeds("postconf -e always_bcc=archive\@mondomaine.lan", '', 'always_bcc');
send_to('alice', '--header', 'Subject: legal');
like(gets('alice', 1, 'alice has hers'), qr/^Subject: legal$/m, 'as ever');
my $copy = gets('bob', 1, 'the archive has a copy');
like($copy, qr/^Subject: legal$/m, 'of the same');
$r = types("echo x | $mailx -n -s mailx alice");
gets('alice', 1, 'also by mailx');
gets('bob', 1, 'also to the archive');

# ---- postconf

like(types('postconf -n')->{out}, qr/^always_bcc = archive\@mondomaine\.lan$/m,
    'postconf -n shows what was set');
is(types('malle check')->{err} . types('malle check')->{out}, '',
    'malle check has nothing to say');
done_testing;
