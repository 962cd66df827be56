# SPDX-License-Identifier: GPL-3.0-or-later
package Bench::Memory;

# What a held idle connection costs, kernel memory and helpers included: the
# charge of the control group with many connections less that with none.
use strict;
use warnings;
use IO::Socket::INET;
use Time::HiRes   qw(sleep);
use Bench::Place  qw(slurp);
use Bench::Report qw(note heading row text quick);
use Bench::Smtp   qw(servers);
use Bench::Ours   qw(start_ours);
use Bench::Peers  qw(PASSWORD users make_homes);

# A conversation: connects, waits for the greeting, then says each line and
# waits for the reply.
sub dial
{
	my ($port, @say) = @_;
	my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
		PeerPort => $port, Timeout => 20)
	    or die "port $port: $!\n";

	for my $line (undef, @say) {
		print {$s} "$line\r\n" if defined $line;
		my $reply = readline $s;
		die "port $port: ", $reply // 'connection closed', "\n"
		    unless defined $reply && $reply =~ /^(?:2|\+OK)/;
	}
	return $s;
}

# In v1 and v2 the kernel hands out charges in batches: settle first.
sub charge
{
	my ($group) = @_;

	sleep 1;
	return $group->memory;
}

# Proportional set size of its processes: all there is without a controller
# for memory.
sub pss
{
	my ($group) = @_;
	my $sum = 0;

	for my $pid ($group->pids) {
		(slurp("/proc/$pid/smaps_rollup") // '') =~ /^Pss:\s+(\d+)/m
		    and $sum += $1;
	}
	return $sum * 1024;
}

# KiB a connection: charge and PSS.
sub idle
{
	my ($group, $port, $count, $say) = @_;
	my @users = users();
	my @held = map { dial($port, $say->($users[$_][0])) } 0 .. 19;

	@held = ();
	sleep 0.5;
	my @before = (charge($group), pss($group));
	@held = map { dial($port, $say->($users[$_][0])) } 0 .. $count - 1;
	my @after = (charge($group), pss($group));
	my $processes = $group->pids;
	undef $_ for @held;
	sleep 0.5;
	return ((defined $before[0] ? ($after[0] - $before[0]) / $count / 1024
		: undef), ($after[1] - $before[1]) / $count / 1024);
}

sub measure
{
	my %server = servers();
	my $count  = quick() ? 100 : 200;
	my $pop    = -x "$ENV{BENCH_BUILD}/pop3d";
	my $none   = sub { () };
	my $login  = sub { ("USER $_[0]", 'PASS ' . PASSWORD) };
	my @case   = (
		[ 'SMTP, nowait', $server{nowait}, $none, 260 ],
		[ 'SMTP, wait', $server{wait}, $none, 260 ],
	);

	if ($pop) {
		for ([ pop3 => 2310 ], [ 'pop3-wait' => 2410 ]) {
			my ($file, $port) = @$_;
			my $form = $file =~ /wait/ ? 'wait' : 'nowait';
			my $s = { port => $port,
				group => start_ours("mem-$file",
					{ $file => $port }, {}, 200) };
			push @case, [ "POP3, $form, before login", $s, $none,
				260 ], [ "POP3, $form, logged in", $s, $login,
				260 ];
		}
	}
	push @case, [ 'Postfix smtpd', $server{postfix}, $none ];
	heading("A held idle connection, KiB (mean of $count)");
	text('POP3', 'not measured: no pop3d in the build') unless $pop;
	for (@case) {
		my ($label, $s, $say, $target) = @$_;
		# Postfix has a limit of 100 processes, as shipped.
		my $n = defined $target ? $count : 90;

		note("memory: $label");
		my ($charge, $pss) = idle($s->{group}, $s->{port}, $n, $say);
		if (!defined $charge) {
			text($label, sprintf '%.0f (PSS only: no memory '
				. 'controller)', $pss);
		} elsif (defined $target) {
			row($label, $charge, '<=', $target, 'KiB',
				sprintf 'PSS %.0f', $pss);
		} else {
			text($label, sprintf '%.0f KiB (PSS %.0f)', $charge,
				$pss);
		}
	}
	return;
}

1;
