/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv4 fragmentation: scapy's bytes, RFC 791's options, every size around the boundaries put
 * together again by librte_ip_frag, and what can't be cut. */
#include "ip_packets.h"

#include "fragment_vectors.h"

#include <rte_ip.h>
#include <rte_ip_frag.h>

#define BIG 60000 /* room of the buffers that hold the largest packets */

static unsigned cut(struct pkt *p, uint16_t mtu)
{
	return fragment_ip4(worker, p, mtu, &worker->pieces);
}

/* An IPv4 packet of len bytes, header_len of them header with zeroes for options. */
static struct pkt make(uint16_t len, unsigned header_len)
{
	static uint8_t bytes[BIG];
	uint16_t sum;

	memset(bytes, 0, header_len);
	bytes[0] = 0x40 | header_len / 4;
	bytes[2] = len >> 8;
	bytes[3] = len & 0xff;
	bytes[4] = 0x77;
	bytes[8] = 64;
	bytes[9] = 17;
	bytes[12] = 198;
	bytes[16] = 203;
	sum = checksum(bytes, header_len, 0);
	bytes[10] = sum >> 8;
	bytes[11] = sum & 0xff;
	for (unsigned i = header_len; i < len; i++)
		bytes[i] = i * 31 + (i >> 8);
	return packet_at(18, bytes, len);
}

static void same_bytes_as_scapy(void)
{
	start_worker(511, 2048);
	for (unsigned i = 0; i < RTE_DIM(cut_vectors); i++) {
		const struct cut_vector *v = &cut_vectors[i];
		struct pkt p = packet_at(14, v->packet, v->len);

		CU_ASSERT_EQUAL_FATAL(cut(&p, v->mtu), v->n);
		CU_ASSERT_EQUAL_FATAL(worker->pieces.n, v->n);
		for (unsigned k = 0; k < v->n; k++) {
			const struct pkt *piece = &worker->pieces.p[k];

			CU_ASSERT_EQUAL_FATAL(piece->len, v->piece[k].len);
			CU_ASSERT_EQUAL(memcmp(piece->l3, v->piece[k].bytes, piece->len), 0);
		}
		free_vec(&worker->pieces);
	}
	CU_ASSERT_EQUAL(worker->stats.drops[DROP_FRAGMENT_FAILED], 0);
	stop_worker();
}

static void descriptors_are_complete(void)
{
	static struct sa *sa = (struct sa *)0x1000;
	static struct iface *in = (struct iface *)0x2000;
	struct pkt p, *piece;

	start_worker(511, 2048);
	p = make(1500, 20);
	p.sa = sa;
	p.in = in;
	p.depth = 2;
	p.flags = PKT_DECRYPTED;
	CU_ASSERT_EQUAL_FATAL(cut(&p, 600), 3);
	for (unsigned k = 0; k < 3; k++) {
		piece = &worker->pieces.p[k];
		CU_ASSERT_PTR_EQUAL(piece->sa, sa);
		CU_ASSERT_PTR_EQUAL(piece->in, in);
		CU_ASSERT_EQUAL(piece->depth, 2);
		CU_ASSERT_EQUAL(piece->family, IP_V4);
		CU_ASSERT_EQUAL(piece->proto, 17);
		CU_ASSERT_EQUAL(piece->l4_off, 20);
		CU_ASSERT_EQUAL(piece->flags,
			PKT_DECRYPTED | PKT_FRAGMENT | (k > 0 ? PKT_LATER_FRAGMENT : 0));
		CU_ASSERT_PTR_EQUAL(piece->l3 + piece->len,
			rte_pktmbuf_mtod_offset(piece->m, uint8_t *, piece->m->data_len));
		CU_ASSERT_EQUAL(piece->m->pkt_len, piece->m->data_len);
		CU_ASSERT(rte_pktmbuf_headroom(piece->m) >= RTE_PKTMBUF_HEADROOM);
		CU_ASSERT(rte_pktmbuf_tailroom(piece->m) >= 64);
	}
	CU_ASSERT_EQUAL(worker->stats.fragments_made, 2);
	stop_worker();
}

static struct rte_mbuf *join(struct rte_ip_frag_tbl *tbl, struct vec *v, uint16_t header_len)
{
	struct rte_ip_frag_death_row row = {0};
	struct rte_mbuf *whole = NULL;

