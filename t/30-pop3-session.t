#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# POP3 as clients speak it: the recorded session, the commands, the logins.

use strict;
use warnings;
use lib 't/lib';
use File::Path   qw(make_path);
use MIME::Base64 qw(encode_base64);
use Test::More;
use Malle qw(is_root run slurp spew wait_until);

my $m = Malle->new(users => { alice => 'secret', bob => "sp ace " });

sub deliver {
	my ($user, $name, $text, $sub) = @_;
	my $dir = $m->home($user) . '/Maildir';

	make_path("$dir/new", "$dir/cur", "$dir/tmp", { mode => 0700 });
	$sub //= 'new';
	spew("$dir/$sub/$name", $text);
	if (is_root()) {
		my ($uid, $gid) = (stat $m->home($user))[ 4, 5 ];
		chown $uid, $gid, $dir, "$dir/new", "$dir/cur", "$dir/tmp",
		    "$dir/$sub/$name";
	}
	return;
}

sub b64 { return encode_base64($_[0], '') }

# 930 octets with CRLF, as recorded.
my $head = "Subject: bonjour\nFrom: <bob\@mondomaine.lan>\n\n";
my $body = join '', map { sprintf "%-19s\n", "ligne $_" } 1 .. 40;
my $text = $head . $body;
my $pad = 930 - length($text =~ s/\n/\r\n/gr) - 2;
$text .= ('x' x $pad) . "\n";
deliver('alice', '1700000000.Q1.host', $text);

my @lines = split /\n/, $text;
$m->transcript('pop3d', join("\n",
	'S: +OK POP3 mail.mondomaine.lan malle server ready',
	'C: AUTH LOGIN',
	'S: + VXNlcm5hbWU6',
	'C: ' . b64('alice'),
	'S: + UGFzc3dvcmQ6',
	'C: ' . b64('secret'),
	'S: +OK Mailbox open, 1 messages',
	'C: STAT',
	'S: +OK 1 930',
	'C: LIST',
	'S: +OK Mailbox scan listing follows',
	'S: 1 930',
	'S: .',
	'C: UIDL',
	'S: +OK Unique-ID listing follows',
	'S: 1 1700000000.Q1.host',
	'S: .',
	'C: RETR 1',
	'S: +OK 930 octets',
	(map { "S: $_" } @lines),
	'S: .',
	'C: DELE 1',
	'S: +OK Message deleted',
	'C: QUIT',
	'S: +OK Sayonara',
	'S: EOF') . "\n", 'the recorded session of a Mozilla client');
is_deeply([ $m->mail_names('alice') ], [], 'and the message is gone');
like($m->log, qr{ malle/pop3d\[\d+\]: LOGIN, user=alice, ip=\[127\.0\.0\.1\]$}m,
	'the login is logged');
like($m->log, qr{: LOGOUT, user=alice, .* retr=1, .*deleted=1, }m,
	'and the end');

$m->transcript('pop3d', <<'END', 'CAPA before and after the login');
S~ ^\+OK POP3
C: CAPA
S: +OK Capability list follows
S: TOP
S: UIDL
S: USER
S: SASL PLAIN LOGIN
S: RESP-CODES
S: AUTH-RESP-CODE
S: PIPELINING
S: IMPLEMENTATION malle
S: .
C: user alice
S: +OK User name accepted, password please
C: pass secret
S: +OK Mailbox open, 0 messages
C: CAPA
S: +OK Capability list follows
S* ^\.$
C: STAT
S: +OK 0 0
C: LIST
S: +OK Mailbox scan listing follows
S: .
C: UIDL
S: +OK Unique-ID listing follows
S: .
C: NOOP
S: +OK No-op to you too!
C: USER bob
S: -ERR Unknown TRANSACTION state command
C: QUIT
S: +OK Sayonara
S: EOF
END

deliver('bob', "170000000$_.Q$_.host,S=4,W=5", "a$_\n\n") for 1 .. 4;
$m->transcript('pop3d', <<'END', 'numbers stay, deleted messages vanish');
S~ ^\+OK
C: USER Bob
S~ ^\+OK
C| PASS sp ace \r\n
S: +OK Mailbox open, 4 messages
C: STAT
S: +OK 4 20
C: DELE 2
S: +OK Message deleted
C: DELE 2
S: -ERR No such message
C: RETR 2
S: -ERR No such message
C: TOP 2 0
S: -ERR No such message
C: UIDL 2
S: -ERR No such message
C: LIST 2
S: -ERR No such message
C: STAT
S: +OK 3 15
C: LIST
S~ ^\+OK
S: 1 5
S: 3 5
S: 4 5
S: .
C: UIDL
S~ ^\+OK
S: 1 1700000001.Q1.host
S: 3 1700000003.Q3.host
S: 4 1700000004.Q4.host
S: .
C: UIDL 3
S: +OK 3 1700000003.Q3.host
C: LIST 3
S: +OK 3 5
C: RSET
S: +OK Reset state
C: STAT
S: +OK 4 20
C: DELE 4
S: +OK Message deleted
C: QUIT
S: +OK Sayonara
S: EOF
END
is_deeply([ map { m{Q(\d)} } $m->mail_names('bob') ], [ 1, 2, 3 ],
	'only what was deleted at the end is gone');

