# SPDX-License-Identifier: GPL-3.0-or-later
package Bench::Smtp;

# Receive and deliver: Postfix, ours in both forms, and the disk alone, one
# after the other in each round.
use strict;
use warnings;
use Exporter    qw(import);
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC sleep);
use POSIX       ();
use File::Path  qw(make_path);
use Bench::Place qw(root scratch slurp sh spawn finish tool);
use Bench::Report qw(note heading row text median spread quick rounds);
use Bench::Peers qw(start_postfix);
use Bench::Ours  qw(start_ours run_queue);

our @EXPORT_OK = qw(servers send_mail watch SIZE);

use constant SIZE     => 4096;
use constant PARALLEL => 10;

my %server;
my %lost;

# The forms of the server, each an instance with a spool and mailboxes of its
# own: a name, the port, the group its processes are counted by.
sub servers
{
	return %server if %server;
	$server{postfix} = { port => 25, group => start_postfix() };
	my %form = (
		nowait => [ 'smtp', 2125, 2628 ],
		wait   => [ 'smtp-wait', 2225, 2728 ],
	);
	for my $name (sort keys %form) {
		my ($file, $port, $qrun) = @{ $form{$name} };
		$server{$name} = {
			port  => $port,
			group => start_ours($name,
				{ $file => $port, qrun => $qrun },
				{ qrun_service => "inet:127.0.0.1:$qrun" },
				10),
		};
	}
	return %server;
}