	for (unsigned i = 0; i < v->n; i++) {
		struct pkt *p = &v->p[i];

		CU_ASSERT_PTR_NULL(whole);
		rte_pktmbuf_adj(p->m, p->l3 - rte_pktmbuf_mtod(p->m, uint8_t *));
		p->m->l2_len = 0;
		p->m->l3_len = p->l4_off;
		CU_ASSERT_EQUAL(p->l4_off, header_len);
		whole = rte_ipv4_frag_reassemble_packet(
			tbl, &row, p->m, 1, (struct rte_ipv4_hdr *)p->l3);
	}
	CU_ASSERT_EQUAL(row.cnt, 0);
	v->n = 0;
	return whole;
}

static void check_pieces(const struct vec *v, uint16_t mtu)
{
	for (unsigned i = 0; i < v->n; i++) {
		const struct pkt *p = &v->p[i];

		CU_ASSERT(p->len <= mtu);
		/* None that could have been longer, but the last. */
		CU_ASSERT(i == v->n - 1u || p->len > mtu - 8);
		CU_ASSERT_EQUAL(checksum(p->l3, p->l4_off, 0), 0);
	}
}

static void one_round_trip(struct rte_ip_frag_tbl *tbl, uint16_t len, uint16_t mtu)
{
	uint8_t payload[2048];
	struct pkt p = make(len, 20);
	struct rte_mbuf *m;
	unsigned step = (mtu - 20) / 8 * 8, n = (len - 20 + step - 1) / step;

	CU_ASSERT_EQUAL_FATAL(cut(&p, mtu), n);
	check_pieces(&worker->pieces, mtu);
	m = join(tbl, &worker->pieces, 20);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_EQUAL_FATAL(m->pkt_len, len);
	p = make(len, 20);
	CU_ASSERT_EQUAL(memcmp(rte_pktmbuf_read(m, 20, len - 20, payload), p.l3 + 20, len - 20), 0);
	rte_pktmbuf_free(p.m);
	rte_pktmbuf_free(m);
}

static void every_size_comes_back(void)
{
	static const uint16_t mtus[] = {576, 577, 583, 584, 1280, 1401, 1422};
	struct rte_ip_frag_tbl *tbl = rte_ip_frag_table_create(16, 4, 64, 1000, rte_socket_id());

	start_worker(511, 2048);
	for (unsigned i = 0; i < RTE_DIM(mtus); i++) {
		for (unsigned more = 1; more <= 17; more++)
			one_round_trip(tbl, mtus[i] + more, mtus[i]);
		for (unsigned len = 2 * mtus[i] - 50; len < 2 * mtus[i] && len < 2000; len++)
			one_round_trip(tbl, len, mtus[i]);
	}
	rte_ip_frag_table_destroy(tbl);
	stop_worker();
}

/* Router alert and security are copied (bit 7), record route and timestamp stay in the first. */
static void options_copied_or_not(void)
{
	static const uint8_t options[24] = {
		1, 7, 7, 4, 0, 0, 0, 0, 148, 4, 0, 0, 68, 4, 5, 0, 130, 3, 0xab, 1, 0};
	static const uint8_t kept[8] = {148, 4, 0, 0, 130, 3, 0xab, 0};
	struct pkt p, *piece;

	start_worker(511, 2048);
	piece = worker->pieces.p;
	p = make(500, 44);
	memcpy(p.l3 + 20, options, sizeof(options));
	CU_ASSERT_EQUAL_FATAL(cut(&p, 200), 3);
	CU_ASSERT_EQUAL(piece[0].len, 44 + 152);
	CU_ASSERT_EQUAL(piece[0].l4_off, 44);
	CU_ASSERT_EQUAL(memcmp(piece[0].l3 + 20, options, sizeof(options)), 0);
	CU_ASSERT_EQUAL(checksum(piece[0].l3, 44, 0), 0);
	for (unsigned k = 1; k < 3; k++) {
		CU_ASSERT_EQUAL(piece[k].l4_off, 28);
		CU_ASSERT_EQUAL(piece[k].l3[0], 0x47);
		CU_ASSERT_EQUAL(memcmp(piece[k].l3 + 20, kept, sizeof(kept)), 0);
		CU_ASSERT_EQUAL(checksum(piece[k].l3, 28, 0), 0);
	}
	/* 456 bytes: 152 beside 44 of header, then 168 beside 28. */
	CU_ASSERT_EQUAL(piece[1].len, 28 + 168);
	CU_ASSERT_EQUAL(piece[1].l3[7], 152 / 8);
	CU_ASSERT_EQUAL(piece[2].len, 28 + 136);
	CU_ASSERT_EQUAL(piece[2].l3[7], 320 / 8);

	CU_ASSERT_EQUAL(piece[1].l3[6], 0x20);
	CU_ASSERT_EQUAL(piece[2].l3[6], 0);
	stop_worker();
}

