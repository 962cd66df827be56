# SPDX-License-Identifier: GPL-3.0-or-later
package Malle::Dns;

use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use Malle  qw(slurp kill_and_wait);
use Socket qw(AF_INET AF_INET6 inet_pton);

=head1 NAME

Malle::Dns - a name server that knows a few names, and can misbehave

=head1 METHODS

=over

=item new(LOG, NAME => [RECORD...], ...)

Answers on port 53 of 127.0.0.1, UDP and TCP.  A record is "MX 10 host",
"A 192.0.2.1", "AAAA ::1", "CNAME other"; or "FAIL" (SERVFAIL to every
question), "DROP" (no answer), "SHORT" (over UDP truncated), "OTHER" (the
records belong to another name), "CUT" (half a packet).  A name that is not
there does not exist.

=item asked

"MX example.org udp" for each question since the last call.

=cut

my %number = (A => 1, CNAME => 5, MX => 15, AAAA => 28);
my %name   = reverse %number;

sub new {
	my ($class, $log, %zone) = @_;
	my %at = (LocalAddr => '127.0.0.1', LocalPort => 53);
	my $udp = IO::Socket::INET->new(%at, Proto => 'udp') or die "udp: $!\n";
	my $tcp = IO::Socket::INET->new(%at, Listen => 10, ReuseAddr => 1) or die "tcp: $!\n";
	my $self = bless { zone => \%zone, log => $log, owner => $$ }, $class;

	$self->{pid} = fork // die "fork: $!\n";
	return $self if $self->{pid};
	$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP ALRM);
	my $s = IO::Select->new($udp, $tcp);
	for (;;) {
		for my $ready ($s->can_read) {
			if ($ready == $udp) {
				my $from = $udp->recv(my $q, 4096) or next;
				my $a = $self->answer($q, 'udp');
				$udp->send($a, 0, $from) if defined $a;
				next;
			}
			my $c = $tcp->accept or next;
			sysread $c, my $q, 4096;
			sysread $c, $q, 4096, 2 if length $q == 2;
			my $a = $self->answer(substr($q, 2), 'tcp');
			syswrite $c, pack('n', length $a) . $a if defined $a;
			close $c;
		}
	}
}

sub wire { return join('', map { pack('C', length) . $_ } split /\./, $_[0]) . "\0" }

sub data {
	my ($type, @field) = @_;

	return inet_pton(AF_INET, $field[0]) if $type eq 'A';
	return inet_pton(AF_INET6, $field[0]) if $type eq 'AAAA';
	return wire($field[0]) if $type eq 'CNAME';
	return pack('n', $field[0]) . wire($field[1] eq '.' ? '' : $field[1]);
}

sub answer {
	my ($self, $q, $way) = @_;
	my ($id) = unpack 'n', $q;
	my ($at, @label) = (12);

	while (my $n = ord substr $q, $at, 1) {
		push @label, substr $q, $at + 1, $n;
		$at += $n + 1;
	}
	my $asked    = lc join '.', @label;
	my $type     = $name{ unpack 'n', substr $q, $at + 1, 2 } // 'A';
	my $question = substr $q, 12, $at + 5 - 12;
	open my $log, '>>', $self->{log} or die;
	print {$log} "$type $asked $way\n";
	close $log;

	my $reply = sub {
		my ($flags, @rr) = @_;
		return pack('n6', $id, $flags, 1, scalar @rr, 0, 0) . $question .
		    join '', @rr;
	};
	my $all = $self->{zone}{$asked} or return $reply->(0x8183);
	my %odd = map { $_ => 1 } grep { /^[A-Z]+$/ } @$all;
	return if $odd{DROP};
	return $reply->(0x8182) if $odd{FAIL};
	my @rr;
	my $owner = $odd{OTHER} ? 'other.owner' : $asked;
	for (1 .. 5) {
		my $alias;
		for (@{ $self->{zone}{$owner eq 'other.owner' ? $asked : $owner} || [] }) {
			my ($t, @field) = split;
			next if !@field || ($t ne $type && $t ne 'CNAME');
			my $d = data($t, @field);
			push @rr, wire($owner) . pack('nnNn', $number{$t}, 1, 60, length $d) . $d;
			$alias = $field[0] if $t eq 'CNAME';
		}
		last if !defined $alias;
		$owner = $alias;
	}
	return $reply->(0x8380) if $odd{SHORT} && $way eq 'udp';
	my $text = $reply->(0x8180, @rr);
	return $odd{CUT} ? substr $text, 0, length($text) - 3 : $text;
}

sub asked {
	my ($self) = @_;
	my @line = -e $self->{log} ? split /\n/, slurp($self->{log}) : ();

	unlink $self->{log};
	return @line;
}

sub stop {
	my ($self) = @_;

	return if !$self->{pid} || $$ != $self->{owner};
	kill_and_wait(delete $self->{pid}, 'KILL');
	return;
}

sub DESTROY { local ($?, $!, $@); $_[0]->stop; return }

=back

=cut

1;
