/* SPDX-License-Identifier: BSD-3-Clause */
/* Outer headers from an SA's template, inlined into the ESP stages. */
#ifndef VIADUCT_ESP_HEADER_H
#define VIADUCT_ESP_HEADER_H

#include "dataplane/drop.h"
#include "dataplane/esp.h"
#include "dataplane/flow_label.h"
#include "dataplane/iface.h"
#include "dataplane/outer_rules.h"

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include <netinet/in.h>

#define ESP_OUTER_TTL 64

#define ECN_MASK 3

/* The mould with the VTI's word in it, which a run of packets shares. */
static inline void esp_mould_ruled(struct esp_mould *k, const struct outer_rules *r)
{
	k->tos_mask = (k->tos_mask & ~r->tos_not) | r->tos_also;
	k->tos = r->tos;
	k->ttl = r->ttl;
	k->label = r->label;
	k->varies = r->map || r->ttl == 0;
	if (r->df == OUTER_DF_SA)
		return;
	k->set_df = r->df == OUTER_DF_SET;
	k->copy_df = r->df == OUTER_DF_COPY;
}

/* NULL: as the SA says. Good for this turn. */
static inline const struct outer_rules *esp_rules(const struct sa *sa)
{
	const struct iface *vti = atomic_load_explicit(&sa->vti, memory_order_acquire);

	if (unlikely(vti == NULL))
		return NULL;
	return atomic_load_explicit(&vti->outer, memory_order_acquire);
}

/* What mould.varies stands for. */
struct esp_outer esp_vary(struct esp_outer o, const struct outer_rules *r, const struct pkt *p);

/* k: ruled by r. p: the inner packet. */
static __rte_always_inline struct esp_outer esp_outer_of(
	const struct esp_mould *k, const struct outer_rules *r, const struct pkt *p)
{
	struct esp_outer o = {
		.tos = (esp_inner_tos(p->l3, p->family) & k->tos_mask) | k->tos,
		.ttl = k->ttl,
		.df = k->set_df || (k->copy_df && esp_inner_df(p->l3, p->family)),
	};

	if (unlikely(k->varies))
		o = esp_vary(o, r, p);
	if (!k->four && k->label != OUTER_LABEL_ZERO)
		o.label = flow_label(k->label, p);
	return o;
}

/* The header in three stores. On x86 and wherever else the library of the crypto runs, memory is
 * little-endian. */
static inline void esp_put_ip4(const struct esp_mould *k, uint8_t *outer, uint32_t len,
	const struct esp_outer *o, uint32_t seq)
{
	/* RFC 6864: the id matters only to packets that may be fragmented. SAs of the same two
	 * ends share its space: the SPI keeps their counters apart. */
	uint64_t id = o->df ? 0 : htons(seq + k->spi);
	uint64_t fragment = o->df ? RTE_BE16(RTE_IPV4_HDR_DF_FLAG) : 0;
	uint64_t total = htons(len);
	uint32_t sum = k->ip4_sum + o->ttl + ((uint32_t)o->tos << 8) + total + id + fragment;
	uint64_t word[2] = {
		k->ip4[0] | (uint64_t)o->tos << 8 | total << 16 | id << 32 | fragment << 48,
	};

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	word[1] = k->ip4[1] | o->ttl | (uint64_t)(uint16_t)~sum << 16;
	memcpy(outer, &word[0], 8);
	memcpy(outer + 8, &word[1], 8);
	memcpy(outer + 16, &k->ip4_dst, 4);
}

static inline void esp_put_ip6(
	const uint8_t *hdr, uint8_t *outer, uint32_t len, const struct esp_outer *o)
{
	struct rte_ipv6_hdr *ip = (void *)outer;

	memcpy(outer, hdr, sizeof(*ip));
	ip->vtc_flow = htonl(6u << 28 | (uint32_t)o->tos << RTE_IPV6_HDR_TC_SHIFT | o->label);
	ip->payload_len = htons(len - sizeof(*ip));
	ip->hop_limits = o->ttl;
}

/* Outer header and ESP header in front of ESP's IV at esp + 8. k, hdr: the SA's. A UDP checksum over
 * IPv6 is left 0: it needs the ciphertext, see esp_udp6_checksum(). Returns the outer header's first
 * byte. */
static inline uint8_t *esp_put_header(const struct esp_mould *k, const uint8_t *hdr, uint8_t *esp,
	uint32_t esp_len, const struct esp_outer *o, uint32_t seq)
{
	uint8_t *outer = esp + sizeof(struct esp_hdr) - k->hdr_len;
	uint32_t len = esp_len + k->hdr_len - sizeof(struct esp_hdr);
	uint64_t word = k->spi_be | (uint64_t)htonl(seq) << 32;

	if (likely(k->four))
		esp_put_ip4(k, outer, len, o, seq);
	else
		esp_put_ip6(hdr, outer, len, o);
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
