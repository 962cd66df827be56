# SPDX-License-Identifier: GPL-3.0-or-later
package Malle;

use strict;
use warnings;
use Cwd            qw(abs_path);
use Errno          qw(EINTR);
use Exporter       qw(import);
use Fcntl          qw(F_GETFD F_SETFD FD_CLOEXEC);
use File::Basename qw(dirname);
use File::Path     qw(make_path remove_tree);
use File::Spec;
use IO::Select;
use IO::Socket::INET;
use POSIX       qw(WNOHANG);
use Test::More  ();
use Time::HiRes qw(time sleep);
use Malle::Talk;

our @EXPORT_OK = qw(build_dir top_dir program run free_port free_base
    wait_until slurp spew hash_password is_root skip_unless_root
    skip_unless_command kill_and_wait);

=head1 NAME

Malle - what the tests share: a private instance, conversations, processes

=head1 SYNOPSIS

    use lib 't/lib';
    use Malle qw(run wait_until);

    my $m = Malle->new(main => { home_mailbox => 'Maildir/' });
    $m->transcript('smtpd', <<'END');
    S~ ^220 mail\.mondomaine\.lan ESMTP
    C: HELO mail.mondomaine.lan
    S: 250 mail.mondomaine.lan
    C: QUIT
    S: 221 2.0.0 Bye
    S: EOF
    END
    my @mail = wait_until { $m->mail('alice') };    # texts, oldest first
    my $r = $m->run('postconf', '-h', 'myhostname'); # {out, err, status}

=head1 DESCRIPTION

Programs are taken from $MALLE_BUILD (default "build").  Everything an
instance makes lies in a temporary directory (mode 0700, as a home may be)
and goes when the test ends; processes started by C<talk> and C<serve> end
with it.  A test that hangs is ended after $MALLE_TEST_SECONDS (default 300).

As root, mail_owner is the system account "mail", and the users have the
numeric ids 61001 and up with homes of their own; otherwise everything is
the user who runs the test.

=cut

my $top   = abs_path(dirname(__FILE__) . '/../..');
my $owner = $$;
my @cleanup;

$SIG{PIPE} = 'IGNORE';
$SIG{$_} = sub { exit 1 }
    for qw(INT TERM HUP);
$SIG{ALRM} = sub { Test::More::diag('the test took too long'); exit 1 };
alarm($ENV{MALLE_TEST_SECONDS} || 300);

END {
	if ($$ == $owner) {
		local ($?, $!);
		alarm 0;
		$_->() for reverse @cleanup;
	}
}

=head1 FUNCTIONS

=over

=item top_dir, build_dir, program(NAME)

Absolute paths.  C<program> ends the test if it was not built.

=cut

sub top_dir   { return $top }
sub build_dir { return File::Spec->rel2abs($ENV{MALLE_BUILD} || 'build', $top) }

sub program {
	my ($name) = @_;

	return $name if $name =~ m{^/};
	my $path = build_dir() . "/$name";
	-x $path or Test::More::BAIL_OUT("$path is missing: make");
	return $path;
}

=item wait_until CODE [, SECONDS [, WHAT]]

Calls CODE (at first every 2 ms) until it returns something true, and
returns that; after SECONDS (default 20) nothing, and a diagnostic if WHAT
is given.  CODE is called in list context.

=cut

sub wait_until (&;$$) {
	my ($code, $seconds, $what) = @_;
	my $end  = time + ($seconds || 20);
	my $step = 0.002;

	for (;;) {
		my @got = $code->();
		return wantarray ? @got : $got[0] if @got && $got[0];
		last if time > $end;
		sleep $step;
		$step = $step * 1.5 < 0.1 ? $step * 1.5 : 0.1;
	}
	Test::More::diag("waited in vain: $what") if defined $what;
	return;
}

=item free_port [PROTO], free_base OFFSET...

A port on 127.0.0.1 that nobody has now; a PORT_BASE for which all
PORT_BASE + OFFSET are free, TCP and UDP.

=cut

sub is_free {
	my ($port) = @_;

	for my $proto (qw(tcp udp)) {
		my $s = IO::Socket::INET->new(
			LocalAddr => '127.0.0.1',
			LocalPort => $port,
			Proto     => $proto,
			$proto eq 'tcp' ? (Listen => 1, ReuseAddr => 1) : (),
		) or return 0;
		close $s;
	}
	return 1;
}

sub free_port { return free_base(0) }

sub free_base {
	my @offset = @_;

	# Below the ephemeral range, so that no client takes it meanwhile.
	for (1 .. 500) {
		my $base = 10000 + int rand 20000;
		return $base unless grep { !is_free($base + $_) } @offset;
	}
	Test::More::BAIL_OUT('no free port');
}

