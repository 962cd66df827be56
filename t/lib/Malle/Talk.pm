# SPDX-License-Identifier: GPL-3.0-or-later
package Malle::Talk;

use strict;
use warnings;
use IO::Handle;
use IO::Select;
use IO::Socket::INET;
use POSIX       qw(WNOHANG);
use Time::HiRes qw(time);

=head1 NAME

Malle::Talk - one conversation, line by line, with a time limit

=head1 METHODS

=over

=item program(SPAWN, ARGV, OPTIONS), socket(PORT)

Made by Malle's C<talk> and C<connect>.

=cut

sub program {
	my ($class, $spawn, $argv, $opt) = @_;

	pipe my $in,   my $to or die "pipe: $!\n";
	pipe my $from, my $out or die "pipe: $!\n";
	open my $err, '+>', undef or die "stderr: $!\n";
	my $pid = $spawn->($argv, [ $in, $out, $err ], $opt);
	close $in;
	close $out;
	$to->autoflush(1);
	return bless {
		to => $to, from => $from, err => $err, pid => $pid,
		buf => '', record => '', seconds => 20,
	}, $class;
}

sub socket {
	my ($class, $port) = @_;
	my $s = IO::Socket::INET->new(
		PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 20,
	) or die "127.0.0.1:$port: $!\n";

	$s->autoflush(1);
	return bless {
		to => $s, from => $s, buf => '', record => '', seconds => 20,
	}, $class;
}

=item pid, record, seconds(N)

The process; what was said so far; how long to wait for a line.

=cut

sub pid    { return $_[0]{pid} }
sub record { return $_[0]{record} }

sub seconds {
	my ($self, $n) = @_;

	$self->{seconds} = $n;
	return $self;
}

=item send(OCTETS), say(LINE...)

C<say> adds CRLF.  False if the other side is gone.

=cut

sub send {
	my ($self, $octets) = @_;

	$self->{record} .= "C: $_\n" for split /\r?\n/, $octets;
	my $to = $self->{to};
	while (length $octets) {
		my $n = syswrite $to, $octets;
		return 0 unless defined $n;
		substr $octets, 0, $n, '';
	}
	return 1;
}

sub say {
	my ($self, @line) = @_;

	return $self->send(join '', map { "$_\r\n" } @line);
}

=item line

The next line without its CRLF; undef at the end, or when none came in time
(error says which).  A line that ends in LF alone keeps it.

=item reply

All lines of an SMTP reply, as one text joined by "\n".

=item rest

Everything up to the end.

=cut

sub fill {
	my ($self) = @_;
	my $end = time + $self->{seconds};

	if (!IO::Select->new($self->{from})->can_read($end - time)) {
		$self->{error} = 'nothing came in time';
		return 0;
	}
	my $n = sysread $self->{from}, $self->{buf}, 65536, length $self->{buf};
	$self->{error} = defined $n ? 'end of file' : "read: $!";
	return $n;
}

sub line {
	my ($self) = @_;

	while ($self->{buf} !~ /\n/) {
		$self->fill or return;
	}
	$self->{buf} =~ s/^([^\n]*\n)//;
	my $line = $1;
	$line =~ s/\r\n\z//;
	$self->{record} .= "S: $line\n";
	return $line;
}

sub reply {
	my ($self) = @_;
	my @line;

	for (;;) {
		my $line = $self->line // last;
		push @line, $line;
		last unless $line =~ /^\d{3}-/;
	}
	return join "\n", @line;
}

sub rest {
	my ($self) = @_;

	1 while $self->fill;
	my $rest = $self->{buf};
	$self->{buf} = '';
	return $rest;
}

=item ask(LINE)

C<say> and C<reply>.

=item shut

Closes the sending side.

=item close

Closes both, waits for the program (KILL after ten seconds) and returns its
exit code, -1 for a signal, undef for a socket.

=item error, stderr

=cut

sub ask {
	my ($self, $line) = @_;

	$self->say($line);
	return $self->reply;
}

sub shut {
	my ($self) = @_;

	if (defined $self->{pid}) {
		CORE::close $self->{to};
	} else {
		shutdown $self->{to}, 1;
	}
	return;
}

sub close {
	my ($self) = @_;

	CORE::close $_ for grep { defined fileno $_ } @$self{qw(to from)};
	my $pid = delete $self->{pid} // return;
	my $end = time + 10;
	my $got;
	while (($got = waitpid $pid, WNOHANG) == 0) {
		kill KILL => $pid if time > $end;
		select undef, undef, undef, 0.005;
	}
	return $got < 0 ? -1 : $? & 127 ? -1 : $? >> 8;
}

sub error { return $_[0]{error} }

sub stderr {
	my ($self) = @_;

	seek $self->{err}, 0, 0;
	local $/ = undef;
	my $fh = $self->{err};
	return scalar <$fh> // '';
}

=item play(TEXT)

See Malle's C<transcript>.  Returns nothing, or what was wrong.

=back

=cut

my %escape = (r => "\r", n => "\n", t => "\t", 0 => "\0", '\\' => '\\');

sub play {
	my ($self, $text) = @_;

	for (split /\n/, $text) {
		next if /^\s*(#|$)/;
		/^(C|S)(.)(?: (.*))?$/ or die "not a transcript line: $_\n";
		my $trouble = $self->step("$1$2", $3 // '');
		return $trouble if defined $trouble;
	}
	return;
}

sub step {
	my ($self, $kind, $text) = @_;

	if ($kind eq 'C:') {
		$self->say($text);
	} elsif ($kind eq 'C|') {
		$text =~ s/\\(?:x([0-9a-fA-F]{2})|(.))/
		    defined $1 ? chr hex $1 : $escape{$2} \/\/ $2/gex;
		$self->send($text);
	} elsif ($kind eq 'C!') {
		$self->shut;
	} elsif ($kind eq 'S:' && $text eq 'EOF') {
		my $line = $self->line;
		return "wanted the end, got: $line" if defined $line;
		return "wanted the end: $self->{error}"
		    unless $self->{error} =~ /end of file|reset/;
	} elsif ($kind =~ /^S[:~]$/) {
		my $line = $self->line
		    // return "wanted: $text\ngot: $self->{error}";
		return "wanted: $text\ngot:    $line"
		    unless $kind eq 'S:' ? $line eq $text : $line =~ /$text/;
	} elsif ($kind eq 'S*') {
		for (;;) {
			my $line = $self->line
			    // return "never came: $text: $self->{error}";
			last if $line =~ /$text/;
		}
	} else {
		die "not a transcript line: $kind $text\n";
	}
	return;
}

1;
