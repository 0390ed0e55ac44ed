/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames that are not what they should be: each reason for a drop by its own counter, what the
 * kernel gets, and noise in quantity. */
#include "dp_sa.h"
#include "harness.h"

#include <rte_ip.h>

#include <arpa/inet.h>

#define HOST4 "10.0.0.9"
#define HOST6 "2001:db8::9"
#define FAR4  "10.2.3.4"
#define FAR6  "2001:db8:ffff::4"

static void routes(void)
{
	dp_route("10.0.0.9/32", dp_station(0, NULL, 1));
	dp_route("2001:db8::9/128", dp_station(0, NULL, 1));
	dp_route("10.2.0.0/16", dp_station(1, "10.0.1.2", 2));
	dp_route("2001:db8:ffff::/48", dp_station(1, "2001:db8:1::2", 2));
}

static void dropped(const struct frame *f, enum drop_reason reason)
{
	uint64_t before = dp_stats(dp.port[0].iface).rx_drops;

	dp_send(0, f);
	dp_run();
	CU_ASSERT(dp_dropped(reason, 1));
	CU_ASSERT(dp_quiet());
	CU_ASSERT_EQUAL(dp_stats(dp.port[0].iface).rx_drops, before + 1);
}

/* IPv4 with one byte of the header changed, checksum mended. */
static struct frame ip4_with(unsigned at, uint8_t value)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 20);

	f.b[L3 + at] = value;
	frame_checksum(&f);
	return f;
}

static void runts(void)
{
	for (unsigned len = 0; len < L3; len++) {
		struct frame f = frame_udp(0, HOST4, FAR4, 20);

		f.len = len;
		dropped(&f, DROP_TOO_SHORT);
	}
	for (unsigned len = L3; len < L3 + 20; len++) {
		struct frame f = frame_udp(0, HOST4, FAR4, 20);

		f.len = len;
		dropped(&f, DROP_TOO_SHORT);
	}
	for (unsigned len = L3; len < L3 + 40; len++) {
		struct frame f = frame_udp(0, HOST6, FAR6, 20);

		f.len = len;
		dropped(&f, DROP_TOO_SHORT);
	}
}

static void cut_packets(void)
{
	struct frame four = frame_udp(0, HOST4, FAR4, 20), six = frame_udp(0, HOST6, FAR6, 20);

	four.len--;
	dropped(&four, DROP_IP4_TOTAL_LEN);
	six.len--;
	dropped(&six, DROP_IP6_PAYLOAD_LEN);
}

static void other_stations(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 20);

	for (unsigned at = 0; at < 6; at++) {
		f = frame_udp(0, HOST4, FAR4, 20);
		f.b[at] ^= 0x80;
		dropped(&f, DROP_NOT_OUR_MAC);
	}
	/* Another port's address is not this one's. */
	f = frame_udp(1, HOST4, FAR4, 20);
	dropped(&f, DROP_NOT_OUR_MAC);
}

static void version_against_ethertype(void)
{
	struct frame four = frame_udp(0, HOST4, FAR4, 20), six = frame_udp(0, HOST6, FAR6, 20);

	four.b[12] = 0x86;
	four.b[13] = 0xdd;
	dropped(&four, DROP_IP6_VERSION);
	six.b[12] = 0x08;
	six.b[13] = 0x00;
	dropped(&six, DROP_IP4_VERSION);
	four = frame_udp(0, HOST4, FAR4, 20);
	four.b[L3] = 0x55;
	dropped(&four, DROP_IP4_VERSION);
}

static void ip4_headers(void)
{
	struct frame f = ip4_with(0, 0x44);

	dropped(&f, DROP_IP4_HEADER_LEN);
	f = ip4_with(3, 19);
	dropped(&f, DROP_IP4_TOTAL_LEN);
	f = frame_udp(0, HOST4, FAR4, 20);
	f.b[L3 + 10] ^= 1;
	dropped(&f, DROP_IP4_CHECKSUM);
	f = frame_udp(0, HOST4, FAR4, 20);
	frame_insert(&f, L3 + 20, "\x83\x07\x04\x0a\0\0\1\0", 8);
	f.b[L3] = 0x47;
	frame_checksum(&f);
	dropped(&f, DROP_IP4_SOURCE_ROUTE);
}

