/* SPDX-License-Identifier: BSD-3-Clause */
/* The short way for what nearly every packet is; parse_ip() judges the rest. */
#ifndef VIADUCT_PARSE_IP_H
#define VIADUCT_PARSE_IP_H

#include "dataplane/pkt.h"

#include <rte_byteorder.h>
#include <rte_ip.h>

#include <netinet/in.h>

/* By the first byte of an IPv4 address: not an ordinary unicast one (0/8, 127/8, 224/3). */
extern const uint8_t ip4_special[256];

/* The sum of an IPv4 header's words over `len` bytes, not yet folded: 32 bits at a time, so that a
 * 64-bit sum holds the carries. */
static inline uint64_t ip4_sum_words(const uint8_t *l3, unsigned len)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < len; i += sizeof(uint32_t)) {
		uint32_t word;

		memcpy(&word, l3 + i, sizeof(word));
		sum += word;
	}
	return sum;
}

/* Does the sum, the header's checksum in it, say that the header is sound? One's complement: the
 * halves are added until 16 bits are left. */
static inline bool ip4_sum_good(uint64_t sum)
{
	uint32_t half = (sum + (sum << 32 | sum >> 32)) >> 32;

	return (half + (half << 16 | half >> 16)) >> 16 == 0xffff;
}

/* Is this a sound IPv4 packet, whole, without options, between unicast addresses? Its length, or 0
 * for anything else. room: bytes readable; what stands behind them is looked at but not believed. */
static inline uint32_t ip4_plain(const uint8_t *l3, uint32_t room)
{
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)l3;
	uint32_t len = ntohs(ip->total_length);
	bool plain = ip->version_ihl == RTE_IPV4_VHL_DEF && len >= sizeof(*ip) && len <= room &&
		(ip->fragment_offset & RTE_BE16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK)) ==
			0 &&
		(ip4_special[l3[12]] | ip4_special[l3[16]]) == 0;

	return likely(plain && ip4_sum_good(ip4_sum_words(l3, sizeof(*ip)))) ? len : 0;
}

#endif
