#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# A system call fails, each in turn, once and from then on; reads and writes
# are cut short and interrupted; disks are full.  The client hears 4xx or
# nothing, never a false 250 and never 5xx; the runner defers; and when all is
# well again the mail is delivered.

use strict;
use warnings;
use lib 't/lib';
use Errno  qw(:POSIX);
use Test::More;
use Malle  qw(is_root program spew slurp wait_until);
use Faults qw(need_tracer calls in_parallel in_worker tracer sanitized
    sweep_result own_mounts);

my $mounts = own_mounts();
need_tracer();
my $all = ($ENV{MALLE_SWEEP} // '') eq 'all';

my %errno = (
	open     => [ EIO, ENOSPC, EDQUOT, EMFILE, ENFILE, ENOMEM, EINTR, EACCES ],
	write    => [ EIO, ENOSPC, EDQUOT, EINTR ],
	fsync    => [ EIO, ENOSPC, EDQUOT, EINTR ],
	rename   => [ EIO, ENOSPC, EDQUOT, ENOMEM, EACCES ],
	unlink   => [ EIO, ENOMEM ],
	mkdir    => [ EIO, ENOSPC, EDQUOT, EMLINK ],
	flock    => [ ENOLCK, EINTR, EIO ],
	fcntl    => [ENOLCK],
	stat     => [ EIO, ENOMEM ],
	getdents => [EIO],
	read     => [ EIO, EINTR, ENOMEM ],
	truncate => [EIO],
	chown    => [ EIO, EPERM, EDQUOT ],
	seek     => [EIO],
	fork     => [ EAGAIN, ENOMEM ],
	exec     => [ EIO, ENOMEM, ENOENT ],
	pipe     => [ EMFILE, ENFILE ],
	poll     => [EINTR],
	chdir    => [EIO],
	setuid   => [ EPERM, EAGAIN ],
	dup      => [EMFILE],
	mmap     => [ENOMEM],
	brk      => [ENOMEM],
	wait     => [EINTR],
	socket   => [ EMFILE, ENOBUFS ],
	send     => [ EAGAIN, ECONNREFUSED ],
	statfs   => [EIO],
);

my %scene = (
	rename => { to => ['alice'], fresh => 1 },
	two    => { to => [qw(alice carol)], size => 20000 },
	mbox   => { to => ['alice'], size => 20000, mbox => 1 },
);

sub faults {
	my @call = @_;
	my (%seen, @job);

	for (@call) {
		my ($p, $n, $name) = @$_;
		for my $error (@{ $errno{$name} || [] }) {
			push @job, [ '-e', "$p.$n:$error", $name ];
			# Whoever is interrupted for ever tries for ever.
			push @job, [ '-E', "$p.$n:$error", $name ]
			    if $error != EINTR &&
			    (!$seen{"$p $name $error"}++ || $all);
		}
	}
	# A share of them, spread, where each one takes long.
	@job = @job[ grep { $_ % 16 == 0 } 0 .. $#job ] if sanitized() && !$all;
	return @job;
}

# What a fault while receiving may do.
sub received {
	my ($s, $got, $job) = @_;
	my ($mode, $point, $name) = @$job;
	my @wrong = map { "said: $_" } grep { !/^[2-4]/ } @{ $got->{replies} };
	my $refused = grep { /^4\d\d / } @{ $got->{replies} };

	push @wrong, $s->rest;
	push @wrong, $s->check($got->{acked});
	# Refused and there would be twice when the client tries again.
	push @wrong, 'refused and delivered' if $refused && !$got->{acked} &&
	    $mode eq '-e' && grep { @{ ($s->copies($_))[0] } } @{ $s->{to} };
	return @wrong;
}

sub sweep_receive {
	my ($scene) = @_;
	my %option = %{ $scene{$scene} };

	$option{main} = { qrun_service => '' } unless is_root();
	my @call = in_worker(sub {
		my $s = Faults->new(%option);
		$s->receive;
		$s->rest;
		$s->reset;
		my @got = calls(sub { $s->receive(@_) });
		$s->finish;
		return @got;
	});
	my @job = faults(@call);
	my @bad = in_parallel(\@job, sub {
		my $s = Faults->new(%option);
		return sub {
			my ($job, $report) = @_;
			return $s->finish unless $job;
			$s->reset;
			my $got = $s->receive(@$job[ 0, 1 ]);
			$report->("@$job: $_") for received($s, $got, $job);
		};
	});
	return (\@job, \@bad);
}

sub deliver {
	my ($s, @how) = @_;

	$s->plant;
	return $s->m->run({ seconds => 50 }, tracer(), @how, program('qrun'));
}

sub sweep_deliver {
	my ($scene) = @_;
	my %option = %{ $scene{$scene} };
	my @call = in_worker(sub {
		my $s = Faults->new(%option);
		$s->template;
		my @got = calls(sub { deliver($s, @_) });
		$s->finish;
		return @got;
	});
	my @job = faults(@call);
	my @bad = in_parallel(\@job, sub {
		my $s = Faults->new(%option);
		$s->template;
		return sub {
			my ($job, $report) = @_;
			return $s->finish unless $job;
			my $r = deliver($s, @$job[ 0, 1 ]);
			my @wrong = $r->{signal} ? "signal $r->{signal}" : ();
			push @wrong, 'set aside' if grep { /^corrupt/ } $s->m->queue;
			push @wrong, $s->rest;
			# An mbox cannot tell that it has the message, when
			# this could not be written down.
			push @wrong, $s->check(1, most => $option{mbox} ? 2 : 1,
				parts => $job->[0] eq '-E' ||
				    $job->[2] eq 'truncate' ? 1 : 0);
			$report->("@$job: $_") for @wrong;
		};
	});
	return (\@job, \@bad);
}

for my $scene (qw(rename two)) {
	sweep_result("receive $scene, a call fails", sweep_receive($scene));
}
# A leak sanitizer cannot work in a process that is traced, and the agent,
# whose environment is empty, cannot be told not to try.
my @traceable = sanitized() ? ('rename') : qw(rename two mbox);
for my $scene (@traceable) {
	sweep_result("deliver $scene, a call fails", sweep_deliver($scene));
}

# Short and interrupted reads and writes are no failures at all.  (They are to
# the loader of a dynamic program, which the sanitizers need.)
for my $scene (sanitized() ? () : sort keys %scene) {
	my $s = Faults->new(%{ $scene{$scene} }, size => 9000);
	for my $how ([ '-s', 1 ], [ '-s', 7, '-i' ], ['-i']) {
		$s->reset;
		my $got = $s->receive(@$how);
		ok($got->{acked}, "$scene @$how: received")
		    or diag explain $got;
		my $r = $s->m->run(tracer(), @$how, program('qrun'));
		is($r->{status}, 0, "$scene @$how: the runner ends well");
		is_deeply([ $s->check(1) ], [], "$scene @$how: delivered at once")
		    or diag $s->m->log;
	}
	$s->finish;
}

# ---- disks that are full ----

sub on_small_disk {
	my ($dir, $kib, $owner) = @_;

	system('mount', '-t', 'tmpfs', '-o', "size=${kib}k,mode=0700", 'small',
		$dir) == 0 or die "mount $dir\n";
	chown @$owner, $dir;
	return;
}

# Takes all but so many pages.
sub fill {
	my ($dir, $pages) = @_;

	unlink "$dir/filler";
	open my $fh, '>', "$dir/filler" or die "$dir/filler: $!\n";
	1 while syswrite $fh, 'x' x 4096;
	truncate $fh, (-s $fh) - $pages * 4096;
	close $fh;
	return;
}

SKIP: {
	skip 'needs root and mount namespaces', 1 unless $mounts;

	my $s = Faults->new(to => ['alice'], size => 30000);
	my $m = $s->m;
	on_small_disk($m->spool, 256, [ (getpwnam 'mail')[ 2, 3 ] ]);
	$m->queue_run;
	my (@wrong, %seen);
	for my $pages (0 .. 12) {
		$s->reset;
		fill($m->spool, $pages);
		my $got = $s->receive;
		my ($reply) = reverse grep { !/^221/ } @{ $got->{replies} };
		$seen{ substr $reply, 0, 9 }++;
		push @wrong, "$pages pages: $reply"
		    if $got->{acked} ? $pages < 8 : $reply !~ /^452 4\.3\.1 /;
		push @wrong, map { "$pages pages: left $_" }
		    glob $m->spool . '/tmp/*';
		push @wrong, "$pages pages: in the queue"
		    if !$got->{acked} && $m->queue;
		unlink $m->spool . '/filler';
		push @wrong, map { "$pages pages: $_" } $s->rest,
		    $s->check($got->{acked});
	}
	is_deeply(\@wrong, [], 'spool full: 452, and nothing is left');
	is_deeply([ sort keys %seen ], [ '250 2.0.0', '452 4.3.1' ],
		'both ends of that were seen');
	system 'umount', $m->spool;
	$s->finish;
}

# The mailboxes are full (and on another file system than the queue).
SKIP: {
	skip 'needs root and mount namespaces', 1 unless $mounts;

	for my $mbox (0, 1) {
		my $s = Faults->new(to => ['alice'], size => 30000, mbox => $mbox);
		my $m = $s->m;
		my $dir = $mbox ? $m->dir . '/mail' : $m->home('alice');
		my @owner = $mbox ? (0, (getpwnam 'mail')[3]) : (stat $dir)[ 4, 5 ];
		on_small_disk($dir, 256, \@owner);
		chmod 02775, $dir if $mbox;
		$s->template;
		my $what = $mbox ? 'mbox' : 'Maildir';
		my @wrong;
		my %seen;
		for my $pages (0 .. 12) {
			$s->plant;
			if ($mbox) {
				spew("$dir/alice", "From x  Tue\n\nold\n\n");
				chown 61001, 61001, "$dir/alice";
			}
			fill($dir, $pages);
			$m->queue_run;
			my $done = !$m->queue;
			$seen{$done}++;
			push @wrong, "$pages pages: " . $m->log
			    unless $m->log =~ ($done ? qr/status=sent/ :
				qr/dsn=4\.3\.1, status=deferred/);
			push @wrong, "$pages pages: mbox not cut back"
			    if $mbox && !$done &&
			    slurp("$dir/alice") ne "From x  Tue\n\nold\n\n";
			push @wrong, map { "$pages pages: left $_" }
			    glob "$dir/Maildir/tmp/*";
			unlink "$dir/filler";
			push @wrong, map { "$pages pages: $_" } $s->rest,
			    $s->check(1, parts => $mbox);
		}
		is_deeply(\@wrong, [], "$what full: deferred, and nothing is left");
		is_deeply([ sort keys %seen ], [ '', 1 ],
			'both ends of that were seen');
		system 'umount', $dir;
		$s->finish;
	}
}

# No inodes: the file cannot be made.
SKIP: {
	skip 'needs root and mount namespaces', 1 unless $mounts;

	my $s = Faults->new(to => ['alice']);
	my $m = $s->m;
	system('mount', '-t', 'tmpfs', '-o', 'size=1m,nr_inodes=9,mode=0700',
		'small', $m->spool) == 0 or die "mount\n";
	chown +(getpwnam 'mail')[ 2, 3 ], $m->spool;
	$m->queue_run;
	my $n = 0;
	$n++ while $n < 9 && open my $fh, '>', $m->spool . "/x$n";
	my $got = $s->receive;
	like($got->{replies}[-2], qr/^452 4\.3\.1 /, 'no inodes: 452');
	is_deeply([ $m->queue ], [], 'and nothing is there');
	system 'umount', $m->spool;
	$s->finish;
}

# A limit on the size of files is a refusal, not the end of the session.
{
	my $s = Faults->new(to => ['alice'], size => 200000);
	my $talk = $s->m->talk('/bin/sh', '-c', 'ulimit -f 16; exec "$0"',
		program('smtpd'));
	$talk->play(<<'END');
S~ ^220
C: HELO test.example
S~ ^250
C: MAIL FROM:<bob@mondomaine.lan>
S~ ^250
C: RCPT TO:<alice@mondomaine.lan>
S~ ^250
C: DATA
S~ ^354
END
	$talk->send($s->{text} =~ s/\n/\r\n/gr =~ s/^\./../gmr);
	my $reply = $talk->ask('.');
	like($reply, qr/^45[12] /, 'file size limit: refused for now');
	$talk->close;
	is_deeply([ $s->m->queue, glob $s->m->spool . '/tmp/*' ], [],
		'and nothing is left');
	$s->finish;
}

done_testing;