static void ip4_options_are_forwarded(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 20);

	routes();
	/* Record route, empty. */
	frame_insert(&f, L3 + 20, "\x07\x07\x04\0\0\0\0\0", 8);
	f.b[L3] = 0x47;
	frame_checksum(&f);
	dp_expect_forwarded(&f);
}

static void ip6_extension_headers(void)
{
	struct frame f = frame_udp(0, HOST6, FAR6, 20);

	routes();
	f.b[L3 + 6] = 60;
	frame_insert(&f, L3 + 40, "\x11\0\1\4\0\0\0\0", 8);
	dp_expect_forwarded(&f);
	f.b[L3 + 41] = 200;
	dropped(&f, DROP_IP6_EXT_HEADERS);
}

static void martians(void)
{
	static const struct {
		const char *src, *dst;
		enum drop_reason reason;
	} cases[] = {
		{"127.0.0.1", FAR4, DROP_MARTIAN_SRC},
		{"224.0.0.1", FAR4, DROP_MARTIAN_SRC},
		{"255.255.255.255", FAR4, DROP_MARTIAN_SRC},
		{"0.0.0.0", FAR4, DROP_MARTIAN_SRC},
		{HOST4, "127.0.0.1", DROP_MARTIAN_DST},
		{HOST4, "0.0.0.0", DROP_MARTIAN_DST},
		{HOST4, "240.0.0.1", DROP_MARTIAN_DST},
		{"::1", FAR6, DROP_MARTIAN_SRC},
		{"::", FAR6, DROP_MARTIAN_SRC},
		{"ff02::1", FAR6, DROP_MARTIAN_SRC},
		{"::ffff:10.0.0.9", FAR6, DROP_MARTIAN_SRC},
		{HOST6, "::1", DROP_MARTIAN_DST},
		{HOST6, "::", DROP_MARTIAN_DST},
	};

	routes();
	for (unsigned i = 0; i < RTE_DIM(cases); i++) {
		struct frame f = frame_udp(0, cases[i].src, cases[i].dst, 20);

		dropped(&f, cases[i].reason);
	}
}

/* EtherTypes that are not IP, tagged frames and 802.3 frames belong to the kernel, as they came. */
static void not_ip(void)
{
	static const uint16_t types[] = {0x0806, 0x8100, 0x88a8, 0x88cc, 0x8847, 0x0026, 0x05dc};

	for (unsigned i = 0; i < RTE_DIM(types); i++) {
		struct frame f = frame_udp(0, HOST4, FAR4, 20);

		f.b[12] = types[i] >> 8;
		f.b[13] = types[i];
		dp_expect_punted(&f);
		memcpy(f.b, "\x01\x80\xc2\0\0\x0e", 6);
		dp_expect_punted(&f);
		memcpy(f.b, "\xff\xff\xff\xff\xff\xff", 6);
		dp_expect_punted(&f);
	}
}

static void types_that_are_none(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 20);

	f.b[12] = 0x05;
	f.b[13] = 0xdd;
	dropped(&f, DROP_BAD_ETHERTYPE);
	f.b[13] = 0xff;
	dropped(&f, DROP_BAD_ETHERTYPE);
	f.b[12] = 0x06;
	f.b[13] = 0x00;
	dp_expect_punted(&f);
}

