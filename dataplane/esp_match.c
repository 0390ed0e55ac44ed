/* SPDX-License-Identifier: BSD-3-Clause */
/* Which packets are ESP that we can decrypt: plain (RFC 4303) or inside UDP (RFC 3948). */
#include "dataplane/esp.h"
#include "dataplane/spi_table.h"
#include "dataplane/vlan.h"
#include "dataplane/worker.h"

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include <netinet/in.h>

/* Offset from l3 of what may be an ESP header; 0: none here. */
static uint32_t esp_offset(const struct pkt *p)
{
	const struct rte_udp_hdr *udp;

	if (p->proto == IPPROTO_ESP)
		return p->l4_off;
	if (p->proto != IPPROTO_UDP || (uint32_t)p->l4_off + sizeof(*udp) > p->len)
		return 0;
	udp = (const struct rte_udp_hdr *)(p->l3 + p->l4_off);
	return udp->dst_port == RTE_BE16(NATT_PORT) ? p->l4_off + sizeof(*udp) : 0;
}

/* A burst's packets are often of one SA: compare with the last before looking into the table. */
static inline struct sa *find_sa(struct worker *w, uint32_t spi_be, const struct pkt *p)
{
	const uint8_t *dst = p->l3 + (p->family == IP_V6 ? 24 : 16);
	struct sa *sa = w->last_sa;

	if (likely(sa != NULL && sa->spi_be == spi_be && sa_dst_is(sa, p->family, dst)))
		return sa;
	sa = spi_lookup(rte_be_to_cpu_32(spi_be), p->family, dst);
	if (sa != NULL)
		w->last_sa = sa;
	return sa;
}

/* The UDP header may end the packet earlier than IP does, never later. */
static bool trim_to_udp(struct pkt *p)
{
	const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)(p->l3 + p->l4_off);
	uint32_t end = (uint32_t)p->l4_off + rte_be_to_cpu_16(udp->dgram_len);

	if (end > p->len || end < p->l4_off + sizeof(*udp) + sizeof(struct esp_hdr))
		return false;
	p->len = end;
	return true;
}

/* A plain ESP packet's SPI, in network order; 0 for anything else, which need not be found early. */
static uint32_t early_spi(const struct rte_mbuf *m)
{
	const uint8_t *eth = rte_pktmbuf_mtod(m, const uint8_t *), *l3 = eth + RTE_ETHER_HDR_LEN;
	uint16_t type;
	uint32_t spi = 0;

	memcpy(&type, eth + 2 * RTE_ETHER_ADDR_LEN, sizeof(type));
	if (unlikely(type == VLAN_TYPE_BE)) {
		l3 += RTE_VLAN_HLEN;
		memcpy(&type, l3 - sizeof(type), sizeof(type));
	}
	if (type == RTE_BE16(RTE_ETHER_TYPE_IPV4) && l3[9] == IPPROTO_ESP)
		memcpy(&spi, l3 + sizeof(struct rte_ipv4_hdr), sizeof(spi));
	else if (type == RTE_BE16(RTE_ETHER_TYPE_IPV6) && l3[6] == IPPROTO_ESP)
		memcpy(&spi, l3 + sizeof(struct rte_ipv6_hdr), sizeof(spi));
	return spi;
}

bool esp_prefetch(struct rte_mbuf **m, unsigned n, struct sa **guess)
{
	uint32_t spi[ESP_PREFETCH_MAX];

	/* Few SAs are in the cache anyway. */
	if (n < 4 || n > ESP_PREFETCH_MAX || early_spi(m[0]) == early_spi(m[n / 2]) ||
		early_spi(m[1]) == early_spi(m[n - 1]))
		return false;
	for (unsigned i = 0; i < n; i++) {
		spi[i] = rte_be_to_cpu_32(early_spi(m[i]));
		spi_prefetch_slot(spi[i]);
	}
	for (unsigned i = 0; i < n; i++)
		guess[i] = spi_prefetch_sa(spi[i]);
	return true;
}

bool esp_match(struct worker *w, struct pkt *p)
{
	uint32_t off = p->flags & PKT_FRAGMENT ? 0 : esp_offset(p);
	struct sa *sa;
	uint32_t spi;

	if (off == 0 || off + sizeof(struct esp_hdr) > p->len)
		return false;
	memcpy(&spi, p->l3 + off, sizeof(spi));
	sa = find_sa(w, spi, p);
	if (sa == NULL)
		return false;
	if (unlikely(p->proto == IPPROTO_UDP)) {
		if (!trim_to_udp(p))
			return false;
		p->flags |= PKT_UDP_ENCAP;
		p->l4_off = off;
	}
	p->sa = sa;
	return true;
}
