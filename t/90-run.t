#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# "make run" as people use it: real xinetd, real clients, both forms; as root
# and as an ordinary user.  RUN_DIR has a blank in its name and lies below a
# directory of mode 0700.

use strict;
use warnings;
use lib 't/lib';
use Malle qw(build_dir top_dir free_base is_root run skip_unless_command slurp
    spew wait_until);
use Net::POP3;
use Net::SMTP;
use POSIX qw(WNOHANG);
use Test::More;

skip_unless_command(qw(make xinetd swaks curl mpop setpriv));
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES MAIL_CONFIG)};
delete $ENV{no_proxy};
$ENV{http_proxy} = $ENV{all_proxy} = '';

my $m = Malle->new;	# for its directory, and the end of it
my @server;
END { kill KILL => map { -$_ } @server }

# Starts make run; returns what describes the server once it is ready, or
# once it has ended.
sub start {
	my (%opt) = @_;
	my $self = { base => free_base(25, 110, 465, 587, 628, 995), form => 'nowait', as => [], %opt };
	my $out  = $m->dir . '/out.' . @server;

	open my $null, '<', '/dev/null' or die;
	open my $log, '>', $out or die "$out: $!\n";
	$self->{pid} = Malle::spawn([
		'/usr/bin/env', @{ $self->{as} }, 'make', '-s', '-C', top_dir(),
		'run', 'B=' . build_dir(), "RUN_DIR=$self->{dir}",
		"PORT_BASE=$self->{base}", "FORM=$self->{form}",
	], [ $null, $log, $log ], { group => 1 });
	push @server, $self->{pid};
	$self->{out} = sub { slurp($out) };
	wait_until {
		$self->{out}->() =~ /^ready: /m || ended($self)
	} 60, 'ready';
	return $self;
}

sub ended {
	my ($self) = @_;

	return 1 if defined $self->{status};
	return 0 if waitpid($self->{pid}, WNOHANG) != $self->{pid};
	$self->{status} = $?;
	return 1;
}