=item slurp(FILE), spew(FILE, TEXT)

=cut

sub slurp {
	my ($path) = @_;

	open my $fh, '<:raw', $path or die "$path: $!\n";
	local $/ = undef;
	return scalar <$fh> // '';
}

sub spew {
	my ($path, $text) = @_;

	open my $fh, '>:raw', $path or die "$path: $!\n";
	print {$fh} $text or die "$path: $!\n";
	close $fh or die "$path: $!\n";
	return;
}

=item hash_password(TEXT)

A yescrypt hash, with the least cost, so that tests are quick.

=cut

sub hash_password {
	my ($text) = @_;
	my $hash = crypt $text, '$y$j75$saltsaltsaltsalt$';

	$hash && $hash =~ /^\$y\$/
	    or Test::More::BAIL_OUT('crypt(3) knows no yescrypt');
	return $hash;
}

=item is_root, skip_unless_root(WHY), skip_unless_command(NAME...)

The latter two end the test file with a reason.

=cut

sub is_root { return $> == 0 }

sub skip_unless_root {
	my ($why) = @_;

	Test::More::plan(skip_all => "needs root: $why") unless is_root();
	return;
}

sub skip_unless_command {
	for my $name (@_) {
		Test::More::plan(skip_all => "needs $name")
		    unless grep { -x "$_/$name" } split /:/, $ENV{PATH};
	}
	return;
}

=item run({OPTIONS,} COMMAND, ARG...)

Runs a program to its end; COMMAND without a slash is one of ours.
Options: in (text for its standard input), env (additions), seconds
(default 60, then it is killed), cwd.  Returns {out, err, status, signal};
status is -1 if a signal ended it, 127 if it could not be started.

=cut

