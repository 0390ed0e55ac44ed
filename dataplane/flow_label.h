/* SPDX-License-Identifier: BSD-3-Clause */
/* The outer IPv6 flow label, host order: of a hash of the inner flow, so that routers which see no
 * ports spread flows over equal paths (RFC 6438), or as the VTI wants it. */
#ifndef VIADUCT_FLOW_LABEL_H
#define VIADUCT_FLOW_LABEL_H

#include "dataplane/outer_rules.h"
#include "dataplane/pkt.h"

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_vect.h>

#include <netinet/in.h>

/* For any inner packet. */
uint32_t flow_label_of(enum outer_label label, const struct pkt *p);

/* CRC-32C, the processor's own. */
static inline uint32_t flow_label_mix(uint32_t hash, uint64_t word)
{
	return _mm_crc32_u64(hash, word);
}

/* A label of 0 would say that there is none. */
static inline uint32_t flow_label_of_hash(uint32_t hash)
{
	return hash >> 12 != 0 ? hash >> 12 : 1;
}

/* IPv4 without options, whole, and both ports behind it? */
static inline bool flow_label_plain(const struct pkt *p)
{
	uint16_t fragment;

	memcpy(&fragment, p->l3 + 6, sizeof(fragment));
	return p->l3[0] == 0x45 && (fragment & RTE_BE16(0x3fff)) == 0 && p->len >= 24 &&
		(p->l3[9] == IPPROTO_TCP || p->l3[9] == IPPROTO_UDP);
}

/* Nearly all packets need no call, which would cost more than the hash. */
static inline uint32_t flow_label(enum outer_label label, const struct pkt *p)
{
	uint64_t addrs, above;
	uint32_t ports;

	if (unlikely(label != OUTER_LABEL_HASH || !flow_label_plain(p)))
		return flow_label_of(label, p);
	memcpy(&addrs, p->l3 + 12, sizeof(addrs));
	memcpy(&ports, p->l3 + 20, sizeof(ports));
	above = (uint64_t)p->l3[9] << 32 | ports;
	return flow_label_of_hash(flow_label_mix(flow_label_mix(0, addrs), above));
}

#endif
