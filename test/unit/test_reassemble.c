/* SPDX-License-Identifier: BSD-3-Clause */
/* Reassembly: any order gives the packet back; wrong, lost and too many fragments are dropped and
 * counted one by one; no buffer is kept for longer than it may be. */
#include "ip_packets.h"

#include "dataplane/buffer.h"
#include "dataplane/spi_table.h"

#include <rte_ip.h>
#include <rte_ring.h>

#include <netinet/in.h>

#define POOL 1023
#define IKE  500

static struct iface *port;

/* What has been sent through reassemble() and not come out again, by the counters. */
static uint64_t sent;

static void start_with(unsigned mbufs, uint16_t room)
{
	start_worker(mbufs, room);
	CU_ASSERT_EQUAL_FATAL(spi_table_init(), 0);
	worker->to_host = rte_ring_create("to_host", 256, rte_socket_id(), 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(worker->to_host);
	port = new_iface(IFACE_PORT);
	sent = 0;
}

static void start(void)
{
	start_with(POOL, 2048);
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

/* Traffic class or TOS byte of a packet. */
static void set_tos(uint8_t *bytes, uint8_t tos)
{
	uint16_t sum;

	if (bytes[0] >> 4 == 6) {
		bytes[0] = 0x60 | tos >> 4;
		bytes[1] = (bytes[1] & 0xf) | tos << 4;
		return;
	}
	bytes[1] = tos;
	bytes[10] = bytes[11] = 0;
	sum = checksum(bytes, 20, 0);
	bytes[10] = sum >> 8;
	bytes[11] = sum & 0xff;
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
	static uint8_t copy[UINT16_MAX];
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

/* All fragments fed since the last call are gone, by this reason; what is still fed for a second is, too. */
static void expect_refused(const uint8_t *whole, enum drop_reason why)
{
	CU_ASSERT_EQUAL(worker->stats.drops[why], sent);
	CU_ASSERT_EQUAL(drops(), sent);
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(worker->pool), 0);
	feed(whole, 1200, 1360, false);
	CU_ASSERT_EQUAL(worker->stats.drops[why], sent);
	CU_ASSERT_EQUAL(drops(), sent);
	CU_ASSERT_PTR_NULL(punted());
	worker->now += rte_get_tsc_hz() + 1;
	memset(worker->stats.drops, 0, sizeof(worker->stats.drops));
	sent = 0;
}

static void overlaps(void)
{
	/* Offsets of three fragments, of which the last one overlaps. */
	static const uint16_t cut[][6] = {
		{0, 800, 800, 1200, 400, 800}, /* both of its neighbours */
		{0, 400, 0, 0, 320, 720},      /* the end of one */
		{400, 800, 800, 1200, 0, 408}, /* the start of one */
		{0, 800, 0, 0, 80, 480},       /* within one */
		{80, 480, 0, 0, 0, 800},       /* around one */
		{0, 400, 0, 0, 0, 408},        /* two first ones */
		{0, 408, 408, 800, 0, 400},    /* the same, shorter */
	};
	uint8_t whole[1400];

	start();
	for (unsigned family = IP_V4; family <= IP_V6; family += 2) {
		build(whole, family, IPPROTO_UDP, IKE, sizeof(whole));
		for (unsigned i = 0; i < RTE_DIM(cut); i++) {
			for (unsigned k = 0; k < 6; k += 2) {
				if (cut[i][k + 1] != 0)
					feed(whole, cut[i][k], cut[i][k + 1], true);
			}
			expect_refused(whole, DROP_FRAG_OVERLAP);
		}
		feed(whole, 800, 1360, false); /* two last ones */
		feed(whole, 808, 1360, false);
		expect_refused(whole, DROP_FRAG_OVERLAP);
	}
	stop();
}

/* Something behind the end, or a second end. */
static void behind_the_end(void)
{
	uint8_t whole[1400];

	start();
	build(whole, IP_V4, IPPROTO_UDP, IKE, sizeof(whole));
	feed(whole, 400, 800, false);
	feed(whole, 800, 1200, true);
	expect_refused(whole, DROP_FRAG_INVALID);
	feed(whole, 800, 1200, true);
	feed(whole, 400, 800, false);
	expect_refused(whole, DROP_FRAG_INVALID);
	feed(whole, 400, 800, false);
	feed(whole, 800, 1200, false);
	expect_refused(whole, DROP_FRAG_INVALID);
	stop();
}

/* A first one that ends within the headers, and those that no link makes so small. */
static void tiny(void)
{
	uint8_t whole[1400];

	start();
	for (unsigned family = IP_V4; family <= IP_V6; family += 2) {
		build(whole, family, IPPROTO_UDP, 4500, sizeof(whole));
		feed(whole, 0, 8, true);
		feed(whole, 0, 40, true);
		feed(whole, 80, 120, true);
	}
	CU_ASSERT_EQUAL(worker->stats.drops[DROP_FRAG_TINY], sent);
	CU_ASSERT_EQUAL(drops(), sent);
	/* 68 bytes is what IPv4 gets through anywhere, and the last one may be small. */
	build(whole, IP_V4, IPPROTO_UDP, IKE, 20 + 49);
	memset(worker->stats.drops, 0, sizeof(worker->stats.drops));
	feed(whole, 0, 48, true);
	feed(whole, 48, 49, false);
	expect_whole(whole, 20 + 49);
	stop();
}

/* The same fragment twice: the packet goes on with the first. */
static void repeated_fragment(void)
{
	uint8_t whole[1400];

	start();
	build(whole, IP_V4, IPPROTO_UDP, IKE, sizeof(whole));
	for (unsigned i = 0; i < 2; i++) {
		feed(whole, 0, 400, true);
		feed(whole, 800, 1380, false);
	}
	CU_ASSERT_EQUAL(worker->stats.drops[DROP_FRAG_DUPLICATE], 2);
	CU_ASSERT_EQUAL(drops(), 2);
	memset(worker->stats.drops, 0, sizeof(worker->stats.drops));
	feed(whole, 400, 800, true);
	expect_whole(whole, sizeof(whole));
	stop();
}

/* Up to 128, in any order; one more is too many. */
static void many_fragments(void)
{
	static uint8_t whole[20 + 129 * 48];

	start_with(16383, 512); /* a sender may have 255 of these */
	build(whole, IP_V4, IPPROTO_UDP, IKE, 20 + 128 * 48);
	for (unsigned i = 128; i-- > 0;) /* the last one first */
		feed(whole, i * 48, i * 48 + 48, i < 127);
	expect_whole(whole, 20 + 128 * 48);
	build(whole, IP_V4, IPPROTO_UDP, IKE, sizeof(whole));
	sent = 0;
	for (unsigned i = 0; i < 129; i++)
		feed(whole, i * 48, i * 48 + 48, i < 128);
	CU_ASSERT_EQUAL(worker->stats.drops[DROP_FRAG_FULL], 129);
	CU_ASSERT_EQUAL(drops(), sent);
	stop();
}

/* RFC 3168 5.3 */
static void congestion(void)
{
	static const struct {
		uint8_t a, b, whole;
		bool dropped;
	} tos[] = {
		{0, 0, 0, false},
		{2, 2, 2, false},
		{2, 1, 2, false},
		{1, 2, 1, false},
		{0, 2, 0, false},
		{2, 3, 3, false},
		{3, 1, 3, false},
		{3, 3, 3, false},
		{0, 3, 0, true},
		{3, 0, 0, true},
		{0xb9, 0xbb, 0xbb, false},
	};
	uint8_t whole[1400], part[1400];

	start();
	for (unsigned family = IP_V4; family <= IP_V6; family += 2) {
		for (unsigned i = 0; i < RTE_DIM(tos); i++) {
			unsigned l4 = build(whole, family, IPPROTO_UDP, IKE, sizeof(whole));

			memcpy(part, whole, sizeof(part));
			set_tos(part, tos[i].a);
			feed(part, 0, 800, true);
			set_tos(part, tos[i].b);
			feed(part, 800, sizeof(whole) - l4, false);
			if (tos[i].dropped) {
				CU_ASSERT_EQUAL(worker->stats.drops[DROP_FRAG_INVALID], 2);
				worker->stats.drops[DROP_FRAG_INVALID] = 0;
				CU_ASSERT_PTR_NULL(punted());
			} else {
				set_tos(whole, tos[i].whole);
				expect_whole(whole, sizeof(whole));
			}
		}
	}
	stop();
}

/* The first fragment of another packet: its identification and the last byte of its source differ. */
static void begin(unsigned id, uint8_t from)
{
	uint8_t whole[500];
	struct pkt p;

	build(whole, IP_V4, IPPROTO_UDP, IKE, sizeof(whole));
	p = fragment(whole, 0, 400, true);
	p.l3[4] = id >> 8; /* nobody looks at the checksum again */
	p.l3[5] = id;
	p.l3[15] = from;
	sent++;
	reassemble(worker, &p);
	end_turn();
}

/* Another peer's packet is whole in spite of what waits. */
static void expect_a_peer_gets_through(uint8_t from)
{
	uint8_t whole[1400];
	uint64_t before = drops(), all[DROP_REASON_COUNT];

	build(whole, IP_V4, IPPROTO_UDP, IKE, sizeof(whole));
	whole[15] = from;
	whole[10] = whole[11] = 0;
	whole[10] = checksum(whole, 20, 0) >> 8;
	whole[11] = checksum(whole, 20, 0) & 0xff;
	feed(whole, 0, 400, true);
	feed(whole, 400, 1380, false);
	CU_ASSERT(drops() <= before + 2); /* as many may have made room for it */
	memcpy(all, worker->stats.drops, sizeof(all));
	memset(worker->stats.drops, 0, sizeof(worker->stats.drops));
	expect_whole(whole, sizeof(whole));
	memcpy(worker->stats.drops, all, sizeof(all));
}

/* However many packets one sender begins, no more than 32 wait, the newest, and nobody else suffers:
 * also not one whose packet was begun before and is still not whole. */
static void flood_of_one_source(void)
{
	uint8_t slow[1400];

	start();
	build(slow, IP_V4, IPPROTO_UDP, IKE, sizeof(slow));
	feed(slow, 0, 400, true);
	for (unsigned i = 0; i < 4000; i++) {
		begin(i, 200);
		CU_ASSERT_FATAL(rte_mempool_in_use_count(worker->pool) <= 32 + 1);
		if (i % 500 == 0)
			expect_a_peer_gets_through(100);
	}
	CU_ASSERT_EQUAL(worker->stats.drops[DROP_FRAG_FULL], 4000 - 32);
	CU_ASSERT_EQUAL(drops(), 4000 - 32);
	memset(worker->stats.drops, 0, sizeof(worker->stats.drops));
	feed(slow, 400, 1380, false);
	expect_whole(slow, sizeof(slow));
	stop();
}

/* Senders without number: an eighth of the buffers is the most that waits, and who sends a packet's
 * fragments together gets it through. */
static void flood_of_many_sources(void)
{
	start();
	for (unsigned i = 0; i < 4000; i++) {
		begin(i, i % 251);
		CU_ASSERT_FATAL(rte_mempool_in_use_count(worker->pool) <= POOL / 8);
		if (i % 500 == 499)
			expect_a_peer_gets_through(253);
	}
	CU_ASSERT_EQUAL(worker->stats.drops[DROP_FRAG_FULL], drops());
	CU_ASSERT(drops() >= 4000 - POOL / 8);
	worker->now += 31 * rte_get_tsc_hz();
	reassemble_expire(worker);
	end_turn();
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(worker->pool), 0);
	CU_ASSERT_EQUAL(drops() + 0, 4000);
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
		CU_ASSERT_EQUAL_FATAL(worker->stats.drops[DROP_FRAG_OVERLAP], 2);
		worker->now += rte_get_tsc_hz() + 1;
		feed(whole, 0, 400, true);
		worker->now += 31 * rte_get_tsc_hz();
		reassemble_expire(worker);
		end_turn();
		CU_ASSERT_EQUAL_FATAL(worker->stats.drops[DROP_FRAG_TIMEOUT], 1);
		memset(worker->stats.drops, 0, sizeof(worker->stats.drops));
	}
	stop();
}

