#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# Every program has a manual page; its options are in it, and no others; the
# parameters and pages it speaks of exist; mandoc finds nothing wrong.

use strict;
use warnings;
use lib 't/lib';
use File::Basename qw(basename);
use Malle qw(run slurp top_dir);
use Test::More;

chdir top_dir() or die;
my %page    = map { basename($_) => $_ } glob 'man/*.[1-8]';
my %program = map { s/\.c$//r => [ /\.c$/ ? "bin/$_" : glob "bin/$_/*.c" ] }
    grep { -d "bin/$_" || /\.c$/ } map { basename($_) } glob 'bin/*';

# Names of pages that are not ours.
my @foreign = qw(cat(1) gdbmtool(1) ls(1) mail(1) mv(1) rm(1) telnet(1) fcntl(2) fchown(2)
    flock(2) fsync(2) rename(2) crypt(3) syslog(3) crypt(5) passwd(5) shadow(5)
    xinetd.conf(5) cron(8) xinetd(8) systemd.socket(5));

# The letters of getopt's string, and the long names.
sub options_of_source {
	my ($text) = @_;
	my ($call) = $text =~ /getopt_long\(argc,\s*argv,\s*"([^"]*)"/ or return;
	my %o = map { $_ => 1 } $call =~ /([^:+-])/g;
	my ($long) = $text =~ /struct option \w+\[\] = \{(.*?)\n\t?\};/s;

	$o{"-$_"} = 1 for ($long // '') =~ /\{\s*"([\w-]+)"/g;
	return \%o;
}

# What stands after Fl: "Fl oi" is an o, "Fl -help" is --help, "Fl itv" in
# the synopsis is three.
sub options_of_page {
	my ($text) = @_;
	my ($synopsis, $rest) = $text =~ /^\.Sh SYNOPSIS\n(.*?)(^\.Sh .*)/ms;
	my %o;

	for my $part ($synopsis, $rest) {
		for ($part =~ /^\.(?:\w\w .*?)?(Fl .*)$/mg) {
			for my $word (/\bFl (\S+)/g) {
				if ($word =~ /^-(\w[\w-]*)/) {
					$o{"-$1"} = 1;
				} else {
					$o{ substr $word =~ s/^\\&//r, 0, 1 } = 1;
				}
			}
		}
	}
	return \%o;
}

my %parameter = map { $_ => 1 }
    slurp('lib/store/conf_table.h') =~ /^CONF_PARAMETER\(\w+, "(\w+)"/mg;
ok(keys %parameter > 20, 'parameters');

subtest 'programs and options' => sub {
	ok(keys %program > 5, 'programs');
	for my $name (sort keys %program) {
		my ($page) = grep { /^\Q$name\E\.[18]$/ } keys %page;
		ok(defined $page, "$name has a page") or next;
		my $source = join '', map { slurp($_) } @{ $program{$name} };
		my $has = options_of_source($source);
		ok($has, "$name: getopt_long") or next;
		my $told = options_of_page(slurp($page{$page}));
		is(join(' ', sort keys %$told), join(' ', sort keys %$has),
			"$page has its options and no others");
	}
};

subtest 'what pages speak of' => sub {
	my %known = map { $_ => 1 } @foreign;
	$known{s/\.(\d)$/($1)/r} = 1 for keys %page;
	for my $page (sort keys %page) {
		my $text = slurp($page{$page});
		like($text, qr/\A\.\\" SPDX-License-Identifier: GPL-3\.0-or-later\n/, "$page: licence");
		my ($name, $section) = $page =~ /(.*)\.(\d)$/;
		like($text, qr/^\.Dt \U$name\E $section$/m, "$page: title");
		my @bad = grep { !$known{$_} } map { "$_->[0]($_->[1])" } pairs($text);
		is(join(' ', @bad), '', "$page: other pages exist");
		@bad = grep { !$parameter{$_} } $text =~ /\bVa ([a-z][a-z0-9_]*)/g;
		is(join(' ', @bad), '', "$page: parameters exist") unless $page =~ /^main/;
		unlike($text, qr/[^\x20-\x7e\n\t]/, "$page: ASCII");
	}
};

sub pairs {
	my ($text) = @_;
	my @pair;

	push @pair, [ $1, $2 ] while $text =~ /\bXr (\S+) (\d)/g;
	return @pair;
}

# A parameter in the list of a page is one that the program asks for, and the
# other way round.
subtest 'parameters of programs' => sub {
	my %id = reverse slurp('lib/store/conf_table.h') =~ /^CONF_PARAMETER\((\w+), "(\w+)"/mg;
	my %lib = (
		smtpd    => ['lib/store/wake.c'],
		tlsd     => [],
		sendmail => ['lib/store/wake.c'],
		qrun     => ['lib/store/mailbox.c'],
	);
	for my $name (sort keys %lib) {
		my ($page) = grep { /^\Q$name\E\.[18]$/ } keys %page;
		my ($files) = slurp($page{ $page // next }) =~ /^\.Sh FILES\n(.*?)^\.Sh/ms;
		my %told = map { $_ => 1 } $files =~ /^\.Va (\w+)/mg;
		my $source = join '', map { slurp($_) } @{ $program{$name} }, @{ $lib{$name} };
		my %asked = map { $_ => 1 } grep { $source =~ /\bCONF_$id{$_}\b/ } keys %id;
		is(join(' ', sort keys %told), join(' ', sort keys %asked), $page);
	}
};

subtest 'mandoc' => sub {
	plan skip_all => 'needs mandoc'
	    unless grep { -x "$_/mandoc" } split /:/, $ENV{PATH};
	for my $page (sort keys %page) {
		my $r = run('/usr/bin/env', 'mandoc', '-Tlint', '-W', 'warning', $page{$page});
		is($r->{out} . $r->{err}, '', $page);
	}
};

done_testing;
