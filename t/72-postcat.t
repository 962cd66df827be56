#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# postcat: the layout people know, parts of a message, files that are none.

use strict;
use warnings;
use lib 't/lib';
use Malle qw(run spew slurp);
use Malle::Spool qw(id_of put state);
use Test::More;

$ENV{TZ} = 'CET-1';
my $m = Malle->new;
my $t0 = 1736163296;
my $id = id_of($t0, 0xab);
my $head = "Received: by x\n\tid $id; now\nSubject: s\n";
my $body = "\nhello\n\0\xff\nFrom: no header\n";
my $path = put($m, 'deferred/1736164020', $id, {
	from => 'bob@example.com', to => [ [ 'alice@mondomaine.lan', 'alice' ], 'carol@x' ],
	extra => "Malle-Ret: HDRS\n", text => $head . $body,
});
state($m, $id, '2 sent 2.0.0 delivered', '1 deferred 4.0.0 no');
my $r;

sub envelope {
	my ($name) = @_;

	return <<"END";
*** ENVELOPE RECORDS $name ***
message_size: @{[sprintf '%15d %15d %15d %15d %15d %15d', length $head . $body, (-s $path) - length $head . $body, 2, 0, length $head . $body, 0]}
message_arrival_time: Mon Jan  6 12:34:56 2025
create_time: Mon Jan  6 12:34:56 2025
named_attribute: Malle-Ret=HDRS
sender: bob\@example.com
original_recipient: alice
recipient: alice\@mondomaine.lan
original_recipient: carol\@x
done_recipient: carol\@x
END
}

sub shows {
	my ($want, @arg) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	$r = $m->run('postcat', @arg);
	is($r->{out}, $want, "@arg");
	is("$r->{status}$r->{err}", '0', 'and nothing else');
	return;
}

my $name = "deferred/1736164020/$id";
my $e = envelope($name);
my $end = "*** HEADER EXTRACTED $name ***\n*** MESSAGE FILE END $name ***\n";
my $contents = "*** MESSAGE CONTENTS $name ***\n";
shows("$e$contents$head$body$end", '-q', $id);
shows($head . $body, '-bh', '-q', $id);
shows($head . $body, '-bhq', $id);
shows($head, '-h', '-q', $id);
shows($body, '-b', '-q', $id);
shows($e . $end, '-e', '-q', $id);
shows("$e$contents$head$end", '-eh', '-q', $id);
shows($head . $body . $head . $body, '-bh', '-q', $id, $id);

# By its path the record is found only with -q; the name is the time.
my $file = $m->dir . "/$id,S=1,W=1";
spew($file, slurp($path));
my $plain = $e =~ s/done_recipient/recipient/r =~ s/\Q$name\E/$file/r;
$r = $m->run('postcat', $file);
is($r->{out}, $plain . "$contents$head$body$end" =~ s/\Q$name\E/$file/gr, 'a file');
is("$r->{status}$r->{err}", '0', 'and nothing else');
$r = $m->run({ in => slurp($path) }, 'postcat', '-bh', '-');
is($r->{out}, $head . $body, 'standard input');

for (
	[ 'no end',  "Return-Path: <>\nDelivered-To: a\@b\nReceived: x\nSubject: s\n\nhello", "\nhello" ],
	[ 'no body', "Return-Path: <>\nDelivered-To: a\@b\nReceived: x\n", '' ],
	[ 'no empty line', "Return-Path: <>\nDelivered-To: a\@b\nReceived: x\nno header\n", "no header\n" ],
) {
	my ($what, $text, $want) = @$_;
	spew($file, $text);
	is($m->run('postcat', '-b', $file)->{out}, $want, "$what: body");
	is($m->run('postcat', '-bh', $file)->{out}, $text =~ s/.*?(?=Received)//sr, "$what: all");
	$r = $m->run('postcat', $file);
	like($r->{out}, qr/\n\*\*\* HEADER EXTRACTED \Q$file\E \*\*\*\n/, "$what: the marks stand alone");
}

for (
	[ 64, qr/^usage: postcat/ ],
	[ 64, qr/^usage: postcat/m, '-Z' ],
	[ 64, qr/^usage: postcat/, '-q' ],
	[ 66, qr/^postcat: fatal: open queue file nosuch: No such file or directory$/, '-q', 'nosuch' ],
	[ 66, qr{^postcat: fatal: open queue file \.\./x: }, '-q', '../x' ],
	[ 66, qr{^postcat: fatal: open /nonexistent: No such file or directory$}, '/nonexistent' ],
	[ 66, qr{^postcat: fatal: open /dev/null: not a regular file$}, '/dev/null' ],
	[ 65, qr{main\.cf: not a queue file: no envelope at its start$}, $m->main_cf ],
	[ 78, qr{^postcat: fatal: open /nonexistent/main\.cf}, '-c', '/nonexistent', '-q', $id ],
) {
	my ($status, $err, @arg) = @$_;
	$r = $m->run('postcat', @arg);
	is($r->{status}, $status, "@arg: status");
	like($r->{err}, $err, 'says why');
	is($r->{out}, '', 'nothing is shown');
}
like($m->run(qw(postcat --help))->{out}, qr/^usage: postcat /, '--help');

done_testing;
