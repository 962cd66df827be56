#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# postmap and postalias, as an administrator types them: what they print, byte
# for byte, and their exit codes; each type of table.

use strict;
use warnings;
use lib 't/lib';
use Test::More;
use Malle qw(is_root run slurp spew);

my $m   = Malle->new(mode => 0755);
my $dir = $m->dir . '/maps';
mkdir $dir, 0755 or die;

# NAME, [COMMAND...], exit code, standard output, standard error.
sub says {
	my ($name, $argv, $status, $out, $err, $in) = @_;
	my $r = run({ cwd => $dir, in => $in, env => { MAIL_CONFIG => $m->etc } },
		@$argv);

	is($r->{status}, $status, "$name: exit code") or diag $r->{err};
	is($r->{out}, $out, "$name: output");
	return ref $err ? like($r->{err}, $err, "$name: what it says") :
	    is($r->{err}, $err // '', "$name: what it says");
}

sub file { spew("$dir/$_[0]", $_[1]); return }

subtest 'aliases' => sub {
	file('aliases', "# Mail for\npostmaster:\troot\nroot: alice,bob\n"
		. "list: alice,\n  # more\n  bob, \"|/bin/cmd  a, b\" ,/var/x\n"
		. "\"Some One\": :include:/etc/list\n");
	says('made', [ 'postalias', 'hash:aliases' ], 0, '');
	ok(-e "$dir/aliases.gdbm", 'beside its source');
	ok(!-e "$dir/aliases.gdbm.tmp", 'and nothing else');
	says('asked', [qw(postalias -q root hash:aliases)], 0, "alice, bob\n");
	says('in any case', [qw(postalias -q PostMaster aliases)], 0, "root\n");
	says('of a list', [qw(postalias -q list gdbm:aliases)], 0,
		"alice, bob, \"|/bin/cmd  a, b\", /var/x\n");
	says('quoted', [ qw(postalias -q), 'some one', 'aliases' ], 0,
		":include:/etc/list\n");
	says('absent', [qw(postalias -q nobody hash:aliases)], 1, '');
	says('several', [qw(postalias -q - hash:aliases)], 0,
		"root:\talice, bob\npostmaster:\troot\n", '',
		"root\nnobody\npostmaster\n");
	says('none of several', [qw(postalias -q - hash:aliases)], 1, '', '',
		"x\n");
	my $r = run({ cwd => $dir }, qw(postalias -s hash:aliases));
	is(join('', sort split /^/, $r->{out}),
		"list:\talice, bob, \"|/bin/cmd  a, b\", /var/x\n"
		. "postmaster:\troot\nroot:\talice, bob\n"
		. "some one:\t:include:/etc/list\n", '-s lists all');
	file('bad', "root: x\nnocolon\nbob\@x: y\nDup: 1\ndup: 2\nempty:\n"
		. "two words: x\n\"open: x\n");
	says('bad lines', [ 'postalias', 'hash:bad' ], 0, '',
		"postalias: warning: bad, line 2: need name:value pair\n"
		. "postalias: warning: bad, line 3: name must be local and have no domain\n"
		. "postalias: warning: bad, line 6: need name:value pair\n"
		. "postalias: warning: bad, line 7: need name:value pair\n"
		. "postalias: warning: bad, line 8: a quote is not closed\n"
		. "postalias: warning: bad, line 5: duplicate entry: \"dup\"\n");
	says('the first one holds', [qw(postalias -q dup hash:bad)], 0, "1\n");
	says('missing', [ 'postalias', "$dir/none" ], 1, '',
		"postalias: fatal: open $dir/none: No such file or directory\n");
};

subtest 'tables' => sub {
	file('t', "a b\n\n# c\nnovalue\nA  B c   d \n  cont\nx: y\na z\n"
		. "\@dom x\n\"q k\"\@dom v\nUPPER low\n  \n");
	says('made', [ 'postmap', 'hash:t' ], 0, '',
		"postmap: warning: t, line 4: expected format: key whitespace value\n"
		. "postmap: warning: t, line 7: record is in \"key: value\" format; is this an alias file?\n"
		. "postmap: warning: t, line 5: duplicate entry: \"a\"\n"
		. "postmap: warning: t, line 8: duplicate entry: \"a\"\n");
	says('asked', [qw(postmap -q a hash:t)], 0, "b\n");
	says('quoted', [ qw(postmap -q), '"q k"@dom', 'hash:t' ], 0, "v\n");
	says('several', [qw(postmap -q - hash:t)], 0, "a\tb\nupper\tlow\n", '',
		"a\nzz\nupper\n");
	says('empty key', [ qw(postmap -q), '', 'hash:t' ], 1, '');
	says('-w', [qw(postmap -w hash:t)], 0, '', qr/\A(?!.*duplicate).*line 4/s);
	says('-r', [qw(postmap -r hash:t)], 0, '', qr/\A(?!.*duplicate).*line 4/s);
	says('the last one holds', [qw(postmap -q a hash:t)], 0, "z\n");
	says('-i', [qw(postmap -i hash:t)], 0, '',
		"postmap: warning: standard input, line 2: duplicate entry: \"a\"\n",
		"n v\na q\n");
	says('added', [qw(postmap -q n hash:t)], 0, "v\n");
	says('not replaced', [qw(postmap -q a hash:t)], 0, "z\n");
	says('-i -r', [qw(postmap -ir hash:t)], 0, '', '', "a q\n");
	says('replaced', [qw(postmap -q a hash:t)], 0, "q\n");
	says('-d', [qw(postmap -d A hash:t)], 0, '');
	says('deleted', [qw(postmap -q a hash:t)], 1, '');
	says('once more', [qw(postmap -d a hash:t)], 1, '');
	says('several', [qw(postmap -d - hash:t)], 0, '', '', "zz\nn\nupper\n");
	says('they are gone', [qw(postmap -q - hash:t)], 1, '', '', "n\nupper\n");
	says('the others not', [ qw(postmap -q @dom hash:t) ], 0, "x\n");
	says('-f keeps capitals', [qw(postmap -wf hash:t)], 0, '', qr/line 4/);
	says('and then', [qw(postmap -q upper hash:t)], 1, '');
	says('two tables', [qw(postmap -q zz hash:t inline:{zz=1})], 0, "1\n");
	says('other options', [qw(postmap -w -N -o -p -u -v -n hash:t)], 0, '',
		qr/line 4/);
};

subtest 'errors' => sub {
	says('no argument', ['postmap'], 64, '', qr/\Ausage: postmap \[/);
	says('unknown option', [qw(postmap -Z t)], 64, '', qr/^usage: postmap/m);
	says('two of them', [qw(postmap -q a -s hash:t)], 64, '',
		"postmap: fatal: specify only one of -s or -q or -d\n");
	says('help', [qw(postmap --help)], 0,
		"usage: postmap [-finNoprsuvw] [-c config_dir] [-d key] [-q key] [map_type:]file...\n");
	says('no such type', [qw(postmap -q a foo:t)], 1, '',
		qr/\Apostmap: warning: foo:t: unsupported table type; .*\npostmap: fatal: foo:t: /);
	says('not made so', [qw(postmap texthash:t)], 1, '',
		"postmap: fatal: unsupported dictionary type: texthash does not support bulk-mode creation.\n");
	says('no map', [qw(postmap -q a hash:none)], 1, '',
		qr/^postmap: fatal: hash:none: open none\.gdbm: No such file or directory; make it with postmap/m);
	says('no source', [qw(postmap hash:none)], 1, '',
		"postmap: fatal: open none: No such file or directory\n");
	says('a directory', [qw(postmap hash:.)], 1, '', qr/\Apostmap: fatal: \.: not a regular file\n\z/);
	says('delete from texthash', [qw(postmap -d a texthash:t)], 1, '',
		"postmap: fatal: texthash:t map requires O_RDONLY access mode\n");
	file('foreign.gdbm', "x" x 5000);
	says('no map of ours', [qw(postmap -q a hash:foreign)], 1, '',
		qr/^postmap: fatal: hash:foreign: foreign\.gdbm is damaged, or was not made by/m);
	file('foreign.gdbm', '');
	says('an empty one', [qw(postmap -q a hash:foreign)], 1, '', qr/damaged/);
	says('nor added to', [qw(postmap -i hash:foreign)], 1, '', qr/damaged/, "a b\n");
	is(-s "$dir/foreign.gdbm", 0, 'and it stays');
	file('binary', "a b\nc\0d e\nf g\n" . "\1x y\n" . 'k' x 2000 . " v\n");
	says('binary', [qw(postmap hash:binary)], 0, '',
		qr/line 2: NUL in a line.*line 4: the key .*line 5: the key/s);
	says('what is good in it', [qw(postmap -q - hash:binary)], 0, "a\tb\nf\tg\n", '',
		"a\nc\nf\n");
	my $r = run({ cwd => $dir }, 'postmap', '-c', '/nonexistent', 't');
	is($r->{status}, 1, 'no main.cf');
	like($r->{err}, qr{^postmap: fatal: .*/nonexistent/main\.cf}, 'says so');
	$m->main(default_database_type => 'texthash');
	says('default_database_type', [qw(postmap -q @dom t)], 0, "x\n", qr/./);
	$m->main(default_database_type => undef);
};

subtest 'older than its source' => sub {
	file('stale', "a b\n");
	says('made', [qw(postmap hash:stale)], 0, '');
	says('fresh', [qw(postmap -q a hash:stale)], 0, "b\n");
	utime time + 100, time + 100, "$dir/stale" or die;
	says('stale', [qw(postmap -q a hash:stale)], 0, "b\n",
		"postmap: warning: database stale.gdbm is older than source file stale\n");
	says('made again', [qw(postmap hash:stale)], 0, '');
	says('a source of tomorrow', [qw(postmap -q a hash:stale)], 0, "b\n");
};

subtest 'rights' => sub {
	file('rights', "a b\n");
	chmod 0640, "$dir/rights";
	says('made', [qw(postmap hash:rights)], 0, '');
	is((stat "$dir/rights.gdbm")[2] & 07777, 0640, 'mode of the source');
	chmod 0600, "$dir/rights.gdbm";
	says('made again', [qw(postmap hash:rights)], 0, '');
	is((stat "$dir/rights.gdbm")[2] & 07777, 0600, 'then its own');
	chmod 0666, "$dir/rights.gdbm";
	says('for all to write', [qw(postmap -q a hash:rights)], 1, '',
		qr/everybody may write to rights\.gdbm; chmod o-w/);
	says('made again', [qw(postmap hash:rights)], 0, '');
	says('it is safe again', [qw(postmap -q a hash:rights)], 0, "b\n");
	rename "$dir/rights.gdbm", "$dir/elsewhere" or die;
	symlink 'elsewhere', "$dir/rights.gdbm" or die;
	file('rights', "a c\n");
	says('through a link', [qw(postmap hash:rights)], 0, '');
	ok(-l "$dir/rights.gdbm", 'which stays one');
	says('the new map', [qw(postmap -q a hash:rights)], 0, "c\n");
	SKIP: {
		skip 'needs root', 4 unless is_root();
		mkdir "$dir/user" or die;
		chown 61001, 61001, "$dir/user";
		file('user/t', "a b\n");
		chown 61001, 61001, "$dir/user/t";
		says('a source of a user', [qw(postmap hash:user/t)], 0, '');
		is((stat "$dir/user/t.gdbm")[4], 61001, 'makes a map of his');
		# He cannot make root write elsewhere.
		unlink "$dir/user/t.gdbm";
		symlink '/etc/malle-test', "$dir/user/t.gdbm" or die;
		says('nor lead root astray', [qw(postmap hash:user/t)], 0, '');
		ok(!-e '/etc/malle-test', 'nothing is there');
	}
};

subtest 'a pattern of each kind' => sub {
	file('re', <<'END');
# comment
/^postmaster@/		postmaster
if /@example\.org$/
/^(.+)-request@(.*)$/	$1-owner@${2}
!/^a/			not-a
/^a(.)/			$(1)$$
endif
/^CASE$/i		exact
m/x		broken
/(/	broken
/a/	$2
!/a(b)/	$1
if /never
END
	my $bad = join '', map { "postmap: warning: re, line $_\n" }
	    '9: expected format: /expression/flags value',
	    '10: not a POSIX regular expression',
	    '11: there are not so many () for $number',
	    '12: $number in a rule with !',
	    '13: the expression is not closed', '13: if without endif';
	my %want = (
		'PostMaster@x'               => 'postmaster',
		'list-Request@example.org'   => 'list-owner@example.org',
		'bob@example.org'            => 'not-a',
		'abc@example.org'            => 'b$',
		'CASE'                       => 'exact',
	);
	says($_, [ qw(postmap -q), $_, 'regexp:re' ], 0, "$want{$_}\n", $bad)
	    for sort keys %want;
	says('a miss behind a bad line is in doubt', [ qw(postmap -q case regexp:re) ],
		1, '', qr/fatal: regexp:re: re, line 9: /);
	file('re', "/a/ b\n");
	says('a good one', [qw(postmap -q xax regexp:re)], 0, "b\n");
	says('its miss', [qw(postmap -q x regexp:re)], 1, '');

	file('cidr', <<'END');
if 10.0.0.0/8
!10.1.0.0/16	outside
10.1.2.3	host
endif
2001:db8::/32	six
[::1]		one
192.168.0.0/16	OK  text
END
	%want = ('10.2.0.1' => 'outside', '10.1.2.3' => 'host',
		'2001:DB8::7' => 'six', '::1' => 'one', '192.168.3.4' => 'OK  text');
	says($_, [ qw(postmap -q), $_, 'cidr:cidr' ], 0, "$want{$_}\n")
	    for sort keys %want;
	says("no match: $_", [ qw(postmap -q), $_, 'cidr:cidr' ], 1, '')
	    for qw(10.1.2.4 11.0.0.1 2001:db9::1 example.org 1.2.3);
	file('cidr', "10.0.0.0/33 x\n1.2.3.4 y\n300.1.1.1 z\n1.1.1.1\n");
	says('a good line of a bad file', [qw(postmap -q 1.2.3.4 cidr:cidr)], 0, "y\n",
		"postmap: warning: cidr, line 1: expected format: network/bits value\n"
		. "postmap: warning: cidr, line 3: expected format: network/bits value\n"
		. "postmap: warning: cidr, line 4: no value after the pattern\n");
};

subtest 'the others' => sub {
	file('text', "A  b c\n  d\nx y\na z\n");
	says('texthash', [qw(postmap -q a texthash:text)], 0, "b c  d\n",
		"postmap: warning: text, line 4: duplicate entry: \"a\"\n");
	says('its miss', [qw(postmap -q b texthash:text)], 1, '', qr/duplicate/);
	file('text', "a b\nx");
	says('half written', [qw(postmap -q a texthash:text)], 0, "b\n", qr/no line end/);
	says('its miss', [qw(postmap -q z texthash:text)], 1, '',
		qr/fatal: texthash:text: text: no line end/);
	says('missing', [qw(postmap -q z texthash:gone)], 1, '',
		qr/fatal: texthash:gone: open gone: No such file or directory/);
	says('inline', [ qw(postmap -q b), 'inline:{a=x, B = y , { c = p q }}' ], 0, "y\n");
	says('with blanks', [ qw(postmap -q c), 'inline:{a=x,b=y,{ c = p q }}' ], 0, "p q\n");
	says('bad', [ qw(postmap -q c), 'inline:{a}' ], 1, '', qr/write inline:\{name=value/);
	says('not closed', [ qw(postmap -q c), 'inline:{a=b' ], 1, '', qr/\{ and \} do not match/);
	says('static', [qw(postmap -q anything static:OK)], 0, "OK\n");
	says('with blanks', [ qw(postmap -q x), 'static:{ a b }' ], 0, "a b\n");
	says('unix', [qw(postmap -q root unix:passwd.byname)], 0,
		(grep { /^root:/ } split /^/, slurp('/etc/passwd'))[0]);
	says('groups', [qw(postmap -q root unix:group.byname)], 0,
		(grep { /^root:/ } split /^/, slurp('/etc/group'))[0]);
	says('no such', [qw(postmap -q nosuchuser unix:passwd.byname)], 1, '');
	says('nor that', [qw(postmap -q x unix:y)], 1, '', qr/passwd\.byname/);
	says('fail', [qw(postmap -q x fail:x)], 1, '', qr/fatal: fail:x/);
	says('proxy', [ qw(postmap -q a), 'proxy:inline:{a=b}' ], 0, "b\n");
};

# What others make of our file.
subtest 'it is a GNU dbm file' => sub {
	plan skip_all => 'no GDBM_File' unless eval { require GDBM_File };
	my %want = map { ("key$_" => "value $_") } 1 .. 20000;
	for my $n (0, 1, 100, 20000) {
		my @key = (sort keys %want)[ 0 .. $n - 1 ];
		file('many', join '', map { "$_ $want{$_}\n" } @key);
		says("$n records", [qw(postmap hash:many)], 0, '');
		tie my %got, 'GDBM_File', "$dir/many.gdbm", GDBM_File::GDBM_READER(), 0
		    or die "many.gdbm: $!";
		my @listed = grep { !/^\001/ } keys %got;
		is_deeply([ sort @listed ], \@key, 'the library lists them');
		is(scalar(grep { ($got{$_} // '') ne $want{$_} } @key), 0, 'and finds each');
		ok(!exists $got{nokey}, 'and no other');
		untie %got;
	}
};

done_testing;
