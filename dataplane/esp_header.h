/* SPDX-License-Identifier: BSD-3-Clause */
/* Outer headers from an SA's template, inlined into the ESP stages. */
#ifndef VIADUCT_ESP_HEADER_H
#define VIADUCT_ESP_HEADER_H

#include "dataplane/drop.h"
#include "dataplane/esp.h"

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_udp.h>

#define ESP_OUTER_TTL 64

#define ECN_MASK 3

/* 28 to 56 bytes in overlapping moves of 16: the template's length is no compile-time constant. */
static inline void esp_copy_template(uint8_t *to, const uint8_t *from, unsigned len)
{
	memcpy(to, from, 16);
	if (len > 32) {
		memcpy(to + 16, from + 16, 16);
		memcpy(to + len - 32, from + len - 32, 16);
	}
	memcpy(to + len - 16, from + len - 16, 16);
}

static inline bool esp_outer_df(const struct sa *sa, bool inner_df)
{
	return (sa->flags & SA_SET_DF) || ((sa->flags & SA_COPY_DF) && inner_df);
}

/* RFC 6040 normal mode copies the ECN field on the way in. */
static inline uint8_t esp_outer_tos(const struct sa *sa, uint8_t inner_tos)
{
	uint8_t keep = (sa->flags & SA_NO_COPY_DSCP ? 0 : (uint8_t)~ECN_MASK) |
		(sa->flags & SA_NO_ECN ? 0 : ECN_MASK);

	return inner_tos & keep;
}

static inline void esp_finish_ip4(
	const struct sa *sa, uint8_t *outer, uint32_t len, uint8_t tos, bool df, uint32_t seq)
{
	struct rte_ipv4_hdr *ip = (void *)outer;
	uint32_t sum;

	ip->type_of_service = tos;
	ip->total_length = rte_cpu_to_be_16(len);
	/* RFC 6864: the id matters only to packets that may be fragmented. SAs of the same two
	 * ends share its space: the SPI keeps their counters apart. */
	ip->packet_id = df ? 0 : rte_cpu_to_be_16(seq + sa->spi);
	ip->fragment_offset = df ? RTE_BE16(RTE_IPV4_HDR_DF_FLAG) : 0;
	/* The template holds the sum of all that is the same in each packet. */
	sum = ip->hdr_checksum + rte_cpu_to_be_16(tos) + ip->total_length + ip->packet_id +
		ip->fragment_offset;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	ip->hdr_checksum = (uint16_t)~sum;
}

/* Outer header and ESP header in front of ESP's IV at esp + 8. A UDP checksum over IPv6 is left 0:
 * it needs the ciphertext, see esp_udp6_checksum(). */
static inline uint8_t *esp_put_header(const struct sa *sa, uint8_t *esp, uint32_t esp_len,
	uint8_t inner_tos, bool inner_df, uint32_t seq)
{
	uint8_t *outer = esp + sizeof(struct esp_hdr) - sa->hdr_len;
	uint32_t len = esp_len + sa->hdr_len - sizeof(struct esp_hdr);
	uint8_t tos = esp_outer_tos(sa, inner_tos);

	esp_copy_template(outer, sa->hdr, sa->hdr_len);
	((struct esp_hdr *)esp)->seq = rte_cpu_to_be_32(seq);
	if (sa->family == IP_V4) {
		esp_finish_ip4(sa, outer, len, tos, esp_outer_df(sa, inner_df), seq);
	} else {
		struct rte_ipv6_hdr *ip = (void *)outer;

		ip->vtc_flow |= rte_cpu_to_be_32((uint32_t)tos << RTE_IPV6_HDR_TC_SHIFT);
		ip->payload_len = rte_cpu_to_be_16(len - sizeof(*ip));
	}
	if (sa->flags & SA_UDP_ENCAP) {
		struct rte_udp_hdr *udp = (void *)(esp - sizeof(*udp));

		udp->dgram_len = rte_cpu_to_be_16(esp_len + sizeof(*udp));
	}
	return outer;
}

/* Count against the SA and its interface, and drop. */
void esp_drop_out(struct worker *w, struct sa *sa, const struct pkt *p, enum drop_reason reason);

/* Over IPv6 a UDP checksum of 0 is not valid to most receivers (RFC 8200 8.1; Linux drops it), so
 * SAs that need one get a true one, after encryption. Others: nothing. */
void esp_udp6_checksum(const struct sa *sa, uint8_t *outer);

#endif