# Every process that knows RUN_DIR: from its arguments, its environment or
# its working directory.  Not we, who have it in neither.
sub processes {
	my ($self) = @_;
	my @found;

	for my $pid (map { m{(\d+)} } glob '/proc/[0-9]*') {
		my $known = join "\0", map { eval { slurp("/proc/$pid/$_") } // '' }
		    qw(cmdline environ);
		next if $known !~ /\Q$self->{dir}\E/;
		$known =~ tr/\0/ /;
		push @found, "$pid $known";
	}
	return @found;
}

sub port_is_free {
	my ($self) = @_;

	return !grep { !Malle::is_free($self->{base} + $_) } 25, 110, 465, 587, 628, 995;
}

sub is_over {
	my ($self, $name) = @_;

	ok(scalar(wait_until { ended($self) } 15), "$name: make has ended");
	ok(scalar(wait_until { !processes($self) } 10), "$name: no process is left")
	    or diag map { "$_\n" } processes($self);
	ok(scalar(wait_until { port_is_free($self) } 5), "$name: no port is held");
	return;
}

sub smtp { return $_[0]{base} + 25 }
sub pop3 { return $_[0]{base} + 110 }

sub mails {
	my ($self, $user) = @_;

	my @file = glob "\Q$self->{dir}\E/home/$user/Maildir/new/*";
	return @file;
}

sub send_and_fetch {
	my ($s) = @_;
	my $message = $m->dir . '/message';
	my $before = mails($s, 'alice');

	my $r = run('/usr/bin/swaks', '--server', '127.0.0.1:' . smtp($s),
		'--helo', 'localhost', '--from', 'bob@mondomaine.lan',
		'--to', 'alice@mondomaine.lan', '--header', 'Subject: by swaks');
	is($r->{status}, 0, 'swaks sends') or diag $r->{out}, $r->{err};

	my $c = Net::SMTP->new('127.0.0.1', Port => smtp($s), Timeout => 20);
	ok($c && $c->mail('bob@mondomaine.lan') && $c->to('alice@mondomaine.lan')
	    && $c->data("Subject: by Net::SMTP\n\n.a dot\n") && $c->quit,
	    'Net::SMTP sends');

	spew($message, "Subject: by curl\r\n\r\ntext\r\n");
	$r = run('/usr/bin/curl', '-sS', '--url', 'smtp://127.0.0.1:' . smtp($s),
		'--mail-from', 'bob@mondomaine.lan',
		'--mail-rcpt', 'alice@mondomaine.lan', '-T', $message);
	is($r->{status}, 0, 'curl sends') or diag $r->{err};

	ok(scalar(wait_until { mails($s, 'alice') == $before + 3 } 5),
	    'all three are in the mailbox, at once')
	    or diag slurp("$s->{dir}/log/maillog");

	my $p = Net::POP3->new('127.0.0.1', Port => pop3($s), Timeout => 20);
	is($p && $p->login('alice', 'secret') + 0, $before + 3,
	    'Net::POP3 counts them');
	my $text = join '', map { @{ $p->get($_) || [] } } 1 .. $before + 3;
	$p->quit;
	like($text, qr/^Subject: by $_\r?$/m, "and has what $_ sent")
	    for qw(swaks Net::SMTP curl);
	like($text, qr/^\.a dot\r?$/m, 'dots are as they were');

	$r = run('/usr/bin/curl', '-sS', '-u', 'alice:secret',
		'pop3://127.0.0.1:' . pop3($s) . '/1');
	like($r->{out}, qr/^Delivered-To: alice\@mondomaine\.lan\r$/m,
	    'curl fetches one') or diag $r->{err};

	my $to = $m->dir . "/mpop.$s->{base}";
	mkdir $_ for $to, map { "$to/$_" } qw(cur new tmp);
	$r = run({ env => { HOME => $to } }, '/usr/bin/mpop',
		'--host=127.0.0.1', '--port=' . pop3($s), '--auth=user',
		'--user=alice', '--passwordeval=echo secret', '--tls=off',
		'--keep=off', "--uidls-file=$to/uidls",
		"--delivery=maildir,$to");
	is($r->{status}, 0, 'mpop fetches all') or diag $r->{out}, $r->{err};
	is(scalar(() = glob "$to/new/*"), $before + 3, 'and has them');
	is(scalar mails($s, 'alice'), 0, 'and has deleted them');
	return;
}

sub banner {
	my ($s) = @_;
	my $talk = $m->connect(smtp($s));
	my $line = $talk->line // '';

	$talk->ask('QUIT');
	$talk->close;
	return $line;
}

sub whole_life {
	my ($form, $dir, @as) = @_;
	my $s = start(form => $form, dir => $dir, as => \@as);

	like($s->{out}->(), qr/^ready: /m, "$form: ready") or do {
		diag $s->{out}->();
		return;
	};
	like($s->{out}->(), qr/telnet 127\.0\.0\.1 @{[smtp($s)]}\n/,
	    'with a line to paste');
	like(banner($s), qr/^220 mail\.mondomaine\.lan ESMTP/, 'the banner');
	send_and_fetch($s);

	my $r = run('/bin/sh', '-c', '. "$0"; postconf -h mydomain; mailq --help',
		"$dir/env");
	like($r->{out}, qr/^mondomaine\.lan$/m, 'env puts the commands at hand')
	    or diag $r->{err};

	open my $cf, '>>', "$dir/etc/main.cf" or die;
	print {$cf} "smtpd_banner = \$myhostname ESMTP changed\n";
	close $cf;
	like(banner($s), qr/ changed$/, 'main.cf acts on the next connection');
	like($s->{out}->(), qr/: to=<alice\@mondomaine\.lan>.*status=sent/,
	    'the log follows');

	my $other = start(base => $s->{base}, dir => "$dir-other", as => \@as);
	isnt($other->{status}, 0, 'a port in use is an error');
	like($other->{out}->(), qr/port @{[smtp($s)]} \(smtp\).* in use/,
	    'that names it');
	is(scalar(() = processes($other)), 0, 'and leaves no process');

	my $held = $m->connect(smtp($s));
	$held->line;
	kill TERM => $s->{pid};
	is_over($s, 'TERM');
	is($held->line, undef, 'a held connection is closed');
	return;
}

my $dir = $m->dir . '/run here';

whole_life('nowait', $dir);

# Again, elsewhere: what is the administrator's stays.
my $s = start(form => 'wait', dir => $dir);
like($s->{out}->(), qr/^ready: /m, 'started again in the other form')
    or diag $s->{out}->();
like(banner($s), qr/ changed$/, 'the change of main.cf is kept');
like(slurp("$dir/etc/xinetd.conf"), qr/port = @{[smtp($s)]}$/m,
    'the port is the new one');
send_and_fetch($s);
SKIP: {
	skip 'not root: one user for all', 2 unless is_root();
	is((stat "$dir/home/bob/Maildir")[4], 61002, "bob's mail is bob's");
	is((stat "$dir/spool/incoming")[4], scalar getpwnam('mail'),
	    'the spool is of an unprivileged account');
}
my $again = start(dir => $dir);
like($again->{out}->(), qr/in use by another make run/,
    'one server in a directory');
isnt($again->{status}, 0, 'the second is refused');

# The whole process group, as a terminal that goes or a machine that is out
# of memory does.
kill KILL => -$s->{pid};
is_over($s, 'KILL');

$s = start(form => 'none', dir => $dir);
isnt($s->{status}, 0, 'an unknown FORM is an error');

SKIP: {
	my @as = qw(setpriv --reuid=nobody --regid=nogroup --clear-groups);

	skip 'needs root to become an ordinary user', 1 unless is_root();
	my $r = run('/usr/bin/env', @as, 'test', '-x', build_dir() . '/smtpd',
		'-a', '-r', top_dir() . '/Makefile');
	skip 'nobody may not read this directory', 1 if $r->{status} != 0;
	chown scalar getpwnam('nobody'), scalar getgrnam('nogroup'), $m->dir;
	whole_life($_, $m->dir . "/nobody $_", @as) for qw(nowait wait);
}
done_testing;
