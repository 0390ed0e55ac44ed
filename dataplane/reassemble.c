/* SPDX-License-Identifier: BSD-3-Clause */
/* Reassembly of fragmented packets to the router itself, so that ESP can be decrypted (RFC 4303
 * 3.4.1). What can't be a fragment is dropped at once; the others wait in fragment_table.c, those of one
 * packet on one worker, wherever the device put them. */
#include "dataplane/buffer.h"
#include "dataplane/esp.h"
#include "dataplane/fragment_table.h"
#include "dataplane/spread.h"
#include "dataplane/worker.h"

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include <netinet/in.h>

#define GOOD DROP_REASON_COUNT

#define IP6_FRAG_LEN (sizeof(struct rte_ipv6_hdr) + sizeof(struct rte_ipv6_fragment_ext))

/* No link makes a fragment that has others behind it as short as this, and attacks do: to hide the first
 * headers' end, or to have much work done. IPv4 gets 68 bytes through anywhere (RFC 791 3.2), IPv6 1280,
 * but senders may choose to send less. */
#define IP4_LEAST 68
#define IP6_LEAST 96

enum {
	ECN_NOT = 0,
	ECN_CE = 3,
	ECN_MASK = 3
};

static unsigned ip_header_len(const struct pkt *p)
{
	return p->family == IP_V4 ? rte_ipv4_hdr_len((const struct rte_ipv4_hdr *)p->l3)
				  : IP6_FRAG_LEN;
}

static void read_ip4(const struct pkt *p, struct fragment *f, struct fragment_key *key)
{
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)p->l3;
	uint16_t field = rte_be_to_cpu_16(ip->fragment_offset);

	f->offset = (field & RTE_IPV4_HDR_OFFSET_MASK) * RTE_IPV4_HDR_OFFSET_UNITS;
	f->more = field & RTE_IPV4_HDR_MF_FLAG;
	f->ecn = ip->type_of_service & ECN_MASK;
	key->id = ip->packet_id;
	key->proto = ip->next_proto_id;
	memcpy(key->src, &ip->src_addr, sizeof(ip->src_addr));
	memcpy(key->dst, &ip->dst_addr, sizeof(ip->dst_addr));
}

/* Only a fragment header that follows the IPv6 header at once: nobody puts another header in front of one
 * that ESP comes after. */
static bool read_ip6(const struct pkt *p, struct fragment *f, struct fragment_key *key)
{
	const struct rte_ipv6_hdr *ip = (const struct rte_ipv6_hdr *)p->l3;
	const struct rte_ipv6_fragment_ext *ext = (const struct rte_ipv6_fragment_ext *)(ip + 1);
	uint16_t field;

	if (p->len < IP6_FRAG_LEN || ip->proto != IPPROTO_FRAGMENT ||
		ext->next_header == IPPROTO_FRAGMENT)
		return false;
	field = rte_be_to_cpu_16(ext->frag_data);
	f->offset = field & RTE_IPV6_EHDR_FO_MASK;
	f->more = field & RTE_IPV6_EHDR_MF_MASK;
	f->ecn = p->l3[1] >> 4 & ECN_MASK;
	key->id = ext->id;
	memcpy(key->src, ip->src_addr, sizeof(ip->src_addr));
	memcpy(key->dst, ip->dst_addr, sizeof(ip->dst_addr));
	return true;
}

/* The first one has all headers up to the SPI (RFC 1858, RFC 7112). */
static bool is_tiny(const struct pkt *p, const struct fragment *f)
{
	const uint32_t least = p->family == IP_V4 ? IP4_LEAST : IP6_LEAST;
	const uint32_t headers = p->proto == IPPROTO_UDP
		? sizeof(struct rte_udp_hdr) + sizeof(struct esp_hdr)
		: sizeof(struct esp_hdr);

	/* A link's fragments fill it up to less than 8 bytes. */
	return (f->more && p->len + 8u <= least) || (f->offset == 0 && f->payload < headers);
}

