# SPDX-License-Identifier: GPL-3.0-or-later
package Faults;

use strict;
use warnings;
use Exporter    qw(import);
use File::Path  qw(remove_tree);
use POSIX       qw(WNOHANG);
use Test::More  ();
use Malle       qw(build_dir slurp spew is_root);

our @EXPORT_OK = qw(tracer need_tracer calls in_parallel in_worker
    become_nobody sanitized message_text sweep_result own_mounts);

=head1 NAME

Faults - scenes in which something breaks, and what must hold afterwards

=head1 FUNCTIONS

=over

=item tracer, need_tracer

The path of t/fault/tracer; the test file is skipped where it cannot work.

=item sanitized

Are the programs built with sanitizers?  (These look after their own
memory with a thousand system calls, and one of them is a tracer itself.)

=cut

my $top = $$;
my @scratch;

END { remove_tree(@scratch) if $$ == $top && @scratch }

sub tracer { return build_dir() . '/t/fault/tracer' }

sub need_tracer {
	my $tracer = tracer();

	-x $tracer or Test::More::BAIL_OUT("$tracer is missing: make programs-and-tests");
	my $status = system($tracer, '-l', '/dev/null', '/bin/true') >> 8;
	Test::More::plan(skip_all => 'processes cannot be traced here')
	    if $status != 0;
	$ENV{ASAN_OPTIONS} = join ':', $ENV{ASAN_OPTIONS} || (),
	    'detect_leaks=0';
	return;
}

sub sanitized {
	open my $fh, '<:raw', build_dir() . '/qrun' or return 0;
	local $/ = undef;
	return index(<$fh>, '__asan_init') >= 0;
}

=item scratch_dir

Where these tests work: in memory if possible, since a killed process, other
than a power cut, does not tell a disk from it.

=item in_parallel(JOBS, SETUP)

SETUP->() is called in each of as many processes as there are processors
(two at least), and returns CODE; they share the jobs and call CODE->(JOB,
REPORT) for each, CODE->(undef) at the end.  REPORT->(TEXT) says what was
wrong; all texts are returned.

=cut

sub scratch_dir {
	return $ENV{TMPDIR} if $ENV{TMPDIR};
	return -d '/dev/shm' && -w _ && -k _ ? '/dev/shm' : '/tmp';
}

sub cpus {
	my $n = grep { /^processor\s*:/ } -e '/proc/cpuinfo' ?
	    split /^/, slurp('/proc/cpuinfo') : ();
	return $n < 2 ? 2 : $n > 8 ? 8 : $n;
}

sub in_parallel {
	my ($jobs, $make) = @_;
	my $workers = cpus();
	my @pipe;
	my $base = scratch_dir() . "/malle-faults-$$-" . @scratch;

	mkdir $base, 0711 or die "$base: $!\n";
	chmod 01777, $base;
	push @scratch, $base;
	for my $n (0 .. $workers - 1) {
		pipe my $from, my $to or die "pipe: $!\n";
		my $pid = fork // die "fork: $!\n";
		if (!$pid) {
			local $ENV{TMPDIR} = $base;
			close $from;
			eval { share($n, $workers, $jobs, $make, $to); 1 }
			    or print {$to} "worker: $@";
			print {$to} "end\n";
			close $to;
			POSIX::_exit(0);
		}
		close $to;
		push @pipe, [ $pid, $from ];
	}
	my @report;
	for (@pipe) {
		my ($pid, $from) = @$_;
		my @line = <$from>;
		waitpid $pid, 0;
		push @report, 'a worker died'
		    unless @line && pop(@line) eq "end\n";
		push @report, @line;
	}
	chomp @report;
	remove_tree($base);
	return @report;
}

sub share {
	my ($n, $workers, $jobs, $make, $to) = @_;
	my $code = $make->();
	my $bad  = 0;

	for (my $i = $n; $i < @$jobs; $i += $workers) {
		my $job = $jobs->[$i];
		$code->($job, sub {
			my ($text) = @_;
			$text =~ s/\n+/ | /g;
			print {$to} "$text\n" if $bad++ < 5000;
		});
	}
	$code->(undef);
	return;
}

