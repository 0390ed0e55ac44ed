/* SPDX-License-Identifier: BSD-3-Clause */
/* AES-256-CTR generator that replaces its key with the first of its own output at every refill
 * ("fast key erasure"): what was drawn can't be computed again from what is in memory. */
#ifndef VIADUCT_CRYPTO_RANDOM_H
#define VIADUCT_CRYPTO_RANDOM_H

#include <rte_common.h>

#include <stdint.h>

struct IMB_MGR;

#define DRBG_BYTES 4096 /* made at a time */

struct drbg {
	uint8_t schedule[16 * 15] __rte_aligned(16);
	uint8_t counter[16];
	uint32_t used; /* bytes of `out` given away; DRBG_BYTES: refill first */
	uint8_t out[DRBG_BYTES] __rte_cache_aligned;
};

/* Seed by getrandom(2). 0 or a negative errno. */
int drbg_init(struct drbg *d, struct IMB_MGR *mgr);
void drbg_fill(struct drbg *d, struct IMB_MGR *mgr, void *buf, unsigned n);

#endif
