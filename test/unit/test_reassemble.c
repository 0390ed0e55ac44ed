/* SPDX-License-Identifier: BSD-3-Clause */
/* Reassembly: any order gives the packet back; wrong, lost and too many fragments are dropped and
 * counted one by one; no buffer is kept for longer than it may be. */
#include "ip_packets.h"

#include "dataplane/spi_table.h"

#include <rte_ip.h>
#include <rte_ring.h>
#include <rte_version.h>

#include <netinet/in.h>

#define POOL 1023
#define IKE  500

static struct iface *port;

/* What has been sent through reassemble() and not come out again, by the counters. */
static uint64_t sent;

static void start(void)
{
	start_worker(POOL, 2048);
	CU_ASSERT_EQUAL_FATAL(spi_table_init(), 0);
	worker->to_host = rte_ring_create("to_host", 256, rte_socket_id(), 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(worker->to_host);
	port = new_iface(IFACE_PORT);
	sent = 0;
}

static void stop(void)
{
	void *m;

	while (rte_ring_dequeue(worker->to_host, &m) == 0)
		rte_pktmbuf_free(m);
	rte_ring_free(worker->to_host);
	spi_table_free();
	stop_worker();
	rte_free(port);
}

static uint64_t drops(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < DROP_REASON_COUNT; i++)
		sum += worker->stats.drops[i];
	return sum;
}

/* An IP packet with UDP (to dport) or ESP inside; the payload tells every position apart. */
static unsigned build(uint8_t *bytes, unsigned family, uint8_t proto, uint16_t dport, uint16_t len)
{
	static const uint8_t head4[20] = {0x45, [4] = 0x12, [8] = 64, [12] = 198, [16] = 203};
	static const uint8_t head6[40] = {
		0x60, [7] = 64, [8] = 0x20, [23] = 7, [24] = 0x20, [39] = 9};
	unsigned l4 = family == IP_V4 ? 20 : 40;
	uint16_t sum;

	memcpy(bytes, family == IP_V4 ? head4 : head6, l4);
	bytes[family == IP_V4 ? 9 : 6] = proto;
	bytes[family == IP_V4 ? 2 : 4] = (family == IP_V4 ? len : len - 40) >> 8;
	bytes[family == IP_V4 ? 3 : 5] = (family == IP_V4 ? len : len - 40) & 0xff;
	for (unsigned i = l4; i < len; i++)
		bytes[i] = i * 13 + (i >> 8);
	bytes[l4 + 2] = dport >> 8;
	bytes[l4 + 3] = dport & 0xff;
	if (family == IP_V4) {
		sum = checksum(bytes, 20, 0);
		bytes[10] = sum >> 8;
		bytes[11] = sum & 0xff;
	}
	return l4;
}

/* The fragment of `whole` with payload bytes [from, to) as a frame of the port. */
static struct pkt fragment(const uint8_t *whole, unsigned from, unsigned to, bool more)
{
	uint8_t bytes[2048];
	bool six = whole[0] >> 4 == 6;
	unsigned l4 = six ? 40 : 20, header = six ? 48 : 20, field = six ? from : from / 8;
	uint16_t len = header + to - from, sum;
	struct pkt p;

	memcpy(bytes, whole, l4);
	memcpy(bytes + header, whole + l4 + from, to - from);
	if (six) {
		const uint8_t ext[8] = {whole[6], 0, field >> 8, (field & 0xff) | more, 1, 2, 3, 4};

		memcpy(bytes + 40, ext, 8);
		bytes[6] = IPPROTO_FRAGMENT;
		bytes[4] = (len - 40) >> 8;
		bytes[5] = (len - 40) & 0xff;
	} else {
		bytes[2] = len >> 8;
		bytes[3] = len & 0xff;
		bytes[6] = field >> 8 | (more ? 0x20 : 0);
		bytes[7] = field & 0xff;
		bytes[10] = bytes[11] = 0;
		sum = checksum(bytes, 20, 0);
		bytes[10] = sum >> 8;
		bytes[11] = sum & 0xff;
	}
	p = packet_at(RTE_ETHER_HDR_LEN, bytes, len);
	p.in = port;
	/* As short frames are padded on the wire. */
	CU_ASSERT_FATAL(rte_pktmbuf_append(p.m, 6) != NULL);
	return p;
}

static void feed(const uint8_t *whole, unsigned from, unsigned to, bool more)
{
	struct pkt p = fragment(whole, from, to, more);

	sent++;
	reassemble(worker, &p);
	end_turn();
}

