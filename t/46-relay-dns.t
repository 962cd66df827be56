#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# Which hosts a domain's mail goes to, with a name server of our own in a
# network of our own, where port 25 is free.

use strict;
use warnings;
use lib 't/lib';
use Test::More;
use Time::HiRes ();

# Namespaces that go with the last process in them.
BEGIN {
	my $has = sub { my $c = shift; grep { -x "$_/$c" } split /:/, $ENV{PATH} };
	plan(skip_all => 'needs root') if $> != 0;
	plan(skip_all => 'needs unshare and ip') if !$has->('unshare') || !$has->('ip');
	if (!$ENV{MALLE_OWN_NET}) {
		plan(skip_all => 'no namespaces here')
		    if system('unshare --mount --net --propagation private true 2>/dev/null') != 0;
		local $ENV{MALLE_OWN_NET} = 1;
		exec 'unshare', '--mount', '--net', '--propagation', 'private', $^X, $0;
		die "unshare: $!\n";
	}
}

use Malle qw(spew);
use Malle::Dns;
use Malle::Next;
use Malle::Spool qw(id_of put);

my $m = Malle->new(main => {
	qrun_service         => 'inet:127.0.0.1:9',
	minimal_backoff_time => '1s',
	smtp_connect_timeout => '5s',
});

sub do_or_skip {
	system("$_ 2>/dev/null") == 0 or plan(skip_all => "cannot: $_") for @_;
	return;
}

spew($m->dir . '/resolv.conf', "nameserver 127.0.0.1\n");
spew($m->dir . '/hosts', "127.0.0.1 localhost\n10.99.0.1 in-hosts\n");
chmod 0644, map { $m->dir . "/$_" } qw(resolv.conf hosts);
# Addresses that answer here, but are not ones of an interface.
do_or_skip('ip link set lo up', 'ip route add local 10.99.0.0/24 dev lo',
    'ip address add 10.98.0.1/32 dev lo',
    (map { 'mount --bind ' . $m->dir . "/$_ /etc/$_" } qw(resolv.conf hosts)));
my $six = system('(ip -6 route add local fd99::/64 dev lo && ' .
    'echo 1 >/proc/sys/net/ipv6/ip_nonlocal_bind) 2>/dev/null') == 0;

my $dns = Malle::Dns->new($m->dir . '/asked',
	'two.test'    => ['MX 20 b.test', 'MX 10 a.test'],
	'same.test'   => ['MX 10 a.test', 'MX 10 b.test'],
	'down.test'   => ['MX 10 dead.test', 'MX 20 b.test'],
	'bare.test'   => ['A 10.99.0.1'],
	'null.test'   => ['MX 0 .', 'A 10.99.0.1'],
	'fail.test'   => ['FAIL'],
	'drop.test'   => ['DROP'],
	'nobody.test' => ['TXT x'],
	'gone.test'   => ['MX 10 nosuch.test'],
	'maybe.test'  => ['MX 10 nosuch.test', 'MX 20 fail.test'],
	'odd.test'    => ['MX 10 a.test', 'OTHER'],
	'cut.test'    => ['MX 10 a.test', 'CUT'],
	'short.test'  => ['SHORT', 'MX 10 a.test', map { "MX 2$_ x$_.test" } 10 .. 60],
	'alias.test'  => ['MX 10 www.test'],
	'www.test'    => ['CNAME a.test'],
	'number.test' => ['MX 10 10.99.0.1'],
	'we.test'     => ['MX 10 we-too.test', 'MX 20 b.test'],
	'we-last.test' => ['MX 10 b.test', 'MX 20 we-too.test', 'MX 30 a.test'],
	'we-too.test' => ['A 10.98.0.1'],
	'home.test'   => ['MX 10 home2.test'],
	'home2.test'  => ['A 127.0.0.1'],
	'mirror.test' => ['MX 10 c.test'],
	'six.test'    => ['MX 10 a6.test'],
	'a6.test'     => ['A 10.99.0.1', 'AAAA fd99::1'],
	'half.test'   => ['MX 10 half-a.test'],
	'half-a.test' => ['A 10.99.0.1', 'AAAA fd99::9'],
	'hang.test'   => ['MX 10 hang-a.test'],
	'hang-a.test' => ['A 10.97.0.8', $six ? 'AAAA fd99::1' : 'A 10.99.0.1'],
	'grey.test'   => ['MX 10 grey-a.test', 'MX 20 b.test'],
	'grey-a.test' => ['A 10.99.0.4'],
	'a.test'      => ['A 10.99.0.1'],
	'b.test'      => ['A 10.99.0.2'],
	'c.test'      => ['A 10.99.0.3'],
	'dead.test'   => ['A 10.99.0.99'],
);
my $nexts = 0;

