/* SPDX-License-Identifier: BSD-3-Clause */
/* Looking up one address of each packet of a vector: both families, in bulk, answers in the packets'
 * order. */
#ifndef VIADUCT_LOOKUP_H
#define VIADUCT_LOOKUP_H

#include "dataplane/fib.h"
#include "dataplane/pkt.h"

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_ip.h>

/* Looked up in one go: enough for the FIB's vector code, little enough for the L1 cache. */
#define LOOKUP_BATCH 64u

struct lookup {
	unsigned n4, n6;
	uint32_t four[LOOKUP_BATCH];
	uint8_t six[LOOKUP_BATCH][16];
};

static inline const uint8_t *pkt_src(const struct pkt *p)
{
	return p->l3 +
		(p->family == IP_V4 ? offsetof(struct rte_ipv4_hdr, src_addr)
				    : offsetof(struct rte_ipv6_hdr, src_addr));
}

static inline const uint8_t *pkt_dst(const struct pkt *p)
{
	return p->l3 +
		(p->family == IP_V4 ? offsetof(struct rte_ipv4_hdr, dst_addr)
				    : offsetof(struct rte_ipv6_hdr, dst_addr));
}

/* The next packet's address; l->n4 and n6 begin with 0. */
static inline void lookup_add(struct lookup *l, uint8_t family, const uint8_t *addr)
{
	uint32_t four;

	if (likely(family == IP_V4)) {
		memcpy(&four, addr, sizeof(four));
		l->four[l->n4++] = rte_be_to_cpu_32(four);
	} else {
		memcpy(l->six[l->n6++], addr, sizeof(l->six[0]));
	}
}

/* Next hops' ids of the n packets whose addresses were added. */
static inline void lookup_run(
	struct fib *fib, struct lookup *l, const struct pkt *p, unsigned n, uint64_t *id)
{
	uint64_t id6[LOOKUP_BATCH];

	if (l->n4 > 0)
		fib_lookup4_bulk(fib, l->four, id, l->n4);
	if (likely(l->n6 == 0))
		return;
	fib_lookup6_bulk(fib, l->six, id6, l->n6);
	/* From the last on, so that the ids of IPv4 packets move before they are overwritten. */
	for (unsigned i = n; i-- > 0;)
		id[i] = p[i].family == IP_V4 ? id[--l->n4] : id6[--l->n6];
}

#endif
