# SPDX-License-Identifier: GPL-3.0-or-later
package Bench::Place;

# Where it all happens: the image, the root directory that servers see, the
# control groups they are counted by.
#
#	SCRATCH/root	overlay over this system; servers are chrooted here
#	SCRATCH/root/j	the image: spools and mailboxes
use strict;
use warnings;
use Exporter    qw(import);
use Fcntl       qw(S_IFCHR);
use File::Copy  ();
use File::Path  qw(make_path);
use Socket      qw(AF_UNIX SOCK_DGRAM sockaddr_un);
use Time::HiRes qw(sleep time);
use Bench::Report qw(note);

our @EXPORT_OK = qw(scratch root slurp spew sh spawn group_new wait_until
    wait_port finish tool);

my $scratch = $ENV{BENCH_SCRATCH};
my $root    = "$scratch/root";
my $group   = (split m{/}, $scratch)[-1];    # nobody else has this name
my %hierarchy;                             # cpu, memory: where groups are

sub scratch { return $scratch }
sub root    { return $root }
sub tool    { return "$scratch/bin/$_[0]" }

sub slurp
{
	my ($path) = @_;

	open my $fh, '<:raw', $path or return;
	local $/ = undef;
	return scalar <$fh> // '';
}

sub spew
{
	my ($path, $text, $mode) = @_;

	open my $fh, '>:raw', $path or die "$path: $!\n";
	print {$fh} $text or die "$path: $!\n";
	close $fh or die "$path: $!\n";
	chmod $mode, $path if defined $mode;
	return;
}

# Runs a command that must succeed; returns what it printed.
sub sh
{
	my @cmd = @_;

	open my $fh, '-|', @cmd or die "$cmd[0]: $!\n";
	my $out = do { local $/ = undef; <$fh> // '' };
	close $fh or die "failed (status $?): @cmd\n$out";
	return $out;
}

sub wait_until (&;$)
{
	my ($code, $seconds) = @_;
	my $end = time + ($seconds || 20);

	while (time < $end) {
		my $got = $code->();
		return $got if $got;
		sleep 0.01;
	}
	return;
}

# Starts a command chrooted, in the control group, its output in a log file
# (or where opt{out} says).  Returns the pid.
sub spawn
{
	my ($g, $cmd, $opt) = @_;
	my $pid = fork // die "fork: $!\n";

	return $pid if $pid;
	eval {
		$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP ALRM PIPE);
		group_enter($g) if $g;
		open STDIN, '<', '/dev/null' or die $!;
		if ($opt->{out}) {
			open STDOUT, '>&', $opt->{out} or die $!;
		} else {
			open STDOUT, '>>', "$scratch/log" or die $!;
		}
		open STDERR, '>>', "$scratch/log" or die $!;
		if (!$opt->{outside}) {
			chroot $root or die "chroot: $!";
			chdir '/' or die "chdir: $!";
		}
		exec { $cmd->[0] } @$cmd or die "$cmd->[0]: $!";
	};
	print STDERR $@;
	POSIX::_exit(127);
}

# Waits for a child; dies with the end of the log if it failed.
sub finish
{
	my ($pid, $what) = @_;

	waitpid $pid, 0;
	return 1 if $? == 0;
	return 0 unless defined $what;
	my $log = slurp("$scratch/log") // '';
	die "$what failed (status $?)\n", substr $log, -2000;
}

sub wait_port
{
	my ($port, $what) = @_;

	require IO::Socket::INET;
	wait_until {
		IO::Socket::INET->new(PeerAddr => '127.0.0.1',
			PeerPort => $port)
	} 20 or die "$what does not answer\n",
	    substr slurp("$scratch/log") // '', -2000;
	return;
}

sub prepare
{
	note('preparing');
	spew("$scratch/log", '');
	sh(qw(ip link set lo up)) if -x '/sbin/ip' || -x '/bin/ip';
	sh(qw(mount --make-rprivate /));
	make_root();
	make_image();
	find_hierarchies();
	start_log_sink();
	return;
}

# Everything a chrooted server may want; /tmp of the system is not seen.
sub make_root
{
	my $over = "$scratch/over";

	make_path($over, $root);
	sh('mount', '-t', 'tmpfs', '-o', 'size=1g', 'tmpfs', $over);
	make_path("$over/upper", "$over/work");
	sh('mount', '-t', 'overlay', '-o',
		"lowerdir=/,upperdir=$over/upper,workdir=$over/work",
		'overlay', $root);
	make_path(map { "$root/$_" } qw(proc dev j run tmp etc));
	sh('mount', '--bind', '/proc', "$root/proc");
	sh('mount', '-t', 'tmpfs', 'tmpfs', $_)
	    for "$root/dev", "$root/tmp", "$root/run";
	chmod 01777, "$root/tmp";
	my %device = (null => '1 3', zero => '1 5', full => '1 7',
		random => '1 8', urandom => '1 9');
	sh('mknod', '-m', '666', "$root/dev/$_", 'c', split ' ', $device{$_})
	    for keys %device;
	mkdir "$root/dev/shm";
	symlink '/proc/self/fd', "$root/dev/fd";
	spew("$root/etc/hosts", "127.0.0.1 localhost bench.example.org\n");
	# Nobody answers there: a question fails at once.
	unlink "$root/etc/resolv.conf";
	spew("$root/etc/resolv.conf", "nameserver 127.0.0.1\n");
	return;
}