/* Never forwarded, whatever the routing table says. */
static void multicast_is_the_kernels(void)
{
	static const char *const to4[] = {"224.0.0.5", "239.1.2.3", "255.255.255.255"};
	static const char *const to6[] = {"ff02::5", "ff0e::1", "fe80::1", "febf::1"};
	struct frame f;

	routes();
	dp_route("0.0.0.0/0", dp_station(1, "10.0.1.2", 2));
	dp_route("::/0", dp_station(1, "2001:db8:1::2", 2));
	for (unsigned i = 0; i < RTE_DIM(to4); i++) {
		f = frame_udp(0, HOST4, to4[i], 20);
		dp_expect_punted(&f);
	}
	for (unsigned i = 0; i < RTE_DIM(to6); i++) {
		f = frame_udp(0, HOST6, to6[i], 20);
		dp_expect_punted(&f);
	}
	f = frame_udp(0, "0.0.0.0", "255.255.255.255", 20);
	dp_expect_punted(&f);
	f = frame_udp(0, "::", "ff02::1:ff00:1", 20);
	dp_expect_punted(&f);
	/* Unicast inside a broadcast frame. */
	f = frame_udp(0, HOST4, FAR4, 20);
	memset(f.b, 0xff, 6);
	dp_expect_punted(&f);
}

static void nic_checksum_flag(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 20), want;
	struct rte_mbuf *m;

	routes();
	f.b[L3 + 11] ^= 1;
	m = dp_mbuf(&f);
	m->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD;
	dp_send_mbuf(0, 0, m);
	m = dp_mbuf(&f);
	m->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_BAD;
	dp_send_mbuf(0, 0, m);
	dp_run();
	CU_ASSERT(dp_dropped(DROP_IP4_CHECKSUM, 1));
	/* The incremental update keeps the difference. */
	f.b[L3 + 11] ^= 1;
	want = frame_forwarded(&f, 1, 2);
	want.b[L3 + 11] ^= 1;
	CU_ASSERT(dp_out(1, &want));
}

/* A frame in pieces of `piece` bytes. */
static struct rte_mbuf *chain(const struct frame *f, unsigned piece)
{
	struct rte_mbuf *head = NULL;

	for (unsigned at = 0; at < f->len; at += piece) {
		struct frame part = {.len = RTE_MIN(piece, f->len - at)};
		struct rte_mbuf *m;

		memcpy(part.b, f->b + at, part.len);
		m = dp_mbuf(&part);
		if (head == NULL)
			head = m;
		else
			rte_pktmbuf_chain(head, m);
	}
	return head;
}

static void segments(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 1400), want = frame_forwarded(&f, 1, 2);
	struct rte_mbuf *m;

	routes();
	dp_send_mbuf(0, 0, chain(&f, 100));
	dp_send_mbuf(0, 0, chain(&f, 10));
	dp_send_mbuf(0, 0, chain(&f, 1000));
	dp_run();
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT(dp_out(1, &want));
	/* No room to make it one piece where it is. */
	m = chain(&f, 1000);
	memmove(rte_pktmbuf_mtod_offset(m, uint8_t *, rte_pktmbuf_tailroom(m)),
		rte_pktmbuf_mtod(m, uint8_t *), m->data_len);
	m->data_off += rte_pktmbuf_tailroom(m);
	dp_send_mbuf(0, 0, m);
	dp_run();
	CU_ASSERT(dp_out(1, &want));
}

/* Frames of every kind that the router looks into deeply. */
static struct frame seed(unsigned kind)
{
	struct frame f;
	uint8_t spi[200] = {0, 0, 0x10, 0, 0, 0, 0, 1};

