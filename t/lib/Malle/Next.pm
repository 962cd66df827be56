# SPDX-License-Identifier: GPL-3.0-or-later
package Malle::Next;

use strict;
use warnings;
use File::Path qw(remove_tree);
use IO::Select;
use IO::Socket::IP;
use IO::Socket::UNIX;
use Malle       qw(slurp kill_and_wait);
use Socket      qw(AI_NUMERICHOST);
use Time::HiRes qw(sleep);

=head1 NAME

Malle::Next - a next hop that does as it is told, also badly

=head1 SYNOPSIS

    my $next = Malle::Next->new(
        ehlo  => [qw(PIPELINING 8BITMIME)],
        reply => sub { my ($verb, $line, $n) = @_;
            return $line =~ /nobody/ ? '550 5.1.1 unknown' : undef },
    );
    ... $next->port ...
    my @seen = $next->sessions;    # [ "EHLO x", "MAIL FROM:<...>", ... ]
    my @text = $next->messages;

=head1 METHODS

=over

=item new(OPTIONS)

host (default 127.0.0.1), port (default: a free one), path (a local socket
instead), lmtp (an answer for each recipient), ehlo (keywords; undef: EHLO is
not known), reply: called with the verb ("CONNECT" for the greeting, "." for
the end of a message), the whole line, and how many of that verb this session
has had.  What it returns is sent: undef the usual answer; a text with CRLF
added to each line; a reference to a text exactly that; and an array of such,
with the words "close" (the end), "drip" (an octet every 0.2 s from now on)
and "wait" (nothing more, until the client goes).

=cut

sub new {
	my ($class, %opt) = @_;
	my $dir = $opt{dir} // die 'dir';
	my $sock = $opt{path}
	    ? IO::Socket::UNIX->new(Local => $opt{path}, Listen => 50)
	    : IO::Socket::IP->new(
		LocalHost => $opt{host} // '127.0.0.1',
		LocalPort => $opt{port} // 0,
		GetAddrInfoFlags => AI_NUMERICHOST,
		Listen => 50, ReuseAddr => 1,
	    );

	$sock or die "listen: $@ $!\n";
	remove_tree($dir);
	mkdir $dir or die "$dir: $!\n";
	my $self = bless { %opt, sock => $sock, dir => $dir, owner => $$ }, $class;
	$self->{port} = $sock->sockport unless $opt{path};
	$self->{pid} = fork // die "fork: $!\n";
	if (!$self->{pid}) {
		$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP ALRM);
		$self->serve;
		POSIX::_exit(0);
	}
	close $sock;
	return $self;
}

sub port { return $_[0]{port} }

sub serve {
	my ($self) = @_;
	my $n = 0;

	$SIG{CHLD} = 'IGNORE';
	setpgrp 0, 0;
	for (;;) {
		my $c = $self->{sock}->accept or next;
		my $file = sprintf '%s/%05d', $self->{dir}, $n++;
		open my $log, '>>:raw', $file or die;
		$log->autoflush(1);
		my $pid = fork;
		if (!$pid) {
			close $self->{sock};
			eval { $self->session($c, $log, $file); 1 }
			    or print {$log} "DIED $@";
			close $c;
			print {$log} "END\n";
			POSIX::_exit(0);
		}
		close $c;
	}
}

=item sessions, messages, taken, text

What each connection said, a line for each command (and "END", when it is
over; "EARLY" before a command that came when an answer was still due); the
messages, as they came; whom each of them was for; everything in one.

=cut

sub files {
	my ($self, $match) = @_;

	return map { "$self->{dir}/$_" } grep { /$match/ } Malle::names($self->{dir});
}

sub sessions { return map { [ split /\n/, slurp($_) ] } files($_[0], qr/^\d+$/) }
sub messages { return map { slurp($_) } files($_[0], qr/\./) }
sub taken    { return map { [ split ' ', slurp($_) ] } files($_[0], qr/-/) }
sub text     { return join '', map { slurp($_) } files($_[0], qr/^\d+$/) }

=item reset, stop

Forgets what was; ends.

=cut

