#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# What the compilers say of the sources, and what the linker made of them.

use strict;
use warnings;
use Test::More;
use lib 't/lib';
use Malle qw(build_dir top_dir);

my $build = build_dir();
my @programs = grep { -f && -x } glob "$build/*";

# Flags of an outer make are for its own objects.
delete @ENV{qw(MAKEFLAGS MAKEOVERRIDES MFLAGS MAKELEVEL)};

sub has_command {
	my ($name) = @_;

	return grep { -x "$_/$name" } split /:/, $ENV{PATH};
}

# The same directories as "make strict": nothing to do after it.
for my $cc (qw(gcc clang)) {
	SKIP: {
		skip "$cc is not installed", 1 if !has_command($cc);
		my $said = `make -s B=build-strict/$cc CC=$cc CFLAGS='-O2 -Werror' objects 2>&1`;
		is($?, 0, "$cc has nothing to say") or diag substr $said, -4000;
	}
}

ok(@programs > 0, 'there are programs');
for my $path (@programs) {
	my ($name) = $path =~ m{([^/]+)$};
	my $symbols = `nm $path 2>&1`;

	# The list of programs that may see a password's hash, or a key.
	unlike($symbols, qr/\b(?:crypt|crypt_r|crypt_rn|crypt_ra)$/m,
	    "$name: no libcrypt") if $name ne 'checkpw';
	unlike($symbols, qr/\bgnutls_/, "$name: no GnuTLS") if $name ne 'tlsd';

	SKIP: {
		skip "$name is built for analysis, not for use", 5
		    if $symbols =~ /\b__(?:asan|gcov|ubsan)_/;
		my $headers = `readelf -Wlhd $path 2>&1`;

		like($headers, qr/^\s*Type:\s+DYN/m,
		    "$name: position-independent");
		# There is no static GnuTLS.
		unlike($headers, qr/\bINTERP\b|\(NEEDED\)/,
		    "$name: static, an exec loads nothing else")
		    if $name ne 'tlsd';
		like($headers, qr/^\s*GNU_RELRO\b/m, "$name: relro");
		like($headers, qr/\bFLAGS\b.*\bBIND_NOW\b|\bFlags:.*\bNOW\b/,
		    "$name: all is bound at the start");
		like($headers, qr/^\s*GNU_STACK(?:\s+0x\w+){5}\s+RW\s/m,
		    "$name: the stack is no code");
		unlike($headers, qr/\(R(?:UN)?PATH\)/, "$name: no rpath");
	}
	open my $fh, '<:raw', $path or die "$path: $!\n";
	local $/ = undef;
	my $top = quotemeta top_dir();
	my @where = <$fh> =~ /([ -~]*$top[ -~]*)/g;
	ok(!@where, "$name: knows no build path") or diag $where[0];
}
done_testing;
