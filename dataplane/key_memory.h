/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory for key schedules: in pages that hold nothing else, that are not swapped out and in no core
 * file. Control thread only. */
#ifndef VIADUCT_KEY_MEMORY_H
#define VIADUCT_KEY_MEMORY_H

#include <stddef.h>

/* Zeroed, on a cache line's boundary; NULL: no memory. size: at most 4 KiB. */
void *key_memory_alloc(size_t size);
/* Wiped first. */
void key_memory_free(void *key);

#endif
