# SPDX-License-Identifier: GPL-3.0-or-later
package Bench::Peers;

# Postfix and Dovecot: their packages unpacked into the private root, set up
# by hand as Debian would, and started.  smtp-source is Postfix's too.
use strict;
use warnings;
use Exporter   qw(import);
use File::Path qw(make_path);
use Bench::Place qw(scratch root slurp spew sh spawn group_new wait_port
    finish);
use Bench::Report qw(note);

our @EXPORT_OK = qw(start_postfix start_dovecot make_homes unpack_postfix
    PASSWORD users);

use constant PASSWORD => 'secret';
use constant USERS    => 200;

my $unpacked;

sub users { return map { [ "u$_", 61000 + $_ ] } 1 .. USERS }

# Maildirs u1, u2, ... below a directory of the image.
sub make_homes
{
	my ($dir, $count) = @_;

	make_path(root() . $dir);
	for my $user ((users())[ 0 .. $count - 1 ]) {
		my ($name, $uid) = @$user;
		my @made = ("$dir/$name", map { "$dir/$name/Maildir$_" }
			'', '/tmp', '/new', '/cur');
		make_path(root() . $_, { mode => 0700 }) for @made;
		chown $uid, $uid, map { root() . $_ } @made;
	}
	return;
}

# The packages of one peer, as t/bench/run has fetched them.
sub unpack_deb
{
	my ($peer) = @_;
	my @deb = glob "$ENV{BENCH_DEBS}/$peer/*.deb";

	return 0 unless @deb;
	# Not dpkg-deb -x: it replaces /lib, a link here, by a directory.
	for (@deb) {
		sh(qw(sh -c), q{dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" }
			. q{--keep-directory-symlink}, "sh", $_, root());
	}
	return 1;
}

# The accounts of the private root: the system's, the peers', our users.
sub make_accounts
{
	my $passwd = slurp(root() . '/etc/passwd');
	my $group  = slurp(root() . '/etc/group');
	my %own = (postfix => 61901, dovecot => 61902, dovenull => 61903,
		malle => 61904, postdrop => 61905);

	for (sort keys %own) {
		$passwd =~ s/^$_:.*\n//m;
		$group =~ s/^$_:.*\n//m;
		$passwd .= "${_}:x:$own{$_}:$own{$_}::/nonexistent:"
		    . "/usr/sbin/nologin\n";
		$group .= "$_:x:$own{$_}:\n";
	}
	for (users()) {
		my ($name, $uid) = @$_;
		$passwd .= "$name:x:${uid}:${uid}::/j/postfix/home/$name:/bin/sh\n";
		$group .= "$name:x:$uid:\n";
	}
	spew(root() . '/etc/passwd', $passwd, 0644);
	spew(root() . '/etc/group', $group, 0644);
	# A look into an overlay costs more than one into a file system, and
	# ours reads this file for each session.
	spew(root() . "/j/passwd", $passwd, 0644);
	sh("mount", "--bind", root() . "/j/passwd", root() . "/etc/passwd");
	spew(root() . '/etc/nsswitch.conf',
		"passwd: files\ngroup: files\nshadow: files\n"
		. "hosts: files dns\nservices: files\nprotocols: files\n", 0644);
	return;
}

sub unpack_postfix
{
	return if $unpacked++;
	unpack_deb('postfix')
	    or die "the postfix package could not be fetched\n";
	make_accounts();
	return;
}

# Debian's configuration, with Maildirs and nothing to look up in the DNS.
sub start_postfix
{
	my $g   = group_new('postfix');
	my $etc = root() . '/etc/postfix';

	note('starting Postfix');
	unpack_postfix();
	make_homes('/j/postfix/home', 10);
	make_path(root() . '/j/postfix/spool/etc', root() . '/var/lib/postfix');
	chown 61901, 61901, root() . '/var/lib/postfix';
	-e "$etc/master.cf"
	    or sh('cp', root() . '/usr/share/postfix/master.cf.dist',
		"$etc/master.cf");
	spew("$etc/main.cf", <<'END');
compatibility_level = 3.6
queue_directory = /j/postfix/spool
myhostname = bench.example.org
mydomain = example.org
mydestination = localhost, $myhostname
mynetworks = 127.0.0.0/8
inet_interfaces = loopback-only
inet_protocols = ipv4
home_mailbox = Maildir/
alias_maps = hash:/etc/aliases
alias_database = hash:/etc/aliases
smtp_dns_support_level = disabled
biff = no
append_dot_mydomain = no
END
	spew(root() . '/etc/aliases', "postmaster: root\n");
	finish(spawn(undef, ['/usr/sbin/postalias', 'hash:/etc/aliases']),
		'postalias');
	sh('cp', (grep { -e } map { root() . "/etc/$_" }
		qw(hosts resolv.conf services nsswitch.conf localtime)),
		root() . '/j/postfix/spool/etc');
	finish(spawn($g, ['/usr/sbin/postfix', 'start']), 'postfix start');
	wait_port(25, 'Postfix');
	return $g;
}

# False when the package cannot be had.
sub start_dovecot
{
	my ($hash) = @_;
	my $g = group_new('dovecot');

	note('starting Dovecot');
	unpack_deb('dovecot') or return;
	spew(root() . '/etc/dovecot/users', join '', map {
		"$_->[0]:{CRYPT}$hash:$_->[1]:$_->[1]::/j/pop3/home/$_->[0]\n"
	} users());
	spew(root() . '/etc/dovecot/dovecot.conf', <<'END');
protocols = pop3
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_location = maildir:~/Maildir
passdb {
  driver = passwd-file
  args = /etc/dovecot/users
}
userdb {
  driver = passwd-file
  args = /etc/dovecot/users
}
service pop3-login {
  process_limit = 500
}
service pop3 {
  process_limit = 500
}
mail_max_userip_connections = 500
END
	make_path(root() . '/run/dovecot', root() . '/var/lib/dovecot');
	finish(spawn($g, ['/usr/sbin/dovecot'])) or return;
	wait_port(110, 'Dovecot');
	return $g;
}

1;
