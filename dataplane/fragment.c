/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv4 fragmentation (RFC 791 3.2). Own code, because librte_ip_frag copies every option into every
 * fragment, where RFC 791 wants only those with the copied flag in the later ones.
 *
 * The packet itself becomes the first piece: its header stays as it is but for length, MF and
 * checksum, so the largest copy is saved. */
#include "dataplane/buffer.h"
#include "dataplane/worker.h"

#include <rte_ip.h>

#define IP4_OPT_END    0
#define IP4_OPT_NOP    1
#define IP4_OPT_COPIED 0x80

/* More pieces than this are refused: a turn's vector has to hold them all. */
#define PIECES_MAX VEC_MAX

/* How a packet is cut. Lengths in bytes. */
struct cut {
	uint16_t first, later; /* payload of the first and of the other pieces, multiples of 8 */
	uint16_t payload;      /* of the whole packet */
	uint16_t pieces;
	uint8_t header_len; /* of the later pieces */
	uint8_t header[60]; /* of the later pieces: only options that are copied */
};

/* Write the options that later pieces carry to `to`, padded to 4 bytes. Returns their length, or -1
 * where an option's length is nonsense. */
static int copied_options(const uint8_t *opt, unsigned len, uint8_t *to)
{
	unsigned i = 0, n = 0, size;

	while (i < len && opt[i] != IP4_OPT_END) {
		if (opt[i] == IP4_OPT_NOP) {
			i++;
			continue;
		}
		if (i + 2 > len || opt[i + 1] < 2 || i + opt[i + 1] > len)
			return -1;
		size = opt[i + 1];
		if (opt[i] & IP4_OPT_COPIED) {
			memcpy(to + n, opt + i, size);
			n += size;
		}
		i += size;
	}
	while (n % 4 != 0)
		to[n++] = IP4_OPT_END;
	return n;
}

static bool plan(struct cut *c, const struct pkt *p, uint16_t mtu)
{
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)p->l3;
	unsigned header_len = rte_ipv4_hdr_len(ip);
	unsigned offset = rte_be_to_cpu_16(ip->fragment_offset) & RTE_IPV4_HDR_OFFSET_MASK;
	int options;

	memcpy(c->header, p->l3, sizeof(*ip));
	options = copied_options(
		p->l3 + sizeof(*ip), header_len - sizeof(*ip), c->header + sizeof(*ip));
	if (options < 0 || mtu < header_len + 8 || p->len <= mtu)
		return false;
	/* A fragment that reaches beyond 65535 bytes would get its offset carried into the flags. */
	if (offset * RTE_IPV4_HDR_OFFSET_UNITS + p->len > UINT16_MAX)
		return false;
	c->header_len = sizeof(*ip) + options;
	c->header[0] = 0x40 | c->header_len / 4;
	c->payload = p->len - header_len;
	c->first = RTE_ALIGN_FLOOR(mtu - header_len, 8);
	c->later = RTE_ALIGN_FLOOR(mtu - c->header_len, 8);
	c->pieces = 1 + (c->payload - c->first + c->later - 1) / c->later;
	return c->pieces <= PIECES_MAX;
}

/* Length, offset and MF of a piece; `offset` in bytes from the start of the packet being cut, which
 * may be a fragment itself. */
static void finish_header(
	uint8_t *l3, uint16_t len, uint16_t old_fragment, uint16_t offset, bool more)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)l3;
	uint16_t field = old_fragment + offset / RTE_IPV4_HDR_OFFSET_UNITS;

	if (more)
		field |= RTE_IPV4_HDR_MF_FLAG;
	ip->total_length = rte_cpu_to_be_16(len);
	ip->fragment_offset = rte_cpu_to_be_16(field);
	ip->hdr_checksum = 0;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
}

/* Fill m with the payload's bytes from `offset` on. */
static struct pkt later_piece(const struct cut *c, const struct pkt *p, struct rte_mbuf *m,
	uint16_t old_fragment, uint16_t offset)
{
	uint16_t n = RTE_MIN(c->later, c->payload - offset);
	struct pkt piece = *p;

	piece.m = m;
	piece.len = c->header_len + n;
	piece.l3 = (uint8_t *)rte_pktmbuf_append(m, piece.len);
	piece.l4_off = c->header_len;
	piece.flags |= PKT_FRAGMENT | PKT_LATER_FRAGMENT;
	memcpy(piece.l3, c->header, c->header_len);
	memcpy(piece.l3 + c->header_len, p->l3 + p->len - c->payload + offset, n);
	finish_header(piece.l3, piece.len, old_fragment, offset, offset + n < c->payload);
	return piece;
}

/* Make p the first piece of itself. */
static void first_piece(const struct cut *c, struct pkt *p, uint16_t old_fragment)
{
	p->len = p->len - c->payload + c->first;
	p->flags |= PKT_FRAGMENT;
	p->m->data_len = p->l3 - rte_pktmbuf_mtod(p->m, uint8_t *) + p->len;
	p->m->pkt_len = p->m->data_len;
	finish_header(p->l3, p->len, old_fragment, 0, true);
}

unsigned fragment_ip4(struct worker *w, struct pkt *p, uint16_t mtu, struct vec *out)
{
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)p->l3;
	struct rte_mempool *pool = buffer_pool(w, mtu);
	struct rte_mbuf *m[PIECES_MAX];
	uint16_t old_fragment = rte_be_to_cpu_16(ip->fragment_offset), offset;
	struct cut c;
	struct pkt piece;
	unsigned i;

	if (!plan(&c, p, mtu) || c.pieces > VEC_ROOM(out) || pool == NULL) {
		worker_drop_in(w, p, DROP_FRAGMENT_FAILED);
		return 0;
	}
	/* All or nothing: a packet of which a piece is missing is of no use to anybody. */
	if (rte_pktmbuf_alloc_bulk(pool, m, c.pieces - 1) != 0) {
		worker_drop_in(w, p, DROP_FRAGMENT_FAILED);
		return 0;
	}
	vec_push(out, p);
	offset = c.first;
	for (i = 0; i < c.pieces - 1u; i++, offset += c.later) {
		piece = later_piece(&c, p, m[i], old_fragment, offset);
		vec_push(out, &piece);
	}
	first_piece(&c, &out->p[out->n - c.pieces], old_fragment);
	buffer_leave_large(w, &out->p[out->n - c.pieces]);
	w->stats.fragments_made += c.pieces - 1;
	return c.pieces;
}
