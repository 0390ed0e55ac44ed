/* SPDX-License-Identifier: BSD-3-Clause */
/* What a fuzz target gives to its driver: libFuzzer's (-Dfuzz=true) or ours (fuzz_main.c). */
#ifndef VIADUCT_TEST_FUZZ_H
#define VIADUCT_TEST_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);

/* 0. A fault found ends the program. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
