/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv6 fragmentation as the source of a packet does it (RFC 8200 4.5): of ESP packets of our own, which
 * have no extension headers. Nobody else's IPv6 packets are ever cut.
 *
 * The packet itself becomes the first piece: its IPv6 header moves 8 bytes forward, into the headroom,
 * so that the largest copy is saved. */
#include "dataplane/buffer.h"
#include "dataplane/worker.h"

#include <rte_ip.h>

#include <netinet/in.h>

#define HDR_LEN sizeof(struct rte_ipv6_hdr)
#define EXT_LEN sizeof(struct rte_ipv6_fragment_ext)
#define L2_ROOM 32 /* that stays in front, for whatever link is next */

struct cut6 {
	uint8_t header[HDR_LEN]; /* of all pieces, but for the length */
	uint8_t next;            /* protocol of what is cut */
	uint32_t id;             /* network order */
	uint16_t each, payload;  /* bytes of a piece, and of the whole */
};

static void put_headers(const struct cut6 *c, uint8_t *l3, uint16_t offset, uint16_t n)
{
	struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)l3;
	struct rte_ipv6_fragment_ext *ext = (struct rte_ipv6_fragment_ext *)(ip + 1);
	const uint16_t more = offset + n < c->payload ? RTE_IPV6_EHDR_MF_MASK : 0;

	memcpy(ip, c->header, HDR_LEN);
	ip->proto = IPPROTO_FRAGMENT;
	ip->payload_len = rte_cpu_to_be_16(EXT_LEN + n);
	*ext = (struct rte_ipv6_fragment_ext){
		.next_header = c->next,
		.frag_data = rte_cpu_to_be_16(offset | more),
		.id = c->id,
	};
}

static struct pkt later_piece(
	const struct cut6 *c, const struct pkt *whole, struct rte_mbuf *m, uint16_t offset)
{
	const uint16_t n = RTE_MIN(c->each, c->payload - offset);
	struct pkt piece = *whole;

	piece.m = m;
	piece.len = HDR_LEN + EXT_LEN + n;
	piece.l3 = (uint8_t *)rte_pktmbuf_append(m, piece.len);
	piece.l4_off = HDR_LEN + EXT_LEN;
	piece.flags |= PKT_FRAGMENT | PKT_LATER_FRAGMENT;
	put_headers(c, piece.l3, offset, n);
	memcpy(piece.l3 + HDR_LEN + EXT_LEN, whole->l3 + HDR_LEN + offset, n);
	return piece;
}

/* Make p the first piece of itself. */
static void first_piece(const struct cut6 *c, struct pkt *p)
{
	p->l3 -= EXT_LEN;
	p->len = HDR_LEN + EXT_LEN + c->each;
	p->l4_off = HDR_LEN + EXT_LEN;
	p->flags |= PKT_FRAGMENT;
	put_headers(c, p->l3, 0, c->each);
	p->m->data_off = p->l3 - (uint8_t *)p->m->buf_addr;
	p->m->data_len = p->len;
	p->m->pkt_len = p->len;
}

static bool plan(struct cut6 *c, const struct pkt *p, uint16_t mtu, uint32_t id)
{
	const struct rte_ipv6_hdr *ip = (const struct rte_ipv6_hdr *)p->l3;

	if (mtu < HDR_LEN + EXT_LEN + 8 || p->len <= mtu)
		return false;
	memcpy(c->header, p->l3, HDR_LEN);
	c->next = ip->proto;
	c->id = rte_cpu_to_be_32(id);
	c->payload = p->len - HDR_LEN;
	c->each = RTE_ALIGN_FLOOR(mtu - HDR_LEN - EXT_LEN, 8);
	return p->l3 - (uint8_t *)p->m->buf_addr >= (ptrdiff_t)(EXT_LEN + L2_ROOM);
}

unsigned fragment_ip6(struct worker *w, struct pkt *p, uint16_t mtu, uint32_t id, struct vec *out)
{
	struct rte_mempool *pool = buffer_pool(w, mtu);
	struct rte_mbuf *m[VEC_MAX];
	struct pkt piece;
	struct cut6 c;
	unsigned pieces = 0, i;

	if (plan(&c, p, mtu, id))
		pieces = (c.payload + c.each - 1) / c.each;
	if (pieces == 0 || pieces > RTE_MIN((unsigned)VEC_MAX, VEC_ROOM(out)) || pool == NULL ||
		rte_pktmbuf_alloc_bulk(pool, m, pieces - 1) != 0) {
		worker_drop_in(w, p, DROP_FRAGMENT_FAILED);
		return 0;
	}
	vec_push(out, p);
	for (i = 1; i < pieces; i++) {
		piece = later_piece(&c, p, m[i - 1], i * c.each);
		vec_push(out, &piece);
	}
	first_piece(&c, &out->p[out->n - pieces]);
	buffer_leave_large(w, &out->p[out->n - pieces]);
	w->stats.fragments_made += pieces - 1;
	return pieces;
}
