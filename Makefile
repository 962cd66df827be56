# SPDX-License-Identifier: GPL-3.0-or-later
# malle: `make help` says what there is.

CC = gcc
CFLAGS = -O2 -g
PREFIX = /usr
RUN_DIR = run
PORT_BASE = 2000
B = build

WARN = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wformat=2 -Wnull-dereference \
	-Wimplicit-fallthrough
HARD = -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection \
	-fcf-protection -fPIE
# Static: the exec is the largest part of what a connection costs.
LINK = -static-pie -Wl,-z,relro,-z,now,-z,noexecstack
ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE -Ilib -MMD -MP -ffile-prefix-map=$(CURDIR)=. \
	$(WARN) $(HARD) $(CFLAGS)

# A program is bin/NAME.c or the files of bin/NAME/; all may use all of lib/,
# and the linker takes what they do use.
PROGRAMS = smtpd qrun local pop3d checkpw sendmail postconf
LIBS_checkpw = -lcrypt

sources = $(wildcard bin/$(1).c bin/$(1)/*.c)
objects = $(patsubst %.c,$(B)/%.o,$(call sources,$(1)))
LIB = $(patsubst %.c,$(B)/%.o,$(wildcard lib/*/*.c))

all: $(PROGRAMS:%=$(B)/%)	## build every program into build/

define program
$(B)/$(1): $(call objects,$(1)) $(B)/libmalle.a
	$$(CC) $$(ALL_CFLAGS) $$(LINK) $$(LDFLAGS) -o $$@ $$^ $$(LIBS_$(1))
endef
$(foreach p,$(PROGRAMS),$(eval $(call program,$(p))))

$(B)/libmalle.a: $(LIB)
	rm -f $@ && $(AR) rcs $@ $^

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

include t/rules.mk

clean:	## remove build/
	rm -rf $(B)

help:	## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 20

-include $(shell find $(B) -name '*.d' 2>/dev/null)
.PHONY: all clean help
