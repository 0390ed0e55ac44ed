/* SPDX-License-Identifier: BSD-3-Clause */
/* Reassembly of fragmented packets to the router itself, so that ESP can be decrypted (RFC 4303
 * 3.4.1). Fragments wait in a table of librte_ip_frag, one per worker.
 *
 * What waits is bounded: at most 8 fragments of a packet (RTE_LIBRTE_IP_FRAG_MAX_FRAG), at most
 * 1/8 of the worker's share of the buffers, at most 30 s. When there is no room, packets that have
 * waited for a second make some: so lost fragments don't stop reassembly for half a minute. */
#include "dataplane/esp.h"
#include "dataplane/worker.h"

#include <rte_cycles.h>
#include <rte_ip.h>
#include <rte_ip_frag.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_udp.h>

#define TIMEOUT_S    30 /* as Linux; RFC 1122 3.3.2 asks for a minute, written for slow links */
#define EVICT_S      1
#define BUCKETS      64
#define BUCKET_SIZE  4
#define PACKETS_MAX  512 /* incomplete ones; librte_ip_frag hashes to two places in the table */
#define POOL_SHARE   8
#define IP6_FRAG_LEN (sizeof(struct rte_ipv6_hdr) + sizeof(struct rte_ipv6_fragment_ext))

struct fragment_table {
	struct rte_ip_frag_tbl *tbl;
	uint64_t next_expiry;             /* TSC */
	uint32_t held;                    /* buffers that wait in tbl */
	struct rte_ip_frag_death_row row; /* what the library gives up; empty between calls */
};

struct fragment_table *fragment_table_new(void)
{
	struct fragment_table *t = rte_zmalloc_socket("fragments", sizeof(*t), 0, rte_socket_id());

	if (t == NULL)
		return NULL;
	t->tbl = rte_ip_frag_table_create(
		BUCKETS, BUCKET_SIZE, PACKETS_MAX, TIMEOUT_S * rte_get_tsc_hz(), rte_socket_id());
	if (t->tbl == NULL) {
		rte_free(t);
		return NULL;
	}
	return t;
}

void fragment_table_free(struct fragment_table *t)
{
	if (t == NULL)
		return;
	rte_ip_frag_table_destroy(t->tbl);
	rte_free(t);
}

/* Is m among the packets that the library gave up? It may hang in a chain it had begun to join. */
static bool row_has(const struct rte_ip_frag_death_row *row, const struct rte_mbuf *m)
{
	const struct rte_mbuf *seg;

	for (unsigned i = 0; i < row->cnt; i++) {
		for (seg = row->row[i]; seg != NULL; seg = seg->next) {
			if (seg == m)
				return true;
		}
	}
	return false;
}

/* Drop what the library gave up; chains are undone, for each fragment is a packet that arrived and
 * counts as one. Returns how many. */
static unsigned drop_row(
	struct worker *w, struct rte_ip_frag_death_row *row, enum drop_reason reason)
{
	struct rte_mbuf *seg, *next;
	unsigned n = 0;

	for (unsigned i = 0; i < row->cnt; i++) {
		for (seg = row->row[i]; seg != NULL; seg = next, n++) {
			next = seg->next;
			seg->next = NULL;
			seg->nb_segs = 1;
			seg->pkt_len = seg->data_len;
			worker_drop(w, seg, reason);
		}
	}
	row->cnt = 0;
	return n;
}

/* Give up packets that have waited for longer than `age` cycles. */
static void give_up(struct worker *w, uint64_t age)
{
	struct fragment_table *t = w->fragments;
	uint64_t until = w->now + TIMEOUT_S * rte_get_tsc_hz() - age;
	unsigned n;

	do {
		rte_ip_frag_table_del_expired_entries(t->tbl, &t->row, until);
		n = drop_row(w, &t->row, DROP_FRAG_TIMEOUT);
		t->held -= n;
	} while (n > 0);
}

void reassemble_expire(struct worker *w)
{
	struct fragment_table *t = w->fragments;

	if (likely(t->held == 0 || w->now < t->next_expiry))
		return;
	t->next_expiry = w->now + rte_get_tsc_hz() / 10;
	give_up(w, TIMEOUT_S * rte_get_tsc_hz());
}

/* A fragment's place, its payload in bytes and the length of its headers up to that. */
struct fragment {
	uint32_t offset, payload;
	uint16_t header_len;
	bool more;
};

/* False where no packet can have such a fragment. In IPv6 only fragment headers that follow the IPv6
 * header at once are taken: nobody puts another header in front of one that ESP comes after. */
static bool read_fragment(const struct pkt *p, struct fragment *f)
{
	const struct rte_ipv4_hdr *ip4 = (const struct rte_ipv4_hdr *)p->l3;
	const struct rte_ipv6_hdr *ip6 = (const struct rte_ipv6_hdr *)p->l3;
	const struct rte_ipv6_fragment_ext *ext = (const struct rte_ipv6_fragment_ext *)(ip6 + 1);
	uint16_t field;

	if (p->family == IP_V4) {
		field = rte_be_to_cpu_16(ip4->fragment_offset);
		f->offset = (field & RTE_IPV4_HDR_OFFSET_MASK) * RTE_IPV4_HDR_OFFSET_UNITS;
		f->more = field & RTE_IPV4_HDR_MF_FLAG;
		f->header_len = rte_ipv4_hdr_len(ip4);
	} else {
		if (p->len < IP6_FRAG_LEN || ip6->proto != IPPROTO_FRAGMENT ||
			ext->next_header == IPPROTO_FRAGMENT)
			return false;
		field = rte_be_to_cpu_16(ext->frag_data);
		f->offset = field & RTE_IPV6_EHDR_FO_MASK;
		f->more = field & RTE_IPV6_EHDR_MF_MASK;
		f->header_len = IP6_FRAG_LEN;
	}
	/* Neither with an offset nor followed by others it would be a whole packet. */
	if (p->len <= f->header_len || (f->offset == 0 && !f->more))
		return false;
	f->payload = p->len - f->header_len;
	return (!f->more || f->payload % 8 == 0) &&
		f->offset + f->payload + f->header_len <= UINT16_MAX;
}

