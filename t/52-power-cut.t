#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# The power fails while mail comes in and is delivered: the shutdown ioctl of
# a file system on a loop device, which drops what its journal has not on
# disk.  After each cut the file system is mounted again and the queue run to
# rest: what got its 250 is there, exactly once where it was handed over by
# rename; what got none is absent, whole, or set aside in corrupt/.

use strict;
use warnings;
use lib 't/lib';
use POSIX       qw(WNOHANG);
use Time::HiRes qw(time sleep);
use Test::More;
use Malle  qw(is_root slurp spew wait_until program);
use Faults qw(sanitized own_mounts);

plan skip_all => 'needs root: mounts a file system' unless is_root();
plan skip_all => 'a disk forgets the same without sanitizers' if sanitized();
plan skip_all => 'needs a mount namespace' unless own_mounts();
plan skip_all => 'needs loop devices' unless -e '/dev/loop-control';

my $cuts = $ENV{MALLE_POWERCUTS} || 12;
my $seed = $ENV{MALLE_SEED} || int rand 1e6;
my $shut_down = 0x8004587d;		# _IOR('X', 125, __u32)
my $no_flush  = 2;

srand $seed;
diag "seed $seed" if $ENV{MALLE_POWERCUTS};

# A tmpfs of our own: it goes with the mount namespace, whatever happens, and
# loop devices are set up by mount(8), which frees them with the last mount.
my $base = "/tmp/malle-power-$$";
mkdir $base, 0711 or die "$base: $!\n";
END { rmdir $base if defined $base }
system('mount', '-t', 'tmpfs', '-o', 'size=2g,mode=0711', 'disks', $base) == 0
    or plan skip_all => 'cannot mount a tmpfs';
END { system "umount -R -l $base 2>/dev/null" if defined $base && -d "$base" }

# ---- one disk ----

sub make_disk {
	my ($type, $name, $dir) = @_;
	my $image = "$base/$name.img";

	open my $fh, '>', $image or die "$image: $!\n";
	truncate $fh, $type eq 'xfs' ? 320 << 20 : 48 << 20;
	close $fh;
	system("mkfs.$type -q $image >/dev/null 2>&1") == 0 or return;
	$dir //= "$base/$name";
	mkdir $dir, 0711;
	my $disk = { image => $image, dir => $dir, type => $type };
	attach($disk) or return;
	chmod 0711, $disk->{dir};
	return $disk;
}

sub attach {
	my ($disk) = @_;

	return system("mount -t $disk->{type} -o loop $disk->{image} " .
	    "$disk->{dir} 2>/dev/null") == 0;
}

sub cut {
	my ($disk) = @_;

	open my $fh, '<', $disk->{dir} or die "$disk->{dir}: $!\n";
	return ioctl $fh, $shut_down, pack 'L', $no_flush;
}

sub detach {
	my ($disk) = @_;

	wait_until { system("umount $disk->{dir} 2>/dev/null") == 0 } 20
	    or die "umount $disk->{dir}\n";
	return;
}

# The power comes back.
sub again {
	my @disk = @_;

	detach($_) for reverse @disk;
	attach($_) || die "mount $_->{image} again\n" for @disk;
	return;
}

sub settle {
	my @disk = @_;

	system 'sync', '-f', map { $_->{dir} } @disk;
	return;
}

# ---- one load ----

my $count = 0;

# A session's input: some messages, for one or two; what each should be.
sub session_text {
	my ($n) = @_;
	my $text = "EHLO test.example\r\n";
	my @message;

	for (1 .. $n) {
		my $token = sprintf 'token-%06d', ++$count;
		my @to = rand() < 0.7 ? (qw(alice bob))[ rand 2 ] : qw(alice bob);
		my $body = "Subject: $token\n\n" .
		    join('', map { "$token $_ " . 'x' x rand(70) . "\n" }
			1 .. 1 + rand(rand() < 0.3 ? 600 : 60)) . "end\n";
		$text .= "MAIL FROM:<x\@y.example>\r\n" .
		    join('', map { "RCPT TO:<$_>\r\n" } @to) . "DATA\r\n" .
		    ($body =~ s/\n/\r\n/gr) . ".\r\n";
		push @message, { token => $token, to => \@to, body => $body };
	}
	return ($text . "QUIT\r\n", @message);
}