$m->transcript('pop3d', <<'END', 'TOP');
S~ ^\+OK
C| USER bob\r\nPASS sp ace \r\nTOP 1 0\r\nTOP 1 1\r\nTOP 1 2147483648\r\nQUIT\r\n
S~ ^\+OK User
S~ ^\+OK Mailbox
S: +OK Top of message follows
S: a1
S: 
S: .
S: +OK Top of message follows
S: a1
S: 
S: .
S: +OK Top of message follows
S: a1
S: 
S: .
S: +OK Sayonara
S: EOF
END

deliver('alice', '1700000010.Q1.host', "H: 1\n\n1\n2\n3\n");
$m->transcript('pop3d', <<'END', 'TOP counts lines of the body');
S~ ^\+OK
C| USER alice\r\nPASS secret\r\nTOP 1 0\r\nTOP 1 2\r\nTOP 1 4\r\nQUIT\r\n
S* ^\+OK Top
S: H: 1
S: 
S: .
S~ ^\+OK
S: H: 1
S: 
S: 1
S: 2
S: .
S~ ^\+OK
S: H: 1
S: 
S: 1
S: 2
S: 3
S: .
S: +OK Sayonara
S: EOF
END

my $plain = b64("\0alice\0secret");
my $same = b64("alice\0alice\0secret");
$m->transcript('pop3d', <<"END", "AUTH PLAIN, $_->[0]") for
S~ ^\\+OK
$_->[1]
S: +OK Mailbox open, 1 messages
C: QUIT
S: +OK Sayonara
S: EOF
END
    [ 'in one line', "C: AUTH PLAIN $plain" ],
    [ 'in two', "C: AUTH plain\nS: + \nC: $plain" ],
    [ 'for oneself', "C: AUTH PLAIN $same" ];

$m->transcript('pop3d', <<'END', 'AUTH lists, cancels, and takes a name at once');
S~ ^\+OK
C: AUTH
S: +OK Supported authentication mechanisms:
S: PLAIN
S: LOGIN
S: .
C: AUTH LOGIN
S: + VXNlcm5hbWU6
C: *
S: -ERR AUTH cancelled
C: AUTH PLAIN
S: + 
C: *
S: -ERR AUTH cancelled
C: AUTH CRAM-MD5
S: -ERR Unknown authentication mechanism
C: AUTH LOGIN YWxpY2U=
S: + UGFzc3dvcmQ6
C: c2VjcmV0
S: +OK Mailbox open, 1 messages
C: QUIT
S: +OK Sayonara
S: EOF
END

$m->transcript('pop3d', <<'END', 'a login with our domain, in capitals');
S~ ^\+OK
C| USER ALICE@MonDomaine.lan\r\nPASS secret\r\nQUIT\r\n
S~ ^\+OK
S: +OK Mailbox open, 1 messages
S: +OK Sayonara
S: EOF
END

$m->main(home_mailbox => undef);
$m->transcript('pop3d', <<'END', 'a changed main.cf acts on the next session');
S~ ^\+OK
C| USER alice\r\nPASS secret\r\nQUIT\r\n
S~ ^\+OK
S: +OK Mailbox open, 0 messages
S: +OK Sayonara
S: EOF
END
$m->main(home_mailbox => 'Maildir/');

for my $form (qw(nowait wait)) {
	my $port = $m->serve('pop3d', $form);
	$m->transcript($port, <<'END', "on a socket, $form");
S~ ^\+OK
C| USER alice\r\nPASS secret\r\nSTAT\r\nQUIT\r\n
S~ ^\+OK
S: +OK Mailbox open, 1 messages
S: +OK 1 17
S: +OK Sayonara
S: EOF
END
}

my $r = run('pop3d', '--help');
is($r->{status}, 0, '--help is no error');
like($r->{out}, qr/^usage: pop3d /, 'and says how');
is(run('pop3d', '-x')->{status}, 64, 'an unknown option is one');
$r = run({ env => { MAIL_CONFIG => '/nonexistent' } }, 'pop3d');
is($r->{out}, "-ERR [SYS/PERM] Server configuration error\r\n",
	'without main.cf the client is told');
is($r->{status}, 78, 'and the caller');
done_testing;