static void feed_all(const uint8_t *whole, unsigned len, unsigned each)
{
	for (unsigned at = 0; at < len; at += each)
		feed(whole, at, RTE_MIN(at + each, len), at + each < len);
}

/* Larger than a buffer: IKE goes to the kernel in several, ESP is put into a large one, if there is any. */
static void larger_than_a_buffer(void)
{
	static uint8_t whole[UINT16_MAX];
	static const unsigned lens[] = {5000, 20000, 65400, UINT16_MAX};

	start();
	for (unsigned i = 0; i < RTE_DIM(lens); i++) {
		for (unsigned family = IP_V4; family <= IP_V6; family += 2) {
			unsigned l4 = build(whole, family, IPPROTO_UDP, IKE, lens[i]);

			if (lens[i] == UINT16_MAX && family == IP_V6)
				continue; /* its fragment header is too much */
			feed_all(whole, lens[i] - l4, 1400);
			expect_whole(whole, lens[i]);
			build(whole, family, IPPROTO_ESP, 1, lens[i]);
			feed_all(whole, lens[i] - l4, 1400);
			CU_ASSERT_EQUAL(worker->stats.drops[DROP_NO_MBUF], 1);
			worker->stats.drops[DROP_NO_MBUF] = 0;
			large_buffers = rte_pktmbuf_pool_create(
				"large", 1, 0, MBUF_PRIV_SIZE, UINT16_MAX, rte_socket_id());
			CU_ASSERT_PTR_NOT_NULL_FATAL(large_buffers);
			feed_all(whole, lens[i] - l4, 1400);
			CU_ASSERT_EQUAL(worker->stats.drops[DROP_ESP_NO_SA], 1);
			worker->stats.drops[DROP_ESP_NO_SA] = 0;
			CU_ASSERT_EQUAL(drops(), 0);
			rte_mempool_free(large_buffers);
			large_buffers = NULL;
		}
	}
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(worker->pool), 0);
	stop();
}

UNIT_EAL_MAIN("reassemble", UNIT_TEST(any_order_gives_the_packet), UNIT_TEST(interleaved_packets),
	UNIT_TEST(esp_is_recognised), UNIT_TEST(lost_fragments_time_out), UNIT_TEST(wrong_lengths),
	UNIT_TEST(beyond_the_end), UNIT_TEST(overlaps), UNIT_TEST(behind_the_end), UNIT_TEST(tiny),
	UNIT_TEST(repeated_fragment), UNIT_TEST(many_fragments), UNIT_TEST(congestion),
	UNIT_TEST(flood_of_one_source), UNIT_TEST(flood_of_many_sources),
	UNIT_TEST(room_is_given_back), UNIT_TEST(larger_than_a_buffer))