static enum drop_reason read_fragment(
	const struct pkt *p, struct fragment *f, struct fragment_key *key)
{
	const uint32_t header_len = ip_header_len(p);

	*key = (struct fragment_key){.family = p->family};
	*f = (struct fragment){.m = p->m};
	if (p->family == IP_V4)
		read_ip4(p, f, key);
	else if (!read_ip6(p, f, key))
		return DROP_FRAG_INVALID;
	if (p->len <= header_len)
		return DROP_FRAG_INVALID;
	f->payload = p->len - header_len;
	if ((f->more && f->payload % 8 != 0) || f->offset + f->payload + header_len > UINT16_MAX)
		return DROP_FRAG_INVALID;
	return is_tiny(p, f) ? DROP_FRAG_TINY : GOOD;
}

/* Fragments of one packet may have arrived on several workers. */
static bool hand_on(struct worker *w, const struct pkt *p)
{
	const uint16_t to = spread_by_addresses(w, p->l3, p->family);

	if (likely(to == w->id))
		return false;
	*host_tag(p->m) = (struct host_tag){
		.op = HOST_FRAGMENT,
		.flags = p->flags,
		.l3_off = p->l3 - rte_pktmbuf_mtod(p->m, uint8_t *),
		.in = p->in != NULL ? p->in->id : 0,
	};
	if (worker_hand_over(w, to, (struct rte_mbuf *[]){p->m}, 1) == 0)
		worker_drop_in(w, p, DROP_HANDOFF_FULL);
	return true;
}

/* The payload is cut out. The first fragment keeps its headers, and with them a port's Ethernet header,
 * for the kernel may get the packet. */
static void cut_out(struct pkt *p, const struct fragment *f)
{
	struct rte_mbuf *m = p->m;
	uint16_t l2_len = p->l3 - rte_pktmbuf_mtod(m, uint8_t *);

	m->data_len = m->pkt_len = l2_len + p->len;
	if (f->offset != 0) {
		rte_pktmbuf_adj(m, m->pkt_len - f->payload);
		return;
	}
	if (p->in == NULL || p->in->kind != IFACE_PORT || l2_len != RTE_ETHER_HDR_LEN) {
		rte_pktmbuf_adj(m, l2_len);
		l2_len = 0;
	}
	m->l2_len = l2_len;
}

/* RFC 3168 5.3: congestion that a fragment met is the packet's; where some of the fragments can't tell of
 * it, it is dropped. */
static bool merge_ecn(struct pkt *p, uint8_t seen)
{
	if (!(seen & 1 << ECN_CE))
		return true;
	if (seen & 1 << ECN_NOT)
		return false;
	if (p->family == IP_V4)
		p->l3[1] |= ECN_CE;
	else
		p->l3[1] |= ECN_CE << 4;
	return true;
}

/* The first fragment's header becomes the packet's. False: the header is too long for all that follows. */
static bool make_whole(struct pkt *p, const struct fragment_chain *whole)
{
	struct rte_ipv4_hdr *ip4 = (struct rte_ipv4_hdr *)p->l3;
	struct rte_ipv6_hdr *ip6 = (struct rte_ipv6_hdr *)p->l3;
	const struct rte_ipv6_fragment_ext *ext = (const struct rte_ipv6_fragment_ext *)(ip6 + 1);
	uint32_t len;

	if (p->family == IP_V6) {
		ip6->proto = ext->next_header;
		ip6->payload_len = rte_cpu_to_be_16(whole->payload);
		/* The fragment header goes, and what is in front of it moves up. */
		len = p->m->l2_len + sizeof(*ip6);
		memmove(rte_pktmbuf_mtod_offset(p->m, uint8_t *, sizeof(*ext)),
			rte_pktmbuf_mtod(p->m, uint8_t *), len);
		rte_pktmbuf_adj(p->m, sizeof(*ext));
		p->l3 += sizeof(*ext);
		return whole->payload + sizeof(*ip6) <= UINT16_MAX;
	}
	len = rte_ipv4_hdr_len(ip4) + whole->payload;
	ip4->total_length = rte_cpu_to_be_16(len);
	ip4->fragment_offset &= RTE_BE16(RTE_IPV4_HDR_DF_FLAG);
	ip4->hdr_checksum = 0;
	ip4->hdr_checksum = rte_ipv4_cksum(ip4);
	return len <= UINT16_MAX;
}

