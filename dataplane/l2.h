/* SPDX-License-Identifier: BSD-3-Clause */
/* The Ethernet header of a resolved next hop, put in front of a run of packets. */
#ifndef VIADUCT_L2_H
#define VIADUCT_L2_H

#include "dataplane/nexthop.h"

#include <rte_byteorder.h>
#include <rte_mbuf.h>

/* The header as two overlapping words, which stay in registers over a run. */
struct l2_head {
	uint64_t start;  /* bytes 0 to 7 */
	uint64_t end[2]; /* bytes 6 to 13 with the EtherType, by AF_INDEX */
};

/* nh->l2_len must be RTE_ETHER_HDR_LEN. */
static __rte_always_inline struct l2_head l2_head(const struct nexthop *nh)
{
	struct l2_head h;
	uint64_t end;

	memcpy(&h.start, nh->l2, sizeof(h.start));
	memcpy(&end, nh->l2 + RTE_ETHER_HDR_LEN - sizeof(end), sizeof(end));
	end &= UINT64_MAX >> 16;
	h.end[AF_INDEX(IP_V4)] = end | (uint64_t)RTE_BE16(RTE_ETHER_TYPE_IPV4) << 48;
	h.end[AF_INDEX(IP_V6)] = end | (uint64_t)RTE_BE16(RTE_ETHER_TYPE_IPV6) << 48;
	return h;
}

/* Make m a frame of the IP packet of `len` bytes at l3, which has room in front. */
static __rte_always_inline void l2_put(
	const struct l2_head *h, unsigned family, struct rte_mbuf *m, uint8_t *l3, uint32_t len)
{
	uint8_t *l2 = l3 - RTE_ETHER_HDR_LEN;

	memcpy(l2, &h->start, sizeof(h->start));
	memcpy(l3 - sizeof(h->end[0]), &h->end[AF_INDEX(family)], sizeof(h->end[0]));
	m->data_off = l2 - (uint8_t *)m->buf_addr;
	m->data_len = RTE_ETHER_HDR_LEN + len;
	m->pkt_len = RTE_ETHER_HDR_LEN + len;
}

#endif