/* The whole packet as the kernel gets it; NULL: nothing there. */
static struct rte_mbuf *punted(void)
{
	void *m;

	return rte_ring_dequeue(worker->to_host, &m) == 0 ? m : NULL;
}

static void expect_whole(const uint8_t *whole, unsigned len)
{
	uint8_t copy[8192];
	struct rte_mbuf *m = punted();

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_EQUAL(m->pkt_len, RTE_ETHER_HDR_LEN + len);
	CU_ASSERT_EQUAL(memcmp(rte_pktmbuf_read(m, RTE_ETHER_HDR_LEN, len, copy), whole, len), 0);
	rte_pktmbuf_free(m);
	CU_ASSERT_PTR_NULL(punted());
	CU_ASSERT_EQUAL(drops(), 0);
}

static void any_order_gives_the_packet(void)
{
	static const uint8_t orders[][3] = {
		{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	static const unsigned cut[] = {0, 496, 992};
	uint8_t whole[1400];

	start();
	for (unsigned family = IP_V4; family <= IP_V6; family += 2) {
		unsigned l4 = build(whole, family, IPPROTO_UDP, IKE, sizeof(whole));
		unsigned end[] = {496, 992, sizeof(whole) - l4};

		for (unsigned i = 0; i < RTE_DIM(orders); i++) {
			for (unsigned k = 0; k < 3; k++) {
				unsigned piece = orders[i][k];

				CU_ASSERT_PTR_NULL(punted());
				feed(whole, cut[piece], end[piece], piece < 2);
			}
			expect_whole(whole, sizeof(whole));
		}
	}
	CU_ASSERT_EQUAL(worker->stats.fragments_joined, 2 * 2 * RTE_DIM(orders));
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(worker->pool), 0);
	stop();
}

/* Packets that differ in one part of the key don't mix. */
static void interleaved_packets(void)
{
	uint8_t a[600], b[600];

	start();
	build(a, IP_V4, IPPROTO_UDP, IKE, sizeof(a));
	build(b, IP_V4, IPPROTO_UDP, IKE, sizeof(b));
	b[5] ^= 1; /* identification */
	b[11] -= 1;
	memset(b + 40, 0xbb, sizeof(b) - 40);
	feed(a, 0, 400, true);
	feed(b, 400, 580, false);
	CU_ASSERT_PTR_NULL(punted());
	feed(b, 0, 400, true);
	expect_whole(b, sizeof(b));
	feed(a, 400, 580, false);
	expect_whole(a, sizeof(a));
	stop();
}

/* It comes out where packets to us go: without an SA, a whole ESP packet is dropped for that. */
static void esp_is_recognised(void)
{
	uint8_t whole[1400];

	start();
	for (unsigned family = IP_V4; family <= IP_V6; family += 2) {
		unsigned l4 = build(whole, family, IPPROTO_ESP, 0x1000, sizeof(whole));

		feed(whole, 704, sizeof(whole) - l4, false);
		feed(whole, 0, 704, true);
	}
	CU_ASSERT_EQUAL(worker->stats.drops[DROP_ESP_NO_SA], 2);
	CU_ASSERT_EQUAL(worker->stats.fragments_joined, 2);
	CU_ASSERT_EQUAL(drops() + worker->stats.fragments_joined, sent);
	stop();
}

static void lost_fragments_time_out(void)
{
	uint8_t whole[1400];

	start();
	build(whole, IP_V4, IPPROTO_ESP, 0, sizeof(whole));
	feed(whole, 0, 400, true);
	feed(whole, 400, 800, true);
	worker->now += 29 * rte_get_tsc_hz();
	reassemble_expire(worker);
	CU_ASSERT_EQUAL(drops(), 0);
	worker->now += 2 * rte_get_tsc_hz();
	reassemble_expire(worker);
	CU_ASSERT_EQUAL(worker->stats.drops[DROP_FRAG_TIMEOUT], 2);
	/* The third comes too late to be of use. */
	feed(whole, 800, 1380, false);
	CU_ASSERT_EQUAL(drops(), 2);
	worker->now += 31 * rte_get_tsc_hz();
	reassemble_expire(worker);
	CU_ASSERT_EQUAL(worker->stats.drops[DROP_FRAG_TIMEOUT], 3);
	end_turn();
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(worker->pool), 0);
	stop();
}

