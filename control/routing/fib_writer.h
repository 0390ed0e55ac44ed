/* SPDX-License-Identifier: BSD-3-Clause */
/* Changing a FIB while workers read it: left-right over two copies (see dataplane/fib.h). */
#ifndef VIADUCT_FIB_WRITER_H
#define VIADUCT_FIB_WRITER_H

#include "dataplane/addr.h"
#include "dataplane/fib.h"

#include <stddef.h>

/* Make the VRF's FIB (both copies of both families) and publish it in fib_table. Multicast,
 * link-local and broadcast destinations lead to NH_ID_LOCAL from the start. 0 or negative errno. */
int fib_create(uint8_t vrf, uint32_t max_routes4, uint32_t max_routes6);
void fib_destroy(uint8_t vrf);

/* DPDK memory that fib_create() takes, in bytes. */
size_t fib_memory(uint32_t max_routes4, uint32_t max_routes6);

/* Queue one change: prefix (host bits zero) to next hop id, or its removal. 0 or -ENOMEM. */
int fib_set(uint8_t vrf, const struct addr *prefix, uint8_t len, uint32_t nh_id);
int fib_unset(uint8_t vrf, const struct addr *prefix, uint8_t len);

/* Apply what is queued: edit the idle copy, swap, rcu_synchronize(), edit the other. Changes that
 * a full table refuses are counted and logged once; their prefix is then not in the FIB at all.
 * Returns their number. */
unsigned fib_commit(uint8_t vrf);

/* What the last fib_commit() refused; good until the next fib_set() or fib_unset(). */
void fib_each_refused(
	uint8_t vrf, void (*cb)(const struct addr *prefix, uint8_t len, void *arg), void *arg);

/* Refusals since the start, all VRFs. */
uint64_t fib_refused_count(void);

/* A next hop was replaced under its id: what workers cached with a FIB's generation is stale. To be
 * called after the new one was stored and before the old one is retired. */
void fib_invalidate_cached(void);

/* Is the prefix inside one of those that always lead to NH_ID_LOCAL? Their routes are not for
 * anybody to change. Then *fixed (may be NULL) and *fixed_len are that one. */
bool fib_prefix_is_fixed(
	const struct addr *prefix, uint8_t len, struct addr *fixed, uint8_t *fixed_len);

#endif
