/* SPDX-License-Identifier: BSD-3-Clause */
/* From a received frame to the stage that is to have it: what it is on the link, whose it is. */
#include "dataplane/esp.h"
#include "dataplane/parse_ip.h"
#include "dataplane/worker.h"

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_prefetch.h>

#define ETHERTYPE_MIN    0x0600 /* IEEE 802.3: smaller values are a length ... */
#define ETHER_LENGTH_MAX 1500   /* ... up to this one */
#define PREFETCH_AHEAD   4

/* Parsing ends with this where nothing is wrong. */
#define GOOD DROP_REASON_COUNT

/* What all frames of a burst share. */
struct burst {
	struct worker *w;
	struct iface *in;
	uint64_t mac;      /* the port's, see load_mac() */
	uint64_t mac_word; /* the same as it stands in memory, shifted up by 16 bits */
	uint64_t bytes;
	struct vec *to; /* w->fwd or w->esp_in: where the last packet went */
	bool mirror;
};

/* A MAC address as a number, by one load: 8 bytes must be readable. */
static uint64_t load_mac(const void *mac)
{
	uint64_t v;

	memcpy(&v, mac, sizeof(v));
	return rte_be_to_cpu_64(v) >> 16;
}

static uint64_t port_mac(const struct iface *i)
{
	uint8_t mac[sizeof(uint64_t)] = {0};

	memcpy(mac, &i->mac, RTE_ETHER_ADDR_LEN);
	return load_mac(mac);
}

/* Frames that are not IP are the kernel's: ARP, VLANs, LLDP, spanning tree ... */
static void not_ip(struct burst *b, struct pkt *p, uint16_t type)
{
	b->bytes += p->m->data_len - RTE_ETHER_HDR_LEN;
	p->len = 0;
	if (type > ETHER_LENGTH_MAX && type < ETHERTYPE_MIN)
		worker_drop_in(b->w, p, DROP_BAD_ETHERTYPE);
	else
		host_punt(b->w, p);
}

/* EtherType and version must agree; the rest of the header is parse_ip()'s. */
static enum drop_reason parse_ip_frame(struct pkt *p, uint16_t type, uint32_t room)
{
	if (room == 0)
		return DROP_TOO_SHORT;
	if (type == RTE_ETHER_TYPE_IPV4) {
		uint64_t nic = p->m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;

		if (p->l3[0] >> 4 != IP_V4)
			return DROP_IP4_VERSION;
		if (nic == RTE_MBUF_F_RX_IP_CKSUM_GOOD)
			p->flags |= PKT_CKSUM_OK;
	} else if (p->l3[0] >> 4 != IP_V6) {
		return DROP_IP6_VERSION;
	}
	return parse_ip(p, room);
}

/* RFC 4291 2.5.6: link-local addresses are not routed, so they are for us. */
static bool to_link_local(const struct pkt *p)
{
	return p->family == IP_V6 && p->l3[24] == 0xfe && (p->l3[25] & 0xc0) == 0x80;
}

/* ESP in IPv4 without options, of the SA that the packet before was of: as most are. */
static inline bool same_sa(const struct worker *w, const struct pkt *p)
{
	const struct sa *sa = w->last_sa;
	uint32_t spi;

	if (p->proto != IPPROTO_ESP || sa == NULL)
		return false;
	memcpy(&spi, p->l3 + sizeof(struct rte_ipv4_hdr), sizeof(spi));
	return spi == sa->spi_be &&
		sa_dst_is(sa, IP_V4, p->l3 + offsetof(struct rte_ipv4_hdr, dst_addr)) &&
		p->len >= sizeof(struct rte_ipv4_hdr) + sizeof(struct esp_hdr);
}

static inline bool esp_found(struct worker *w, struct pkt *p, bool plain)
{
	if (!plain || !same_sa(w, p))
		return esp_match(w, p);
	p->sa = w->last_sa;
	return true;
}

/* A sound IP packet: ESP of ours, or to be routed. plain: see ip4_plain(). */
static inline void to_stage(struct burst *b, struct pkt *p, bool plain)
{
	struct worker *w = b->w;
	struct vec *to = &w->fwd;

	b->bytes += p->len;
	if (unlikely(esp_possible(p)) && esp_found(w, p, plain)) {
		if (unlikely(b->mirror))
			host_mirror(w, p, b->in);
		to = &w->esp_in;
	}
	if (likely(to == b->to)) {
		to->n++; /* where it stands already */
		return;
	}
	vec_push(to, p);
	b->to = to;
}

