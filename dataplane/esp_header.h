/* SPDX-License-Identifier: BSD-3-Clause */
/* Outer headers from an SA's template, inlined into the ESP stages. */
#ifndef VIADUCT_ESP_HEADER_H
#define VIADUCT_ESP_HEADER_H

#include "dataplane/drop.h"
#include "dataplane/esp.h"

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include <netinet/in.h>

#define ESP_OUTER_TTL 64

#define ECN_MASK 3

/* The header in three stores. On x86 and wherever else the library of the crypto runs, memory is
 * little-endian. */
static inline void esp_put_ip4(const struct esp_mould *k, uint8_t *outer, uint32_t len, uint8_t tos,
	bool inner_df, uint32_t seq)
{
	bool df = k->set_df || (k->copy_df && inner_df);
	/* RFC 6864: the id matters only to packets that may be fragmented. SAs of the same two
	 * ends share its space: the SPI keeps their counters apart. */
	uint64_t id = df ? 0 : htons(seq + k->spi);
	uint64_t fragment = df ? RTE_BE16(RTE_IPV4_HDR_DF_FLAG) : 0;
	uint64_t total = htons(len);
	uint32_t sum = k->ip4_sum + ((uint32_t)tos << 8) + total + id + fragment;
	uint64_t word[2] = {
		k->ip4[0] | (uint64_t)tos << 8 | total << 16 | id << 32 | fragment << 48,
	};

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	word[1] = k->ip4[1] | (uint64_t)(uint16_t)~sum << 16;
	memcpy(outer, &word[0], 8);
	memcpy(outer + 8, &word[1], 8);
	memcpy(outer + 16, &k->ip4_dst, 4);
}

static inline void esp_put_ip6(const uint8_t *hdr, uint8_t *outer, uint32_t len, uint8_t tos)
{
	struct rte_ipv6_hdr *ip = (void *)outer;

	memcpy(outer, hdr, sizeof(*ip));
	ip->vtc_flow |= htonl((uint32_t)tos << RTE_IPV6_HDR_TC_SHIFT);
	ip->payload_len = htons(len - sizeof(*ip));
}

/* Outer header and ESP header in front of ESP's IV at esp + 8. k, hdr: the SA's; tos, inner_df: of the inner header. A
 * UDP checksum over IPv6 is left 0: it needs the ciphertext, see esp_udp6_checksum(). Returns the
 * outer header's first byte. */
static inline uint8_t *esp_put_header(const struct esp_mould *k, const uint8_t *hdr, uint8_t *esp,
	uint32_t esp_len, uint8_t tos, bool inner_df, uint32_t seq)
{
	uint8_t *outer = esp + sizeof(struct esp_hdr) - k->hdr_len;
	uint32_t len = esp_len + k->hdr_len - sizeof(struct esp_hdr);
	uint64_t word = k->spi_be | (uint64_t)htonl(seq) << 32;

	if (likely(k->four))
		esp_put_ip4(k, outer, len, tos & k->tos_mask, inner_df, seq);
	else
		esp_put_ip6(hdr, outer, len, tos & k->tos_mask);
	memcpy(esp, &word, sizeof(word));
	if (k->udp) {
		word = k->ports | (uint64_t)htons(esp_len + sizeof(struct rte_udp_hdr)) << 32;
		memcpy(esp - sizeof(struct rte_udp_hdr), &word, sizeof(word));
	}
	return outer;
}

/* Count against the SA and its interface, and drop. */
void esp_drop_out(struct worker *w, struct sa *sa, const struct pkt *p, enum drop_reason reason);

/* Over IPv6 a UDP checksum of 0 is not valid to most receivers (RFC 8200 8.1; Linux drops it), so
 * SAs that need one get a true one, after encryption. Others: nothing. */
void esp_udp6_checksum(const struct sa *sa, uint8_t *outer);

#endif
