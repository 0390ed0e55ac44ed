/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/spread.h"

#include "dataplane/esp.h"
#include "dataplane/vlan.h"
#include "dataplane/worker.h"

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_hash_crc.h>
#include <rte_ip.h>
#include <rte_prefetch.h>

#include <netinet/in.h>

#define PREFETCH_AHEAD 4

/* n 4-byte words, which a frame does not align. */
static uint32_t hash_words(const void *data, unsigned n, uint32_t hash)
{
	for (unsigned i = 0; i < n; i++) {
		uint32_t word;

		memcpy(&word, (const uint8_t *)data + i * sizeof(word), sizeof(word));
		hash = rte_hash_crc_4byte(word, hash);
	}
	return hash;
}

/* ESP by SPI: its flows are the SAs, and an SA's packets must stay in order. */
static uint32_t hash_spi(const uint8_t *spi, uint32_t dst_hash)
{
	return hash_words(spi, 1, dst_hash);
}

/* hash: that of the destination so far. rest: bytes at l4. */
static uint32_t hash_l4(
	const uint8_t *l4, uint32_t rest, uint8_t proto, uint32_t dst_hash, uint32_t hash)
{
	uint32_t zero = 0;

	if (proto == IPPROTO_ESP && rest >= 4)
		return hash_spi(l4, dst_hash);
	/* Encapsulated ESP has its SPI where IKE has the zero marker. */
	if (proto == IPPROTO_UDP && rest >= 12 && l4[2] == NATT_PORT >> 8 &&
		l4[3] == (NATT_PORT & 0xff) && memcmp(l4 + 8, &zero, 4) != 0)
		return hash_spi(l4 + 8, dst_hash);
	if ((proto == IPPROTO_TCP || proto == IPPROTO_UDP) && rest >= 4)
		hash = hash_words(l4, 1, hash);
	return rte_hash_crc_1byte(proto, hash);
}

static uint32_t hash_ip4(const uint8_t *l3, uint32_t room)
{
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)l3;
	uint32_t hdr_len, dst, both;

	if (room < sizeof(*ip))
		return 0;
	hdr_len = (ip->version_ihl & 0xf) * 4;
	dst = hash_words(l3 + 16, 1, 0);
	both = hash_words(l3 + 12, 1, dst);
	if ((ip->fragment_offset & RTE_BE16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK)) ||
		hdr_len > room)
		return both;
	return hash_l4(l3 + hdr_len, room - hdr_len, ip->next_proto_id, dst, both);
}

/* Packets with extension headers count as fragments do: by addresses. */
static uint32_t hash_ip6(const uint8_t *l3, uint32_t room)
{
	const struct rte_ipv6_hdr *ip = (const struct rte_ipv6_hdr *)l3;
	uint32_t dst, both;

	if (room < sizeof(*ip))
		return 0;
	dst = hash_words(l3 + 24, 4, 0);
	both = hash_words(l3 + 8, 4, dst);
	switch (ip->proto) {
	case IPPROTO_ESP:
	case IPPROTO_UDP:
	case IPPROTO_TCP:
		return hash_l4(l3 + sizeof(*ip), room - sizeof(*ip), ip->proto, dst, both);
	default:
		return both;
	}
}

uint32_t spread_hash(const struct rte_mbuf *m)
{
	const uint8_t *l3 = rte_pktmbuf_mtod(m, const uint8_t *) + RTE_ETHER_HDR_LEN;
	uint32_t room = m->data_len;
	uint16_t type;

	if (room < RTE_ETHER_HDR_LEN)
		return 0;
	room -= RTE_ETHER_HDR_LEN;
	if (vlan_is_tagged(m)) {
		l3 += RTE_VLAN_HLEN;
		room -= RTE_VLAN_HLEN;
	}
	memcpy(&type, l3 - sizeof(type), sizeof(type));
	if (type == RTE_BE16(RTE_ETHER_TYPE_IPV4))
		return hash_ip4(l3, room);
	if (type == RTE_BE16(RTE_ETHER_TYPE_IPV6))
		return hash_ip6(l3, room);
	return 0;
}

uint16_t spread_by_addresses(const struct worker *w, const uint8_t *l3, unsigned family)
{
	const unsigned words = family == IP_V4 ? 1 : 4, at = family == IP_V4 ? 12 : 8;
	uint32_t dst = hash_words(l3 + at + 4 * words, words, 0);

	return (uint64_t)hash_words(l3 + at, words, dst) * w->n_workers >> 32;
}