sub next_hop {
	my ($host, %opt) = @_;

	return Malle::Next->new(dir => $m->dir . '/next' . $nexts++, host => $host,
	    port => 25, ehlo => ['PIPELINING'], %opt);
}

my $a = next_hop('10.99.0.1');
my $b = next_hop('10.99.0.2');
my $mirror = next_hop('10.99.0.3', reply => sub {
	return $_[0] eq 'CONNECT' ? '220 mail.mondomaine.lan ESMTP' : undef;
});
my $grey = next_hop('10.99.0.4', reply => sub {
	my ($verb, $line) = @_;
	return $verb ne 'RCPT' ? undef : $line =~ /<never/ ? '550 5.1.1 no' : '451 4.7.1 later';
});
my $a6 = $six && next_hop('fd99::1');
my $n  = 0;

# Delivers to the addresses; the log lines of it.
sub deliver {
	my (@to) = @_;
	my $id = id_of(time - 10, ++$n);

	unlink map { $m->spool . "/$_" } $m->queue;
	unlink glob $m->spool . '/{state,lock}/*';
	$_->reset for grep { $_ } $a, $b, $grey, $a6;
	$dns->asked;
	put($m, 'incoming', $id, { from => 'bob@mondomaine.lan', to => \@to });
	$m->queue_run;
	return join '', grep { /\b$id: to=/ } split /^/, $m->log;
}

sub sent_by { my ($host) = @_; return qr/relay=\Q$host\E:25, .*status=sent/ }