/* All fragments fed so far must have been dropped as invalid. */
static void expect_invalid(void)
{
	CU_ASSERT_EQUAL(worker->stats.drops[DROP_FRAG_INVALID], sent);
	CU_ASSERT_EQUAL(drops(), sent);
	CU_ASSERT_PTR_NULL(punted());
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(worker->pool), 0);
}

static void wrong_lengths(void)
{
	uint8_t whole[1400];

	start();
	for (unsigned family = IP_V4; family <= IP_V6; family += 2) {
		build(whole, family, IPPROTO_UDP, IKE, sizeof(whole));
		feed(whole, 0, 401, true); /* more follows, but not at a multiple of 8 */
		expect_invalid();
		feed(whole, 800, 800, false); /* nothing in it */
		expect_invalid();
	}
	stop();
}

/* Offset 65528 and a body that reaches beyond 65535 (the "ping of death"). */
static void beyond_the_end(void)
{
	uint8_t whole[1400];
	struct pkt p;

	start();
	build(whole, IP_V4, IPPROTO_UDP, IKE, sizeof(whole));
	p = fragment(whole, 0, 400, false);
	p.l3[6] = 0x1f;
	p.l3[7] = 0xff;
	sent++;
	reassemble(worker, &p);
	end_turn();
	expect_invalid();
	build(whole, IP_V6, IPPROTO_UDP, IKE, sizeof(whole));
	p = fragment(whole, 0, 400, false);
	p.l3[42] = 0xff;
	p.l3[43] = 0xf8;
	sent++;
	reassemble(worker, &p);
	end_turn();
	expect_invalid();
	stop();
}

/* All fragments fed so far are gone. DPDK finds an overlap when it joins the packet; from 26.07 on at
 * once, so that the `after` fragments which came later waited in vain. */
static void expect_overlap(unsigned after)
{
	static unsigned waited;

	if (worker->stats.drops[DROP_FRAG_TIMEOUT] == 0)
		waited = 0;
	if (RTE_VERSION >= RTE_VERSION_NUM(26, 7, 0, 0))
		waited += after;
	worker->now += 31 * rte_get_tsc_hz();
	reassemble_expire(worker);
	end_turn();
	CU_ASSERT_EQUAL(worker->stats.drops[DROP_FRAG_TIMEOUT], waited);
	CU_ASSERT_EQUAL(worker->stats.drops[DROP_FRAG_INVALID], sent - waited);
	CU_ASSERT_EQUAL(drops(), sent);
	CU_ASSERT_PTR_NULL(punted());
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(worker->pool), 0);
}

static void overlaps_holes_and_repeats(void)
{
	uint8_t whole[1400];

	start();
	build(whole, IP_V4, IPPROTO_UDP, IKE, sizeof(whole));
	/* More bytes than the packet has. */
	feed(whole, 0, 800, true);
	feed(whole, 400, 800, true);
	feed(whole, 800, 1380, false);
	expect_overlap(1);
	/* As many as it has, but the second overlaps and leaves a hole. */
	feed(whole, 0, 400, true);
	feed(whole, 320, 720, true);
	feed(whole, 800, 1380, false);
	expect_overlap(1);
	/* The same, found when half of it was joined already. */
	feed(whole, 0, 400, true);
	feed(whole, 80, 480, true);
	feed(whole, 800, 1200, true);
	feed(whole, 1200, 1380, false);
	expect_overlap(2);
	/* Two first ones, two last ones. */
	feed(whole, 0, 400, true);
	feed(whole, 0, 408, true);
	expect_overlap(0);
	feed(whole, 800, 1380, false);
	feed(whole, 808, 1380, false);
	expect_overlap(0);
	/* More fragments than are taken. */
	for (unsigned i = 1; i <= 7; i++)
		feed(whole, i * 8, i * 8 + 8, true);
	expect_overlap(0);
	stop();
}

/* The same fragment twice. DPDK gives the packet up; from 26.07 on it goes on with the first. */
static void repeated_fragment(void)
{
	uint8_t whole[1400];

	start();
	build(whole, IP_V4, IPPROTO_UDP, IKE, sizeof(whole));
	feed(whole, 0, 400, true);
	feed(whole, 0, 400, true);
	if (RTE_VERSION < RTE_VERSION_NUM(26, 7, 0, 0)) {
		expect_invalid();
	} else {
		CU_ASSERT_EQUAL(drops(), 1);
		memset(worker->stats.drops, 0, sizeof(worker->stats.drops));
		feed(whole, 400, 1380, false);
		expect_whole(whole, sizeof(whole));
	}
	stop();
}