/* The library wants to know where headers end. A port's Ethernet header stays, for the kernel may get
 * the packet; bytes in front of one that was decrypted go. */
static void prepare(struct pkt *p, const struct fragment *f)
{
	struct rte_mbuf *m = p->m;
	uint16_t l2_len = p->l3 - rte_pktmbuf_mtod(m, uint8_t *);

	if (p->in == NULL || p->in->kind != IFACE_PORT || l2_len != RTE_ETHER_HDR_LEN) {
		rte_pktmbuf_adj(m, l2_len);
		l2_len = 0;
	}
	m->l2_len = l2_len;
	m->l3_len = f->header_len;
}

static struct rte_mbuf *insert(struct worker *w, const struct pkt *p)
{
	struct fragment_table *t = w->fragments;
	struct rte_ipv6_hdr *ip6 = (struct rte_ipv6_hdr *)p->l3;
	uint32_t held_max = w->pool->size / POOL_SHARE / w->n_workers;

	if (t->held >= held_max) {
		t->row.row[t->row.cnt++] = p->m;
		return NULL;
	}
	if (p->family == IP_V4)
		return rte_ipv4_frag_reassemble_packet(
			t->tbl, &t->row, p->m, w->now, (struct rte_ipv4_hdr *)ip6);
	return rte_ipv6_frag_reassemble_packet(
		t->tbl, &t->row, p->m, w->now, ip6, (struct rte_ipv6_fragment_ext *)(ip6 + 1));
}

/* Refused for lack of room: then m is given up alone. A wrong fragment takes its packet's others
 * with it. (A repeated one comes back alone as well from DPDK 26.07 on, and counts as one for which
 * there was no room; the packet it belongs to is not disturbed.) */
static bool no_room(const struct rte_ip_frag_death_row *row, const struct rte_mbuf *m)
{
	return row->cnt == 1 && row->row[0] == m && m->next == NULL;
}

/* The whole packet, or NULL: the fragment waits, or was dropped. */
static struct rte_mbuf *collect(struct worker *w, const struct pkt *p)
{
	struct fragment_table *t = w->fragments;
	struct rte_mbuf *m = insert(w, p);
	enum drop_reason reason = DROP_FRAG_TIMEOUT;

	if (m == NULL && no_room(&t->row, p->m)) {
		t->row.cnt = 0;
		give_up(w, EVICT_S * rte_get_tsc_hz());
		m = insert(w, p);
	}
	t->held++;
	if (row_has(&t->row, p->m) && !no_room(&t->row, p->m))
		reason = DROP_FRAG_INVALID;
	t->held -= drop_row(w, &t->row, reason);
	if (m != NULL)
		t->held -= m->nb_segs;
	return m;
}

/* UDP that is not ESP (RFC 3948 2.2), judged by what the first buffer holds. */
static bool is_kernels(const struct pkt *p)
{
	static const uint8_t ike_marker[NATT_MARKER_LEN];
	unsigned l4_off = p->family == IP_V4 ? rte_ipv4_hdr_len((struct rte_ipv4_hdr *)p->l3)
					     : sizeof(struct rte_ipv6_hdr);
	const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)(p->l3 + l4_off);
	uint8_t proto = p->family == IP_V4 ? p->proto : ((struct rte_ipv6_hdr *)p->l3)->proto;

	if (proto != IPPROTO_UDP ||
		p->m->data_len < p->m->l2_len + l4_off + sizeof(*udp) + sizeof(ike_marker))
		return false;
	return udp->dst_port != RTE_BE16(NATT_PORT) ||
		memcmp(udp + 1, ike_marker, sizeof(ike_marker)) == 0;
}

/* The rest of the router wants a packet in one buffer; the kernel takes it in several, and gets so
 * IKE messages with large certificates. */
static void finish(struct worker *w, struct pkt *p)
{
	enum drop_reason reason;

	if (rte_pktmbuf_linearize(p->m) == 0) {
		reason = parse_ip(p, p->m->data_len - p->m->l2_len);
		if (reason == DROP_REASON_COUNT)
			local_in(w, p);
		else
			worker_drop_in(w, p, reason);
	} else if (p->m->l2_len > 0 && is_kernels(p)) {
		host_punt(w, p);
	} else {
		worker_drop_in(w, p, DROP_SEGMENTS);
	}
}

void reassemble(struct worker *w, struct pkt *p)
{
	struct rte_ipv4_hdr *ip4;
	struct fragment f;
	struct rte_mbuf *m;

	if (!read_fragment(p, &f)) {
		worker_drop_in(w, p, DROP_FRAG_INVALID);
		return;
	}
	prepare(p, &f);
	m = collect(w, p);
	if (m == NULL)
		return;
	w->stats.fragments_joined += m->nb_segs - 1;
	p->m = m;
	p->l3 = rte_pktmbuf_mtod_offset(m, uint8_t *, m->l2_len);
	if (p->family == IP_V4) {
		ip4 = (struct rte_ipv4_hdr *)p->l3;
		ip4->hdr_checksum = 0;
		ip4->hdr_checksum = rte_ipv4_cksum(ip4);
	}
	finish(w, p);
}
