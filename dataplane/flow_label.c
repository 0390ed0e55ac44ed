/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/flow_label.h"

#include <rte_ip.h>

#define LABEL_MASK 0xfffff

static uint64_t load64(const uint8_t *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

static uint32_t load32(const uint8_t *at)
{
	uint32_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

/* Protocol and, where there are some, both ports. l4_off: behind the IP header. */
static uint64_t above_ip(const struct pkt *p, uint32_t l4_off, uint8_t proto)
{
	uint64_t word = (uint64_t)proto << 32;

	if ((proto == IPPROTO_TCP || proto == IPPROTO_UDP) && p->len >= l4_off + 4)
		word |= load32(p->l3 + l4_off);
	return word;
}

/* Fragments have no ports, or only the first one: all go the way of their addresses. */
static uint32_t hash_ip4(const struct pkt *p)
{
	const struct rte_ipv4_hdr *ip = (const void *)p->l3;
	uint64_t above = (uint64_t)ip->next_proto_id << 32;

	if ((ip->fragment_offset & RTE_BE16(0x3fff)) == 0)
		above = above_ip(p, rte_ipv4_hdr_len(ip), ip->next_proto_id);
	return flow_label_mix(flow_label_mix(0, load64(p->l3 + 12)), above);
}

/* The label that the sender gave counts too: with it hosts ask for another path (RFC 6437). */
static uint32_t hash_ip6(const struct pkt *p)
{
	const struct rte_ipv6_hdr *ip = (const void *)p->l3;
	const uint64_t label = load32(p->l3) & RTE_BE32(LABEL_MASK);
	uint32_t hash = 0;

	for (unsigned at = 8; at < sizeof(*ip); at += sizeof(uint64_t))
		hash = flow_label_mix(hash, load64(p->l3 + at));
	hash = flow_label_mix(hash, label);
	return flow_label_mix(hash, above_ip(p, sizeof(*ip), ip->proto));
}

uint32_t flow_label_of(enum outer_label label, const struct pkt *p)
{
	if (label == OUTER_LABEL_ZERO)
		return 0;
	if (label == OUTER_LABEL_COPY)
		return p->family == IP_V6 ? ntohl(load32(p->l3)) & LABEL_MASK : 0;
	return flow_label_of_hash(p->family == IP_V4 ? hash_ip4(p) : hash_ip6(p));
}