/* However many packets are begun, an eighth of the buffers is the most that waits; and after a
 * second the lost ones make room. */
static void bounded_and_recovering(void)
{
	uint8_t whole[1400], late[1400];
	struct pkt p;

	start();
	for (unsigned i = 0; i < 400; i++) {
		build(whole, IP_V4, IPPROTO_UDP, IKE, sizeof(whole));
		p = fragment(whole, 0, 400, true);
		p.l3[4] = i >> 8; /* another identification; nobody looks at the checksum again */
		p.l3[5] = i;
		reassemble(worker, &p);
		end_turn();
		CU_ASSERT(rte_mempool_in_use_count(worker->pool) <= (POOL + 1) / 8);
	}
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(worker->pool), POOL / 8);
	CU_ASSERT_EQUAL(worker->stats.drops[DROP_FRAG_TIMEOUT], 400 - POOL / 8);
	worker->now += rte_get_tsc_hz() + 1000;
	build(late, IP_V4, IPPROTO_UDP, IKE, sizeof(late));
	late[16] = 204;
	late[10] = late[11] = 0;
	late[10] = checksum(late, 20, 0) >> 8;
	late[11] = checksum(late, 20, 0) & 0xff;
	feed(late, 0, 400, true);
	CU_ASSERT_EQUAL(worker->stats.drops[DROP_FRAG_TIMEOUT], 400);
	feed(late, 400, 1380, false);
	memset(worker->stats.drops, 0, sizeof(worker->stats.drops));
	expect_whole(late, sizeof(late));
	stop();
}

/* Packets that became whole, were wrong or timed out no longer count against the limit. */
static void room_is_given_back(void)
{
	uint8_t whole[1400];

	start();
	build(whole, IP_V4, IPPROTO_UDP, IKE, sizeof(whole));
	for (unsigned i = 0; i < POOL; i++) {
		feed(whole, 0, 400, true);
		feed(whole, 400, 1380, false);
		expect_whole(whole, sizeof(whole));
		feed(whole, 0, 400, true);
		feed(whole, 0, 408, true);
		CU_ASSERT_EQUAL_FATAL(worker->stats.drops[DROP_FRAG_INVALID], 2);
		feed(whole, 0, 400, true);
		worker->now += 31 * rte_get_tsc_hz();
		reassemble_expire(worker);
		end_turn();
		CU_ASSERT_EQUAL_FATAL(worker->stats.drops[DROP_FRAG_TIMEOUT], 1);
		memset(worker->stats.drops, 0, sizeof(worker->stats.drops));
	}
	stop();
}

/* Larger than a buffer: IKE goes to the kernel in several, ESP can't be decrypted so. */
static void larger_than_a_buffer(void)
{
	uint8_t whole[5000];

	start();
	for (unsigned family = IP_V4; family <= IP_V6; family += 2) {
		unsigned l4 = build(whole, family, IPPROTO_UDP, IKE, sizeof(whole));

		for (unsigned at = 0; at < sizeof(whole) - l4; at += 1400)
			feed(whole, at, RTE_MIN(at + 1400, sizeof(whole) - l4), at < 4200);
		expect_whole(whole, sizeof(whole));
	}
	build(whole, IP_V4, IPPROTO_UDP, 4500, sizeof(whole)); /* no marker: ESP */
	for (unsigned at = 0; at < 4980; at += 1400)
		feed(whole, at, RTE_MIN(at + 1400, 4980u), at < 4200);
	CU_ASSERT_EQUAL(worker->stats.drops[DROP_SEGMENTS], 1);
	memset(whole + 28, 0, 4);
	for (unsigned at = 0; at < 4980; at += 1400)
		feed(whole, at, RTE_MIN(at + 1400, 4980u), at < 4200);
	worker->stats.drops[DROP_SEGMENTS] = 0;
	expect_whole(whole, sizeof(whole));
	CU_ASSERT_EQUAL(worker->stats.punted, 3);
	stop();
}

UNIT_EAL_MAIN("reassemble", UNIT_TEST(any_order_gives_the_packet), UNIT_TEST(interleaved_packets),
	UNIT_TEST(esp_is_recognised), UNIT_TEST(lost_fragments_time_out), UNIT_TEST(wrong_lengths),
	UNIT_TEST(beyond_the_end), UNIT_TEST(overlaps_holes_and_repeats),
	UNIT_TEST(repeated_fragment), UNIT_TEST(bounded_and_recovering),
	UNIT_TEST(room_is_given_back), UNIT_TEST(larger_than_a_buffer))
