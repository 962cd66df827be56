# SPDX-License-Identifier: GPL-3.0-or-later
package Bench::Ours;

# malle under the real xinetd, from the files of xinetd.d/ with another port
# and no limits on connections.
use strict;
use warnings;
use Exporter     qw(import);
use File::Copy   qw(copy);
use File::Path   qw(make_path);
use Bench::Place qw(root slurp spew spawn group_new wait_port finish);
use Bench::Peers qw(PASSWORD users make_homes unpack_postfix);
use Bench::Report qw(note);

our @EXPORT_OK = qw(start_ours run_queue hash_password);

# On the image, as on a system without an overlay.
my $bin = "/j/malle/bin";
my $installed;

# Cheap on purpose: not the hash is measured.
sub hash_password { return crypt PASSWORD, '$6$rounds=1000$saltsalt$' }

sub install
{
	return if $installed++;
	unpack_postfix();
	make_path(root() . $bin);
	for (grep { -f && -x } glob "$ENV{BENCH_BUILD}/*") {
		my ($name) = m{([^/]+)\z};
		copy($_, root() . "$bin/$name") or die "$_: $!\n";
		chmod 0755, root() . "$bin/$name";
	}
	return;
}

# One file of xinetd.d/, changed.
sub service
{
	my ($file, $name, $port) = @_;
	my $text = slurp("$ENV{BENCH_TOP}/xinetd.d/$file")
	    // die "xinetd.d/$file is missing\n";
	my %set = (
		disable     => 'no',
		type        => 'UNLISTED',
		bind        => '127.0.0.1',
		port        => $port,
		id          => "$name-$file",
		server_args => "-c /j/malle/$name",
	);
	$text =~ s{^(\s*server\s*=\s*).*/}{$1$bin/}m
	    or die "xinetd.d/$file: no server\n";
	if ($text !~ /^\s*wait\s*=\s*yes/m) {
		$set{instances} = $set{per_source} = 'UNLIMITED';
	}
	$text =~ s/^\s*(?:\Q$_\E)\s*=.*\n//m for keys %set;
	my $add = join '', map { "\t$_ = $set{$_}\n" } sort keys %set;
	$text =~ s/^\{\n/{\n$add/m or die "xinetd.d/$file: no service\n";
	return $text;
}

# start_ours(NAME, SERVICES, MAIN, HOMES): services is a hash from a file of
# xinetd.d/ to a port, main a hash of further parameters.
sub start_ours
{
	my ($name, $services, $main, $homes) = @_;
	my $g    = group_new($name);
	my $etc  = "/j/malle/$name";
	my $hash = hash_password();

	note("starting $name");
	install();
	make_homes("/j/$name/home", $homes);
	make_path(map { root() . $_ } $etc, "/j/$name/spool");
	chown 61904, 61904, root() . "/j/$name/spool";
	chmod 0700, root() . "/j/$name/spool";
	spew(root() . "$etc/passwd", join '', map {
		"$_->[0]:$hash:$_->[1]:$_->[1]::/j/$name/home/$_->[0]:/bin/sh\n"
	} users());
	my %main = (
		myhostname           => 'bench.example.org',
		mydomain             => 'example.org',
		mydestination        => 'localhost, $myhostname',
		mynetworks           => '127.0.0.0/8',
		home_mailbox         => 'Maildir/',
		mail_owner           => 'malle',
		queue_directory      => "/j/$name/spool",
		passwd_file          => "$etc/passwd",
		daemon_directory     => $bin,
		# Postfix has an alias map, too.
		alias_maps           => "texthash:$etc/aliases",
		alias_database       => "",
		default_process_limit => 1000,
		smtpd_client_connection_count_limit => 0,
		pop3_client_connection_count_limit => 0,
		%$main,
	);
	spew(root() . "$etc/main.cf", join '', map { "$_ = $main{$_}\n" }
	    sort keys %main);
	spew(root() . "$etc/aliases", "postmaster root\n");
	spew(root() . "$etc/xinetd.conf", "defaults\n{\n}\n" . join "\n", map {
		service($_, $name, $services->{$_})
	} sort keys %$services);
	$g->{xinetd} = spawn($g, [ '/usr/sbin/xinetd', '-dontfork',
		'-f', "/j/malle/$name/xinetd.conf", '-pidfile',
		"/run/$name.pid" ]);
	wait_port($services->{$_}, $name)
	    for grep { $_ ne 'qrun' } sort keys %$services;
	return $g;
}

# What a lost wake-up leaves.
sub run_queue
{
	my ($name) = @_;

	return finish(spawn(undef, [ "$bin/qrun", "-c", "/j/malle/$name" ]),
		'qrun');
}

1;
