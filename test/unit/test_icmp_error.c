/* SPDX-License-Identifier: BSD-3-Clause */
/* ICMP errors byte for byte as scapy writes them, and all packets that must not be answered. */
#include "ip_packets.h"

#include "icmp_error_vectors.h"

#include <netinet/in.h>

#define OUR4 RTE_BE32(0xc0000201) /* 192.0.2.1, as in the vectors */

static struct addr our6;
static struct iface *in;

static void start(void)
{
	static const uint8_t six[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 0x0a, [15] = 1};

	start_worker(1023, 2048);
	our6 = addr_v6(six);
	in = new_iface(IFACE_PORT);
	in->ip4 = OUR4;
	in->ip6 = &our6;
}

static void stop(void)
{
	stop_worker();
	rte_free(in);
}

static struct pkt packet(const uint8_t *bytes, uint16_t len)
{
	struct pkt p = packet_at(14, bytes, len);

	p.in = in;
	return p;
}

static void same_bytes_as_scapy(void)
{
	start();
	for (unsigned i = 0; i < RTE_DIM(error_vectors); i++) {
		const struct error_vector *v = &error_vectors[i];
		struct pkt about = packet(v->about, v->about_len);
		const struct pkt *made = &worker->icmp.p[i];

		icmp_error(worker, &about, v->kind, v->mtu);
		CU_ASSERT_EQUAL_FATAL(worker->icmp.n, i + 1);
		CU_ASSERT_EQUAL_FATAL(made->len, v->error_len);
		CU_ASSERT_EQUAL(memcmp(made->l3, v->error, v->error_len), 0);
		CU_ASSERT_EQUAL(memcmp(about.l3, v->about, v->about_len), 0);
		rte_pktmbuf_free(about.m);
	}
	CU_ASSERT_EQUAL(worker->stats.icmp_sent, RTE_DIM(error_vectors));
	CU_ASSERT_EQUAL(worker->stats.drops[DROP_ICMP_SUPPRESSED], 0);
	stop();
}

static void descriptor_is_the_routers_own(void)
{
	const struct error_vector *v = &error_vectors[0];
	struct pkt about, *made;

	start();
	about = packet(v->about, v->about_len);
	about.flags |= PKT_DECRYPTED;
	about.depth = 2;
	icmp_error(worker, &about, ERR_TTL, 0);
	made = &worker->icmp.p[0];
	CU_ASSERT_EQUAL(made->flags, PKT_OWN);
	CU_ASSERT_EQUAL(made->family, IP_V4);
	CU_ASSERT_EQUAL(made->proto, IPPROTO_ICMP);
	CU_ASSERT_EQUAL(made->l4_off, 20);
	CU_ASSERT_EQUAL(made->depth, 0);
	CU_ASSERT_PTR_EQUAL(made->in, in);
	CU_ASSERT_EQUAL(made->m->pkt_len, made->len);
	CU_ASSERT(rte_pktmbuf_headroom(made->m) >= RTE_PKTMBUF_HEADROOM);
	rte_pktmbuf_free(about.m);
	stop();
}

/* A packet of 1500 bytes is quoted as far as 576 bytes (IPv4) or 1280 (IPv6) go. */
static void quotes_what_fits(void)
{
	static uint8_t big4[1500] = {
		0x45, 0, 1500 >> 8, 1500 & 0xff, [8] = 9, [9] = 17, [12] = 198, [16] = 203};
	static uint8_t big6[1500] = {0x60, [4] = 1460 >> 8, [5] = 1460 & 0xff, [6] = 17, [7] = 9,
		[8] = 0x20, [24] = 0x20};
	struct pkt p4, p6, *made;
	uint16_t sum;

	for (unsigned i = 40; i < 1500; i++)
		big4[i] = big6[i] = i * 3;
	sum = checksum(big4, 20, 0);
	big4[10] = sum >> 8;
	big4[11] = sum & 0xff;
	start();
	p4 = packet(big4, sizeof(big4));
	p6 = packet(big6, sizeof(big6));
	icmp_error(worker, &p4, ERR_TOO_BIG, 1400);
	icmp_error(worker, &p6, ERR_TOO_BIG, 1400);
	CU_ASSERT_EQUAL_FATAL(worker->icmp.n, 2);
	made = &worker->icmp.p[0];
	CU_ASSERT_EQUAL(made->len, 576);
	CU_ASSERT_EQUAL(memcmp(made->l3 + 28, big4, 576 - 28), 0);
	CU_ASSERT_EQUAL(checksum(made->l3, 20, 0), 0);
	CU_ASSERT_EQUAL(checksum(made->l3 + 20, 556, 0), 0);
	made++;
	CU_ASSERT_EQUAL(made->len, 1280);
	CU_ASSERT_EQUAL(memcmp(made->l3 + 48, big6, 1280 - 48), 0);
	CU_ASSERT_EQUAL(checksum(made->l3 + 8, 1272, 1240 + IPPROTO_ICMPV6), 0);
	rte_pktmbuf_free(p4.m);
	rte_pktmbuf_free(p6.m);
	stop();
}