=item in_worker(CODE)

What CODE returns (a list of [P, N, NAME]), from a process of its own: it may
become another user for good.

=cut

sub in_worker {
	my ($code) = @_;
	my @got = in_parallel([1], sub {
		return sub {
			my ($job, $report) = @_;
			$report->("@$_") for $job ? $code->() : ();
		};
	});
	my @call = map { [split] } grep { /^\d+ \d+ \S+$/ } @got;

	@call == @got && @call or die "counting calls: $got[0]\n";
	return @call;
}

=item sweep_result(WHAT, JOBS, REPORTS)

One test: there were jobs, and no reports.

=cut

sub sweep_result {
	my ($what, $job, $bad) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	Test::More::ok(@$job > 20 && !@$bad, "$what: " . @$job . ' times')
	    or Test::More::diag(@$bad . " times wrong\n", join "\n",
		map { substr $_, 0, 500 } grep { defined } @$bad[ 0 .. 9 ]);
	return;
}

=item own_mounts

Root's way to mount without a trace: starts the test file again in a mount
namespace of its own, which goes with its last process.  False where that is
impossible.

=cut

sub own_mounts {
	return 0 unless is_root();
	return 1 if $ENV{MALLE_OWN_MOUNTS};
	return 0 if system('unshare --mount true 2>/dev/null') != 0;
	local $ENV{MALLE_OWN_MOUNTS} = 1;
	exec 'unshare', '--mount', '--propagation', 'private', $^X, $0;
	die "unshare: $!\n";
}

=item become_nobody

In a worker that is root: the user nobody from now on, for good.

=cut

sub become_nobody {
	return if !is_root();
	my ($uid, $gid) = (getpwnam 'nobody')[ 2, 3 ];
	$) = "$gid $gid";
	POSIX::setgid($gid);
	POSIX::setuid($uid);
	$> == $uid && $< == $uid or die "cannot become nobody\n";
	return;
}

=item message_text(OCTETS)

A message of about that size, lines in LF, with what is difficult in it.

=cut

sub message_text {
	my ($size) = @_;
	my $text = <<'END';
Date: Tue, 24 Nov 2026 12:00:00 +0000
From: Bob <bob@mondomaine.lan>
Message-Id: <fault@mondomaine.lan>
Subject: a message
Received: from elsewhere by nowhere
Delivered-To: somebody@else.example

.
..two
From here on, and >From there
END
	my $n = 0;
	while (length $text < $size) {
		$n++;
		$text .= "line $n \xe9 " . '.' x ($n % 60) . "\n";
		$text .= "From the middle, line $n\n" if $n % 7 == 0;
	}
	return $text . "the end\n";
}

=back

=head1 SCENES

=over

=item Faults->new(OPTIONS)

An instance and one message: to (list of users), size, mbox (true: no
home_mailbox), single (nobody instead of root and several ids: becomes him),
fresh (no Maildir is there yet), main (parameters).

=cut

sub new {
	my ($class, %opt) = @_;

	become_nobody() if $opt{single};
	my %main = (
		qrun_service          => 'inet:127.0.0.1:9',
		minimal_backoff_time  => '1s',
		local_destination_concurrency_limit => 2,
		%{ $opt{main} || {} },
	);
	$main{home_mailbox} = '' if $opt{mbox};
	my $m = Malle->new(
		main  => \%main,
		users => { map { $_ => 'secret' } 'bob', @{ $opt{to} } },
	);
	chmod 0711, $m->dir;
	return bless { m => $m, %opt, text => message_text($opt{size} || 600) },
	    $class;
}

sub m      { return $_[0]{m} }
sub finish { $_[0]{m}->destroy; return }

=item reset

As if nothing had happened yet.

=cut

sub empty {
	my ($dir) = @_;

	return unless -d $dir;
	for my $path (map { "$dir/$_" } Malle::names($dir)) {
		-d $path && !-l $path ? remove_tree($path) : unlink $path;
	}
	return;
}