sub reset {
	my ($self) = @_;

	unlink files($self, qr/./);
	return;
}

sub stop {
	my ($self) = @_;

	return if !$self->{pid} || $$ != $self->{owner};
	kill KILL => -$self->{pid};
	kill_and_wait(delete $self->{pid}, 'KILL');
	return;
}

sub DESTROY { local ($?, $!, $@); $_[0]->stop; return }

# ---- one session ----

sub put {
	my ($self, $c, @what) = @_;
	my $drip = 0;

	for my $part (@what) {
		if (!ref $part && $part eq 'close') {
			return 0;
		}
		if (!ref $part && $part eq 'drip') {
			$drip = 1;
			next;
		}
		if (!ref $part && $part eq 'wait') {
			1 while sysread $c, my $buf, 4096;
			return 0;
		}
		my $text = ref $part ? $$part : join '',
		    map { "$_\r\n" } split /\n/, $part;
		for my $octets ($drip ? split //, $text : $text) {
			syswrite($c, $octets) or return 0;
			sleep 0.2 if $drip;
		}
	}
	return 1;
}

sub usual {
	my ($self, $verb) = @_;

	return '220 next.example ESMTP' if $verb eq 'CONNECT';
	if ($verb eq 'EHLO' || $verb eq 'LHLO') {
		return '502 5.5.1 no' if exists $self->{ehlo} && !$self->{ehlo};
		my @line = ('next.example', @{ $self->{ehlo} // [] });
		my $last = pop @line;
		return join "\n", (map { "250-$_" } @line), "250 $last";
	}
	return '354 go on'     if $verb eq 'DATA';
	return '221 2.0.0 bye' if $verb eq 'QUIT';
	return '250 2.0.0 taken' if $verb eq '.';
	return '250 2.1.0 Ok';
}

sub session {
	my ($self, $c, $log, $file) = @_;
	my ($buf, %count, @rcpt) = ('');
	my $pending = IO::Select->new($c);
	my $messages = 0;
	my $answer = sub {
		my ($verb, $line) = @_;
		my $own = $self->{reply} &&
		    $self->{reply}->($verb, $line, ++$count{$verb});
		my @what = ref $own eq 'ARRAY' ? @$own : ($own // usual($self, $verb));
		# Was there something to read before it was answered?
		print {$log} "EARLY\n" if $self->{early} && $verb ne 'QUIT' &&
		    (length $buf || $pending->can_read(0.02));
		push @rcpt, $line =~ /<(.*?)>/
		    if $verb eq 'RCPT' && !ref $what[0] && $what[0] =~ /^2/;
		@rcpt = () if $verb eq 'MAIL';
		put($self, $c, @what) or return;
		return ref $what[0] ? ${ $what[0] } : $what[0];
	};

	$answer->('CONNECT', '') or return;
	for (;;) {
		my $end;
		while (($end = index $buf, "\r\n") < 0) {
			sysread($c, $buf, 65536, length $buf) or return;
		}
		my $line = substr $buf, 0, $end;
		substr $buf, 0, $end + 2, '';
		my ($verb) = map { uc } $line =~ /^(\w+)/;
		print {$log} "$line\n";
		my $said = $answer->($verb // '', $line) or return;
		return if $verb eq 'QUIT';
		next unless $verb eq 'DATA' && $said =~ /^354/;
		while ($buf !~ /\A\.\r\n/ && index($buf, "\r\n.\r\n") < 0) {
			sysread($c, $buf, 65536, length $buf) or return;
		}
		my $text = '';
		if ($buf !~ s/\A\.\r\n//) {
			$end  = index($buf, "\r\n.\r\n") + 2;
			$text = substr $buf, 0, $end;
			substr $buf, 0, $end + 3, '';
		}
		Malle::spew(sprintf('%s-%03d', $file, $messages), "@rcpt");
		Malle::spew(sprintf('%s.%03d', $file, $messages++), $text);
		for my $k (1 .. ($self->{lmtp} ? @rcpt : 1)) {
			$answer->('.', '.') or return;
		}
	}
}

=back

=cut

1;