sub run {
	my $opt = ref $_[0] ? shift : {};
	my ($command, @arg) = @_;

	$command = program($command) unless $command =~ m{/};
	my @file = map { open my $f, '+>', undef or die; $f } 0 .. 2;
	print { $file[0] } $opt->{in} if defined $opt->{in};
	$file[0]->flush;
	seek $file[0], 0, 0;
	my $pid = spawn([ $command, @arg ], \@file, $opt);
	my $status;
	my $done = wait_until { waitpid($pid, WNOHANG) == $pid && do { $status = $?; 1 } }
	    $opt->{seconds} || 60;
	if (!$done) {
		kill KILL => $pid;
		waitpid $pid, 0;
		$status = $?;
	}
	my ($out, $err) = map { seek $_, 0, 0; local $/; scalar <$_> // '' }
	    @file[ 1, 2 ];
	return {
		out    => $out,
		err    => $err,
		signal => $status & 127,
		status => $status & 127 ? -1 : $status >> 8,
	};
}

=item spawn([COMMAND, ARG...], [IN, OUT, ERR], {OPTIONS})

Starts it with these handles as 0, 1, 2 and no others; returns the pid.
Options as for run, and group (a process group of its own).

=cut

sub spawn {
	my ($argv, $file, $opt) = @_;
	my $pid = fork // die "fork: $!\n";

	return $pid if $pid;
	@cleanup = ();
	$SIG{$_} = 'DEFAULT' for qw(PIPE INT TERM HUP ALRM);
	setpgrp 0, 0 if $opt->{group};
	$ENV{$_} = $opt->{env}{$_} for keys %{ $opt->{env} || {} };
	defined $opt->{env}{$_} or delete $ENV{$_} for keys %{ $opt->{env} || {} };
	chdir $opt->{cwd} or POSIX::_exit(127) if $opt->{cwd};
	my @fd = map { POSIX::dup(fileno $_) } @$file;
	for my $n (0 .. $#fd) {
		# Not into one that is still to be copied: those are higher.
		POSIX::dup2($fd[$n], $n) // POSIX::_exit(127);
	}
	POSIX::close($_) for 3 .. 63;
	no warnings 'exec';
	exec { $argv->[0] } @$argv;
	POSIX::_exit(127);
}

=item kill_and_wait(PID [, SIGNAL])

Ends a child of ours, with KILL after five seconds.

=cut

sub kill_and_wait {
	my ($pid, $signal) = @_;

	kill $signal || 'TERM', $pid;
	my $gone = wait_until { waitpid($pid, WNOHANG) != 0 } 5;
	return 1 if $gone;
	kill KILL => $pid;
	waitpid $pid, 0;
	return 0;
}

=back

=head1 INSTANCES

=over

=item Malle->new(OPTIONS)

main: hash of main.cf parameters, over the defaults of the test instance
(those of "make run"); users: hash of name to password (default alice and
bob, "secret"); mode: of the directory that holds it all (default 0700).

=item dir, etc, spool, home(USER), main_cf, maillog

Paths.

=cut

sub new {
	my ($class, %opt) = @_;
	my $base = $ENV{TMPDIR} || '/tmp';
	my $dir;

	for (1 .. 100) {
		$dir = sprintf '%s/malle-%d-%06x', $base, $$, rand 0xffffff;
		last if mkdir $dir, 0700;
		undef $dir;
	}
	defined $dir or Test::More::BAIL_OUT("$base: $!");
	chmod $opt{mode} // 0700, $dir;
	my $self = bless { dir => $dir, pid => [] }, $class;
	push @cleanup, sub { $self->destroy };
	make_path(map { "$dir/$_" } qw(etc log home mail spool));
	$self->{owner} = is_root() ? 'mail' : getpwuid $>;
	if (is_root()) {
		my ($uid, $gid) = (getpwnam 'mail')[ 2, 3 ];
		chown $uid, $gid, "$dir/spool";
		chmod 0700, "$dir/spool";
		chown 0, $gid, "$dir/mail";
		chmod 02775, "$dir/mail";
	}
	$self->set_users(%{ $opt{users} || { alice => 'secret', bob => 'secret' } });
	spew($self->main_cf, '');
	$self->main(
		myhostname           => 'mail.mondomaine.lan',
		mydomain             => 'mondomaine.lan',
		myorigin             => '$mydomain',
		mydestination        => '$mydomain, $myhostname, localhost',
		home_mailbox         => 'Maildir/',
		mail_owner           => $self->{owner},
		queue_directory      => $self->spool,
		mail_spool_directory => "$dir/mail",
		passwd_file          => "$dir/etc/passwd",
		maillog_file         => $self->maillog,
		alias_maps           => '',
		daemon_directory     => build_dir(),
		command_directory    => build_dir(),
		sendmail_service     => '',	# not to whoever has port 25 here
		%{ $opt{main} || {} },
	);
	return $self;
}

sub dir     { return $_[0]{dir} }
sub etc     { return "$_[0]{dir}/etc" }
sub spool   { return "$_[0]{dir}/spool" }
sub home    { return "$_[0]{dir}/home/$_[1]" }
sub main_cf { return "$_[0]{dir}/etc/main.cf" }
sub maillog { return "$_[0]{dir}/log/maillog" }

=item main(NAME => VALUE, ...)

Sets parameters in main.cf (undef removes one), by renaming a new file into
place.

=cut

sub main {
	my ($self, %set) = @_;
	my $path = $self->main_cf;
	my @line = grep { !/^(\w+)\s*=/ || !exists $set{$1} }
	    split /^/, slurp($path);

	push @line, map { "$_ = $set{$_}\n" }
	    grep { defined $set{$_} } sort keys %set;
	spew("$path.new", join '', @line);
	rename "$path.new", $path or die "$path: $!\n";
	return;
}

=item set_users(NAME => PASSWORD, ...)

Writes the passwd file anew; makes the homes.  An order of names gives the
ids.

=cut

sub set_users {
	my ($self, %user) = @_;
	my $uid  = 61001;
	my $text = '';

	for my $name (sort keys %user) {
		my $home = $self->home($name);
		my ($u, $g) = is_root() ? ($uid, $uid) : ($>, $) + 0);
		$uid++;
		make_path($home, { mode => 0700 });
		chown $u, $g, $home;
		$text .= join(':', $name, hash_password($user{$name}), $u, $g,
			ucfirst $name, $home, '/usr/sbin/nologin') . "\n";
	}
	spew("$self->{dir}/etc/passwd", $text);
	chmod 0600, "$self->{dir}/etc/passwd";
	return;
}

=item mail(USER)

The texts of the messages in the user's Maildir (new, then cur), or in the
mbox as one text if there is no Maildir.

=item mail_names(USER), queue, log

File names relative to the Maildir; "place/name" of every message in the
spool (incoming, deferred, hold, corrupt); the text of the log.

=cut

sub mail_names {
	my ($self, $user) = @_;
	my $maildir = $self->home($user) . '/Maildir';

	return map { my $sub = $_; map { "$sub/$_" } names("$maildir/$sub") }
	    qw(new cur);
}

sub mail {
	my ($self, $user) = @_;
	my $home = $self->home($user);
	my $mbox = "$self->{dir}/mail/$user";

	return map { slurp("$home/Maildir/$_") } $self->mail_names($user)
	    if -d "$home/Maildir";
	return -e $mbox ? slurp($mbox) : ();
}

