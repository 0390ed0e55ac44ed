/* SPDX-License-Identifier: BSD-3-Clause */
/* The workers' side of the forwarding tables: lookups. control/routing/fib_writer.c fills them. */
#include "dataplane/fib.h"

#include "dataplane/addr.h"

#include <rte_byteorder.h>

#include <string.h>

struct fib *_Atomic fib_table[VRF_MAX];

void fib_lookup4_bulk(struct fib *fib, const uint32_t *dst, uint64_t *nh, unsigned n)
{
	struct rte_fib *v4 = atomic_load_explicit(&fib->v4, memory_order_acquire);

	/* The library takes the addresses as not const, but does not change them. */
	rte_fib_lookup_bulk(v4, (uint32_t *)(uintptr_t)dst, nh, n);
}

void fib_lookup6_bulk(struct fib *fib, uint8_t dst[][16], uint64_t *nh, unsigned n)
{
	struct rte_fib6 *v6 = atomic_load_explicit(&fib->v6, memory_order_acquire);

	/* void *: DPDK 24.11 made the addresses a type of their own. */
	rte_fib6_lookup_bulk(v6, (void *)dst, nh, n);
}

uint32_t fib_lookup(struct fib *fib, unsigned family, const void *dst)
{
	uint8_t v6[1][16];
	uint64_t nh = 0;
	uint32_t v4;

	if (family == IP_V4) {
		memcpy(&v4, dst, sizeof(v4));
		v4 = rte_be_to_cpu_32(v4);
		fib_lookup4_bulk(fib, &v4, &nh, 1);
	} else {
		memcpy(v6[0], dst, sizeof(v6[0]));
		fib_lookup6_bulk(fib, v6, &nh, 1);
	}
	return nh;
}
