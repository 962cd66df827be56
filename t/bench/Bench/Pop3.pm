# SPDX-License-Identifier: GPL-3.0-or-later
package Bench::Pop3;

# Opening a maildrop of 50,000 messages, cold and warm, beside Dovecot; what
# of it is opened; fetching one message at a time, where the peers lose 44 ms
# a message to Nagle's algorithm.
use strict;
use warnings;
use File::Path    qw(make_path);
use IO::Socket::INET;
use Socket        qw(IPPROTO_TCP TCP_NODELAY);
use Time::HiRes   qw(clock_gettime CLOCK_MONOTONIC sleep);
use Bench::Place  qw(root scratch slurp sh spawn);
use Bench::Report qw(note heading row text median spread quick rounds);
use Bench::Ours   qw(start_ours hash_password);
use Bench::Peers  qw(start_dovecot PASSWORD make_homes);
use Bench::Trace  qw(attach detach count);

use constant BIG   => 50_000;
use constant FETCH => 100;
use constant SIZE  => 4096;

my %port = (nowait => 2510, wait => 2610, dovecot => 110);

# Messages as they lie there after delivery, by ours (sizes in the name) or
# by Postfix (no sizes).
sub fill
{
	my ($name, $uid, $count, $sizes) = @_;
	my $dir  = root() . "/j/pop3/home/$name/Maildir/cur";
	my $head = "Return-Path: <sender\@localhost>\nFrom: sender\@localhost\n"
	    . "To: $name\@localhost\nSubject: a message\n\n";
	my $line = ('x' x 71) . "\n";
	my $text = $head . $line x int((SIZE - length $head) / length $line);
	my $suffix = '';

	if ($sizes) {
		my $lines = $text =~ tr/\n//;
		$suffix = sprintf ',S=%d,W=%d', length $text,
		    $lines + length $text;
	}
	for my $n (1 .. $count) {
		my $path = sprintf '%s/%d.6610%09X.bench%s:2,', $dir,
		    1_700_000_000 + $n, $n, $suffix;
		open my $fh, '>:raw', $path or die "$path: $!\n";
		syswrite $fh, $text;
		close $fh;
		chown $uid, $uid, $path;
	}
	return;
}

sub dial
{
	my ($port) = @_;
	my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
		PeerPort => $port, Timeout => 20)
	    or die "port $port: $!\n";

	setsockopt $s, IPPROTO_TCP, TCP_NODELAY, 1;
	return $s;
}

