# SPDX-License-Identifier: GPL-3.0-or-later
package Bench::Report;

# What goes out: a table on standard output, and what is going on to the
# terminal, if there is one.
use strict;
use warnings;
use Exporter qw(import);
use POSIX    ();

our @EXPORT_OK = qw(note heading row text median spread quick rounds);

my ($met, $missed) = (0, 0);
my $started = time;
$| = 1;

sub quick  { return $ENV{QUICK} ? 1 : 0 }
sub rounds { return quick() ? 2 : 5 }

sub note
{
	my ($line) = @_;

	return unless -t STDERR;
	printf STDERR "[%3d s] %s\n", time - $started, $line;
	return;
}

sub median
{
	my @s = sort { $a <=> $b } @_ or return;

	return @s % 2 ? $s[$#s / 2] : ($s[@s / 2 - 1] + $s[@s / 2]) / 2;
}

# "median [least-most]", with so many decimals.
sub spread
{
	my ($decimals, @v) = @_;
	my @s = sort { $a <=> $b } @v;

	return sprintf "%.*f [%.*f-%.*f]", $decimals, median(@s), $decimals,
	    $s[0], $decimals, $s[-1];
}

sub heading
{
	my ($line) = @_;

	printf "\n%s\n", $line;
	return;
}

sub text
{
	my ($what, $measured) = @_;

	printf "  %-44s %s\n", $what, $measured;
	return;
}

# A measured value with a target: '<=' or '>=', the number, the unit.
sub row
{
	my ($what, $value, $op, $target, $unit, $detail) = @_;
	my $good  = $op eq '<=' ? $value <= $target : $value >= $target;
	my $word = $good ? 'met' : 'MISSED';

	$good ? $met++ : $missed++;
	if (!$good && $target) {
		$word .= sprintf ' by %.0f %%',
		    100 * abs($value - $target) / $target;
	}
	printf "  %-44s %8s %-3s %s %s%s  %s%s\n", $what, short($value), $unit,
	    $op, short($target), $unit ? " $unit" : '', $word,
	    defined $detail ? "  ($detail)" : '';
	return;
}

sub short
{
	my ($v) = @_;

	return sprintf $v == int $v ? '%d' : $v < 10 ? '%.2f' : '%.0f', $v;
}

sub machine
{
	my (undef, undef, $release, undef, $arch) = POSIX::uname();
	my ($model, $cores, $memory) = ('unknown', 0, 0);

	open my $cpu, '<', '/proc/cpuinfo' or die "/proc/cpuinfo: $!\n";
	while (<$cpu>) {
		$cores++ if /^processor\b/;
		$model = $1 if /^model name\s*:\s*(.*)/;
	}
	close $cpu;
	open my $mem, '<', '/proc/meminfo' or die "/proc/meminfo: $!\n";
	while (<$mem>) { $memory = $1 / 1048576 if /^MemTotal:\s*(\d+)/ }
	close $mem;
	printf "malle bench: Linux %s %s, %d x %s, %.0f GiB, %s\n", $release,
	    $arch, $cores, $model, $memory,
	    POSIX::strftime('%Y-%m-%d %H:%M', localtime);
	printf "%d alternating rounds, medians [least-most]; 4 KiB messages, "
	    . "Maildir, journaled ext4\n", rounds();
	printf "load average at the start: %s; load and servers share the "
	    . "cores\n", join ' ', (split ' ', slurp('/proc/loadavg'))[ 0 .. 2 ];
	return;
}

sub slurp
{
	my ($path) = @_;

	open my $fh, '<', $path or return '';
	local $/ = undef;
	return scalar <$fh> // '';
}

sub end
{
	printf "\n%d targets met, %d missed, in %d s\n", $met, $missed,
	    time - $started;
	return;
}

1;
