# SPDX-License-Identifier: GPL-3.0-or-later
package Malle::Tls;

use strict;
use warnings;
use Exporter qw(import);
use IO::Select;
use IO::Socket::INET;
use Malle ();
use POSIX ();

our @EXPORT_OK = qw(make_certs tls_main tls_talk through);

=head1 NAME

Malle::Tls - certificates, and clients that speak TLS

=head1 FUNCTIONS

=over

=item make_certs(INSTANCE)

An authority and a certificate of it in the instance's directory "tls"
(ca.pem, cert.pem, key.pem), as "make run" has them.  Returns the directory.

=cut

sub make_certs {
	my ($m) = @_;
	my $dir = $m->dir . '/tls';
	my $r = Malle::run(Malle::top_dir() . '/etc/private-ca', $dir,
		qw(mail.mondomaine.lan mondomaine.lan localhost));

	$r->{status} == 0 or die "private-ca: $r->{err}\n";
	return $dir;
}

=item tls_main(INSTANCE)

Makes certificates and sets the parameters for them.

=cut

sub tls_main {
	my ($m) = @_;
	my $dir = make_certs($m);

	$m->main(
		data_directory           => $dir,
		smtpd_tls_security_level => 'may',
		smtpd_tls_cert_file      => "$dir/cert.pem",
		smtpd_tls_key_file       => "$dir/key.pem",
		smtpd_tls_loglevel       => 1,
	);
	return $dir;
}

=item tls_talk(INSTANCE, PORT, ARG...)

A conversation inside TLS, by openssl s_client with these arguments more;
the options verify that the certificate is ours.

=cut

sub tls_talk {
	my ($m, $port, @arg) = @_;

	return $m->talk('/usr/bin/openssl', 's_client', '-quiet', '-connect',
		"127.0.0.1:$port", '-CAfile', $m->dir . '/tls/ca.pem',
		'-verify_return_error', @arg);
}

=item through(INSTANCE, PORT, CODE)

A port on which one client is served: CODE gets a socket to PORT and says on
it, in clear, what comes before the handshake; then octets pass both ways.

=cut

sub through {
	my ($m, $port, $code) = @_;
	my $listen = IO::Socket::INET->new(
		LocalAddr => '127.0.0.1', Listen => 1, ReuseAddr => 1,
	) or die "listen: $!\n";
	my $pid = fork // die "fork: $!\n";

	if ($pid) {
		push @{ $m->{pid} }, $pid;
		return $listen->sockport;
	}
	$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP ALRM);
	my $client = $listen->accept or POSIX::_exit(1);
	my $server = IO::Socket::INET->new(
		PeerAddr => '127.0.0.1', PeerPort => $port,
	) or POSIX::_exit(1);
	$code->($server);
	my $both = IO::Select->new($client, $server);
	while (my @ready = $both->can_read(60)) {
		for my $from (@ready) {
			my $to = $from == $client ? $server : $client;
			POSIX::_exit(0) unless sysread $from, my $octets, 65536;
			syswrite $to, $octets;
		}
	}
	POSIX::_exit(0);
}

=back

=cut

1;
