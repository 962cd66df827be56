# SPDX-License-Identifier: GPL-3.0-or-later
# malle: `make help` says what there is.

CC = gcc
CFLAGS = -O2 -g
B = build
RUN_DIR = run
PORT_BASE = 2000
FORM = nowait
FUZZ_SECONDS = 20

WARN = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wformat=2 -Wnull-dereference \
	-Wimplicit-fallthrough
HARD = -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection \
	-fcf-protection -fPIE
# Static: the exec is the largest part of what a connection costs.
LINK = -static-pie -Wl,-z,relro,-z,now,-z,noexecstack
ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE -Ilib -include lib/banned.h -MMD -MP \
	'-ffile-prefix-map=$(CURDIR)=.' $(WARN) $(HARD) $(CFLAGS)

# A program is bin/NAME.c or the files of bin/NAME/; all may use all of lib/,
# and the linker takes what they do use.
PROGRAMS = smtpd qrun local relay bounce pop3d tlsd checkpw sendmail \
	postconf postqueue postsuper postcat postmap malle
$(foreach p,smtpd qrun pop3d sendmail postmap malle,$(eval LIBS_$(p) = -lgdbm))
LIBS_checkpw = -lcrypt
# The one program that is not static: there is no static GnuTLS.
LIBS_tlsd = -lgnutls
$(B)/tlsd: LINK := $(LINK:-static-pie=-pie)