/* Frames that are not IP stay: their order with each other is all that matters. */
static uint16_t serving_worker(const struct worker *w, const struct rte_mbuf *m)
{
	uint32_t hash = spread_hash(m);

	return hash == 0 ? w->id : (uint64_t)hash * w->n_workers >> 32;
}

/* One enqueue a worker: m holds packets for `to` only. */
static void hand_to(
	struct worker *w, uint16_t to, struct iface *in, struct rte_mbuf **m, unsigned n)
{
	const struct host_tag tag = {.op = HOST_FLOW, .iface = in->id};
	unsigned sent;

	for (unsigned i = 0; i < n; i++)
		*host_tag(m[i]) = tag;
	sent = worker_hand_over(w, to, m, n);
	in->stats[w->id].rx_drops += n - sent;
	for (unsigned i = sent; i < n; i++)
		worker_drop(w, m[i], DROP_HANDOFF_FULL);
}

/* Sort a burst by worker, keeping the order within each. */
unsigned spread(struct worker *w, struct iface *in, struct rte_mbuf **m, unsigned n)
{
	struct rte_mbuf *other[SPREAD_MAX], *run[SPREAD_MAX];
	uint16_t to[SPREAD_MAX];
	unsigned mine = 0, others = 0;

	for (unsigned i = 0; i < n; i++) {
		uint16_t worker;

		if (i + PREFETCH_AHEAD < n)
			rte_prefetch0(rte_pktmbuf_mtod(m[i + PREFETCH_AHEAD], void *));
		worker = serving_worker(w, m[i]);
		if (worker == w->id) {
			m[mine++] = m[i];
		} else {
			to[others] = worker;
			other[others++] = m[i];
		}
	}
	while (others > 0) {
		unsigned in_run = 0, left = 0;
		uint16_t worker = to[0];

		for (unsigned i = 0; i < others; i++) {
			if (to[i] == worker) {
				run[in_run++] = other[i];
			} else {
				to[left] = to[i];
				other[left++] = other[i];
			}
		}
		hand_to(w, worker, in, run, in_run);
		others = left;
	}
	return mine;
}

/* Frames at the front of m that came in by the same interface on another worker. */
static unsigned flow_run(struct rte_mbuf **m, unsigned n)
{
	const struct host_tag *first = host_tag(m[0]);
	unsigned i = 1;

	while (i < n && host_tag(m[i])->op == HOST_FLOW && host_tag(m[i])->iface == first->iface)
		i++;
	return i;
}

/* The interface may have gone while they waited. */
static void flow_in(struct worker *w, uint16_t id, struct rte_mbuf **m, unsigned n)
{
	struct iface *in = iface_by_id(id);

	if (in != NULL) {
		parse_frames(w, in, m, n);
		return;
	}
	for (unsigned i = 0; i < n; i++)
		worker_drop(w, m[i], DROP_RX_IFACE_DOWN);
}

unsigned handoff_receive(struct worker *w, unsigned max)
{
	struct rte_mbuf *m[VEC_MAX];
	unsigned n = rte_ring_sc_dequeue_burst(
		w->handoff, (void **)m, RTE_MIN(max, (unsigned)VEC_MAX), NULL);

	/* The other worker's caches have them. */
	for (unsigned i = 0; i < n; i++) {
		rte_prefetch0(m[i]);
		rte_prefetch0(host_tag(m[i]));
	}
	for (unsigned i = 0; i < n; i++) {
		uint8_t *data = rte_pktmbuf_mtod(m[i], uint8_t *);

		rte_prefetch0(data);
		rte_prefetch0(data + RTE_CACHE_LINE_SIZE);
		rte_prefetch0_write(data - RTE_CACHE_LINE_SIZE);
	}
	for (unsigned i = 0; i < n;) {
		const struct host_tag *tag = host_tag(m[i]);

		if (tag->op == HOST_FLOW) {
			unsigned run = flow_run(m + i, n - i);

			flow_in(w, tag->iface, m + i, run);
			i += run;
		} else if (tag->op == HOST_VTI) {
			i += host_from_worker(w, m + i, n - i);
		} else if (tag->op == HOST_FRAGMENT) {
			reassemble_from_worker(w, m[i++]);
		} else {
			port_tx(w, tag->iface, m[i++]);
		}
	}
	return n;
}