/* UDP that is not ESP (RFC 3948 2.2), judged by what the first buffer holds. */
static bool is_kernels(const struct pkt *p)
{
	static const uint8_t ike_marker[NATT_MARKER_LEN];
	unsigned l4_off = p->family == IP_V4 ? rte_ipv4_hdr_len((struct rte_ipv4_hdr *)p->l3)
					     : sizeof(struct rte_ipv6_hdr);
	const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)(p->l3 + l4_off);
	uint8_t proto = p->family == IP_V4 ? ((struct rte_ipv4_hdr *)p->l3)->next_proto_id
					   : ((struct rte_ipv6_hdr *)p->l3)->proto;

	if (proto != IPPROTO_UDP)
		return false;
	return udp->dst_port != RTE_BE16(NATT_PORT) ||
		memcmp(udp + 1, ike_marker, sizeof(ike_marker)) == 0;
}

static void drop_chain(struct worker *w, const struct pkt *p, enum drop_reason why)
{
	struct rte_mbuf *m, *next;
	struct pkt one = *p;

	for (m = p->m; m != NULL; m = next) {
		next = m->next;
		m->next = NULL;
		m->nb_segs = 1;
		one.m = m;
		worker_drop_in(w, &one, why);
	}
}

/* The rest of the router wants a packet in one buffer; the kernel takes it in several. */
static void finish(struct worker *w, struct pkt *p)
{
	const unsigned joined = p->m->nb_segs - 1;
	enum drop_reason why = DROP_SEGMENTS;
	struct rte_mbuf *m;
	uint16_t l2_len = p->m->l2_len;

	w->stats.fragments_joined += joined;
	if (l2_len > 0 && p->in != NULL && p->in->kind == IFACE_PORT &&
		buffer_pool(w, p->m->pkt_len + BUFFER_TAIL) != w->pool && is_kernels(p)) {
		host_punt(w, p);
		return;
	}
	if (p->m->pkt_len > UINT16_MAX) { /* only without its Ethernet header */
		rte_pktmbuf_adj(p->m, l2_len);
		l2_len = 0;
	}
	m = buffer_join(w, p->m, &why);
	if (m == NULL) {
		worker_drop_in(w, p, why);
		return;
	}
	p->m = m;
	p->l3 = rte_pktmbuf_mtod_offset(m, uint8_t *, l2_len);
	why = parse_ip(p, m->data_len - l2_len);
	if (why == GOOD)
		local_in(w, p);
	else
		worker_drop_in(w, p, why);
}

void reassemble(struct worker *w, struct pkt *p)
{
	struct fragment_chain whole;
	struct fragment_key key;
	struct fragment f;
	enum drop_reason bad = read_fragment(p, &f, &key);

	if (bad != GOOD) {
		worker_drop_in(w, p, bad);
		return;
	}
	if (w->n_workers > 1 && hand_on(w, p))
		return;
	cut_out(p, &f);
	if (!fragment_add(w, &key, &f, &whole))
		return;
	p->m = whole.m;
	p->l3 = rte_pktmbuf_mtod_offset(whole.m, uint8_t *, whole.m->l2_len);
	if (!merge_ecn(p, whole.ecn) || !make_whole(p, &whole))
		drop_chain(w, p, DROP_FRAG_INVALID);
	else
		finish(w, p);
}

void reassemble_from_worker(struct worker *w, struct rte_mbuf *m)
{
	const struct host_tag tag = *host_tag(m);
	struct pkt p = {
		.m = m,
		.l3 = rte_pktmbuf_mtod_offset(m, uint8_t *, tag.l3_off),
		.in = iface_by_id(tag.in),
	};
	enum drop_reason bad = parse_ip(&p, m->data_len - tag.l3_off);

	p.flags |= tag.flags;
	if (bad == GOOD)
		reassemble(w, &p);
	else
		worker_drop_in(w, &p, bad);
}
