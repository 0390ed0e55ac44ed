/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets to an address of the router's own: ESP is ours, and what ICMP says of it; all else is the
 * kernel's. */
#include "dataplane/esp.h"
#include "dataplane/worker.h"

#include <rte_byteorder.h>
#include <rte_udp.h>

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>

/* Only the first fragment shows a port, so every UDP fragment may be a piece of encapsulated ESP. */
static bool may_be_esp_fragment(const struct pkt *p)
{
	return (p->flags & PKT_FRAGMENT) && (p->proto == IPPROTO_ESP || p->proto == IPPROTO_UDP);
}

/* What a packet to UDP port 4500 is when it is not ESP of an SA (RFC 3948 2.2 to 2.4).
 * DROP_REASON_COUNT: IKE, the kernel's. */
static enum drop_reason natt_verdict(const struct pkt *p)
{
	const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)(p->l3 + p->l4_off);
	const uint8_t *payload = (const uint8_t *)(udp + 1);
	uint32_t room = p->len - p->l4_off;
	uint32_t len = rte_be_to_cpu_16(udp->dgram_len);
	uint32_t spi;

	if (len > room || len < sizeof(*udp))
		return DROP_NATT_SHORT;
	len -= sizeof(*udp);
	if (len == 1 && payload[0] == 0xff)
		return DROP_NATT_KEEPALIVE;
	if (len < NATT_MARKER_LEN)
		return DROP_NATT_SHORT;
	memcpy(&spi, payload, sizeof(spi));
	if (spi == 0)
		return DROP_REASON_COUNT;
	return len < sizeof(struct esp_hdr) ? DROP_ESP_SHORT : DROP_ESP_NO_SA;
}

bool icmp_refused(const struct pkt *p)
{
	uint8_t type = p->l3[p->l4_off];

	if ((p->flags & PKT_LATER_FRAGMENT) || p->l4_off >= p->len)
		return false;
	if (p->family == IP_V4)
		return p->proto == IPPROTO_ICMP &&
			(type == ICMP_REDIRECT || type == ICMP_SOURCE_QUENCH);
	return p->proto == IPPROTO_ICMPV6 && type == ND_REDIRECT;
}

static enum drop_reason local_verdict(const struct pkt *p)
{
	const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)(p->l3 + p->l4_off);
	uint32_t room = p->len - p->l4_off;

	if (icmp_refused(p))
		return DROP_ICMP_REFUSED;
	if (p->flags & PKT_FRAGMENT)
		return DROP_REASON_COUNT;
	if (p->proto == IPPROTO_ESP)
		return room < sizeof(struct esp_hdr) ? DROP_ESP_SHORT : DROP_ESP_NO_SA;
	if (p->proto == IPPROTO_UDP && room >= sizeof(*udp) && udp->dst_port == RTE_BE16(NATT_PORT))
		return natt_verdict(p);
	return DROP_REASON_COUNT;
}

/* Of ESP, perhaps inside UDP. */
static uint16_t spi_off(const struct pkt *p)
{
	return p->proto == IPPROTO_ESP ? p->l4_off : p->l4_off + sizeof(struct rte_udp_hdr);
}

void local_in(struct worker *w, struct pkt *p)
{
	enum drop_reason verdict;

	if (may_be_esp_fragment(p)) {
		reassemble(w, p);
		return;
	}
	/* Frames were tried when they came in; this finds ESP that arrived inside a tunnel or in
	 * fragments. */
	if (esp_match(w, p)) {
		vec_push(&w->esp_in, p);
		return;
	}
	verdict = local_verdict(p);
	if (verdict == DROP_ESP_NO_SA && host_early(w, p, spi_off(p)))
		return;
	if (verdict != DROP_REASON_COUNT)
		worker_drop_in(w, p, verdict);
	else if (!path_mtu_news(w, p))
		host_punt(w, p);
}
