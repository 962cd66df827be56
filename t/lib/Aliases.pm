# SPDX-License-Identifier: GPL-3.0-or-later
package Aliases;

use strict;
use warnings;
use Exporter qw(import);
use Malle    qw(is_root slurp spew wait_until);
use Test::More;

our @EXPORT_OK = qw(instance aliases table rcpt post deliver retry settle
    count_mail file_of targets_of);

=head1 NAME

Aliases - instances with tables, and what becomes of mail for them

=head1 FUNCTIONS

=over

=item instance(PARAMETER => VALUE, ...)

A Malle with aliases in etc/aliases.  Its directory is open to other users,
as what runs as "nobody" must get through it, and has a directory "out"
where everyone may write.

=cut

sub instance {
	my (%main) = @_;
	my $m = Malle->new(mode => 0755,
		users => { map { $_ => 'secret' } qw(alice bob carol) },
		main  => {
			alias_maps           => 'gdbm:$config_directory/aliases',
			default_transport    => 'retry:4.4.1 not in a test',
			minimal_backoff_time => '1h',
			soft_bounce          => 'yes',	# what fails is in the queue
			maximal_backoff_time => '1h',
			%main,
		});

	aliases($m, '');
	mkdir $m->dir . '/out' or die;
	chmod 01777, $m->dir . '/out';
	return $m;
}

=item aliases(M, TEXT), table(M, NAME, TEXT)

Writes and compiles etc/aliases; etc/NAME (the value of a parameter with it
is "gdbm:$config_directory/NAME").

=cut

sub make_map {
	my ($m, $program, $name, $text) = @_;

	spew($m->etc . "/$name", $text);
	my $r = $m->run($program, 'gdbm:' . $m->etc . "/$name");
	$r->{status} == 0 or die "$program: $r->{err}\n";
	return;
}

sub aliases { return make_map($_[0], 'postalias', 'aliases', $_[1]) }
sub table   { return make_map($_[0], 'postmap', @_[ 1, 2 ]) }

=item rcpt(M, ADDRESS)

What smtpd answers to RCPT TO:<ADDRESS>.

=cut

sub rcpt {
	my ($m, $address) = @_;
	my $talk = $m->talk('smtpd');

	$talk->reply;
	$talk->ask('EHLO h');
	$talk->ask('MAIL FROM:<bob@mondomaine.lan>');
	my $reply = $talk->ask("RCPT TO:<$address>");
	$talk->ask('QUIT');
	$talk->close;
	return $reply;
}

=item post(M, TO [, OPTIONS])

Sends a message over SMTP to the address (or addresses); the last reply.
Options: from, text (the message).  Dies when a recipient is refused.

=cut

sub post {
	my ($m, $to, %opt) = @_;
	my $talk = $m->talk('smtpd');
	my $from = $opt{from} // 'bob@mondomaine.lan';
	my $text = $opt{text} // "From: $from\nTo: someone\@example.org\n"
	    . "Subject: test\n\nbody\n";

	$talk->reply;
	$talk->ask('EHLO h');
	$talk->ask("MAIL FROM:<$from>");
	for my $address (ref $to ? @$to : $to) {
		my $reply = $talk->ask("RCPT TO:<$address>");
		$reply =~ /^250 / or die "RCPT $address: $reply\n";
	}
	my $reply = $talk->ask('DATA');
	$reply = $talk->ask(($text =~ s/\n/\r\n/gr) . '.')
	    if $reply =~ /^354 /;
	$talk->ask('QUIT');
	$talk->close;
	return $reply;
}

=item settle(M)

Runs the queue until nothing is left in incoming/.

=cut

sub settle {
	my ($m) = @_;

	wait_until {
		$m->queue_run;
		!grep { m{^incoming/} } $m->queue;
	} 60, 'an empty incoming/';
	return;
}

=item deliver(M, TO [, OPTIONS]), retry(M)

As post, then all of it is delivered; retry tries again what waits.  Both
return what is new in the log.

=cut

sub deliver {
	my ($m, $to, %opt) = @_;
	my $before = length $m->log;

	my $reply = post($m, $to, %opt);
	$reply =~ /^250 / or die "DATA: $reply\n";
	settle($m);
	return substr $m->log, $before;
}

sub retry {
	my ($m) = @_;
	my $before = length $m->log;

	my $r = $m->run('postqueue', '-f');
	$r->{status} == 0 or die "postqueue: $r->{err}\n";
	settle($m);
	return substr $m->log, $before;
}

=item count_mail(M, USER...)

"alice=1 bob=2": how many messages are in their Maildirs.  The mail is gone
afterwards.

=cut

sub count_mail {
	my ($m, @user) = @_;
	my @count;

	@user = qw(alice bob carol) if !@user;
	for my $user (@user) {
		my @name = $m->mail_names($user);
		push @count, "$user=" . @name if @name;
		unlink map { $m->home($user) . "/Maildir/$_" } @name;
	}
	return join ' ', @count;
}

=item file_of(M, NAME)

The text of out/NAME, '' if there is none; it is gone afterwards.

=cut

sub file_of {
	my ($m, $name) = @_;
	my $path = $m->dir . "/out/$name";
	my $text = -e $path ? slurp($path) : '';

	unlink $path;
	return $text;
}

=item targets_of(LOG)

From each line of a delivery: "to status (text)", sorted.

=cut

sub targets_of {
	my ($log) = @_;

	return join "\n", sort map {
		m{: to=<([^>]*)>.* status=(\w+ \(.*\))$} ? "$1 $2" : ()
	} split /\n/, $log;
}

=back

=cut

1;
