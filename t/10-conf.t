#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# main.cf and postconf: the grammar, the values, the errors, the edits; and
# that main.cf(5) and the table of parameters say the same.

use strict;
use warnings;
use File::Temp qw(tempdir);
use Sys::Hostname;
use Test::More;
use lib 't/lib';
use Malle qw(run slurp spew is_root);

my $dir = tempdir(CLEANUP => 1);
my $cf  = "$dir/main.cf";
my @table;
read_table();

sub postconf { return run({ env => { MAIL_CONFIG => $dir } }, 'postconf', @_) }

# postconf with a file, arguments, and what it must print on standard output;
# ERR lines go to standard error, PATH is main.cf.
sub prints {
	my ($name, $file, $args, $out, $err, $status) = @_;

	spew($cf, $file) if defined $file;
	my $r = postconf(@$args);
	$r->{err} =~ s/\Q$cf\E/PATH/g;
	is($r->{out},    $out,         "$name: output");
	is($r->{err},    $err // '',   "$name: errors");
	is($r->{status}, $status // 0, "$name: exit code");
	return;
}

sub read_table {
	for (split /\n/, slurp('lib/store/conf_table.h')) {
		next if !/^CONF_PARAMETER/;
		/^CONF_PARAMETER\(\w+, "(\w+)", "(.*)", CONF_(\w+), (\d+), (\d+)\)$/
		    or die "not understood: $_\n";
		push @table, { name => $1, value => $2, kind => $3, min => $4, max => $5 };
	}
	return;
}

subtest 'grammar' => sub {
	prints('comments and continuation', <<'END', ['-n'], <<'OUT');
# comment
   # indented comment

mydestination = $mydomain,
# within
	$myhostname,

   # within
    localhost  
mydomain=mondomaine.lan
myhostname	=  mail.$mydomain
relay_domains =
END
mydestination = $mydomain, $myhostname, localhost
mydomain = mondomaine.lan
myhostname = mail.$mydomain
relay_domains =
OUT
	prints('expanded', undef, [qw(-x mydestination smtpd_banner)], <<'OUT');
mydestination = mondomaine.lan, mail.mondomaine.lan, localhost
smtpd_banner = mail.mondomaine.lan ESMTP malle
OUT
	prints('CRLF, no line end', "mydomain = a.org\r\nmail_name = b\r\n\tc", ['-n'],
	    "mail_name = b c\nmydomain = a.org\n");
	prints('empty file', '', ['-n'], '');
	prints('a name of its own', "mydomain = \$mine.org\nmine = x\$more\nmore = y\n",
	    ['-nx'], "mine = xy\nmore = y\nmydomain = xy.org\n");
	prints('last wins, before its use', "mail_name = \$a\na = 1\na = 2\na = 2\n",
	    [qw(-hx mail_name)], "2\n",
	    "postconf: warning: PATH, line 3: overriding earlier entry: a=1\n");
	prints('orphan', " lost\nmydomain = a.org\n", ['-n'], "mydomain = a.org\n",
	    qq(postconf: warning: PATH, line 1: logical line must not start with whitespace: "lost"\n));
	prints('config_directory', "mail_name = \$config_directory\n",
	    [qw(-xh mail_name config_directory)], "$dir\n$dir\n");
	prints('expression', '', ['-x', '-o', 'a=1', '-o', 'b=${a?yes}', 'b'], "b = yes\n");
};

subtest 'what postconf prints' => sub {
	my $file = "myhostname = old\nmyhostname = mail.example.org\nfoo = bar\n"
	    . "relay_domains =\nmax_idle = 100s\n";
	my $old = "postconf: warning: PATH, line 2: overriding earlier entry: myhostname=old\n";

	prints('-n', $file, ['-n'],
	    "max_idle = 100s\nmyhostname = mail.example.org\nrelay_domains =\n",
	    $old . "postconf: warning: PATH: unused parameter: foo=bar\n");
	prints('names in their order', undef, [qw(relay_domains nosuch mydomain max_idle)],
	    "relay_domains =\nmydomain = example.org\nmax_idle = 100s\n",
	    "${old}postconf: warning: nosuch: unknown parameter\n");
	prints('-n NAME', undef, [qw(-n mail_name max_idle)], "max_idle = 100s\n", $old);
	prints('-h', undef, [qw(-h relay_domains max_idle)], "\n100s\n", $old);
	prints('-H', undef, [qw(-H relay_domains max_idle)], "relay_domains\nmax_idle\n", $old);
	prints('-d', undef, [qw(-d max_idle mydestination)],
	    "max_idle = 100s\nmydestination = \$myhostname, localhost.\$mydomain, localhost\n");
	prints('-j', qq(mail_name = "a\\b"\n), [qw(-j mail_name relay_domains)],
	    qq({"mail_name": "\\"a\\\\b\\""}\n{"relay_domains": ""}\n));
	prints('comment in a value', "max_idle = 5s # five\n", ['-n'], "max_idle = 5s # five\n",
	    "postconf: warning: PATH, line 1: #comment after other text is not allowed: "
	    . "max_idle = 5s # five\n");
	prints('-nf', "mydestination = @{[join ' ', map { 'x' x 18 } 1 .. 6]}\n", ['-nf'],
	    "mydestination = " . join(' ', map { 'x' x 18 } 1 .. 3) . "\n    "
	    . join(' ', map { 'x' x 18 } 4 .. 6) . "\n");
	# mydestination, blank, =, blank and 64 more are 80 columns: they fit.
	prints('80 columns', "mydestination = @{['y' x 30]} @{['z' x 33]}\n", ['-nf'],
	    "mydestination = @{['y' x 30]} @{['z' x 33]}\n");
	prints('81 columns', "mydestination = @{['y' x 30]} @{['z' x 34]}\n", ['-nf'],
	    "mydestination = @{['y' x 30]}\n    @{['z' x 34]}\n");
	prints('-l', undef, ['-l'], "dotlock\nfcntl\n");

	my @all = map { /^(\w+) =/ ? $1 : die } split /\n/, postconf()->{out};
	is_deeply(\@all, [sort map { $_->{name} } @table], 'all, sorted by byte value');
	spew($cf, "Zed = 1\nmail_name = \$Zed\n");
	like(postconf()->{out}, qr/^Zed = 1\nalias_database = /m, 'upper case before lower');
};

subtest 'values that are made' => sub {
	my $host = hostname();
	my $full = $host =~ /\./ ? $host : "$host.localdomain";
	my $domain = $full =~ s/^[^.]*\.//r;

	prints('by default', '', [qw(-x myhostname mydomain myorigin)],
	    "myhostname = $full\nmydomain = $domain\nmyorigin = $full\n");
	prints('-d', '', [qw(-d myhostname mydomain)], "myhostname = $full\nmydomain = $domain\n");
	prints('a domain', "mydomain = a.org\n", [qw(-xh myhostname)],
	    ($host =~ /\./ ? $host : "$host.a.org") . "\n");
	prints('a host without one', "myhostname = mail\n", [qw(-xh mydomain)], "localdomain\n");
	spew("$dir/mailname", " \n");
	prints('an empty mailname', "myorigin = $dir/mailname\n", [qw(-x myorigin)], '',
	    "postconf: fatal: PATH, line 1: myorigin: $dir/mailname: Invalid argument; "
	    . "it must hold a domain name in its first line\n", 78);
	spew("$dir/mailname", "example.net \nmore\n");
	prints('mailname', "smtpd_banner = at \$myorigin\nmyorigin = \$config_directory/mailname\n",
	    [qw(-xh myorigin smtpd_banner)], "example.net\nat example.net\n");
	unlink "$dir/mailname";
	prints('no mailname', undef, [qw(-xh myorigin)], '',
	    "postconf: fatal: PATH, line 2: myorigin: $dir/mailname: No such file or directory; "
	    . "it must hold a domain name in its first line\n", 78);
};

subtest 'errors' => sub {
	my %bad = (
		"max_idle\n"            => q(, line 1: missing '=' after attribute name: "max_idle"),
		"\n\n=5\n"              => q(, line 3: missing attribute name: "=5"),
		"a b = c\n"             => q(, line 1: missing '=' after attribute name: "a b = c"),
		"a=1\0\n"               => q(: holds a NUL octet; it must be text),
		"#c\nmax_idle = 1y\n"   => q(, line 2: bad time configuration: max_idle = 1y; write a time from 1s to 86400s (units: s m h d w)),
		"max_idle = \n"         => q(, line 1: bad time configuration: max_idle = ; write a time from 1s to 86400s (units: s m h d w)),
		"max_idle = 0\n"        => q(, line 1: bad time configuration: max_idle = 0; write a time from 1s to 86400s (units: s m h d w)),
		"hopcount_limit = 99999999999999999999\n" => q(, line 1: bad numerical configuration: hopcount_limit = 99999999999999999999; write a number from 1 to 1000),
		"hopcount_limit = -1\n" => q(, line 1: bad numerical configuration: hopcount_limit = -1; write a number from 1 to 1000),
		"smtpd_helo_required = 1\n" => q(, line 1: bad boolean configuration: smtpd_helo_required = 1; write yes or no),
		"mail_name = \${a\n"    => q(, line 1: mail_name: truncated macro reference: "${a"),
		"a=\$\nmail_name=\$a\n" => q(, line 2: mail_name: empty macro name (write $$ for a dollar sign): "$"),
		"myhostname = \$mydomain\nmydomain = \$myhostname\n" =>
		    q(, line 1: myhostname: unreasonable macro call nesting: "$myhostname"),
		"a=\n" x 8193           => q(, line 8193: more than 8192 entries),
		'a=' . 'x' x 65536      => q(, line 1: more than 65536 octets in one entry),
		"#\n" x 524289          => q(: larger than 1048576 octets),
	);

	for my $file (sort keys %bad) {
		my $name = substr $file, 0, 30;
		prints($name =~ s/[\n\0]/ /gr, $file, [qw(-x mail_name)], '',
		    "postconf: fatal: PATH$bad{$file}\n", 78);
	}
	prints('a user-defined name that loops, unused', "a = \$a\n", [qw(-xh mail_name)], "malle\n");
	prints('asked for', undef, [qw(-x a)], '',
	    qq(postconf: fatal: a: unreasonable macro call nesting: "\$a"\n), 78);
	prints('bad values are shown', "max_idle = 1y\n", ['-n'], "max_idle = 1y\n");

	for my $args ([ '-c', "$dir/nosuch" ], [ '-c', '/dev/null' ], [ '-c', 'x' x 2000 ]) {
		my $r = postconf(@$args);
		is($r->{status}, 78, "-c @{[substr $args->[1], 0, 40]}: exit code");
		like($r->{err}, qr/^postconf: fatal: .+\n\z/, 'and one line says why');
	}
	mkdir "$dir/d";
	mkdir "$dir/d/main.cf";
	is(postconf('-c', "$dir/d")->{err}, "postconf: fatal: $dir/d/main.cf: not a regular file\n",
	    'a directory');
	is(run({ env => { MAIL_CONFIG => undef } }, 'postconf', '-c', $dir, '-h', 'max_idle')->{out},
	    "1y\n", '-c DIR');
	is(run({ cwd => $dir }, 'postconf', '-c', '.', '-h', 'config_directory')->{out},
	    "$dir/.\n", 'a relative one is made absolute');
};

subtest 'usage' => sub {
	my $r = postconf('--help');
	like($r->{out}, qr/^usage: postconf/, '--help');
	is($r->{status}, 0, 'exit code');
	$r = postconf('-Z');
	like($r->{err}, qr/^postconf: invalid option -- 'Z'\nusage: /, 'unknown option');
	is($r->{status}, 64, 'exit code');
	is($r->{out},    '', 'nothing on standard output');
	is(postconf(qw(-d -n))->{status}, 64, '-d and -n');
	is(run({}, '/bin/sh', '-c', 'exec "$1" -d >/dev/full', 'sh', Malle::program('postconf'))
	    ->{status}, 74, 'a full disk is not success');
};

# What an edit makes of a file.
sub becomes {
	my ($name, $from, $args, $to, $err, $status) = @_;

	prints($name, $from, $args, '', $err, $status);
	is(slurp($cf), $to, "$name: the file");
	is_deeply([glob "$dir/*.tmp"], [], "$name: nothing beside it") if !$status;
	return;
}

subtest 'edit' => sub {
	my $file = "# top\nmail_name = a,\n# kept\n  b\n\nmax_idle=1\n";

	becomes('in place', $file, ['mail_name =  new  value '],
	    "# top\nmail_name = new  value\n# kept\n\nmax_idle=1\n");
	becomes('-e', $file, [ '-e', 'max_idle=', 'foo = 1=2' ],
	    "# top\nmail_name = a,\n# kept\n  b\n\nmax_idle = \nfoo = 1=2\n");
	becomes('-#', $file, [ '-#', 'mail_name' ],
	    "# top\n#mail_name = a,\n# kept\n#b\n\nmax_idle=1\n");
	becomes('-X', $file, [ '-X', 'mail_name', 'nosuch' ], "# top\n# kept\n\nmax_idle=1\n");
	becomes('twice', "a = 1\nb = 2\na = 3\n", ['a=4'], "a = 4\nb = 2\na = 4\n",
	    qq(postconf: warning: PATH: multiple entries for "a"\n));
	becomes('no line end', 'a = 1', ['b=2'], "a = 1\nb = 2\n");
	becomes('no line end, replaced', 'a = 1', [ 'a=3', 'b=2' ], "a = 3\nb = 2\n");
	becomes('a broken file', "max_idle = x\nrubbish\n", ['max_idle=5'], "max_idle = 5\nrubbish\n");
	becomes('given twice', '', [ 'a=1', 'a=2' ], "a = 2\n");
	my @wrong = (
		[ [ '-e', "a=b\nc" ], '-e, -X, or -# accepts no multi-line input' ],
		[ [ '-e', 'a' ], q(missing '=' after attribute name: "a") ],
		[ [ '-e', 'a b=c' ], q(missing '=' after attribute name: "a b") ],
		[ [ '-e', '=c' ], 'missing attribute name' ],
		[ [ '-e', '#a=c' ], '-e, -X, or -# accepts no comment input' ],
		[ [ '-X', 'a=b' ], '-X or -# requires names without value' ],
		[ ['-e'], '-e, -X, or -# needs a parameter' ],
		[ [ '-e', '-X', 'a' ], 'specify one of -e, -X, or -#' ],
	);
	becomes("refused: $_->[1]", $file, $_->[0], $file, "postconf: fatal: $_->[1]\n", 64)
	    for @wrong;
};

subtest 'edit: the file itself' => sub {
	spew($cf, "a = 1\n");
	chmod 0640, $cf;
	my $inode = (stat $cf)[1];
	is(postconf('a=2')->{status}, 0, 'changed');
	is((stat $cf)[2] & 07777, 0640, 'the mode stays');
	isnt((stat _)[1], $inode, 'it is a new file, renamed');

	rename $cf, "$dir/real.cf";
	symlink 'real.cf', $cf;
	is(postconf('a=3')->{status}, 0, 'changed through a link');
	ok(-l $cf, 'the link stays');
	is(slurp("$dir/real.cf"), "a = 3\n", 'its file changed');
	unlink $cf;
	rename "$dir/real.cf", $cf;

	spew("$cf.tmp", 'left by a crash' x 100);
	is(postconf('a=4')->{status}, 0, 'a file left over does not matter');
	is(slurp($cf), "a = 4\n", 'nor is any of it kept');

	symlink "$dir/victim", "$cf.tmp";
	my $r = postconf('a=5');
	is($r->{status}, 73, 'a link in its place is not followed');
	ok(!-e "$dir/victim", 'nothing is written there');
	is(slurp($cf), "a = 4\n", 'main.cf is what it was');
	unlink "$cf.tmp";

	my @pid = map { fork // die "fork: $!\n" or exec(Malle::program('postconf'), '-c', $dir, "n$_=1")
		or POSIX::_exit(127) } 1 .. 20;
	waitpid $_, 0 for @pid;
	my %seen = map { /^(n\d+) = 1$/ ? ($1 => 1) : () } split /\n/, slurp($cf);
	is(scalar keys %seen, 20, 'twenty at once lose no change');
};

subtest 'main.cf(5) and the table' => sub {
	my %made = (
		myhostname => 'No the name of this machine',
		mydomain   => 'Sy myhostname No without its first label',
		pop3_tls_auth_only => 'No yes where TLS is offered, else no',
	);
	my %kind = (STRING => qr/(?!A number|A time|Yes or no)/, BOOL => qr/Yes or no\b/,
		NUMBER => qr/A number\b/, TIME => qr/A time\b/);
	my @lines = split /\n/, slurp('man/main.cf.5');
	my %page;

	for my $i (0 .. $#lines) {
		$lines[$i] =~ /^\.It Sy (\w+) Pq default: (.*)$/ or next;
		ok(!exists $page{$1}, "$1 is described once");
		$page{$1} = { value => $2, text => $lines[ $i + 1 ] };
		$page{$1}{value} =~ s/^"(.*)"$/$1/;
	}
	is_deeply([sort keys %page], [sort map { $_->{name} } @table], 'the same parameters');
	is_deeply([map { $_->{name} } @table], [sort map { $_->{name} } @table], 'the table is sorted');
	for my $p (@table) {
		my $want = $made{ $p->{name} } // ($p->{value} eq '' ? 'empty' : $p->{value});
		is($page{ $p->{name} }{value} // '', $want, "$p->{name}: default");
		like($page{ $p->{name} }{text} // '', qr/^$kind{$p->{kind}}/, "$p->{name}: kind");
		cmp_ok($p->{min}, '<', $p->{max}, "$p->{name}: bounds") if $p->{kind} =~ /NUMBER|TIME/;
	}
};

subtest 'each default, and each bound' => sub {
	spew($cf, "mydomain = a.org\nmyhostname = b.a.org\n");
	is(postconf('-x')->{status}, 0, 'the defaults are good');
	for my $p (grep { $_->{kind} =~ /NUMBER|TIME/ } @table) {
		for my $case ([ $p->{min}, 0 ], [ $p->{max}, 0 ], [ $p->{max} + 1, 78 ],
			$p->{min} > 0 ? [ $p->{min} - 1, 78 ] : ()) {
			my $value = $case->[0] . ($p->{kind} eq 'TIME' ? 's' : '');
			is(postconf('-x', '-o', "$p->{name}=$value", 'mail_name')->{status},
			    $case->[1], "$p->{name} = $value");
		}
	}
	# Without a unit it has that of the default: 100 days, 100 seconds.
	for my $case ([ maximal_queue_lifetime => 100, 0 ], [ maximal_queue_lifetime => 101, 78 ],
		[ delay_warning_time => 2400, 0 ], [ delay_warning_time => 2401, 78 ],
		[ max_idle => 86400, 0 ]) {
		is(postconf('-x', '-o', "$case->[0]=$case->[1]", 'mail_name')->{status},
		    $case->[2], "$case->[0] = $case->[1]");
	}
};

done_testing;
