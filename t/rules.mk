# SPDX-License-Identifier: GPL-3.0-or-later
# What the tests need built: t/unit/*.c with the compiler of the day, and
# t/fuzz/*.c with sanitizers, each with a main that replays its corpus.

UNIT = $(patsubst %.c,$(B)/%,$(wildcard t/unit/*.c))
FUZZ = $(patsubst %.c,$(B)/%,$(filter-out t/fuzz/replay.c,$(wildcard t/fuzz/*.c)))
FUZZ_SECONDS = 20

build-unit: $(UNIT)
build-fuzz: $(FUZZ)

# With the pure layer and nothing else: that it links is a test, too.
$(UNIT): $(B)/%: %.c t/unit/tap.h $(filter $(B)/lib/pure/%,$(LIB))
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(LINK) $(LDFLAGS) -o $@ $(filter-out %.h,$^)

SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all
FUZZ_CFLAGS = -std=gnu17 -D_GNU_SOURCE -Ilib -MMD -MP $(WARN) -g -O1 \
	-fno-omit-frame-pointer
FUZZ_LIB = $(patsubst %.c,$(B)/t/fuzz/%.o,$(wildcard lib/*/*.c))

$(B)/t/fuzz/lib/%.o: lib/%.c
	@mkdir -p $(@D)
	$(CC) $(FUZZ_CFLAGS) $(SANITIZE) -c -o $@ $<

$(B)/t/fuzz/lib.a: $(FUZZ_LIB)
	rm -f $@ && $(AR) rcs $@ $^

$(FUZZ): $(B)/%: %.c t/fuzz/replay.c $(B)/t/fuzz/lib.a
	@mkdir -p $(@D)
	$(CC) $(FUZZ_CFLAGS) $(SANITIZE) -o $@ $^

# New inputs that find something go to build/, what they found wrong there
# too; both are for a person to look at.
fuzz:	## look for inputs that break a parser, FUZZ_SECONDS each (clang)
	@for f in $(notdir $(FUZZ)); do \
		d=$(B)/t/fuzz/found/$$f; mkdir -p $$d; \
		clang $(FUZZ_CFLAGS) -fsanitize=fuzzer,address,undefined \
		    -fno-sanitize-recover=all -o $(B)/t/fuzz/$$f-fuzzer \
		    t/fuzz/$$f.c lib/*/*.c && \
		$(B)/t/fuzz/$$f-fuzzer -max_total_time=$(FUZZ_SECONDS) \
		    -max_len=4096 -timeout=5 -print_final_stats=1 -verbosity=0 \
		    -artifact_prefix=$$d/crash- $$d t/fuzz/corpus/$$f || exit 1; \
	done

.PHONY: build-unit build-fuzz fuzz
