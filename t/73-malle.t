#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# malle check and malle status: silent when well, one line for each fault.

use strict;
use warnings;
use lib 't/lib';
use Malle qw(run is_root spew slurp build_dir);
use Malle::Spool qw(id_of put lock_message);
use Test::More;
use Time::HiRes qw(time);

my $r;

sub fresh {
	my ($m) = Malle->new(main => { alias_maps => '', alias_database => '' });

	put($m, 'hold', id_of(1736163296, 1), { from => 'a@b', to => ['c@d'] });
	chmod 0600, $m->main_cf;
	return $m;
}

subtest 'well' => sub {
	$r = fresh()->run(qw(malle check));
	is("$r->{out}$r->{err}", '', 'silent');
	is($r->{status}, 0, 'and 0');
	my $m = Malle->new(main => { alias_maps => '', alias_database => '' });
	$r = $m->run(qw(malle check));
	is("$r->{status}$r->{out}$r->{err}", '0', 'also with a spool that nobody has used');
};

# What is done to it, and the only line then said.
my $etc = qr{/etc/main\.cf};
my @case = (
	[ 'a parameter of Postfix', sub { $_[0]->main(smtp_tls_note_starttls_offer => 'yes') },
		qr{$etc, line \d+: smtp_tls_note_starttls_offer: malle has no such parameter} ],
	[ 'twice is once', sub { spew($_[0]->main_cf, slurp($_[0]->main_cf) . "milter_protocol = yes\n" x 2) },
		qr{$etc, line \d+: milter_protocol: } ],
	[ 'a name of their own', sub { $_[0]->main(my_net => '10.0.0.0/8', mynetworks => '127.0.0.0/8 $my_net') }, undef ],
	[ 'an override', sub { spew($_[0]->main_cf, slurp($_[0]->main_cf) . "mydomain = other.lan\n") },
		qr{$etc, line \d+: overriding earlier entry: mydomain=mondomaine\.lan} ],
	[ 'a comment behind a value', sub { $_[0]->main(relay_domains => 'a.b # c') },
		qr{$etc, line \d+: relay_domains: a comment must have a line of its own} ],
	[ 'a bad value', sub { $_[0]->main(max_idle => 'soon') }, qr{$etc, line \d+: .*max_idle} ],
	[ 'a bad network', sub { $_[0]->main(mynetworks => '127.0.0.0/8, lan') },
		qr{$etc, line \d+: mynetworks: "lan" is no network; write 192} ],
	[ 'a bad service', sub { $_[0]->main(qrun_service => 'localhost:628') },
		qr{$etc, line \d+: qrun_service: "localhost:628" is no service; write inet:} ],
	[ 'another', sub { $_[0]->main(sendmail_service => 'inet:localhost:25') },
		qr{$etc, line \d+: sendmail_service: "inet:localhost:25" is no service} ],
	[ 'sizes', sub { $_[0]->main(mailbox_size_limit => 1000) },
		qr{$etc, line \d+: mailbox_size_limit: smaller than message_size_limit; raise it to 10240000} ],
	[ 'times', sub { $_[0]->main(maximal_backoff_time => '10s') },
		qr{$etc, line \d+: maximal_backoff_time: less than minimal_backoff_time} ],
	[ 'main.cf for all', sub { chmod 0666, $_[0]->main_cf }, qr{$etc: others may write to it; chmod go-w it} ],
	[ 'mail_owner', sub { $_[0]->main(mail_owner => 'nosuch') },
		qr{mail_owner = nosuch: no such account in /etc/passwd; "useradd } ],
	[ 'no spool', sub { $_[0]->main(queue_directory => '/nonexistent') },
		qr{queue_directory /nonexistent: No such file or directory; make it, or correct it in .*$etc} ],
	[ 'an open spool', sub { chmod 0777, $_[0]->spool }, qr{queue_directory .*/spool: mode 0777; chmod 700 it} ],
	[ 'an open place', sub { chmod 0755, $_[0]->spool . '/incoming' }, qr{/spool/incoming: mode 0755; chmod 700 it} ],
	[ 'a file for a place', sub { rmdir $_[0]->spool . '/lock'; symlink 'hold', $_[0]->spool . '/lock';
			my @o = (stat $_[0]->spool)[ 4, 5 ]; system 'chown', '-h', join(':', @o), $_[0]->spool . '/lock' },
		qr{/spool/lock: not a directory; remove it} ],
	[ 'corrupt', sub { put($_[0], 'corrupt', id_of(1, 1), { to => ['a@b'] }) },
		qr{/spool/corrupt: 1 file set aside; look with postcat, then "postsuper -d ALL corrupt"} ],
	[ 'a full disk', sub { $_[0]->main(queue_minfree => 1000000000000) },
		qr{/spool: less than 1000000000000 octets free \(queue_minfree, .*\); mail is refused} ],
	[ 'no accounts', sub { $_[0]->main(passwd_file => '/nonexistent') },
		qr{passwd_file /nonexistent: No such file or directory; mail for local users waits} ],
	[ 'half an account', sub { spew("$_[0]{dir}/etc/passwd", slurp("$_[0]{dir}/etc/passwd") . "carol:x:1:1\n") },
		qr{/etc/passwd, line 3: no account; it is name:hash:uid:gid:person:/home:shell} ],
	[ 'half a file', sub { spew("$_[0]{dir}/etc/passwd", slurp("$_[0]{dir}/etc/passwd") =~ s/\n\z//r) },
		qr{/etc/passwd: empty, or no line end at its end: } ],
	[ 'an empty file', sub { spew("$_[0]{dir}/etc/passwd", '') }, qr{/etc/passwd: empty, } ],
	[ 'passwords for all', sub { chmod 0644, "$_[0]{dir}/etc/passwd" },
		qr{/etc/passwd: others may read the passwords in it; chmod 600 it} ],
	[ 'no table', sub { $_[0]->main(alias_maps => 'gdbm:/nonexistent/aliases') },
		qr{$etc, line \d+: alias_maps: .*/nonexistent/aliases} ],
	[ 'no such type', sub { $_[0]->main(alias_maps => 'ldap:x') }, qr{$etc, line \d+: alias_maps: .*ldap} ],
);
push @case,
    [ 'root as owner', sub { chown 0, 0, $_[0]->spool, glob $_[0]->spool . '/*'; $_[0]->main(mail_owner => 'root') },
		qr{mail_owner = root: it must not be root; make an account} ],
    [ 'a foreign place', sub { chown 61009, 0, $_[0]->spool . '/hold' },
		qr{/spool/hold: belongs to user id 61009; chown it to mail_owner} ],
    [ 'a foreign main.cf', sub { chown 61009, 0, $_[0]->main_cf }, qr{$etc: belongs to user id 61009; chown root it} ]
    if is_root();

for (@case) {
	my ($name, $change, $want) = @$_;
	my $m = fresh();
	$change->($m);
	$r = $m->run(qw(malle check));
	if (defined $want) {
		like($r->{err}, qr/\Amalle: warning: [^\n]*$want[^\n]*\n\z/, $name);
		is($r->{status}, 78, "$name: EX_CONFIG");
	} else {
		is("$r->{status}$r->{err}", '0', $name);
	}
	is($r->{out}, '', 'on standard error');
	$m->destroy;
}

subtest 'programs' => sub {
	my $m = fresh();
	my $bin = "$m->{dir}/bin";
	mkdir $bin or die;
	$m->main(daemon_directory => $bin, command_directory => $bin);
	$r = $m->run(qw(malle check));
	my @line = split /^/, $r->{err};
	is(scalar(grep { m{^malle: warning: \Q$bin\E/\w+: No such file or directory; install malle there, or correct (?:daemon|command)_directory in } } @line),
		scalar @line, 'a line for each that is missing');
	for my $name (qw(smtpd qrun local pop3d checkpw sendmail mailq newaliases postqueue)) {
		ok(scalar(grep { m{/$name: } } @line), $name);
	}
	symlink build_dir() . "/$_", "$bin/$_" for map { m{/bin/(\w+): } } @line;
	$r = $m->run(qw(malle check));
	is($r->{err}, '', 'all there');
	unlink "$bin/qrun";
	spew("$bin/qrun", 'x');
	chmod 0644, "$bin/qrun";
	$r = $m->run(qw(malle check));
	like($r->{err}, qr{\Amalle: warning: \Q$bin\E/qrun: not a program; [^\n]*\n\z}, 'not a program');
	chmod 0777, "$bin/qrun";
	$r = $m->run(qw(malle check));
	like($r->{err}, qr{\Amalle: warning: \Q$bin\E/qrun: anyone may write to it; [^\n]*\n\z}, 'for all to change');
};

subtest 'status' => sub {
	my $m = Malle->new;
	my $now = int time;
	my ($a, $b, $c, $d) = map { id_of($now - $_, 1) } 5, 7200, 100000, 3;
	my %o = (from => 'a@b', to => ['c@d'], text => "Received: x\n" . 'x' x 2000);

	$r = $m->run(qw(malle status));
	like($r->{out}, qr{\Aconfiguration   \Q$m->{dir}\E/etc/main\.cf
queue           \Q$m->{dir}\E/spool
being received  0
being delivered 0
incoming        0
deferred        0
hold            0
corrupt         0
free space      [\d.]+ \wiB, \d+ files\n\z}, 'empty');
	my $bucket = int($now / 60) * 60 + 600;
	put($m, 'incoming', $a, \%o);
	put($m, "deferred/$bucket", $b, \%o);
	put($m, 'deferred/' . ($bucket + 7200), $c, \%o);
	my $lock = lock_message(put($m, 'incoming', $d, \%o));
	$r = $m->run(qw(malle status));
	like($r->{out}, qr{^being\ delivered\ 1\n
		incoming\ {8}2,\ 4\.0\ KiB,\ oldest\ (?:[5-9]|\d\d)s\ \($a\)\n
		deferred\ {8}2,\ 4\.0\ KiB,\ oldest\ 1d\ 3h\ \($c\)\n
		next\ attempt\ {4}in\ (?:8|9|10)m(?:\ \d+s)?,\ the\ last\ in\ 2h\ \d+m\n
		hold}mx, 'in use') or diag $r->{out};
	is("$r->{status}$r->{err}", '0', 'and nothing else');
	put($m, 'deferred/60', id_of(1, 1), \%o);
	like($m->run(qw(malle status))->{out}, qr/^next attempt    now, the last in 2h /m, 'due');
};

subtest 'usage' => sub {
	my $m = Malle->new;
	like($m->run(qw(malle --help))->{out}, qr/^usage: malle .*^    check .*^    status /ms, '--help');
	for ([], ['-Z'], ['destroy'], [qw(check x)], [qw(status x)]) {
		$r = $m->run('malle', @$_);
		is($r->{status}, 64, "@$_: EX_USAGE");
		ok($r->{err} ne '', 'says why');
	}
	for my $what (qw(check status)) {
		$r = $m->run('malle', '-c', '/nonexistent', $what);
		is($r->{status}, 78, "$what: no main.cf");
		like($r->{err}, qr{\Amalle: \w+: open /nonexistent/main\.cf[^\n]*\n\z}, 'one line');
	}
};

done_testing;
