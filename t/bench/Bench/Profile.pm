# SPDX-License-Identifier: GPL-3.0-or-later
package Bench::Profile;

# Only when asked for (BENCH_ONLY=profile, and perf installed): where the CPU
# time goes while mail comes in, by program and by system call.
use strict;
use warnings;
use Bench::Place  qw(scratch sh);
use Bench::Report qw(note heading text);
use Bench::Smtp   qw(servers send_mail watch);

sub profile
{
	my ($name, $s, $keep) = @_;
	my $data  = scratch() . '/perf.data';
	my $watch = watch($name, 2000);

	my $perf = fork // die "fork: $!\n";
	if (!$perf) {
		open STDOUT, '>>', scratch() . '/log';
		open STDERR, '>&', \*STDOUT;
		exec { 'perf' } qw(perf record -g -e cpu-clock -F 4000 -o), $data,
		    "-p", join q{,}, $s->{group}->pids
		    or POSIX::_exit(127);
	}
	sleep 1;
	send_mail($s->{port}, 2000, 10, $keep);
	readline $watch;
	kill INT => $perf;
	waitpid $perf, 0;
	heading("$name" . ($keep ? ' -d' : '') . ': share of samples');
	print table($data);
	return;
}

# What a stack is about.  The name nearest to the entry counts; some calls
# leave their own name out, because the compiler jumps instead of calling.
sub what
{
	my @stack = reverse @_;

	for (@stack) {
		return $1 if /^(?:__x64_sys_|__do_sys_|ksys_)(\w+)/;
		return 'exit' if /^do_(?:group_)?exit/;
		return 'fork' if /^(?:kernel_clone|ret_from_fork)/;
		return 'page faults' if /exc_page_fault/;
		return 'interrupts' if /sysvec_|common_interrupt/;
	}
	return 'kernel, other' if grep { /^(?:entry_SYSCALL|do_syscall)/ } @stack;
	return 'its own code';
}

# Shares by program and by what it asked the kernel for; page faults and the
# program's own code apart.
sub table
{
	my ($data) = @_;
	my (%comm, %part, $all, $comm, @stack);
	my $end = sub {
		return unless defined $comm;
		my $call = what(@stack);
		$part{"$comm\t$call"}++;
		$comm{$comm}++;
		$all++;
		($comm, @stack) = ();
	};

	open my $in, '-|', 'sh', '-c',
	    "perf script -i $data -F comm,ip,sym 2>/dev/null" or die "$!\n";
	while (<$in>) {
		if (/^(\S+)\s*$/) {
			$end->();
			$comm = $1;
		} elsif (/^\s+[0-9a-f]+\s+(\S+)/) {
			push @stack, $1;
		}
	}
	$end->();
	close $in;
	my @line;
	for my $c (sort { $comm{$b} <=> $comm{$a} } keys %comm) {
		push @line, sprintf "  %-20s %5.1f %%\n", $c,
		    100 * $comm{$c} / $all;
		for (sort { $part{$b} <=> $part{$a} }
		    grep { /^\Q$c\E\t/ } keys %part) {
			my $share = 100 * $part{$_} / $all;
			push @line, sprintf "      %-26s %5.1f %%\n",
			    (split /\t/)[1], $share if $share >= 0.5;
		}
	}
	return @line;
}

sub measure
{
	my %server = servers();

	send_mail($server{$_}{port}, 50, 10, 0) for keys %server;
	for my $name (qw(nowait wait postfix)) {
		note("profile: $name");
		profile($name, $server{$name}, 0);
	}
	return;
}

1;
