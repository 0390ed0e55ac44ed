/* SPDX-License-Identifier: BSD-3-Clause */
/* Sources that no packet from outside may have: addresses of the router's own, and link-local ones
 * where the packet would leave its link.
 *
 * Every forwarded packet is asked, so the question must cost next to nothing: a bit in a table, by a
 * hash of the source, says whether it may be one of ours. Only then the FIB is asked. Bits are set for
 * good: an address that is gone costs a look at the FIB for those that share its bit. */
#ifndef VIADUCT_OWN_SRC_H
#define VIADUCT_OWN_SRC_H

#include "dataplane/addr.h"
#include "dataplane/pkt.h"

#include <rte_branch_prediction.h>

#include <stdatomic.h>

struct fib;
struct worker;

#define OWN_HINT_BITS 14

extern _Atomic uint32_t own_hints[1 << (OWN_HINT_BITS - 5)];

static inline uint32_t own_hash4(const uint8_t *src)
{
	uint32_t a;

	memcpy(&a, src, sizeof(a));
	return a * 0x9e3779b1u >> (32 - OWN_HINT_BITS);
}

static inline uint32_t own_hash6(const uint8_t *src)
{
	uint64_t low;

	memcpy(&low, src + 8, sizeof(low));
	return low * 0x9e3779b97f4a7c15u >> (64 - OWN_HINT_BITS);
}

/* RFC 4291 2.5.6 */
static inline bool ip6_link_local(const uint8_t *a)
{
	return a[0] == 0xfe && (a[1] & 0xc0) == 0x80;
}

/* Bit 0 set: own_src_drop() must look at this packet. The other bits say nothing. */
static inline uint32_t own_src_hint(uint8_t family, const uint8_t *src)
{
	uint32_t hash, link_local = 0;

	if (likely(family == IP_V4)) {
		hash = own_hash4(src);
	} else {
		hash = own_hash6(src);
		link_local = ip6_link_local(src);
	}
	return atomic_load_explicit(&own_hints[hash / 32], memory_order_relaxed) >> hash % 32 |
		link_local;
}

/* An address became the router's own (control thread). */
void own_src_note(const struct addr *a);

/* Drop the packets of one VRF that may not have the source they have; the rest moves to the front.
 * Returns how many. */
unsigned own_src_drop(struct worker *w, struct fib *fib, struct pkt *p, unsigned n);

#endif