/* Ask for an error about a packet that must not get one. */
static void expect_silence(struct pkt *p)
{
	uint64_t before = worker->stats.drops[DROP_ICMP_SUPPRESSED];

	icmp_error(worker, p, ERR_NO_ROUTE, 0);
	CU_ASSERT_EQUAL(worker->icmp.n, 0);
	CU_ASSERT_EQUAL(worker->stats.drops[DROP_ICMP_SUPPRESSED], before + 1);
}

static void silent_about_addresses(void)
{
	static const uint32_t src4[] = {0, 0x7f000001, 0xe0000005, 0xffffffff, 0xf0000001};
	static const uint32_t dst4[] = {0xe0000005, 0xffffffff, 0xf0000001, 0x7f000001};
	static const uint8_t bad6[][16] = {{0}, {[15] = 1}, {0xff, 2, [15] = 1}, {0xfe, 0x80}};
	const struct error_vector *v4 = &error_vectors[0], *v6 = &error_vectors[6];
	struct pkt p;

	start();
	p = packet(v4->about, v4->about_len);
	for (unsigned i = 0; i < RTE_DIM(src4); i++) {
		rte_be32_t be = rte_cpu_to_be_32(src4[i]);

		memcpy(p.l3 + 12, &be, 4);
		expect_silence(&p);
	}
	memcpy(p.l3, v4->about, v4->about_len);
	for (unsigned i = 0; i < RTE_DIM(dst4); i++) {
		rte_be32_t be = rte_cpu_to_be_32(dst4[i]);

		memcpy(p.l3 + 16, &be, 4);
		expect_silence(&p);
	}
	rte_pktmbuf_free(p.m);

	p = packet(v6->about, v6->about_len);
	for (unsigned i = 0; i < RTE_DIM(bad6); i++) {
		memcpy(p.l3 + 8, bad6[i], 16);
		expect_silence(&p);
	}
	memcpy(p.l3, v6->about, v6->about_len);
	memcpy(p.l3 + 24, bad6[2], 16);
	expect_silence(&p);
	rte_pktmbuf_free(p.m);
	stop();
}

static void silent_about_flags(void)
{
	static const uint8_t flags[] = {PKT_OWN, PKT_MULTICAST, PKT_LATER_FRAGMENT | PKT_FRAGMENT};
	const struct error_vector *v = &error_vectors[0];
	struct pkt p;

	start();
	p = packet(v->about, v->about_len);
	for (unsigned i = 0; i < RTE_DIM(flags); i++) {
		p.flags = flags[i];
		expect_silence(&p);
	}
	p.flags = 0;
	p.in = NULL;
	expect_silence(&p);
	p.in = in;
	in->ip4 = 0;
	expect_silence(&p);
	in->ip4 = OUR4;
	p.flags = PKT_FRAGMENT; /* the first one is answered */
	icmp_error(worker, &p, ERR_TTL, 0);
	CU_ASSERT_EQUAL(worker->icmp.n, 1);
	rte_pktmbuf_free(p.m);

	v = &error_vectors[6];
	p = packet(v->about, v->about_len);
	free_vec(&worker->icmp);
	in->ip6 = NULL;
	expect_silence(&p);
	rte_pktmbuf_free(p.m);
	stop();
}

/* Errors are never answered, queries are. */
static void icmp_about_icmp(void)
{
	static const uint8_t error4[] = {3, 4, 5, 11, 12}, query4[] = {0, 8, 13};
	static const uint8_t error6[] = {1, 2, 3, 4, 127, 137}, query6[] = {128, 129};
	struct pkt p4, p6;

	start();
	p4 = packet(error_vectors[0].about, error_vectors[0].about_len);
	p6 = packet(error_vectors[6].about, error_vectors[6].about_len);
	p4.proto = IPPROTO_ICMP;
	p6.proto = IPPROTO_ICMPV6;
	for (unsigned i = 0; i < RTE_DIM(error4); i++) {
		p4.l3[20] = error4[i];
		expect_silence(&p4);
	}
	for (unsigned i = 0; i < RTE_DIM(error6); i++) {
		p6.l3[40] = error6[i];
		expect_silence(&p6);
	}
	p4.len = 20; /* its type is missing */
	p4.l3[20] = 8;
	expect_silence(&p4);
	p4.len = 52;
	for (unsigned i = 0; i < RTE_DIM(query4); i++) {
		p4.l3[20] = query4[i];
		icmp_error(worker, &p4, ERR_TTL, 0);
	}
	for (unsigned i = 0; i < RTE_DIM(query6); i++) {
		p6.l3[40] = query6[i];
		icmp_error(worker, &p6, ERR_TTL, 0);
	}
	CU_ASSERT_EQUAL(worker->icmp.n, RTE_DIM(query4) + RTE_DIM(query6));
	rte_pktmbuf_free(p4.m);
	rte_pktmbuf_free(p6.m);
	stop();
}