# Starts to count what arrives in the mailboxes.
sub watch
{
	my ($name, $count) = @_;
	my @dir = map { root() . "/j/$name/home/u$_/Maildir/new" } 1 .. 10;

	open my $fh, '-|', tool('waitnew'), $count, 6, @dir
	    or die "waitnew: $!\n";
	(readline($fh) // '') eq "ready\n" or die "waitnew does not start\n";
	return $fh;
}

# When the first and the last one came, and how many.
sub watched
{
	my ($fh) = @_;
	my ($first, $last, $count) = split ' ', readline($fh) // die "waitnew failed\n";

	close $fh;
	return ($first, $last, $count);
}

# COUNT messages from so many senders at once; dies unless all are accepted.
sub send_mail
{
	my ($port, $count, $parallel, $keep) = @_;
	my @pid = map {
		spawn(undef, [ '/usr/sbin/smtp-source', '-s', 1,
			'-m', $count / $parallel, '-l', SIZE,
			$keep ? '-d' : (), '-f', 'sender@localhost',
			'-t', "u$_\@localhost", "127.0.0.1:$port" ])
	} 1 .. $parallel;

	finish($_, "smtp-source to port $port") for @pid;
	return;
}

sub one_case
{
	my ($name, $count, $keep) = @_;
	my $s     = $server{$name};
	my $watch = watch($name, $count);
	my $cpu   = $s->{group}->cpu_us;
	my $start = clock_gettime(CLOCK_MONOTONIC);

	send_mail($s->{port}, $count, PARALLEL, $keep);
	my $sent = clock_gettime(CLOCK_MONOTONIC);
	my ($first, $last, $got) = watched($watch);
	if ($got < $count) {
		die "$name: only $got of $count messages were delivered\n"
		    if $name eq 'postfix';
		# Those are safe in the queue, but nobody was told of them.
		$lost{$name} += $count - $got;
		run_queue($name);
	}
	sleep 0.3;    # what a server still does afterwards is counted too
	return {
		accepted  => $count / ($sent - $start),
		# Once it flows: the start of the senders is not the server's.
		delivered => $got > 1 ? ($got - 1) / ($last - $first) : 0,
		cpu       => ($s->{group}->cpu_us - $cpu) / $count / 1000,
	};
}

sub disk
{
	my ($how, $count) = @_;
	my $dir = root() . '/j/limit';

	make_path($dir);
	my ($rate, $cpu) = split ' ', sh(tool('durable'), $dir, $count,
		PARALLEL, SIZE, $how);
	return { delivered => $rate, cpu => $cpu / 1000 };
}

sub measure
{
	# Enough for a second or so of each.
	my $count = quick() ? 200 : 500;
	my %times = (postfix0 => 1, postfix1 => 1, nowait0 => 2, wait0 => 2,
		nowait1 => 4, wait1 => 4);
	my %m;

	servers();
	for my $name (sort keys %server) {
		one_case($name, 50, 0);    # warm
	}
	%lost = ();
	for my $round (1 .. rounds()) {
		note("smtp: round $round of " . rounds());
		my @case = map { my $k = $_; map { [ $_, $k ] }
			qw(postfix nowait wait) } 0, 1;
		@case = reverse @case if $round % 2 == 0;
		for my $case (@case) {
			my ($name, $keep) = @$case;
			my $got = one_case($name,
				$count * $times{"$name$keep"}, $keep);
			note(sprintf '  %-8s %s %5.0f accepted/s %5.0f '
				. 'delivered/s %.2f ms', $name,
				$keep ? '-d' : '  ',
				@$got{qw(accepted delivered cpu)});
			push @{ $m{"$name$keep"} }, $got;
			push @{ $m{$_} }, disk($_, 4 * $count)
			    for $name eq 'nowait' ? qw(full file none) : ();
		}
	}
	report(\%m);
	return;
}

sub values_of
{
	my ($m, $case, $what) = @_;

	return map { $_->{$what} } @{ $m->{$case} };
}

# The median over the rounds of one case relative to another.
sub ratio
{
	my ($m, $a, $b, $what) = @_;
	my @x = values_of($m, $a, $what);
	my @y = values_of($m, $b, $what);

	return median(map { $x[$_] / $y[$_] } 0 .. ($#x < $#y ? $#x : $#y));
}

my @forms = (
	[ nowait => 'nowait' ],
	[ wait   => 'wait' ],
);

sub report
{
	my ($m) = @_;

	heading('Receive and deliver, 10 senders at once');
	text('', 'CPU ms/message      accepted/s            delivered/s');
	for my $keep (0, 1) {
		for ([ postfix => 'Postfix' ], @forms) {
			my ($name, $label) = @$_;
			my $case = "$name$keep";
			text("$label" . ($keep ? ', one session each' : ''),
				sprintf '%-19s %-21s %s',
				spread(2, values_of($m, $case, 'cpu')),
				spread(0, values_of($m, $case, 'accepted')),
				spread(0, values_of($m, $case, 'delivered')));
		}
	}
	my %disk = (full => 'the disk: file and directory synced',
		file => 'the disk: file synced', none => 'the disk: no sync');
	text($disk{$_}, sprintf '%-19s %-21s %s',
		spread(2, values_of($m, $_, 'cpu')), '',
		spread(0, values_of($m, $_, 'delivered'))) for qw(full file none);

	heading('Against Postfix (ratios within a round), and the disk\'s limit');
	my %target = (nowait => [ 0.5, 1.5 ], wait => [ 0.35, 2 ]);
	for (@forms) {
		my ($name, $label) = @$_;
		row("CPU, $label", ratio($m, "${name}0", 'postfix0', 'cpu'),
			'<=', $target{$name}[0], 'x');
		row("delivered/s, $label",
			ratio($m, "${name}0", 'postfix0', 'delivered'),
			'>=', $target{$name}[1], 'x');
	}
	for (@forms) {
		my ($name, $label) = @$_;
		row("delivered/s, many a session, $label",
			ratio($m, "${name}1", 'postfix1', 'delivered'),
			'>=', 2, 'x', sprintf 'CPU %.2f x',
			ratio($m, "${name}1", 'postfix1', 'cpu'));
	}
	for my $case (map { my $k = $_; map { [ @$_, $k ] } @forms } 0, 1) {
		my ($name, $label, $keep) = @$case;
		row("of the durable limit, $label" . ($keep ? ' -d' : ''),
			100 * ratio($m, "$name$keep", 'full', 'delivered'),
			'>=', 50, '%');
	}
	my $lost = join ', ', map { "$_ $lost{$_}" } sort keys %lost;
	text('wake-ups lost (mail waited for a full run)', $lost || 'none');
	return;
}

1;