# Filled with zeroes first, or writing into it would need commits of the file
# system below; unlinked once in use.
sub make_image
{
	my $image = "$scratch/image";
	my $mb    = 2048;

	sh('dd', 'if=/dev/zero', "of=$image", 'bs=1M', "count=$mb",
		'conv=fsync', 'status=none');
	sh('mkfs.ext4', '-q', '-F', '-i', '8192', '-E',
		'lazy_itable_init=0,lazy_journal_init=0', $image);
	my $loop = eval {
		sh('losetup', '--find', '--show', '--direct-io=on', $image);
	} // sh('losetup', '--find', '--show', $image);
	chomp $loop;
	my $mounted = eval { sh('mount', '-t', 'ext4', $loop, "$root/j"); 1 };
	my $why = $@;
	sh('losetup', '--detach', $loop);    # when it is no longer mounted
	unlink $image;
	die $why unless $mounted;
	my ($options) = grep { m{ \Q$root\E/j ext4 } }
	    split /\n/, slurp('/proc/mounts');
	die "the image has no journal\n" if ($options // '') =~ /nojournal/;
	return;
}

# syslog that costs as little as can be and throws all away.
sub start_log_sink
{
	socket my $log, AF_UNIX, SOCK_DGRAM, 0 or die "socket: $!\n";
	bind $log, sockaddr_un("$root/dev/log") or die "dev/log: $!\n";
	chmod 0666, "$root/dev/log";
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP ALRM);
		my $buf;
		open my $keep, q{>}, $ENV{BENCH_SYSLOG} || q{/dev/null};
		while (defined recv $log, $buf, 8192, 0) {
			syswrite $keep, "$buf\n" if $ENV{BENCH_SYSLOG};
		}
		POSIX::_exit(0);
	}
	close $log;
	return;
}

# Control groups: version 1 with its controllers apart, or version 2, mounted
# here if the system has not.
sub find_hierarchies
{
	my ($two, %found);

	for (split /\n/, slurp('/proc/mounts')) {
		my (undef, $at, $type, $options) = split ' ';
		if ($type eq 'cgroup') {
			$found{$_} //= $at for split /,/, $options;
		} elsif ($type eq 'cgroup2') {
			$two //= $at;
		}
	}
	if ($found{cpuacct}) {
		$hierarchy{cpu} = { at => $found{cpuacct}, version => 1 };
	}
	if ($found{memory}) {
		$hierarchy{memory} = { at => $found{memory}, version => 1 };
	}
	if (!$hierarchy{cpu} || !$hierarchy{memory}) {
		if (!$two) {
			$two = "$scratch/cgroup";
			mkdir $two;
			sh('mount', '-t', 'cgroup2', 'none', $two);
		}
		enable_memory($two) unless $hierarchy{memory};
		$hierarchy{cpu} ||= { at => $two, version => 2 };
		$hierarchy{memory} ||= { at => $two, version => 2 };
	}
	for my $h (values %hierarchy) {
		my $dir = "$h->{at}/$group";
		-d $dir or mkdir $dir
		    or die "no control groups: $dir: $!\n";
		enable_memory($dir) if $h->{version} == 2;
	}
	return;
}

sub enable_memory
{
	my ($dir) = @_;

	open my $fh, '>', "$dir/cgroup.subtree_control" or return;
	syswrite $fh, '+memory';
	close $fh;
	return;
}

sub group_new
{
	my ($name) = @_;

	for my $h (values %hierarchy) {
		my $dir = "$h->{at}/$group/$name";
		-d $dir or mkdir $dir or die "$dir: $!\n";
	}
	return bless { name => $name }, __PACKAGE__;
}

sub group_enter
{
	my ($g) = @_;

	for my $h (values %hierarchy) {
		my $file = "$h->{at}/$group/$g->{name}/cgroup.procs";
		open my $fh, '>', $file or die "$file: $!\n";
		syswrite $fh, $$ or die "$file: $!\n";
		close $fh;
	}
	return;
}

# CPU all its processes ever used, in microseconds.
sub cpu_us
{
	my ($g) = @_;
	my $h   = $hierarchy{cpu};
	my $dir = "$h->{at}/$group/$g->{name}";

	return slurp("$dir/cpuacct.usage") / 1000 if $h->{version} == 1;
	slurp("$dir/cpu.stat") =~ /^usage_usec (\d+)/m
	    or die "$dir: no cpu.stat\n";
	return $1;
}

# What the kernel charges the group with, or undef without that controller.
sub memory
{
	my ($g) = @_;
	my $h   = $hierarchy{memory};
	my $dir = "$h->{at}/$group/$g->{name}";

	return slurp("$dir/" . ($h->{version} == 1
		? 'memory.usage_in_bytes' : 'memory.current'));
}

sub pids
{
	my ($g) = @_;
	my $h = $hierarchy{cpu};

	return split ' ', slurp("$h->{at}/$group/$g->{name}/cgroup.procs");
}

sub stop
{
	my ($g) = @_;

	wait_until {
		my @pid = $g->pids or return 1;
		kill KILL => @pid;
		1 while waitpid(-1, POSIX::WNOHANG()) > 0;
		return 0;
	} 5;
	return;
}

# By process 1, when nothing runs any more.  It has not looked for hierarchies.
sub remove_groups
{
	my @at = map { (split ' ')[1] }
	    grep { (split ' ')[2] =~ /^cgroup2?$/ }
	    split /\n/, slurp('/proc/mounts') // '';

	for my $at (@at, "$scratch/cgroup") {
		rmdir $_ for glob("$at/$group/*/"), "$at/$group";
	}
	return;
}

1;
