# SPDX-License-Identifier: GPL-3.0-or-later
package Malle::Spool;

use strict;
use warnings;
use Exporter   qw(import);
use Fcntl      qw(:flock);
use File::Path qw(make_path);
use Malle      qw(spew slurp is_root);

our @EXPORT_OK = qw(id_of put state lock_message place_of);

=head1 NAME

Malle::Spool - messages in a spool that no server has put there

=over

=item id_of(SECONDS, N)

The queue id of that time; N makes it another one.

=cut

sub id_of {
	my ($seconds, $n) = @_;

	return sprintf '%013X%04X', $seconds * 1000000, $n;
}

=item put(M, PLACE, ID, {OPTIONS})

Writes a message into PLACE of the spool of the instance M and returns its
path.  Options: from; to (a list; an element may be [ADDRESS, ORIGINAL]);
text (what follows the envelope); extra (lines of the envelope); size (the
octets of text, filled up with x).

=cut

sub put {
	my ($m, $place, $id, $o) = @_;
	my $envelope = "Return-Path: <" . ($o->{from} // '') . ">\n";
	my $text = $o->{text} // "Received: by x id $id; now\nSubject: s\n\nhello\n";

	for (@{ $o->{to} }) {
		my ($address, $original) = ref ? @$_ : $_;
		$envelope .= "X-Original-To: $original\n" if defined $original;
		$envelope .= "Delivered-To: $address\n";
	}
	$envelope .= $o->{extra} // '';
	$text .= 'x' x ($o->{size} - 1 - length $text) . "\n" if $o->{size};
	my $all  = $envelope . $text;
	my $name = sprintf '%s,S=%d,W=%d', $id, length $all, length($all) + ($all =~ tr/\n//);
	my $spool = $m->spool;
	make_path(map { "$spool/$_" } qw(tmp incoming deferred hold corrupt state lock), $place);
	spew("$spool/$place/$name", $all);
	own($m);
	return "$spool/$place/$name";
}

sub own {
	my ($m) = @_;
	my $spool = $m->spool;

	chmod 0700, glob "$spool/* $spool/deferred/*";
	chmod 0600, glob "$spool/*/*,S=* $spool/deferred/*/*,S=* $spool/state/*";
	return unless is_root();
	my ($uid, $gid) = (getpwnam 'mail')[ 2, 3 ];
	chown $uid, $gid, glob "$spool/* $spool/*/* $spool/deferred/*/*";
	return;
}

=item state(M, ID, LINE...)

Writes the record; "2 deferred 4.4.1 text" gets a time before it.

=cut

sub state {
	my ($m, $id, @line) = @_;

	spew($m->spool . "/state/$id", join '', map { "1736160000 $_\n" } @line);
	own($m);
	return;
}

=item lock_message(PATH)

As one who delivers it; a handle that holds the lock.

=cut

sub lock_message {
	my ($path) = @_;

	open my $fh, '+<', $path or die "$path: $!\n";
	flock $fh, LOCK_EX | LOCK_NB or die "flock $path: $!\n";
	return $fh;
}

=item place_of(M, ID)

Where the message is now; undef: nowhere.

=back

=cut

sub place_of {
	my ($m, $id) = @_;
	my ($found) = grep { m{/\Q$id\E,} } $m->queue;

	return defined $found ? $found =~ s{/[^/]*\z}{}r : undef;
}

1;
