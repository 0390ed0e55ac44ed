/* SPDX-License-Identifier: BSD-3-Clause */
/* From a received frame to the stage that is to have it: what it is on the link, whose it is. */
#include "dataplane/buffer.h"
#include "dataplane/esp.h"
#include "dataplane/parse_ip.h"
#include "dataplane/vlan.h"
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
	struct iface *in;  /* the port, or its VLAN for the time of one frame */
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

/* Frames that are not IP are the kernel's: ARP, other VLANs, LLDP, spanning tree ... */
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
		if (icmp_refused(p))
			worker_drop_in(w, p, DROP_ICMP_REFUSED);
		else
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
	else if (unlikely(type == RTE_ETHER_TYPE_VLAN && m->data_len < VLAN_HDR_LEN))
		worker_drop_in(b->w, p, DROP_TOO_SHORT);
	else
		not_ip(b, p, type);
}

/* A frame for the port's own address, IPv4, and plain: see ip4_plain(). tag: bytes of a VLAN's tag in it. */
static __rte_always_inline uint32_t plain_len(
	const struct burst *b, const struct rte_mbuf *m, const uint8_t *eth, unsigned tag)
{
	const unsigned l2_len = RTE_ETHER_HDR_LEN + tag;
	uint64_t dst;
	uint16_t type;

	memcpy(&dst, eth, sizeof(dst));
	memcpy(&type, eth + l2_len - sizeof(type), sizeof(type));
	if (unlikely(dst << 16 != b->mac_word || type != RTE_BE16(RTE_ETHER_TYPE_IPV4)))
		return 0;
	if (unlikely(m->nb_segs > 1 || m->data_len < l2_len))
		return 0;
	return ip4_plain(eth + l2_len, m->data_len - l2_len);
}

/* A packet is described where the one before it went, so that it is seldom copied. */
static inline struct pkt *describe(struct burst *b, struct rte_mbuf *m)
{
	struct pkt *p = &b->to->p[b->to->n];

	*p = (struct pkt){.m = m, .in = b->in};
	return p;
}

static __rte_noinline void parse_odd_frame(struct burst *b, struct rte_mbuf *m)
{
	parse_any_frame(b, describe(b, m));
}

/* `len` is plain_len()'s. */
static inline void parse_plain(struct burst *b, struct rte_mbuf *m, uint8_t *eth, uint32_t len)
{
	struct pkt *p = &b->to->p[b->to->n];
	uint8_t *l3 = eth + RTE_ETHER_HDR_LEN;

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

/* Go on without the tag, which is looked through first: what was just moved could not be read at once. */
static inline void parse_untagged(struct burst *b, struct rte_mbuf *m)
{
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);
	uint32_t len = plain_len(b, m, frame, RTE_VLAN_HLEN);

	vlan_strip(m);
	if (likely(len != 0))
		parse_plain(b, m, frame + RTE_VLAN_HLEN, len);
	else
		parse_odd_frame(b, m);
}

static inline void parse_in_vlan(struct burst *b, struct iface *vlan, struct rte_mbuf *m)
{
	struct iface_stats *stats = &vlan->stats[b->w->id];
	struct iface *port = b->in;
	const uint64_t bytes = b->bytes;

	b->in = vlan;
	if (unlikely(!iface_has(vlan, IFACE_UP))) {
		worker_drop_in(b->w, describe(b, m), DROP_RX_IFACE_DOWN);
	} else {
		b->mirror = iface_has(vlan, IFACE_MIRROR);
		parse_untagged(b, m);
		stats->rx_packets++;
		stats->rx_bytes += b->bytes - bytes;
	}
	b->in = port;
	b->mirror = iface_has(port, IFACE_MIRROR);
}

/* VLANs that have no interface here are the kernel's, which may have one on the port's twin. */
static void parse_tagged(struct burst *b, struct rte_mbuf *m)
{
	const uint16_t id = vlan_id(m);
	struct iface *vlan = vlan_of_port(b->in, id);

	if (likely(vlan != NULL))
		parse_in_vlan(b, vlan, m);
	else if (id == VLAN_TO_PARENT)
		parse_untagged(b, m);
	else
		parse_odd_frame(b, m);
}

static void parse_one_buffer(struct burst *b, struct rte_mbuf *m)
{
	if (vlan_is_tagged(m))
		parse_tagged(b, m);
	else
		parse_odd_frame(b, m);
}

static __rte_noinline void parse_other(struct burst *b, struct rte_mbuf *m)
{
	enum drop_reason why;
	struct rte_mbuf *one = likely(m->nb_segs == 1) ? m : buffer_join(b->w, m, &why);

	if (likely(one != NULL))
		parse_one_buffer(b, one);
	else
		worker_drop_in(b->w, describe(b, m), why);
}

static __rte_always_inline struct burst burst_of(struct worker *w, struct iface *in)
{
	return (struct burst){
		.w = w,
		.in = in,
		.to = &w->fwd,
		.mac = port_mac(in),
		.mac_word = rte_cpu_to_be_64(port_mac(in)),
		.mirror = iface_has(in, IFACE_MIRROR),
	};
}

/* As a burst of its own, so that the one it is in can be in registers: a cycle less for each packet.
 * Not where most frames may be tagged. */
static __rte_noinline uint64_t parse_alone(struct worker *w, struct iface *in, struct rte_mbuf *m)
{
	struct burst b = burst_of(w, in);

	parse_other(&b, m);
	return b.bytes;
}

static __rte_always_inline void parse_frame(struct burst *b, struct rte_mbuf *m, bool trunk)
{
	uint8_t *eth = rte_pktmbuf_mtod(m, uint8_t *);
	uint32_t len = plain_len(b, m, eth, 0);

	if (likely(len != 0)) {
		parse_plain(b, m, eth, len);
	} else if (likely(m->nb_segs == 1 && !vlan_is_tagged(m))) {
		parse_any_frame(b, describe(b, m));
	} else if (trunk) {
		parse_other(b, m);
	} else {
		b->bytes += parse_alone(b->w, b->in, m);
	}
}

static void drop_all(struct worker *w, struct iface *in, struct rte_mbuf **m, unsigned n)
{
	in->stats[w->id].rx_drops += n;
	for (unsigned i = 0; i < n; i++)
		worker_drop(w, m[i], DROP_RX_IFACE_DOWN);
}

/* trunk: the port has VLANs. */
static __rte_always_inline void parse_burst(
	struct worker *w, struct iface *in, struct rte_mbuf **m, unsigned n, bool trunk)
{
	struct burst b = burst_of(w, in);
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
		parse_frame(&b, m[i], trunk);
	}
	in->stats[w->id].rx_packets += n;
	in->stats[w->id].rx_bytes += b.bytes;
}

static __rte_noinline void parse_on_trunk(
	struct worker *w, struct iface *in, struct rte_mbuf **m, unsigned n)
{
	parse_burst(w, in, m, n, true);
}

void parse_frames(struct worker *w, struct iface *in, struct rte_mbuf **m, unsigned n)
{
	if (unlikely(atomic_load_explicit(&in->vlans, memory_order_relaxed) != NULL))
		parse_on_trunk(w, in, m, n);
	else
		parse_burst(w, in, m, n, false);
}
