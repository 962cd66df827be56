/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A fuzz target: takes one input, and aborts when the code under it broke a
 * promise of its header.  libFuzzer calls it, or main.c.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* assert(3) that no NDEBUG takes away. */
#define MUST(x) ((x) ? (void)0 : abort())

#endif