sub start {
	my @argv = @_;

	no warnings 'exec';
	exec { $argv[0] } @argv;
	POSIX::_exit(127);
}

sub start_load {
	my ($m) = @_;
	my $load = { session => [] };

	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		setpgrp 0, 0;
		open STDIN,  '<', '/dev/null';
		open STDERR, '>', '/dev/null';
		# The lead of the group: runs the queue again and again.
		start('/bin/sh', '-c',
			'while :; do "$0" -c "$1" & "$0" -c "$1"; wait; done',
			program('qrun'), $m->etc);
	}
	setpgrp $pid, $pid;
	$load->{group} = $pid;
	for (1 .. 2) {
		my ($text, @message) = session_text(20);
		open my $in, '+>', undef or die;
		print {$in} $text;
		$in->flush;
		seek $in, 0, 0;
		pipe my $from, my $to or die "pipe: $!\n";
		my $smtpd = fork // die "fork: $!\n";
		if (!$smtpd) {
			setpgrp 0, $pid;
			POSIX::dup2(fileno $in, 0);
			POSIX::dup2(fileno $to, 1);
			open STDERR, '>', '/dev/null';
			start(program('smtpd'), '-c', $m->etc);
		}
		close $to;
		push @{ $load->{session} },
		    { pid => $smtpd, from => $from, message => \@message };
	}
	return $load;
}

