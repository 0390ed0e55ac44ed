/* SPDX-License-Identifier: BSD-3-Clause */
/* The Ethernet header of a resolved next hop, put in front of a run of packets. */
#ifndef VIADUCT_L2_H
#define VIADUCT_L2_H

#include "dataplane/nexthop.h"

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_mbuf.h>

/* The header as overlapping words, which stay in registers over a run. */
struct l2_head {
	uint64_t start;  /* bytes 0 to 7 */
	uint64_t middle; /* bytes 8 to 15 of one with a VLAN's tag */
	uint64_t end[2]; /* the last 8 bytes with the EtherType, by AF_INDEX */
	uint32_t len;    /* RTE_ETHER_HDR_LEN or VLAN_HDR_LEN */
};

static __rte_always_inline struct l2_head l2_head(const struct nexthop *nh)
{
	struct l2_head h = {.len = nh->l2_len};
	uint64_t end;

	memcpy(&h.start, nh->l2, sizeof(h.start));
	memcpy(&h.middle, nh->l2 + sizeof(h.start), sizeof(h.middle));
	memcpy(&end, nh->l2 + h.len - sizeof(end), sizeof(end));
	end &= UINT64_MAX >> 16;
	h.end[AF_INDEX(IP_V4)] = end | (uint64_t)RTE_BE16(RTE_ETHER_TYPE_IPV4) << 48;
	h.end[AF_INDEX(IP_V6)] = end | (uint64_t)RTE_BE16(RTE_ETHER_TYPE_IPV6) << 48;
	return h;
}

/* One without a tag, as most are. A copy that says so at compile time. */
static __rte_always_inline struct l2_head l2_head_plain(const struct l2_head *h)
{
	struct l2_head plain = *h;

	plain.len = RTE_ETHER_HDR_LEN;
	return plain;
}

/* Make m a frame of the IP packet of `len` bytes at l3, which has room in front. */
static __rte_always_inline void l2_put(
	const struct l2_head *h, unsigned family, struct rte_mbuf *m, uint8_t *l3, uint32_t len)
{
	uint8_t *l2 = l3 - h->len;

	memcpy(l2, &h->start, sizeof(h->start));
	if (unlikely(h->len != RTE_ETHER_HDR_LEN))
		memcpy(l2 + sizeof(h->start), &h->middle, sizeof(h->middle));
	memcpy(l3 - sizeof(h->end[0]), &h->end[AF_INDEX(family)], sizeof(h->end[0]));
	m->data_off = l2 - (uint8_t *)m->buf_addr;
	m->data_len = h->len + len;
	m->pkt_len = h->len + len;
}

#endif
