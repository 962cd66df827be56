# SPDX-License-Identifier: GPL-3.0-or-later
package Bench::Banner;

# How soon a server speaks, and how soon it lets go.
use strict;
use warnings;
use File::Copy    qw(copy);
use Bench::Place  qw(root spawn finish tool);
use Bench::Report qw(note heading row text median spread quick rounds);
use Bench::Smtp   qw(servers);

# banner.c in the private root: medians of start, QUIT's reply, the end.
sub banner
{
	my @arg = @_;

	open my $out, '+>', undef or die "$!\n";
	finish(spawn(undef, [ '/usr/bin/banner', @arg ], { out => $out }),
		"banner @arg");
	seek $out, 0, 0;
	return split ' ', scalar <$out>;
}

sub measure
{
	my %server = servers();
	my $count  = quick() ? 50 : 200;
	my %form   = (
		start   => [ '/j/malle/bin/smtpd', '-c', '/j/malle/nowait' ],
		map { $_ => [ $server{$_}{port} ] } keys %server
	);
	my %m;

	copy(tool('banner'), root() . '/usr/bin/banner') or die "$!\n";
	chmod 0755, root() . '/usr/bin/banner';
	banner(10, @{ $form{$_} }) for keys %form;
	for my $round (1 .. rounds()) {
		for my $name (qw(start postfix nowait wait)) {
			my @got = banner($count, @{ $form{$name} });
			push @{ $m{$name}[$_] }, $got[$_] for 0 .. 2;
		}
	}
	heading('Time to the banner, and the end of a session (microseconds)');
	my %label = (
		start   => 'ours, exec to banner (a socket pair)',
		postfix => 'Postfix, connect to banner',
		nowait  => 'ours, nowait, connect to banner',
		wait    => 'ours, wait, connect to banner'
	);
	text($label{$_}, spread(0, @{ $m{$_}[0] }))
	    for qw(start nowait wait postfix);
	for (qw(nowait wait postfix)) {
		my $label = $label{$_};
		$label =~ s/connect to banner/QUIT to the end/;
		text($label, spread(0, @{ $m{$_}[2] }) . ', its reply after '
			. spread(0, @{ $m{$_}[1] }));
	}
	row('no linger at QUIT, ours, nowait', median(@{ $m{nowait}[2] }) / 1000,
		'<=', 5, 'ms');
	return;
}

1;
