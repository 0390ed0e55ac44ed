/* SPDX-License-Identifier: BSD-3-Clause */
/* The forwarding table of one VRF: IPv4 by rte_fib (DIR24-8), IPv6 by rte_fib6 (trie).
 *
 * rte_fib reuses a table's groups at once, so a reader may see another prefix's next hop while it
 * is being changed. Hence two copies of each family: readers use the active one, the control
 * thread edits the other, swaps them, waits for a quiescent period and repeats the edits on the
 * one that was active (left-right). Lookups never wait and never see a half-made change. The
 * copies themselves are the control thread's (control/routing/fib_writer.c). */
#ifndef VIADUCT_FIB_H
#define VIADUCT_FIB_H

#include <rte_common.h>
#include <rte_fib.h>
#include <rte_fib6.h>

#include <stdatomic.h>
#include <stdint.h>

#define VRF_MAX 256

struct fib {
	struct rte_fib *_Atomic v4;  /* active copy */
	struct rte_fib6 *_Atomic v6; /* active copy */
	/* Counts swaps. A next hop cached together with this number is good while it stands. */
	_Atomic uint32_t generation;
} __rte_cache_aligned;

/* By VRF index; [0] is the main table and always there once control has started. */
extern struct fib *_Atomic fib_table[VRF_MAX];

static inline struct fib *fib_by_vrf(uint8_t vrf)
{
	return atomic_load_explicit(&fib_table[vrf], memory_order_acquire);
}

/* Look up one destination (16 or 4 bytes, network order) of `family`; next-hop id. */
uint32_t fib_lookup(struct fib *fib, unsigned family, const void *dst);

/* The same for n destinations: IPv4 in HOST byte order, as rte_fib wants it. */
void fib_lookup4_bulk(struct fib *fib, const uint32_t *dst, uint64_t *nh, unsigned n);
void fib_lookup6_bulk(struct fib *fib, uint8_t dst[][16], uint64_t *nh, unsigned n);

#endif