sub reset {
	my ($self) = @_;
	my $m = $self->{m};

	if ($self->{fresh}) {
		empty($m->spool);
	} else {
		empty($m->spool . "/$_")
		    for qw(tmp incoming deferred hold corrupt state lock);
	}
	for my $user (@{ $self->{to} }) {
		my $home = $m->home($user);
		if ($self->{fresh}) {
			empty($home);
			next;
		}
		empty("$home/Maildir/$_") for qw(tmp new cur);
	}
	empty($m->dir . '/mail');
	unlink $m->maillog;
	return;
}

=item receive(TRACER OPTION...)

One SMTP session with smtpd (under the tracer if there are options) that
sends the message.  Returns {acked, replies}: acked is true when the 250 for
the message was read.

=cut

sub receive {
	my ($self, @how) = @_;
	my $m       = $self->{m};
	my $program = Malle::program('smtpd');
	my $talk    = $m->talk(@how ? (tracer(), @how, $program) : $program);
	my $data    = $self->{text} =~ s/^\./../gmr =~ s/\n/\r\n/gr;
	my @reply;
	my $ask = sub {
		$talk->send(join '', @_) if @_;
		my $reply = $talk->reply;
		push @reply, $reply if length $reply;
		return length $reply ? substr $reply, 0, 1 : 0;
	};

	my $acked = 0;
	if ($ask->() == 2 && $ask->("EHLO test.example\r\n") == 2 &&
	    $ask->("MAIL FROM:<bob\@mondomaine.lan>\r\n") == 2 &&
	    !(grep { $ask->("RCPT TO:<$_\@mondomaine.lan>\r\n") != 2 }
		@{ $self->{to} }) && $ask->("DATA\r\n") == 3) {
		$acked = $ask->("$data.\r\n") == 2;
	}
	$ask->("QUIT\r\n") if @reply;
	my $status = $talk->close;
	return { acked => $acked, replies => \@reply, status => $status };
}

=item template, plant

Receives the message once and keeps the queue file; puts it into incoming.

=cut

sub template {
	my ($self) = @_;

	$self->reset;
	my $got = $self->receive;
	my ($path) = $self->{m}->queue;
	$got->{acked} && defined $path
	    or die 'cannot receive: ' . join('; ', @{ $got->{replies} }) . "\n";
	$path = $self->{m}->spool . "/$path";
	$self->{file}  = [ $path, slurp($path), (stat $path)[ 4, 5 ] ];
	$self->{queue} = $path =~ s{.*/}{}r;
	return;
}

sub plant {
	my ($self) = @_;
	my ($path, $text, $uid, $gid) = @{ $self->{file} };

	$self->reset;
	if (!-d $path =~ s{/[^/]*\z}{}r) {
		$self->{m}->queue_run;
	}
	spew($path, $text);
	chmod 0600, $path;
	chown $uid, $gid, $path;
	return;
}

=item rest

Runs the queue, with nothing going wrong, until it is empty; what waits for
later, or for a lock of the dead to grow old, need not wait.  Returns what
was wrong.

=cut

sub age {
	my ($seconds, @path) = @_;
	my $then = time - $seconds;

	utime $then, $then, @path;
	return;
}

sub make_due {
	my ($self) = @_;
	my $dir = $self->{m}->spool . '/deferred';
	my $n   = 1;

	for my $due (Malle::names($dir)) {
		next if $due =~ /^\d\z/;
		$n++ while -e "$dir/$n";
		rename "$dir/$due", "$dir/$n" or die "$dir/$due: $!\n";
	}
	return;
}

sub waiting {
	my ($self) = @_;

	return grep { m{^(?:incoming|deferred)} } $self->{m}->queue;
}

# Sixty-one days later: its date, and the time that is in the name of a
# record.  Returns what it is called now.
sub grow_old {
	my ($path) = @_;
	my ($dir, $us, $rest) = $path =~ m{^(.*/state/)([0-9A-F]{13})(.{4})\z};
	my $new = $path;

	age(61 * 86400, $path);
	if (defined $us) {
		no warnings 'portable';
		$new = sprintf '%s%013X%s', $dir,
		    hex($us) - 61 * 86400 * 1_000_000, $rest;
		rename $path, $new or die "$path: $!\n";
	}
	return $new;
}