sub queue {
	my ($self) = @_;
	my $spool = $self->spool;
	my @place = (qw(incoming hold corrupt),
		map { "deferred/$_" } names("$spool/deferred"));

	return map { my $p = $_; map { "$p/$_" } names("$spool/$p") } @place;
}

sub log {
	my ($self) = @_;

	return -e $self->maillog ? slurp($self->maillog) : '';
}

sub names {
	my ($dir) = @_;

	opendir my $dh, $dir or return;
	return sort grep { !/^\.\.?$/ } readdir $dh;
}

=item run({OPTIONS,} COMMAND, ARG...)

As the function, with MAIL_CONFIG set; queue_run() is a full run of qrun and
dies if that fails.

=cut

sub env {
	my ($self, $more) = @_;

	return { MAIL_CONFIG => $self->etc, %{ $more || {} } };
}

# Both Malle::run(...) and $m->run(...): told apart by the first argument.
{
	no warnings 'redefine';
	my $function = \&run;
	*run = sub {
		return $function->(@_) unless ref $_[0] && ref $_[0] ne 'HASH';
		my $self = shift;
		my $opt  = ref $_[0] ? shift : {};
		return $function->({ %$opt, env => $self->env($opt->{env}) }, @_);
	};
}

sub queue_run {
	my ($self) = @_;
	my $r = $self->run('qrun');

	$r->{status} == 0 or die "qrun: status $r->{status}: $r->{err}\n";
	return;
}

=item talk(PROGRAM, ARG...), connect(PORT)

A conversation with a program on two pipes, or with 127.0.0.1:PORT: a
L<Malle::Talk>.  An option hash as first argument is as for run.

=cut

sub talk {
	my $self = shift;
	my $opt  = ref $_[0] ? shift : {};
	my ($name, @arg) = @_;

	my $talk = Malle::Talk->program(sub { spawn(@_) },
		[ program($name), @arg ], { %$opt, env => $self->env($opt->{env}) });
	push @{ $self->{pid} }, $talk->pid;
	return $talk;
}

sub connect {
	my ($self, $port) = @_;

	return Malle::Talk->socket($port);
}

=item transcript(PROGRAM or PORT, TEXT [, NAME])

Plays a conversation and compares; one test.  Lines of TEXT:

    C: a line, sent with CRLF
    C| octets, sent as they are; \r \n \t \0 \\ \xHH mean what they do in Perl
    C! the sending side is closed
    S: the line that must come (without CRLF, which must be there);
       "S: EOF" is the end of it
    S~ a regular expression for it
    S* lines are skipped up to one that matches it
    # a comment

=cut

sub transcript {
	my ($self, $what, $text, $name) = @_;
	my $talk = $what =~ /^\d+$/ ? $self->connect($what)
	    : $self->talk(ref $what ? @$what : $what);
	my $trouble = $talk->play($text);

	$talk->close;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $ok = Test::More::ok(!defined $trouble, $name || "transcript of $what");
	Test::More::diag($trouble, "\n", $talk->record) unless $ok;
	return $ok;
}

=item serve(PROGRAM, FORM, ARG...)

Starts a server on a free port of 127.0.0.1 and returns the port: FORM
"wait" hands the listening socket over as fd 0, "nowait" is an inetd of its
own with a process for each connection.  (The real xinetd is in 90-run.t.)

=cut

sub serve {
	my ($self, $name, $form, @arg) = @_;
	my $sock = IO::Socket::INET->new(
		LocalAddr => '127.0.0.1', Listen => 128, ReuseAddr => 1,
	) or die "listen: $!\n";
	my $argv = [ program($name), @arg ];
	my $opt  = { env => $self->env, group => 1 };
	my $pid;

	if ($form eq 'wait') {
		$pid = spawn($argv, [ $sock, $sock, $sock ], $opt);
	} else {
		$pid = fork // die "fork: $!\n";
		if (!$pid) {
			@cleanup = ();
			setpgrp 0, 0;
			$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP ALRM);
			$SIG{CHLD} = 'IGNORE';
			for (;;) {
				my $c = $sock->accept or next;
				spawn($argv, [ $c, $c, $c ], { env => $self->env });
				close $c;
			}
		}
	}
	push @{ $self->{group} }, $pid;
	return $sock->sockport;
}

sub destroy {
	my ($self) = @_;

	for my $pid (@{ $self->{group} || [] }) {
		kill TERM => -$pid;
		kill_and_wait($pid);
		kill KILL => -$pid;
	}
	kill KILL => $_ for @{ $self->{pid} };
	remove_tree($self->{dir}, { safe => 0 }) if -d $self->{dir};
	return;
}

=back

=cut

1;