static void parse_ip_to_stage(struct burst *b, struct pkt *p, uint16_t type)
{
	struct worker *w = b->w;
	uint32_t room = p->m->data_len - RTE_ETHER_HDR_LEN;
	enum drop_reason bad = parse_ip_frame(p, type, room);

	if (unlikely(bad != GOOD)) {
		b->bytes += room;
		worker_drop_in(w, p, bad);
	} else if (unlikely((p->flags & PKT_MULTICAST) || to_link_local(p))) {
		b->bytes += p->len;
		host_punt(w, p);
	} else {
		to_stage(b, p, false);
	}
}

/* Anything but a plain IPv4 packet to the port's own address. */
static void parse_any_frame(struct burst *b, struct pkt *p)
{
	struct rte_mbuf *m = p->m;
	const struct rte_ether_hdr *eth;
	uint16_t type;

	if (unlikely(m->nb_segs > 1) && rte_pktmbuf_linearize(m) != 0) {
		worker_drop_in(b->w, p, DROP_SEGMENTS);
		return;
	}
	if (unlikely(m->data_len < RTE_ETHER_HDR_LEN)) {
		worker_drop_in(b->w, p, DROP_TOO_SHORT);
		return;
	}
	eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	if (unlikely(load_mac(eth) != b->mac)) {
		if (!rte_is_multicast_ether_addr(&eth->dst_addr)) {
			worker_drop_in(b->w, p, DROP_NOT_OUR_MAC);
			return;
		}
		p->flags = PKT_MULTICAST;
	}
	p->l3 = (uint8_t *)(uintptr_t)(eth + 1);
	type = rte_be_to_cpu_16(eth->ether_type);
	if (likely(type == RTE_ETHER_TYPE_IPV4 || type == RTE_ETHER_TYPE_IPV6))
		parse_ip_to_stage(b, p, type);
	else
		not_ip(b, p, type);
}

/* A frame for the port's own address, IPv4, and plain: see ip4_plain(). */
static inline uint32_t plain_len(
	const struct burst *b, const struct rte_mbuf *m, const uint8_t *eth)
{
	uint64_t dst;
	uint16_t type;

	memcpy(&dst, eth, sizeof(dst));
	memcpy(&type, eth + 2 * RTE_ETHER_ADDR_LEN, sizeof(type));
	if (unlikely(dst << 16 != b->mac_word || type != RTE_BE16(RTE_ETHER_TYPE_IPV4)))
		return 0;
	if (unlikely(m->nb_segs > 1 || m->data_len < RTE_ETHER_HDR_LEN))
		return 0;
	return ip4_plain(eth + RTE_ETHER_HDR_LEN, m->data_len - RTE_ETHER_HDR_LEN);
}

/* The packet is described where the one before it went, so that it is seldom copied. */
static inline void parse_frame(struct burst *b, struct rte_mbuf *m)
{
	struct pkt *p = &b->to->p[b->to->n];
	uint8_t *eth = rte_pktmbuf_mtod(m, uint8_t *), *l3 = eth + RTE_ETHER_HDR_LEN;
	uint32_t len = plain_len(b, m, eth);

	if (unlikely(len == 0)) {
		*p = (struct pkt){.m = m, .in = b->in};
		parse_any_frame(b, p);
		return;
	}
	*p = (struct pkt){
		.m = m,
		.l3 = l3,
		.in = b->in,
		.len = len,
		.l4_off = sizeof(struct rte_ipv4_hdr),
		.family = IP_V4,
		.proto = ((const struct rte_ipv4_hdr *)l3)->next_proto_id,
	};
	to_stage(b, p, true);
}

static void drop_all(struct worker *w, struct iface *in, struct rte_mbuf **m, unsigned n)
{
	in->stats[w->id].rx_drops += n;
	for (unsigned i = 0; i < n; i++)
		worker_drop(w, m[i], DROP_RX_IFACE_DOWN);
}

void parse_frames(struct worker *w, struct iface *in, struct rte_mbuf **m, unsigned n)
{
	struct burst b = {
		.w = w,
		.in = in,
		.to = &w->fwd,
		.mac = port_mac(in),
		.mac_word = rte_cpu_to_be_64(port_mac(in)),
		.mirror = iface_has(in, IFACE_MIRROR),
	};
	struct sa *guess[ESP_PREFETCH_MAX];
	bool many;

	if (unlikely(!iface_has(in, IFACE_UP))) {
		drop_all(w, in, m, n);
		return;
	}
	many = esp_prefetch(m, n, guess);
	for (unsigned i = 0; i < n; i++) {
		/* The mbufs themselves the driver has just written. */
		if (i + PREFETCH_AHEAD < n)
			rte_prefetch0(rte_pktmbuf_mtod(m[i + PREFETCH_AHEAD], void *));
		if (many)
			w->last_sa = guess[i];
		parse_frame(&b, m[i]);
	}
	in->stats[w->id].rx_packets += n;
	in->stats[w->id].rx_bytes += b.bytes;
}
