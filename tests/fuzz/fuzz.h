/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_TESTS_FUZZ_H
#define CARDIAC_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/** Tries one input; returns 0, aborts on a defect. libFuzzer's name. */
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

#endif
