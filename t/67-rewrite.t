#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# Addresses that are completed, canonical, masqueraded, copied: in the
# envelope and the header; by SMTP and by sendmail.

use strict;
use warnings;
use lib 't/lib';
use Aliases qw(instance table rcpt post deliver count_mail);
use Malle qw(is_root slurp spew);
use Test::More;

my $m = instance();

# Sends one message; what is stored of it, then nothing of it is left.
# how: smtp or sendmail.
sub stored {
	my ($how, %opt) = @_;
	my $from = $opt{from} // 'bob';
	my $head = $opt{head} // "From: bob\n";
	my $to   = $opt{to} // 'alice';
	my $text = "${head}Date: d\nMessage-Id: <m\@i>\n\nFrom: bob\n";

	if ($how eq 'smtp') {
		my $reply = post($m, $to, from => $from, text => $text);
		$reply =~ /^250 / or return $reply;
	} else {
		my $r = $m->run({ in => $text }, 'sendmail', '-i', '-f', $from,
			ref $to ? @$to : $to);
		$r->{status} == 0 or return "$r->{status} $r->{err}";
	}
	# Without root it is delivered at once: where nothing can be.
	my @queue = $m->queue;
	my $all = join '', map { slurp($m->spool . "/$_") } @queue;
	$m->run('postsuper', '-d', 'ALL')->{status} == 0 or die;
	$all =~ s/^Received: .*\n(?:[ \t].*\n)*//gm;
	return $all;
}

# The runner must not take it first: a hold that both kinds of instance know.
$m->main(home_mailbox => undef, mail_spool_directory => '/nonexistent');

sub envelope { return join "\n", $_[0] =~ /^(?:Return-Path|Delivered-To): (.*)$/mg }
sub header   { my ($h) = $_[0] =~ /\n((?:(?!Date:|Delivered-To|X-Original|Return-P).+\n)*)Date: d\n/; return $h }