# Has a process group a member that is not dead yet?  One whose parent died
# may stay a zombie for a while, which does not count.
sub alive {
	my ($group) = @_;

	for my $file (glob '/proc/[0-9]*/stat') {
		open my $fh, '<', $file or next;
		my ($state, $its) = (<$fh> // '') =~ /\) (\S) \d+ (\d+)/
		    or next;
		return 1 if $its == $group && $state !~ /[ZX]/;
	}
	return 0;
}

# All dead; what was acknowledged is marked with its queue id.
sub end_load {
	my ($load) = @_;

	kill KILL => -$load->{group};
	for my $s (@{ $load->{session} }) {
		my @id = do {
			local $/ = undef;
			(readline($s->{from}) // '') =~
			    /^250 2\.0\.0 Ok: queued as (\w+)\r\n/mg;
		};
		waitpid $s->{pid}, 0;
		$s->{message}[$_]{id} = $id[$_] for 0 .. $#id;
	}
	waitpid $load->{group}, 0;
	wait_until { !alive($load->{group}) } 20;
	return map { @{ $_->{message} } } @{ $load->{session} };
}

# ---- after a cut ----

sub to_rest {
	my ($m) = @_;

	for (1 .. 6) {
		Faults::age(1000, glob $m->dir . '/mail/*.lock');
		Faults::make_due({ m => $m });
		$m->queue_run;
		return () unless Faults::waiting({ m => $m });
	}
	return map { "still waits: $_" } Faults::waiting({ m => $m });
}

# The texts of a mailbox, by token.
sub by_token {
	my ($m, $user, $mbox) = @_;
	my %found;

	my @text = $m->mail($user);
	@text = map { s/\AFrom .*\n//r =~ s/\n\z//r } map { split /^(?=From )/m } @text
	    if $mbox;
	for my $text (@text) {
		my ($token) = $text =~ /^Subject: (token-\d+)$/m;
		push @{ $found{ $token // 'none' } }, $text;
	}
	return \%found;
}

sub check {
	my ($m, $mbox, @message) = @_;
	my %found = map { $_ => by_token($m, $_, $mbox) } qw(alice bob);
	my %set_aside = map { /^corrupt\/([0-9A-F]{17})/ ? ($1 => 1) : () }
	    $m->queue;
	my @wrong;

	for my $message (@message) {
		my ($token, $id) = @$message{qw(token id)};
		my %n;
		for my $user (@{ $message->{to} }) {
			my @got = @{ delete $found{$user}{$token} || [] };
			my @whole = grep { /\n\n/ && (split /^Subject/m, $_, 2)[1]
			    eq after_subject($message, $_) } @got;
			my $most = $mbox ? 3 : 1;
			$n{$user} = @whole;
			push @wrong, "$token for $user: lost" if $id && !@whole;
			push @wrong, "$token for $user: " . @got . ' times'
			    if @got > $most;
			push @wrong, "$token for $user: damaged"
			    if @got > @whole && !$mbox;
		}
		push @wrong, "$token: only for some"
		    if !$id && (grep { $_ } values %n) % values %n;
		push @wrong, "$token: set aside" if $id && $set_aside{$id};
	}
	for my $user (qw(alice bob)) {
		push @wrong, "$user: also has $_"
		    for grep { !$mbox || $_ ne 'none' } keys %{ $found{$user} };
	}
	return @wrong;
}

# What has to follow "Subject" in a copy; our own fields are put behind.
sub after_subject {
	my ($message, $text) = @_;
	my ($added) = $text =~
	    /^Subject: token-\d+\n((?:[^\n]+\n)*)\n/m;

	return ": $message->{token}\n$added" .
	    substr $message->{body}, length "Subject: $message->{token}\n";
}

sub clear {
	my ($m) = @_;

	unlink glob $m->home($_) . '/Maildir/*/*' for qw(alice bob);
	unlink glob $m->dir . '/mail/*';
	unlink glob $m->spool . '/corrupt/*';
	unlink $m->maillog;
	return;
}

# ---- the test ----

sub power_cuts {
	my ($type, %opt) = @_;
	my @disk = make_disk($type, "$type-" . ($opt{mbox} ? 'mbox' :
	    $opt{apart} ? 'apart' : 'one'));
	my $what = "$type: $opt{name}";

	return skipped($what, "no $type on a loop device") unless @disk;
	local $ENV{TMPDIR} = $disk[0]{dir};
	my $m = Malle->new(main => {
		qrun_service         => 'inet:127.0.0.1:9',
		minimal_backoff_time => '1s',
		$opt{mbox} ? (home_mailbox => '') : (),
	});
	chmod 0711, $m->dir;
	if ($opt{apart}) {
		my $dir  = $m->dir . '/home';
		rename $dir, "$dir.kept" or die "$dir: $!\n";
		push @disk, make_disk($type, "$type-home", $dir);
		return skipped($what, 'no second loop device') if @disk < 2;
		system "cp -a $dir.kept/. $dir";
	}
	settle(@disk);
	my ($acked, $sent, $aside, @wrong) = (0, 0, 0);
	for my $n (1 .. $cuts) {
		my $load = start_load($m);
		sleep 0.002 + rand($n % 4 ? 0.05 : 0.2);
		my $way = (qw(STOP KILL none))[ rand 3 ];
		kill $way => -$load->{group} if $way ne 'none';
		if (grep { !cut($_) } @disk) {
			end_load($load);
			detach($_) for reverse @disk;
			return skipped($what, 'no shutdown ioctl');
		}
		sleep rand 0.02 if $way eq 'none';
		my @message = end_load($load);
		again(@disk);
		# Again in the middle of putting things right.
		if (rand() < 0.3) {
			my $pid = fork // die "fork: $!\n";
			if (!$pid) {
				setpgrp 0, 0;
				start(program('qrun'), '-c', $m->etc);
			}
			setpgrp $pid, $pid;
			sleep rand 0.03;
			kill KILL => -$pid;
			cut($_) for @disk;
			waitpid $pid, 0;
			wait_until { !alive($pid) } 20;
			again(@disk);
		}
		my @bad = to_rest($m);
		push @bad, check($m, $opt{mbox}, @message);
		push @wrong, map { "cut $n ($way): $_" } @bad;
		$acked += grep { $_->{id} } @message;
		$sent  += @message;
		$aside += grep { /^corrupt/ } $m->queue;
		clear($m);
		settle(@disk);
	}
	is_deeply(\@wrong, [], "$what: $cuts cuts, $acked of $sent messages " .
		"acknowledged, none lost ($aside set aside)");
	cmp_ok($acked, '>', 0, 'some were acknowledged');
	detach($disk[1]) if @disk > 1;
	$m->destroy;
	detach($disk[0]);
	unlink map { $_->{image} } @disk;
	return;
}

sub skipped {
	my ($what, $why) = @_;
  SKIP: { skip "$what: $why", 2 }
	return;
}

for my $type (qw(ext4 xfs)) {
	power_cuts($type, name => 'queue and mailboxes on one disk');
	power_cuts($type, name => 'on two disks', apart => 1);
	power_cuts($type, name => 'mbox', mbox => 1);
}
done_testing;
