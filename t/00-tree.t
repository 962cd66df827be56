#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# The tree keeps to its own rules: what lies where, which layer may use
# which, how long things are.

use strict;
use warnings;
use Test::More;

my $cc = $ENV{CC} // 'gcc';

# Longer than a screen, and why it is one piece.
my %long_function = (
	'lib/pure/dot.c dot_feed' => 'one state machine, one switch',
);
# Wider than 80 columns, or longer than 400 lines.
my %wide = ('lib/store/conf_table.h' => 'a table, one row a parameter');
my %long_file = ();

my @files = split /\0/, `git ls-files -z`;
if (!@files) {
	@files = split /\0/, `find . -type f -printf '%P\\0'`;
	@files = sort grep { !m{^(?:\.git|build[^/]*|run)/} } @files;
}
@files = grep { -e } @files;
my @c = grep { /\.[ch]$/ } @files;
my %text = map { $_ => slurp($_) } grep { !m{^t/fuzz/corpus/} } @files;
my %code = map { $_ => strip($text{$_}) } @c;

sub slurp {
	my ($path) = @_;

	open my $fh, '<:raw', $path or die "$path: $!\n";
	local $/ = undef;
	return scalar <$fh> // '';
}

# C without comments and without what is in quotes; lines stay.
sub strip {
	my ($s) = @_;

	$s =~ s{(/\*.*?\*/)|("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')}
	    {defined $1 ? $1 =~ s/[^\n]+//gr : '""'}gse;
	return $s;
}

sub nothing {
	my ($name, @found) = @_;

	return ok(!@found, $name) || diag map { "  $_\n" } @found[0 .. ($#found < 30 ? $#found : 30)];
}

# Each line of the files that matches, as "file:line: text".
sub lines {
	my ($text, $match, @names) = @_;
	my @found;

	for my $name (@names) {
		my $n = 0;
		for (split /\n/, $text->{$name}) {
			$n++;
			push @found, "$name:$n: $_" if $match->($_);
		}
	}
	return @found;
}

subtest 'top level' => sub {
	my %top = map { m{^([^/]+)} ? ($1 => 1) : () } @files;
	my @visible = sort grep { !/^\./ } keys %top;

	is_deeply(\@visible,
	    [sort qw(Makefile README bin lib xinetd.d etc t man)], 'as it is meant');
};

subtest 'licence' => sub {
	# The licence itself has no room for a line about itself.
	my @without = grep {
		$_ ne 'etc/COPYING' &&
		    ($_ eq 'README' ? $text{$_} : substr $text{$_}, 0, 400) !~
		    /SPDX-License-Identifier: GPL-3\.0-or-later/
	} sort keys %text;

	nothing('an SPDX line near the top of every file', @without);
};

subtest 'layers' => sub {
	my %may = (pure => 'pure', sys => 'pure|sys', store => 'pure|sys|store');
	my @bad;

	for my $file (@c) {
		my ($dir) = $file =~ m{^(.*)/[^/]+$};
		for my $name ($text{$file} =~ /^#\s*include\s+"([^"]+)"/gm) {
			my $good;
			if (my ($layer) = $file =~ m{^lib/(\w+)/}) {
				$good = $name =~ m{^(?:$may{$layer})/\w+\.h$};
			} elsif ($file =~ m{^bin/}) {
				$good = $name =~ m{^(?:pure|sys|store)/\w+\.h$} ||
				    ($dir ne 'bin' && $name !~ m{/} && -e "$dir/$name");
			} else {
				$good = $name =~ m{^(?:pure|sys|store)/\w+\.h$} ||
				    -e "$dir/$name";
			}
			push @bad, "$file includes $name" if !$good;
		}
	}
	nothing('nothing is included from above', @bad);
};

subtest 'headers' => sub {
	my @h = grep { /\.h$/ && $_ ne 'lib/store/conf_table.h' } @c;
	my (@bad, @alone);

	for my $file (@h) {
		my ($guard) = $file =~ m{([^/]+)\.h$};
		$guard = uc($guard) . '_H';
		push @bad, $file if $code{$file} !~
		    /\A\s*#ifndef $guard\n#define $guard\n.*\n#endif\s*\z/s;
		my ($dir) = $file =~ m{^(.*)/};
		open my $to, '|-', "$cc -std=gnu17 -D_GNU_SOURCE -Ilib -I$dir -fsyntax-only -x c - 2>&1"
		    or die "$cc: $!\n";
		my $path = $file =~ s{^lib/(?=.*/)}{}r;
		$path = $file =~ s{.*/}{}r if $file !~ m{^lib/.*/};
		print {$to} qq(#include "$path"\n#include "$path"\n);
		close $to or push @alone, $file;
	}
	nothing('guarded by their name', @bad);
	nothing('compile alone, and twice', @alone);
};

subtest 'sizes' => sub {
	my (@long, @functions, @stale);
	my %seen;

	for my $file (@c) {
		my $n = () = $text{$file} =~ /\n/g;
		push @long, "$file: $n lines" if $n > 400 && !$long_file{$file};
		my ($start, $name, $prev) = (0, '', '');
		my $i = 0;
		for (split /\n/, $code{$file}) {
			$i++;
			$name = $1 if /^(\w+)\(/;
			$start = $i if /^\{/;
			if (/^\}\s*$/ && $start) {
				my $lines = $i - $start + 1;
				if ($lines > 60) {
					$seen{"$file $name"} = 1;
					push @functions, "$file: $name: $lines lines"
					    if !$long_function{"$file $name"};
				}
				$start = 0;
			}
		}
	}
	nothing('no file over 400 lines', @long);
	nothing('no function over 60 lines', @functions);
	nothing('every exception is needed',
	    grep { !$seen{$_} } sort keys %long_function);
	nothing('no line over 80 columns', lines(\%text, sub {
		my $s = shift;
		1 while $s =~ s/^([^\t]*)\t/$1 . ' ' x (8 - length($1) % 8)/e;
		length $s > 80;
	}, grep { !$wide{$_} } @c));
	nothing('no blank at the end of a line',
	    lines(\%text, sub { $_[0] =~ /[ \t]$/ }, @c));
};

subtest 'calls' => sub {
	my $banned = join '|', qw(strcpy strcat sprintf vsprintf strncpy
	    strncat strtok gets ctime asctime gmtime localtime atoi atol
	    system popen mktemp tmpnam tempnam alloca setjmp longjmp
	    getpwnam getpwuid getgrnam getgrgid getgrouplist initgroups
	    gethostbyname gethostbyaddr getaddrinfo getnameinfo getservbyname);

	nothing('none of the banned ones', lines(\%code, sub {
		$_[0] =~ /(?<![\w.>])(?:$banned)\s*\(/
	}, @c));
	# A signal handler or a thread is a second flow of control.
	nothing('no threads', lines(\%code, sub { $_[0] =~ /\bpthread_/ }, @c));
};

subtest 'words' => sub {
	my @names = sort keys %text;
	my $todo = join '|', map { $_->[0] . $_->[1] } ['TO', 'DO'], ['FIX', 'ME'],
	    ['XX', 'X:'];
	my $here = join '|', map { "(?<![\\w.])" . quotemeta $_->[0] . $_->[1] }
	    ['/wo', 'rk/'], ['../sha', 'red'], ['/ro', 'ot/'];

	nothing('nothing is left to do without an issue for it',
	    lines(\%text, sub { $_[0] =~ /\b(?:$todo)\b(?!\(#\d+\))/ },
	    grep { $_ ne 'etc/COPYING' } @names));
	nothing('no path of the machine it was written on',
	    lines(\%text, sub { $_[0] =~ /$here/ }, @names));
};

# Files, clocks and the environment are for the layers above.
subtest 'the pure layer is pure' => sub {
	my $build = $ENV{MALLE_BUILD} // 'build';
	my @objects = glob "$build/lib/pure/*.o";
	my (%defined, %wanted);

	plan skip_all => "$build has no objects" if !@objects;
	for (`nm -A @objects`) {
		next if !/([^\/]+)\.o:.* (\w) (\S+)$/;
		if ($2 eq 'U') {
			$wanted{$3}{$1} = 1;
		} else {
			$defined{$3} = 1;
		}
	}
	my @bad = grep {
		!$defined{$_} && !/^(?:__isoc23_|__isoc99_)?(?:
		    mem\w+ | rawmemchr | str(?!ftime)\w+ | bcmp |
		    realloc(?:array)? | malloc | calloc | free |
		    v?snprintf | sscanf | reg(?:comp|exec|free) | inet_pton | inet_ntop |
		    __errno_location | __ctype_\w+ | abort |
		    __\w+_chk | __stack_chk_fail | _GLOBAL_OFFSET_TABLE_ |
		    _?_(?:asan|ubsan|gcov|sanitizer)\w*
		)$/x
	} sort keys %wanted;
	nothing('it calls memory, strings and itself',
	    map { "$_ in " . join ' ', sort keys %{ $wanted{$_} } } @bad);
};

subtest 'tests' => sub {
	nothing('every test can be run',
	    grep { m{^t/[^/]+\.t$} && !-x } @files);
	nothing('and has a name that says when',
	    grep { m{^t/[^/]+\.t$} && !m{^t/\d\d-[a-z0-9-]+\.t$} } @files);
};

done_testing;