for my $how ('smtp', 'sendmail') {
	my $got;

	# ---- completed

	$m->main(append_dot_mydomain => undef);
	$got = stored($how, to => 'alice', head => "From: bob\n"
		. "To: Alice <alice>, carol (Carol),\n bob\@lan1, x\@y.example\n"
		. "Cc: undisclosed-recipients:;\nReply-To: <>\nSubject: bob\n");
	is(envelope($got), "<bob\@mondomaine.lan>\nalice\@mondomaine.lan",
	    "$how: the envelope is completed") or diag $got;
	is(header($got), "From: bob\@mondomaine.lan\n"
	    . "To: Alice <alice\@mondomaine.lan>, carol\@mondomaine.lan (Carol),\n"
	    . " bob\@lan1, x\@y.example\n"
	    . "Cc: undisclosed-recipients:;\nReply-To: <>\nSubject: bob\n",
	    "$how: so is the header, and no more of it") or diag $got;
	like($got, qr/\n\nFrom: bob\n\z/, "$how: and not the body");
	$m->main(append_dot_mydomain => 'yes');
	$got = stored($how, from => 'bob@lan1', head => "From: bob\@lan1\n"
		. "To: c\@localhost, d\@[192.0.2.1], e\@lan2\n");
	is(envelope($got), "<bob\@lan1.mondomaine.lan>\nalice\@mondomaine.lan",
	    "$how: append_dot_mydomain, envelope");
	is(header($got), "From: bob\@lan1.mondomaine.lan\n"
	    . "To: c\@localhost, d\@[192.0.2.1], e\@lan2.mondomaine.lan\n",
	    "$how: append_dot_mydomain, header");
	$m->main(append_dot_mydomain => undef);

	# ---- canonical

	table($m, 'canonical', <<'END');
bob@mondomaine.lan	robert@mondomaine.lan
alice			alice.a@elsewhere.example
carol@old.example	@new.example
@old.example		any@new.example
END
	table($m, 'sender', "bob\@mondomaine.lan b1\@mondomaine.lan\n"
	    . "b1\@mondomaine.lan b2\@mondomaine.lan\n");
	table($m, 'recipient', "alice\@mondomaine.lan bob\@mondomaine.lan\n");
	my %canonical = (
		canonical_maps           => 'gdbm:$config_directory/canonical',
		sender_canonical_maps    => 'gdbm:$config_directory/sender',
		recipient_canonical_maps => 'gdbm:$config_directory/recipient',
	);
	my %none = map { $_ => undef } keys %canonical;

	$m->main(%none, canonical_maps => $canonical{canonical_maps});
	$got = stored($how, to => [ 'bob', 'carol@old.example', 'x@old.example' ],
		head => "From: bob\nTo: Alice <alice>, carol\@old.example\n");
	is(envelope($got), "<robert\@mondomaine.lan>\nrobert\@mondomaine.lan\n"
	    . "carol\@new.example\nany\@new.example",
	    "$how: canonical_maps, envelope") or diag $got;
	is(header($got), "From: robert\@mondomaine.lan\n"
	    . "To: Alice <alice.a\@elsewhere.example>, carol\@new.example\n",
	    "$how: canonical_maps, header");
	$m->main(%none, sender_canonical_maps => $canonical{sender_canonical_maps});
	$got = stored($how, to => 'bob', head => "From: bob\nTo: bob\n");
	is(envelope($got), "<b2\@mondomaine.lan>\nbob\@mondomaine.lan",
	    "$how: sender_canonical_maps, envelope, twice");
	is(header($got), "From: b2\@mondomaine.lan\nTo: bob\@mondomaine.lan\n",
	    "$how: sender_canonical_maps, header");
	$m->main(%none,
		recipient_canonical_maps => $canonical{recipient_canonical_maps});
	$got = stored($how, from => 'alice', head => "From: alice\nTo: alice\n");
	is(envelope($got), "<alice\@mondomaine.lan>\nbob\@mondomaine.lan",
	    "$how: recipient_canonical_maps, envelope");
	is(header($got), "From: alice\@mondomaine.lan\nTo: bob\@mondomaine.lan\n",
	    "$how: recipient_canonical_maps, header");
	$m->main(%canonical);
	$got = stored($how);
	is(envelope($got), "<b2\@mondomaine.lan>\nrobert\@mondomaine.lan",
	    "$how: the special ones come first");
	$got = stored($how, from => '<>') if $how eq 'sendmail';
	$got = stored($how, from => '') if $how eq 'smtp';
	is(envelope($got), "<>\nrobert\@mondomaine.lan",
	    "$how: the null sender stays") or diag $got;

	# A table that cannot be asked.
	unlink $m->etc . '/sender.gdbm';
	$got = stored($how);
	like($got, $how eq 'smtp' ? qr/^451 4\.3\.0 / : qr/^75 .*not taken/,
	    "$how: a missing table") or diag $got;
	is(join(' ', $m->queue), '', "$how: nothing is stored");
	$m->main(%none);

	# ---- masquerade

	$m->main(masquerade_domains => '!keep.mondomaine.lan mondomaine.lan',
		masquerade_exceptions => 'root, news');
	for my $row (
		[ 'bob@host.mondomaine.lan', 'bob@mondomaine.lan' ],
		[ 'bob@a.b.mondomaine.lan', 'bob@mondomaine.lan' ],
		[ 'bob@keep.mondomaine.lan', 'bob@keep.mondomaine.lan' ],
		[ 'bob@x.keep.mondomaine.lan', 'bob@x.keep.mondomaine.lan' ],
		[ 'root@host.mondomaine.lan', 'root@host.mondomaine.lan' ],
		[ 'bob@notmondomaine.lan', 'bob@notmondomaine.lan' ],
		[ 'bob@MONDOMAINE.lan', 'bob@MONDOMAINE.lan' ])
	{
		my ($in, $want) = @$row;

		$got = stored($how, from => $in, to => [ $in, 'alice' ],
			head => "From: $in\nTo: $in\n");
		is(envelope($got), "<$want>\n$in\nalice\@mondomaine.lan",
		    "$how: masquerade, envelope: the sender: $in") or diag $got;
		is(header($got), "From: $want\nTo: $want\n",
		    "$how: masquerade, header: both: $in");
	}
	$m->main(masquerade_domains => undef, masquerade_exceptions => undef);

	# ---- virtual aliases and copies

	table($m, 'virtual', "info\@virtual.example alice, carol\n"
	    . "archive\@virtual.example archive\@store.example\n");
	table($m, 'sbcc', "bob\@mondomaine.lan watch\@far.example\n");
	table($m, 'rbcc', "alice\@mondomaine.lan second\@far.example\n");
	$m->main(virtual_alias_domains => 'virtual.example',
		virtual_alias_maps => 'gdbm:$config_directory/virtual',
		always_bcc         => 'archive@virtual.example',
		sender_bcc_maps    => 'gdbm:$config_directory/sbcc',
		recipient_bcc_maps => 'gdbm:$config_directory/rbcc');
	$got = stored($how, to => [ 'info@virtual.example', 'alice' ]);
	is(join("\n", sort split /\n/, envelope($got)), join("\n", sort
		'<bob@mondomaine.lan>', 'alice@mondomaine.lan',
		'carol@mondomaine.lan', 'second@far.example',
		'archive@store.example', 'watch@far.example'),
	    "$how: virtual aliases, and each copy once");
	like($got, qr/^X-Original-To: info\@virtual\.example\nDelivered-To: carol\@mondomaine\.lan$/m,
	    "$how: what was asked for");
	is(header($got), "From: bob\@mondomaine.lan\n",
	    "$how: a copy is not in the header");
	$got = stored($how, from => 'x@y.example', to => 'carol');
	is(envelope($got), "<x\@y.example>\ncarol\@mondomaine.lan\narchive\@store.example",
	    "$how: always_bcc for all, the others for whom they name");
	$m->main(always_bcc => 'not an address');
	like(stored($how), $how eq 'smtp' ? qr/^451 / : qr/^75 /,
	    "$how: without its archive copy nothing is taken");
	is(join(' ', $m->queue), '', "$how: nor stored");
	$m->main(map { $_ => undef } qw(virtual_alias_domains virtual_alias_maps
		always_bcc sender_bcc_maps recipient_bcc_maps));
}

# A bare postmaster is always here.
$m->main(myorigin => 'elsewhere.example');
like(rcpt($m, 'postmaster'), qr/^250 /, 'postmaster');
my $got = stored('smtp', to => 'Postmaster');
like($got, qr/^Delivered-To: postmaster\@mail\.mondomaine\.lan$/mi,
    'is of this machine, wherever bare names are');
$m->main(myorigin => '$mydomain', append_at_myorigin => 'no');
$got = stored('smtp', head => "From: bob\n");
is(header($got), "From: bob\n", 'append_at_myorigin = no');

# ---- all of it, into mailboxes

$m->main(append_at_myorigin => undef, home_mailbox => 'Maildir/',
	always_bcc => 'carol');
deliver($m, [ 'alice', 'bob' ]);
is(count_mail($m), 'alice=1 bob=1 carol=1', 'always_bcc is delivered');
deliver($m, [ 'alice', 'carol' ]);
is(count_mail($m), 'alice=1 carol=1', 'once');
$m->main(always_bcc => undef);
done_testing;