sources = $(wildcard bin/$(1).c bin/$(1)/*.c)
objects = $(patsubst %.c,$(B)/%.o,$(call sources,$(1)))
LIB = $(patsubst %.c,$(B)/%.o,$(wildcard lib/*/*.c))
# Each a program of its own, for the tests.
TOOLS = $(patsubst %.c,$(B)/%,$(wildcard t/unit/*.c t/fault/*.c))
# Fuzz targets; the compiler's fuzzer or t/fuzz/main.c, which replays the
# corpus, is their main.
FUZZ = $(patsubst %.c,%,$(filter-out t/fuzz/main.c,$(wildcard t/fuzz/*.c)))

MAKE_QUIET = $(MAKE) --no-print-directory
PROVE = MALLE_BUILD="$(B)" timeout 840 prove -j2 --rules 'seq=t/9*.t' --rules 'par=**'
SAN = B=build-asan LINK=-pie HARD=-fPIE \
	CFLAGS="-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all"
SAN_TESTS = $(wildcard t/[0-5]*.t)
TIDY = clang-analyzer-*,bugprone-*,cert-*,-bugprone-easily-swappable-parameters,$\
	-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling,$\
	-clang-analyzer-valist.Uninitialized,-bugprone-narrowing-conversions
ALL_C = $(shell find bin lib t -name '*.[ch]')
SHELL_SCRIPTS = .ci/run etc/install-packages etc/private-ca etc/run-private \
	$(shell awk 'FNR == 1 && /^\#!\/bin\/sh/ { print FILENAME }' t/*.t t/bench/run)

# sendmail by other names.
ALIASES = mailq newaliases

all: $(PROGRAMS:%=$(B)/%) $(ALIASES:%=$(B)/%) $(B)/postalias	## build every program into build/

define program
$(B)/$(1): $(call objects,$(1)) $(B)/libmalle.a
	$$(CC) $$(ALL_CFLAGS) $$(LINK) $$(LDFLAGS) -o $$@ $$^ $$(LIBS_$(1))
endef
$(foreach p,$(PROGRAMS),$(eval $(call program,$(p))))

$(ALIASES:%=$(B)/%): $(B)/sendmail
	ln -sf sendmail $@

$(B)/postalias: $(B)/postmap
	ln -sf postmap $@

$(B)/libmalle.a: $(LIB)
	rm -f $@ && $(AR) rcs $@ $^

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(TOOLS): $(B)/%: $(B)/%.o $(B)/libmalle.a
	$(CC) $(ALL_CFLAGS) $(LINK) $(LDFLAGS) -o $@ $^ -lgdbm

$(FUZZ:%=$(B)/%): $(B)/%: $(B)/%.o $(B)/t/fuzz/main.o $(B)/libmalle.a
	$(CC) $(ALL_CFLAGS) $(LINK) $(LDFLAGS) -o $@ $^ -lgdbm

run:	## a private mail server in the foreground: RUN_DIR, PORT_BASE, FORM
	@etc/install-packages run
	@$(MAKE_QUIET) -s all
	@exec env --default-signal=INT setpriv --pdeathsig TERM etc/run-private "$(B)" "$(RUN_DIR)" "$(PORT_BASE)" "$(FORM)"

check:	## install what is missing, build, pass every test
	@etc/install-packages run check
	@$(MAKE_QUIET) -s shell-lint programs-and-tests
	$(PROVE) t
	@$(MAKE_QUIET) -s check-asan

programs-and-tests: all $(TOOLS) $(FUZZ:%=$(B)/%)

check-asan:	## the same tests with address and undefined-behaviour sanitizers
	@$(MAKE_QUIET) -s $(SAN) programs-and-tests
	$(MAKE_QUIET) $(SAN) prove-some

prove-some: export ASAN_OPTIONS = detect_leaks=1:abort_on_error=1
prove-some:
	$(PROVE) $(SAN_TESTS)

POWERCUTS = 500
sweep: all $(TOOLS)	## faults at every system call, not only at a share
	MALLE_BUILD="$(B)" MALLE_SWEEP=all MALLE_TEST_SECONDS=7200 \
	    prove -j2 t/44-bounce.t t/50-kill-sweep.t t/51-errno-sweep.t

powercut: all $(TOOLS)	## POWERCUTS power cuts on each file system (root)
	MALLE_BUILD="$(B)" MALLE_POWERCUTS=$(POWERCUTS) \
	    MALLE_TEST_SECONDS=36000 prove -v t/52-power-cut.t

bench:	## measure against peers and the machine's own limit (root)
	@etc/install-packages run bench
	@$(MAKE_QUIET) -s all
	@MALLE_BUILD="$(B)" exec t/bench/run

strict:	## no warnings from gcc and clang
	@$(MAKE_QUIET) -s B=build-strict/gcc CC=gcc CFLAGS="-O2 -Werror" objects
	@$(MAKE_QUIET) -s B=build-strict/clang CC=clang CFLAGS="-O2 -Werror" objects

objects: $(patsubst %.c,$(B)/%.o,$(filter %.c,$(ALL_C)))

fuzz:	## run every fuzz target for FUZZ_SECONDS
	@$(MAKE_QUIET) -s B=build-fuzz CC=clang LINK=-pie HARD=-fPIE \
	    CFLAGS="-O1 -g -fsanitize=fuzzer-no-link,address,undefined" \
	    build-fuzz/libmalle.a $(FUZZ:%=build-fuzz/%.o)
	set -e; for f in $(FUZZ); do \
		clang -fsanitize=fuzzer,address,undefined -o build-fuzz/$$f \
		    build-fuzz/$$f.o build-fuzz/libmalle.a -lgdbm; \
		mkdir -p build-fuzz/corpus/$${f##*/}; \
		build-fuzz/$$f -max_total_time=$(FUZZ_SECONDS) -max_len=4096 \
		    -timeout=5 -verbosity=0 -print_final_stats=1 \
		    -artifact_prefix=build-fuzz/$${f##*/}- \
		    build-fuzz/corpus/$${f##*/} t/fuzz/corpus/$${f##*/}; \
	done

man-lint:	## the manual pages' own checker
	@set -- man/*.[1-8]; [ ! -e "$$1" ] || mandoc -Tlint -W warning "$$@"

shell-lint:	## shellcheck
	@shellcheck -s sh $(SHELL_SCRIPTS)

analyze:	## gcc -fanalyzer, cppcheck, clang-tidy
	@etc/install-packages check analyze
	@$(MAKE_QUIET) -s B=build-strict/analyzer CFLAGS="-O2 -fanalyzer" objects
	cppcheck -q --std=c11 --enable=warning,performance,portability -Ilib \
	    --inline-suppr --error-exitcode=1 -D_GNU_SOURCE bin lib
	clang-tidy --quiet --warnings-as-errors='*' \
	    --checks='-*,$(TIDY)' \
	    $(filter bin/%.c lib/%.c,$(ALL_C)) -- -std=gnu17 -D_GNU_SOURCE -Ilib

format:	## put every C file into shape
	@clang-format -i $(ALL_C)

format-check:	## is it
	@clang-format --dry-run -Werror $(ALL_C)

cover:	## the tests, then the lines they did not reach (build-cover/*.gcov)
	@$(MAKE_QUIET) -s B=build-cover CFLAGS="-O0 -g --coverage" HARD=-fPIE programs-and-tests
	-MALLE_BUILD=build-cover prove -j2 $(SAN_TESTS)
	cd build-cover && find . -name '*.gcda' -exec gcov -r -s "$(CURDIR)" {} + | \
	    grep -A1 "^File '\(bin\|lib\)" | paste - - - | sed "s/^File//"

clean:	## remove what was built
	rm -rf build build-asan build-strict build-fuzz build-cover

help:	## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 16

-include $(shell find $(B) -name '*.d' 2>/dev/null)
.PHONY: all run check check-asan prove-some bench strict objects fuzz man-lint \
	shell-lint analyze format format-check cover clean help programs-and-tests \
	sweep powercut
