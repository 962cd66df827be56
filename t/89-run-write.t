#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# "make run" on a disk that is full: it says which file it cannot write, and
# leaves nothing half written that the next start would take for whole.

use strict;
use warnings;
use lib 't/lib';
use File::Temp qw(tempdir);
use Malle qw(build_dir free_base skip_unless_command slurp spew top_dir);
use Test::More;

skip_unless_command(qw(flock));
my $dir  = tempdir(CLEANUP => 1);
my $base = free_base(25, 110, 465, 587, 628, 995);

# A limit on the size of files stands for the disk; in units of 512 octets.
sub full {
	my ($run, $limit) = @_;
	my @limited = ('/bin/sh', '-c',
		'trap "" XFSZ; ulimit -f "$0"; exec "$@" 2>&1', $limit,
		top_dir() . '/etc/run-private', build_dir(), $run, $base, 'nowait');

	open my $fh, '-|', @limited or die "sh: $!\n";
	my $said = do { local $/; <$fh> } // '';
	close $fh;
	return ($? >> 8, $said);
}

my $run = "$dir/new";
my ($status, $said) = full($run, 0);
is($status, 1, 'no file can be written: it ends');
like($said, qr{^make run: cannot write \Q$run\E/etc/passwd\n\z}m, 'and says so');
ok(!-e "$run/etc/$_", "no $_") for qw(passwd passwd.new main.cf);

# main.cf is too large for what is left; all before it is not.
my $cf = "$run/etc/main.cf";
my $text = "# ---- written by make run at each start; what follows below it "
    . "wins\nold = yes\n# ---- end of what make run writes\n"
    . "myhostname = mine.example\n" . "# mine\n" x 20000;
spew($cf, $text);
chmod 0640, $cf;
($status, $said) = full($run, 100);
is($status, 1, 'main.cf cannot be written anew: it ends');
like($said, qr{^make run: cannot write \Q$cf\E\n\z}m, 'and says so');
is(slurp($cf), $text, 'the administrator still has it as it was');
is_deeply([ glob "$cf.*" ], [], 'and nothing beside it');
ok(-s "$run/etc/passwd", 'the accounts were made');
is((stat "$run/etc/passwd")[2] & 07777, 0600, 'for nobody else to read');
done_testing;