/* As if n packets had come from that many hosts in turn, the first one `from`. */
static unsigned send_many(struct pkt *p, uint32_t from, unsigned hosts, unsigned n)
{
	uint64_t before = worker->stats.icmp_sent;

	for (unsigned i = 0; i < n; i++) {
		rte_be32_t be = rte_cpu_to_be_32(from + i % hosts);

		memcpy(p->l3 + 12, &be, 4);
		icmp_error(worker, p, ERR_TTL, 0);
	}
	free_vec(&worker->icmp);
	return worker->stats.icmp_sent - before;
}

#define HOST 0xc6336401 /* 198.51.100.1 */

/* 100 at once, then 1000 a second, however long nothing was sent. */
static void rate_limit_of_all(void)
{
	uint64_t hz = rte_get_tsc_hz();
	struct pkt p;

	start();
	p = packet(error_vectors[0].about, error_vectors[0].about_len);
	CU_ASSERT_EQUAL(send_many(&p, HOST, 100, 150), 100);
	CU_ASSERT_EQUAL(worker->stats.drops[DROP_ICMP_SUPPRESSED], 50);
	worker->now += hz / 1000 - hz / 100000;
	CU_ASSERT_EQUAL(send_many(&p, HOST, 100, 10), 0);
	worker->now += hz / 100000 + 1;
	CU_ASSERT_EQUAL(send_many(&p, HOST, 100, 10), 1);
	worker->now += hz / 20 + hz / 2000;
	CU_ASSERT_EQUAL(send_many(&p, HOST, 100, 150), 50);
	worker->now += hz * 3600;
	CU_ASSERT_EQUAL(send_many(&p, HOST, 100, 150), 100);
	rte_pktmbuf_free(p.m);
	stop();
}

/* One host gets 20 at once, then 100 a second: the others are left the most of it. */
static void one_host_does_not_starve_the_others(void)
{
	uint64_t hz = rte_get_tsc_hz();
	struct pkt p;

	start();
	p = packet(error_vectors[0].about, error_vectors[0].about_len);
	CU_ASSERT_EQUAL(send_many(&p, HOST, 1, 5000), 20);
	CU_ASSERT_EQUAL(send_many(&p, HOST + 1, 79, 79), 79);
	CU_ASSERT_EQUAL(worker->stats.drops[DROP_ICMP_SUPPRESSED], 4980);
	worker->now += hz / 2;
	CU_ASSERT_EQUAL(send_many(&p, HOST, 1, 5000), 20);
	for (unsigned ms = 0; ms < 1000; ms += 5) {
		worker->now += hz / 200;
		CU_ASSERT(send_many(&p, HOST, 1, 100) <= 1);
		CU_ASSERT_EQUAL(send_many(&p, HOST + 1 + ms % 50, 1, 1), 1);
	}
	rte_pktmbuf_free(p.m);
	stop();
}

/* An IPv6 host may have all addresses of its /64. */
static void one_ip6_network_is_one_host(void)
{
	const struct error_vector *v = &error_vectors[6];
	struct pkt p;

	start();
	p = packet(v->about, v->about_len);
	for (unsigned i = 0; i < 100; i++) {
		p.l3[8 + 9] = i;
		icmp_error(worker, &p, ERR_TTL, 0);
	}
	CU_ASSERT_EQUAL(worker->stats.icmp_sent, 20);
	p.l3[8 + 7] ^= 1;
	icmp_error(worker, &p, ERR_TTL, 0);
	CU_ASSERT_EQUAL(worker->stats.icmp_sent, 21);
	rte_pktmbuf_free(p.m);
	stop();
}

static void full_vector_and_empty_pool(void)
{
	struct rte_mbuf *all[1023];
	unsigned n = 0;
	struct pkt p;

	start();
	p = packet(error_vectors[0].about, error_vectors[0].about_len);
	worker->icmp.n = 2 * VEC_MAX;
	icmp_error(worker, &p, ERR_TTL, 0);
	CU_ASSERT_EQUAL(worker->icmp.n, 2 * VEC_MAX);
	CU_ASSERT_EQUAL(worker->stats.drops[DROP_ICMP_SUPPRESSED], 1);
	worker->icmp.n = 0;
	while ((all[n] = rte_pktmbuf_alloc(worker->pool)) != NULL)
		n++;
	icmp_error(worker, &p, ERR_TTL, 0);
	CU_ASSERT_EQUAL(worker->icmp.n, 0);
	CU_ASSERT_EQUAL(worker->stats.drops[DROP_ICMP_SUPPRESSED], 2);
	CU_ASSERT_EQUAL(worker->stats.icmp_sent, 0);
	rte_pktmbuf_free_bulk(all, n);
	rte_pktmbuf_free(p.m);
	stop();
}

UNIT_EAL_MAIN("icmp_error", UNIT_TEST(same_bytes_as_scapy),
	UNIT_TEST(descriptor_is_the_routers_own), UNIT_TEST(quotes_what_fits),
	UNIT_TEST(silent_about_addresses), UNIT_TEST(silent_about_flags),
	UNIT_TEST(icmp_about_icmp), UNIT_TEST(rate_limit_of_all),
	UNIT_TEST(one_host_does_not_starve_the_others), UNIT_TEST(one_ip6_network_is_one_host),
	UNIT_TEST(full_vector_and_empty_pool))
