/* SPDX-License-Identifier: BSD-3-Clause */
/* Which packets are ESP that we can decrypt: plain (RFC 4303) or inside UDP (RFC 3948). */
#include "dataplane/esp.h"
#include "dataplane/spi_table.h"
#include "dataplane/worker.h"

#include <rte_byteorder.h>
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
static struct sa *find_sa(struct worker *w, uint32_t spi_be, unsigned family, const uint8_t *dst)
{
	struct sa *sa = w->last_sa;

	if (likely(sa != NULL) && sa->spi_be == spi_be && sa->family == family &&
		memcmp(sa->dst.v6, dst, addr_len(family)) == 0)
		return sa;
	sa = spi_lookup(rte_be_to_cpu_32(spi_be), family, dst);
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

bool esp_match(struct worker *w, struct pkt *p)
{
	uint32_t off = p->flags & PKT_FRAGMENT ? 0 : esp_offset(p);
	struct sa *sa;
	uint32_t spi;

	if (off == 0 || off + sizeof(struct esp_hdr) > p->len)
		return false;
	memcpy(&spi, p->l3 + off, sizeof(spi));
	sa = find_sa(w, spi, p->family, p->l3 + (p->family == IP_V6 ? 24 : 16));
	if (sa == NULL)
		return false;
	if (p->proto == IPPROTO_UDP) {
		if (!trim_to_udp(p))
			return false;
		p->flags |= PKT_UDP_ENCAP;
	}
	p->sa = sa;
	p->l4_off = off;
	return true;
}
