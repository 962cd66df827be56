# SPDX-License-Identifier: GPL-3.0-or-later
package Bench::Maps;

# A million entries: how long it takes to make a map of them, beside Postfix's
# postmap with lmdb, and what one look-up by a fresh process costs, beside the
# same process with a table that has no file.
use strict;
use warnings;
use File::Copy    qw(copy);
use Time::HiRes   qw(time);
use Bench::Place  qw(root scratch spawn finish tool);
use Bench::Report qw(note heading row text median spread quick rounds);
use Bench::Peers  qw(unpack_postfix);

use constant ENTRIES => 1_000_000;
use constant LOOKUPS => 500;

# In an order of its own, as a list of people is.
sub write_source
{
	my ($path) = @_;
	my $n = 1;

	open my $fh, '>', $path or die "$path: $!\n";
	for (1 .. ENTRIES) {
		$n = ($n * 48271) % 2147483647;
		printf {$fh} "user%x\@example%d.org\tbox%d\@host%d.example.net\n",
		    $n, $n % 10, $_, $_ % 100;
	}
	close $fh or die "$path: $!\n";
	return sprintf 'user%x@example%d.org', $n, $n % 10;
}

# Seconds.
sub build
{
	my @command = @_;
	my $start = time;

	finish(spawn(undef, \@command), "@command");
	return time - $start;
}

# Microseconds of each: spawn.c in the private root.
sub look_up
{
	my @command = @_;

	open my $out, '+>', undef or die "$!\n";
	finish(spawn(undef, [ '/usr/bin/spawn', LOOKUPS, @command ],
		{ out => $out }), "spawn @command");
	seek $out, 0, 0;
	return 0 + <$out>;
}

sub prepare
{
	my $etc = root() . '/etc/postfix';

	unpack_postfix();
	Bench::Peers::unpack_deb('postfix-lmdb')
	    or die "the postfix-lmdb package could not be fetched\n";
	open my $cf, '>', "$etc/main.cf" or die "main.cf: $!\n";
	print {$cf} "compatibility_level = 3.6\nmyhostname = a.example.org\n"
	    . "lmdb_map_size = 1000000000\n";
	close $cf;
	open my $maps, '>', "$etc/dynamicmaps.cf" or die "dynamicmaps.cf: $!\n";
	print {$maps} "lmdb\tpostfix-lmdb.so\tdict_lmdb_open\tmkmap_lmdb_open\n";
	close $maps;
	for (["$ENV{BENCH_BUILD}/postmap", 'malle-postmap'],
		[ tool('spawn'), 'spawn' ]) {
		copy($_->[0], root() . "/usr/bin/$_->[1]") or die "$_->[1]: $!\n";
		chmod 0755, root() . "/usr/bin/$_->[1]";
	}
	mkdir root() . '/j/maps';
	return;
}

sub measure
{
	my (%built, @with, @without);
	my @ours    = ('/usr/bin/malle-postmap', 'gdbm:/j/maps/big');
	my @postfix = ('/usr/sbin/postmap', 'lmdb:/j/maps/big');

	prepare();
	my $key = write_source(root() . '/j/maps/big');
	note('building maps');
	for (1 .. (quick() ? 1 : 3)) {
		unlink map { root() . "/j/maps/big.$_" } qw(gdbm lmdb);
		push @{ $built{ours} }, build(@ours);
		push @{ $built{postfix} }, build(@postfix);
	}
	note('looking up');
	for (1 .. rounds()) {
		push @without, look_up('/usr/bin/malle-postmap', '-q', $key,
			'static:x');
		push @with, look_up('/usr/bin/malle-postmap', '-q', $key,
			'gdbm:/j/maps/big');
	}
	heading('A map of 1,000,000 entries');
	text('postmap, ours (s)', spread(2, @{ $built{ours} }));
	text('postmap, Postfix, lmdb (s)', spread(2, @{ $built{postfix} }));
	text('size, ours and lmdb (MB)', join ' and ', map {
		sprintf '%.0f', (-s root() . "/j/maps/big.$_") / 1e6
	} qw(gdbm lmdb));
	row('postmap, ours to Postfix with lmdb',
		median(@{ $built{ours} }) / median(@{ $built{postfix} }), '<=', 3, '');
	text('a process that looks up nothing (us)', spread(0, @without));
	text('a process that looks up one key (us)', spread(0, @with));
	row('one look-up to the process alone', median(@with) / median(@without),
		'<=', 1.2, '', sprintf '%.0f us more', median(@with) - median(@without));
	unlink map { root() . "/j/maps/$_" } qw(big big.gdbm big.lmdb);
	return;
}

1;