# Says it and reads the reply, all of it where it has many lines.
sub say_to
{
	my ($s, $line, $many) = @_;

	if (defined $line) {
		syswrite $s, "$line\r\n";
	}
	my $reply = readline $s;
	die defined $line ? $line : 'greeting', ': ',
	    $reply // 'connection closed', "\n"
	    unless defined $reply && $reply =~ /^\+OK/;
	if ($many) {
		1 while (readline($s) // die "$line: cut off\n") ne ".\r\n";
	}
	return $reply;
}

# Seconds from connect to the answer of STAT.
sub stat_time
{
	my ($form, $user, $want) = @_;
	my $start = clock_gettime(CLOCK_MONOTONIC);
	my $s     = dial($port{$form});

	say_to($s);
	say_to($s, "USER $user");
	say_to($s, 'PASS ' . PASSWORD);
	my $reply = say_to($s, 'STAT');
	my $took  = clock_gettime(CLOCK_MONOTONIC) - $start;
	$reply =~ /^\+OK $want / or die "STAT of $user: $reply";
	say_to($s, 'QUIT');
	return $took;
}

sub drop_caches
{
	sh('sync');
	Bench::Place::spew('/proc/sys/vm/drop_caches', "3\n");
	return;
}

# Dovecot's own notes are part of what is cold.
sub forget_index
{
	my ($user) = @_;

	unlink glob root() . "/j/pop3/home/$user/Maildir/dovecot*";
	return;
}

# Microseconds a RETR, one at a time; and a whole session in seconds.
sub fetch
{
	my ($form, $user) = @_;
	my $s = dial($port{$form});
	my @took;

	say_to($s);
	say_to($s, "USER $user");
	say_to($s, 'PASS ' . PASSWORD);
	for my $n (1 .. FETCH) {
		my $start = clock_gettime(CLOCK_MONOTONIC);
		say_to($s, "RETR $n", 1);
		push @took, clock_gettime(CLOCK_MONOTONIC) - $start;
	}
	say_to($s, 'QUIT');
	return 1e6 * median(@took);
}

sub logins
{
	my ($form, $group, $count) = @_;
	my $cpu   = $group->cpu_us;
	my $start = clock_gettime(CLOCK_MONOTONIC);

	stat_time($form, 'u1', FETCH) for 1 .. $count;
	my $took = clock_gettime(CLOCK_MONOTONIC) - $start;
	sleep 0.2;
	return ($count / $took, ($group->cpu_us - $cpu) / $count / 1000);
}

sub measure
{
	my %group;

	if (!-x "$ENV{BENCH_BUILD}/pop3d") {
		heading('POP3');
		text('not measured', 'no pop3d in the build');
		return;
	}
	for my $form (qw(nowait wait)) {
		my $file = $form eq 'wait' ? 'pop3-wait' : 'pop3';
		$group{$form} = start_ours("pop3-$form",
			{ $file => $port{$form} }, {}, 0);
		# One set of homes for all.
		my $passwd = root() . "/j/malle/pop3-$form/passwd";
		my $text = slurp($passwd);
		$text =~ s{/j/pop3-$form/}{/j/pop3/}g;
		Bench::Place::spew($passwd, $text);
	}
	note('filling the maildrops');
	make_homes('/j/pop3/home', 3);
	fill('u1', 61001, FETCH, 1);
	fill('u2', 61002, BIG, 1);
	fill('u3', 61003, BIG, 0);
	my $dovecot = start_dovecot(hash_password());
	$group{dovecot} = $dovecot if $dovecot;

	big_maildrop(\%group);
	sessions(\%group);
	return;
}

sub big_maildrop
{
	my ($group) = @_;
	my (%time, @calls);

	for my $round (1 .. rounds()) {
		note("pop3: " . BIG . " messages, round $round");
		for my $case ([ "", "nowait", "u2" ],
			[ "dovecot ", "dovecot", "u2" ],
			$round == 1 || !quick() ? [ "", "nowait", "u3" ] : ())
		{
			my ($who, $form, $user) = @$case;
			next unless $group->{$form};
			forget_index($user) if $who;
			drop_caches();
			push @{ $time{"$who$_ $user"} },
			    stat_time($form, $user, BIG) for qw(cold warm);
		}
	}
	my $trace = attach($group->{nowait}, 'pop3-stat');
	stat_time('nowait', 'u2', BIG);
	@calls = detach($trace);
	# Half a minute: once.
	if ($group->{dovecot} && !quick()) {
		note("pop3: Dovecot, no sizes in the names, cold");
		drop_caches();
		push @{ $time{"dovecot $_ u3"} },
		    stat_time("dovecot", "u3", BIG) for qw(cold warm);
	}
	heading('POP3: login and STAT on a Maildir of ' . BIG . ' (seconds)');
	my %label = (u2 => 'sizes in the names', u3 => 'no sizes in the names');
	for my $user (qw(u2 u3)) {
		for my $how (qw(cold warm)) {
			text("ours, $how, $label{$user}",
				spread(3, @{ $time{"$how $user"} }));
			text("Dovecot, $how, $label{$user}",
				spread(3, @{ $time{"dovecot $how $user"} }))
			    if $time{"dovecot $how $user"};
		}
	}
	text('Dovecot', 'not measured: could not be unpacked')
	    unless $group->{dovecot};
	my $cold = $time{"dovecot cold u3"};
	my $ours = median(@{ $time{"cold u2"} });
	# A hundredth of the 30 s that Dovecot took where the disk was slow.
	row("ours, cold, sizes in the names", $ours, "<=", 0.3, "s", $cold
		? sprintf("%.0f x faster than Dovecot without sizes",
			median(@$cold) / $ours) : ());
	row('message files opened by a STAT',
		scalar(grep { m{open\w*\(.*"(?:[^"]*/)?\d{10}\.6610} } @calls),
		'<=', 0, '');
	text('system calls of that session', scalar @calls);
	return;
}

sub sessions
{
	my ($group) = @_;
	my @form  = grep { $group->{$_} } qw(nowait wait dovecot);
	my $count = quick() ? 30 : 60;
	my %m;

	for my $round (1 .. rounds()) {
		note("pop3: sessions, round $round");
		for my $form (@form) {
			my ($rate, $cpu) = logins($form, $group->{$form},
				$count);
			push @{ $m{"$form rate"} }, $rate;
			push @{ $m{"$form cpu"} }, $cpu;
			push @{ $m{"$form retr"} }, fetch($form, 'u1');
		}
	}
	my $trace = attach($group->{nowait}, 'pop3-retr');
	fetch('nowait', 'u1');
	my @calls = detach($trace);

	heading('POP3 sessions, one client that waits for each reply');
	for my $form (@form) {
		my $label = $form eq 'dovecot' ? 'Dovecot' : "ours, $form";
		text("$label: login STAT QUIT", sprintf '%s /s, CPU %s ms',
			spread(0, @{ $m{"$form rate"} }),
			spread(2, @{ $m{"$form cpu"} }));
		text("$label: a RETR of 4 KiB", spread(0,
			@{ $m{"$form retr"} }) . ' us');
	}
	row('a RETR, ours, nowait', median(@{ $m{'nowait retr'} }) / 1000,
		'<=', 5, 'ms');
	row('writes a RETR', scalar(grep {
		/^\d+\s+(?:write|writev|sendto|sendmsg)\([01], "\+OK.*(?:octets|\\r\\n)/
		&& !/"\+OK (?:malle|Send|\d+ \d+|.*ready)/ } @calls) / FETCH,
		'<=', 1.1, '');
	Bench::Trace::keep_traces();
	return;
}

1;