static void expect_refusal(struct pkt *p, uint16_t mtu)
{
	uint64_t before = worker->stats.drops[DROP_FRAGMENT_FAILED];

	CU_ASSERT_EQUAL(cut(p, mtu), 0);
	CU_ASSERT_EQUAL(worker->pieces.n, 0);
	CU_ASSERT_EQUAL(worker->stats.drops[DROP_FRAGMENT_FAILED], before + 1);
	end_turn();
}

static void refuses_nonsense(void)
{
	static const uint8_t bad[][4] = {{7, 1}, {7, 0}, {7, 9}, {1, 1, 1, 7}};
	struct pkt p;

	start_worker(63, BIG);
	for (unsigned i = 0; i < RTE_DIM(bad); i++) {
		p = make(500, 24);
		memcpy(p.l3 + 20, bad[i], 4);
		expect_refusal(&p, 300);
	}
	p = make(500, 60);
	expect_refusal(&p, 67); /* no room for 8 bytes */
	p = make(30000, 20);
	expect_refusal(&p, 68); /* 625 pieces */
	p = make(1500, 20);
	p.l3[6] = 0x1f; /* offset 65528: the end is beyond 65535 */
	p.l3[7] = 0xff;
	expect_refusal(&p, 576);
	p = make(500, 20);
	expect_refusal(&p, 500); /* nothing to cut */
	stop_worker();
}

static void refuses_without_buffers(void)
{
	struct rte_mbuf *all[511];
	struct rte_mempool *small, *big;
	struct pkt p;
	unsigned n = 0;

	start_worker(511, 4096);
	p = make(4000, 20);
	while ((all[n] = rte_pktmbuf_alloc(worker->pool)) != NULL)
		n++;
	rte_pktmbuf_free(all[--n]); /* one, where two are needed */
	expect_refusal(&p, 1400);
	rte_pktmbuf_free_bulk(all, n);

	/* A packet out of larger buffers than ours. */
	big = worker->pool;
	small = rte_pktmbuf_pool_create(
		"small", 63, 0, MBUF_PRIV_SIZE, RTE_PKTMBUF_HEADROOM + 1024, rte_socket_id());
	p = make(4000, 20);
	worker->pool = small;
	expect_refusal(&p, 1400);
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(small), 0);
	rte_mempool_free(small);
	worker->pool = big;
	stop_worker();
}

/* All pieces or none. */
static void refuses_a_full_vector(void)
{
	struct pkt p;

	start_worker(1023, 2048);
	while (VEC_ROOM(&worker->pieces) > 3) {
		p = make(100, 20);
		vec_push(&worker->pieces, &p);
	}
	p = make(1500, 20);
	CU_ASSERT_EQUAL(cut(&p, 700), 3); /* exactly the room there is */
	CU_ASSERT_EQUAL(VEC_ROOM(&worker->pieces), 0);
	rte_pktmbuf_free(worker->pieces.p[--worker->pieces.n].m);
	p = make(1500, 20);
	CU_ASSERT_EQUAL(cut(&p, 1400), 0);
	CU_ASSERT_EQUAL(worker->stats.drops[DROP_FRAGMENT_FAILED], 1);
	CU_ASSERT_EQUAL(VEC_ROOM(&worker->pieces), 1);
	stop_worker();
}

UNIT_EAL_MAIN("fragment", UNIT_TEST(same_bytes_as_scapy), UNIT_TEST(descriptors_are_complete),
	UNIT_TEST(every_size_comes_back), UNIT_TEST(options_copied_or_not),
	UNIT_TEST(refuses_nonsense), UNIT_TEST(refuses_without_buffers),
	UNIT_TEST(refuses_a_full_vector))