like(deliver('u@two.test'), sent_by('a.test[10.99.0.1]'), 'the best MX');
like(deliver('u@down.test'), sent_by('b.test[10.99.0.2]'), 'the next one, where the best is down');
like($m->log, qr/smtp\[\d+\]: connect to dead\.test\[10\.99\.0\.99\]:25: Connection refused/, 'the log has the first');
my %which;
for (1 .. 30) {
	deliver('u@same.test') =~ /relay=(\w)/ and $which{$1}++;
	last if keys %which == 2;
}
is(join(' ', sort keys %which), 'a b', 'both of the same preference');
like(deliver('u@bare.test'), sent_by('bare.test[10.99.0.1]'), 'no MX: the domain itself');
like(deliver('u@null.test'), qr/relay=none, .*dsn=.\.1\.10, .*Domain null\.test does not accept mail \(nullMX\)/, 'null MX');
is_deeply([$dns->asked], ['MX null.test udp'], 'and nothing else was asked');
like(deliver('u@nosuch.test'), qr/relay=none, .*dsn=.\.4\.4, .*Name service error for name=nosuch\.test type=MX: Host not found\)/, 'no such domain');
like(deliver('u@nobody.test'), qr/relay=none, .*dsn=.\.4\.4, .*type=AAAA: Host found but no data record of requested type\)/, 'no address at all');
like(deliver('u@fail.test'), qr/dsn=4\.4\.3, status=deferred .*type=MX: Host not found, try again\)/, 'a failing server: later');
is((grep { /^A/ } $dns->asked), 0, 'and the domain itself is not tried');
like(deliver('u@gone.test'), qr/dsn=.\.4\.4, .*name=nosuch\.test type=A+: Host not found\)/, 'an MX host that does not exist');
like(deliver('u@maybe.test'), qr/dsn=4\.4\.3, status=deferred/, 'one that does not, one that nobody knows of: later');
like(deliver('u@odd.test'), qr/dsn=.\.4\.4, /, 'records of another name are not taken');
unlike($a->text, qr/./, 'whoever they name');
like(deliver('u@cut.test'), qr/dsn=4\.4\.3, status=deferred/, 'half an answer: later');
like(deliver('u@short.test'), sent_by('a.test[10.99.0.1]'), 'an answer that is too long for UDP');
like(deliver('u@alias.test'), sent_by('www.test[10.99.0.1]'), 'an MX host that is an alias');
like(deliver('u@number.test'), sent_by('10.99.0.1[10.99.0.1]'), 'an MX that is an address');
like(deliver('u@we.test'), qr/relay=none, .*dsn=.\.4\.6, .*\(mail for we\.test loops back to myself\)/, 'the best MX is this machine');
like(deliver('u@home.test'), qr/relay=none, .*dsn=.\.4\.6, .*loops back to myself/, 'or loopback');
like(deliver('u@we-last.test'), sent_by('b.test[10.99.0.2]'), 'better ones than we are used');
like(deliver('u@mirror.test'), qr/dsn=.\.4\.6, .*\(mail for c\.test loops back to myself\)/, 'one that has our name');
my $log = deliver('u@grey.test', 'never@grey.test');
like($log, qr/<u\@grey.*relay=b\.test\[.*status=sent/, 'later at the best: the next one is asked');
like($log, qr/<never\@grey.*relay=grey-a\.test\[.*550 5\.1\.1 no/, 'never is never');
is(join(' ', grep { /^RCPT/ } split /\n/, $b->text), 'RCPT TO:<u@grey.test>', 'and not asked again');

$m->main(proxy_interfaces => '10.99.0.1');
like(deliver('u@two.test'), qr/dsn=.\.4\.6, /, 'proxy_interfaces are ours too');
$m->main(proxy_interfaces => undef, relayhost => '[a.test]');
like(deliver('u@two.test'), sent_by('a.test[10.99.0.1]'), '[relayhost]');
is((grep { /^MX/ } $dns->asked), 0, 'no MX is asked for');
$m->main(relayhost => 'down.test');
like(deliver('u@two.test'), sent_by('b.test[10.99.0.2]'), 'relayhost by its MX');
$m->main(relayhost => '[in-hosts]');
like(deliver('u@two.test'), sent_by('in-hosts[10.99.0.1]'), '/etc/hosts');
is(scalar $dns->asked, 0, 'and no DNS');
$m->main(relayhost => 'nosuch.test', smtp_fallback_relay => '[b.test]');
like(deliver('u@two.test'), sent_by('b.test[10.99.0.2]'), 'smtp_fallback_relay, where the relayhost is not found');
$m->main(relayhost => undef, smtp_fallback_relay => '[b.test]');
like(deliver('u@null.test'), qr/dsn=.\.1\.10/, 'but not for what takes no mail');
$m->main(smtp_fallback_relay => undef);

SKIP: {
	skip 'no IPv6', 7 if !$six;
	for (1 .. 3) {
		$m->main(smtp_address_preference => 'ipv6');
		like(deliver('u@six.test'), sent_by('a6.test[fd99::1]'), 'IPv6 first');
		$m->main(smtp_address_preference => 'ipv4');
		like(deliver('u@six.test'), sent_by('a6.test[10.99.0.1]'), 'IPv4 first');
	}
	$m->main(smtp_address_preference => 'ipv6');
	like(deliver('u@half.test'), sent_by('half-a.test[10.99.0.1]'), 'a dead IPv6 address');
	$m->main(smtp_address_preference => undef);
}

$m->main(smtp_address_preference => 'ipv4', smtp_connect_timeout => '20s');
# A cable with nobody at its end.
my $cable = 'ip link add v0 type veth peer name v1 && ip link set v0 up && ' .
    'ip link set v1 up && ip address add 10.97.0.1/24 dev v0 && ' .
    'ip neigh add 10.97.0.8 lladdr 02:00:00:00:00:08 dev v0';
SKIP: {
	skip 'no veth', 3 if system("($cable) 2>/dev/null") != 0;
	my $start = Time::HiRes::time();
	like(deliver('u@hang.test'), qr/relay=hang-a\.test\[(?:fd99::1|10\.99\.0\.1)\]:25, .*status=sent/, 'an address that never answers');
	cmp_ok(Time::HiRes::time() - $start, '<', 12, 'does not take its whole time');
	$m->main(smtp_connect_timeout => '1s', relayhost => '[10.97.0.8]');
	like(deliver('u@two.test'), qr/relay=none, .*dsn=4\.4\.1, status=deferred \(connect to 10\.97\.0\.8\[10\.97\.0\.8\]:25: Connection timed out\)/, 'nor does anything else');
	$m->main(relayhost => undef);
}

like(deliver('u@drop.test'), qr/dsn=4\.4\.3, status=deferred/, 'a name server that never answers: later');
$dns->stop;
like(deliver('u@two.test'), qr/dsn=4\.4\.3, status=deferred/, 'no name server: later');

done_testing;