sub rest {
	my ($self) = @_;
	my $m = $self->{m};
	my @wrong;

	for (1 .. 5) {
		age(1000, glob $m->dir . '/mail/*.lock');
		make_due($self);
		my $r = $m->run({ seconds => 30 }, 'qrun');
		push @wrong, "qrun at rest: status $r->{status}"
		    if $r->{status} != 0;
		last if !waiting($self);
	}
	push @wrong, map { "still in the queue: $_" } waiting($self);
	# What a dead receiver or runner left can be taken away.
	my @left = map { my $d = $m->spool . "/$_"; map { "$d/$_" }
	    Malle::names($d) } qw(tmp state);
	if (@left) {
		my @old = map { grow_old($_) } @left;
		age(2 * 86400, $m->spool . '/lock/swept');
		$m->run('qrun');
		push @wrong, map { 'left: ' . s{.*/spool/}{}r } grep { -e } @old;
	}
	return @wrong;
}

=item copies(USER)

What the user has: [the texts that are the message, whole and with the right
head], [all else].

=cut

sub is_whole {
	my ($self, $user, $text) = @_;
	my ($head, $rest) = $text =~ /\A((?:[^\n]+\n)*?)(Received: .*)\z/s
	    or return 0;
	my @to = $head =~ /^Delivered-To: (\S+)\n/mg;

	return 0 unless $head =~ /\AReturn-Path: <bob\@mondomaine\.lan>\n/;
	return 0 unless grep { $_ eq "$user\@mondomaine.lan" } @to;
	return 0 if @to != 1;
	$rest =~ s/\AReceived: from test\.example .*\n(?:\t.*\n)*//
	    or return 0;
	return $rest eq $self->{text};
}

sub copies {
	my ($self, $user) = @_;
	my $m = $self->{m};
	my @text;

	if ($self->{mbox}) {
		my $path = $m->dir . "/mail/$user";
		@text = map { s/\AFrom [^\n]*\n//r =~ s/^>From /From /gmr =~
		    s/\n\n\z/\n/r }
		    split /^(?=From )/m, -e $path ? slurp($path) : '';
		# One that was quoted when it came stays so.
		s/^(From here on, and )/$1/m for @text;
	} else {
		@text = $m->mail($user);
	}
	my @whole = grep { is_whole($self, $user, $_) } @text;
	return (\@whole, [ grep { !is_whole($self, $user, $_) } @text ]);
}

=item check(ACKED, OPTIONS)

After rest: is every promise kept?  acked: must be there; else it may be
there, whole.  OPTIONS: most (copies allowed, default 1), parts (how many
part messages an mbox may have).  Returns what is wrong.

=cut

sub check {
	my ($self, $acked, %opt) = @_;
	my $m    = $self->{m};
	my $most = $opt{most} || 1;
	my (@wrong, %n);

	for my $user (@{ $self->{to} }) {
		my ($whole, $other) = copies($self, $user);
		$n{$user} = @$whole;
		push @wrong, "$user: lost" if $acked && !@$whole;
		push @wrong, "$user: " . @$whole . ' times' if @$whole > $most;
		push @wrong, "$user: damaged: " . substr $other->[0], 0, 300
		    if @$other > ($opt{parts} || 0);
		my @tmp = Malle::names($m->home($user) . '/Maildir/tmp');
		push @wrong, "$user: left in Maildir/tmp: @tmp" if @tmp;
	}
	push @wrong, 'only for some recipients'
	    if !$acked && (grep { $_ } values %n) % values %n;
	push @wrong, "in the queue: $_" for $m->queue;
	push @wrong, "log: $1" if $m->log =~ /(.*status=bounced.*)/;
	return @wrong;
}

=item calls(CODE)

CODE gets tracer options, runs something with them; the calls it made come
back: a list of [P, N, NAME].

=cut

sub calls {
	my ($code) = @_;
	my $list = scratch_dir() . "/malle-calls-$$";

	$code->('-l', $list);
	my @call = map { [ split ] } grep { /^\d+ \d+ \S+$/ } split /^/, slurp($list);
	unlink $list;
	return @call;
}

=back

=cut

1;