	switch (kind) {
	case 0:
		return frame_udp(0, HOST4, FAR4, random() % 200);
	case 1:
		return frame_udp(0, HOST6, FAR6, random() % 200);
	case 2: /* ESP for us */
		return frame_ip(0, "10.0.0.7", "10.0.0.1", IPPROTO_ESP, spi, random() % 200);
	case 3:
		return frame_ip(
			0, "2001:db8::7", "2001:db8:0::1", IPPROTO_ESP, spi, random() % 200);
	case 4: /* encapsulated */
	case 5:
		f = frame_udp(0, kind == 4 ? "10.0.0.7" : "2001:db8::7",
			kind == 4 ? "10.0.0.1" : "2001:db8:0::1", random() % 200);
		memcpy(f.b + L3 + (kind == 4 ? 20 : 40), "\x11\x94\x11\x94", 4);
		return f;
	case 6: /* a fragment, of ESP or UDP */
		f = frame_ip(
			0, "10.0.0.7", "10.0.0.1", random() % 2 ? 50 : 17, spi, random() % 200);
		f.b[L3 + 6] = random() % 2 ? 0x20 : 0;
		f.b[L3 + 7] = random() % 8;
		frame_checksum(&f);
		return f;
	default:
		f = frame_udp(0, "2001:db8::7", "2001:db8:0::1", 8 * (random() % 20));
		f.b[L3 + 6] = 44;
		frame_insert(&f, L3 + 40, "\x32\0\0\1\0\0\0\1", 8);
		return f;
	}
}

static void damage(struct frame *f)
{
	unsigned flips = random() % 4;

	for (unsigned i = 0; i < flips; i++)
		f->b[random() % f->len] = random();
	if (random() % 4 == 0)
		f->len = random() % (f->len + 1);
	if (random() % 2 && f->len > L3 + 60 && f->b[L3] >> 4 == 4)
		frame_checksum(f);
}

static void look_at_all(void)
{
	struct rte_mbuf *m;
	struct frame f;

	for (unsigned port = 0; port < DP_PORTS; port++) {
		while (dp_out_any(port, &f))
			CU_ASSERT(f.len >= L3 + 20);
	}
	while ((m = dp_host(0)) != NULL) {
		CU_ASSERT(host_tag(m)->op == HOST_PUNT || host_tag(m)->op == HOST_RESOLVE);
		CU_ASSERT(m->nb_segs == 1 && m->data_len > 0);
		rte_pktmbuf_free(m);
	}
}

/* The books at the end of the test tell whether each one was counted, ASan whether each was read
 * within its bounds. */
static void noise(unsigned rounds, bool pure)
{
	struct iface *vti = dp_vti("vti0");

	routes();
	dp_sa(vti, &(struct dp_sa){SA_IN, 0x1000, "10.0.0.7", "10.0.0.1"});
	dp_sa(vti, &(struct dp_sa){SA_IN, 0x1000, "2001:db8::7", "2001:db8::1"});
	for (unsigned i = 0; i < rounds; i++) {
		struct frame f = seed(random() % 8);

		if (pure) {
			f.len = random() % 300;
			for (unsigned j = random() % 2 ? 6 : L3; j < f.len; j++)
				f.b[j] = random();
		} else {
			damage(&f);
		}
		dp_send(0, &f);
		if (i % 200 == 199) {
			dp_run();
			look_at_all();
		}
	}
	dp_run();
	look_at_all();
	dp_drops_forget();
}

static void damaged_frames(void)
{
	srandom(1);
	noise(40000, false);
	/* Not only the checks at the door were tried. */
	CU_ASSERT(dp.worker[0]->stats.drops[DROP_ESP_ICV] > 100);
	CU_ASSERT(dp.worker[0]->stats.tx_packets > 1000);
	CU_ASSERT(dp.worker[0]->stats.punted > 1000);
}

static void random_frames(void)
{
	srandom(2);
	noise(40000, true);
}

DP_MAIN("hygiene", 1, DP_TEST(runts), DP_TEST(cut_packets), DP_TEST(other_stations),
	DP_TEST(version_against_ethertype), DP_TEST(ip4_headers),
	DP_TEST(ip4_options_are_forwarded), DP_TEST(ip6_extension_headers), DP_TEST(martians),
	DP_TEST(not_ip), DP_TEST(types_that_are_none), DP_TEST(multicast_is_the_kernels),
	DP_TEST(nic_checksum_flag), DP_TEST(segments), DP_TEST(damaged_frames),
	DP_TEST(random_frames))
