/* SPDX-License-Identifier: BSD-3-Clause */
/* Paths narrower than the first link: ICMP that tells of them goes to the control thread, and what is
 * too large for them is cut after encryption, where it may be. */
#include "control/routing/nexthops.h"
#include "dp_sa.h"

#include <netinet/in.h>

#define HOST4  "10.0.0.9" /* behind port 0 */
#define HOST6  "2001:db8::9"
#define FAR4   "10.2.3.4" /* through the tunnel; when decrypted, behind port 2 */
#define FAR6   "2001:db8:ffff::4"
#define NEAR4  "198.51.100.1" /* the tunnel's two ends */
#define NEAR6  "2001:db8:3333::1"
#define PEER4  "192.0.2.2" /* behind port 1 */
#define PEER6  "2001:db8:2222::2"
#define TELLER "203.0.113.1" /* a router on the way */
#define OURS4  "10.0.1.1"
#define OURS6  "2001:db8:1::1"
#define SPI    0x10002000u

static struct iface *vti;
static struct sa *out_sa;

/* ICMP */

/* What a router quotes: an IP header, n bytes of the header after it, and these. */
struct quote {
	bool six, udp, fragment;
	uint16_t sport;
	uint32_t spi;
	unsigned len; /* of the quoted part; 0: all */
};

static unsigned put_be(uint8_t *to, uint32_t v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		to[i] = v >> 8 * (n - 1 - i);
	return n;
}

/* Writes what q says, and where ESP is in it. Returns its length. */
static unsigned put_quote(uint8_t *to, const struct quote *q, unsigned *esp)
{
	const uint8_t proto = q->udp ? IPPROTO_UDP : IPPROTO_ESP;
	struct frame f = frame_ip(
		1, q->six ? OURS6 : OURS4, q->six ? PEER6 : PEER4, proto, (uint8_t[64]){0}, 64);
	unsigned at = q->six ? 40 : 20;

	memcpy(to, f.b + L3, at);
	if (q->fragment) {
		to[6] = IPPROTO_FRAGMENT;
		to[at] = proto;
		at += put_be(to + at + 2, 1, 2) + 6; /* the first of several */
	}
	if (q->udp) {
		put_be(to + at, q->sport, 2);
		put_be(to + at + 2, 4500, 2);
		at += 8;
	}
	*esp = at;
	at += put_be(to + at, q->spi, 4);
	at += put_be(to + at, 7, 4);
	return q->len != 0 ? q->len : at;
}

/* To the router; the checksum is the control thread's to look at. */
static struct frame icmp(const struct quote *q, uint8_t type, uint8_t code, unsigned *esp)
{
	uint8_t b[128] = {type, code, 0, 0, 0, 0, 1300 >> 8, 1300 & 0xff};
	const unsigned n = put_quote(b + 8, q, esp);

	return q->six ? frame_ip(1, "2001:db8:7::1", OURS6, IPPROTO_ICMPV6, b, 8 + n)
		      : frame_ip(1, TELLER, OURS4, IPPROTO_ICMP, b, 8 + n);
}

static struct frame too_big(const struct quote *q, unsigned *esp)
{
	return q->six ? icmp(q, 2, 0, esp) : icmp(q, 3, 4, esp);
}

/* It goes to the control thread as it is, which is told where to look. */
static void is_news(const struct quote *q)
{
	unsigned esp;
	struct frame f = too_big(q, &esp);
	const unsigned quote = q->six ? 48 : 28;
	struct rte_mbuf *m;

	dp_send(1, &f);
	dp_run();
	m = dp_host(0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_EQUAL(host_tag(m)->op, HOST_PATH_MTU);
	CU_ASSERT_EQUAL(host_tag(m)->quote, quote);
	CU_ASSERT_EQUAL(host_tag(m)->spi_off, quote + esp);
	CU_ASSERT_EQUAL(m->data_len, f.len - L3);
	CU_ASSERT_EQUAL(memcmp(rte_pktmbuf_mtod(m, void *), f.b + L3, f.len - L3), 0);
	rte_pktmbuf_free(m);
	CU_ASSERT(dp_none_dropped());
}

static void is_the_kernels(const struct frame *f)
{
	dp_send(1, f);
	dp_run();
	CU_ASSERT(dp_punted(dp.port[1].iface, f));
	CU_ASSERT(dp_none_dropped());
}

static void news_of_esp(void)
{
	static const struct quote quotes[] = {
		{.spi = SPI},
		{.spi = SPI, .udp = true, .sport = 4500},
		{.six = true, .spi = SPI},
		{.six = true, .spi = SPI, .udp = true, .sport = 4500},
		{.six = true, .spi = SPI, .fragment = true},
		{.six = true, .spi = SPI, .fragment = true, .udp = true, .sport = 4500},
	};

	host_path_mtu_room = RTE_DIM(quotes);
	for (unsigned i = 0; i < RTE_DIM(quotes); i++)
		is_news(&quotes[i]);
	CU_ASSERT_EQUAL(host_path_mtu_room, 0);
}

/* Of IKE's packets, of others, and what is too short to say of which. */
static void of_others_is_the_kernels(void)
{
	static const struct quote quotes[] = {
		{.spi = 0, .udp = true, .sport = 4500},              /* the non-ESP marker */
		{.spi = SPI, .udp = true, .sport = 500},             /* IKE, or anybody's */
		{.spi = SPI, .udp = true, .sport = 4500, .len = 28}, /* may be either */
		{.spi = SPI, .len = 19},
		{.six = true, .spi = 0, .udp = true, .sport = 4500},
		{.six = true, .spi = SPI, .len = 39},
		{.six = true, .spi = SPI, .fragment = true, .len = 44},
	};
	const struct quote esp4 = {.spi = SPI}, esp6 = {.six = true, .spi = SPI};
	unsigned esp;
	struct frame f;

	host_path_mtu_room = 100;
	for (unsigned i = 0; i < RTE_DIM(quotes); i++) {
		f = too_big(&quotes[i], &esp);
		is_the_kernels(&f);
	}
	/* Other errors about ESP; a later fragment, without an SPI; another protocol. */
	f = icmp(&esp4, 3, 1, &esp);
	is_the_kernels(&f);
	f = icmp(&esp4, 11, 0, &esp);
	is_the_kernels(&f);
	f = icmp(&esp6, 1, 0, &esp);
	is_the_kernels(&f);
	f = too_big(&esp4, &esp);
	f.b[L3 + 28 + 7] = 8;
	is_the_kernels(&f);
	f = too_big(&esp4, &esp);
	f.b[L3 + 28 + 9] = IPPROTO_TCP;
	is_the_kernels(&f);
	f = too_big(&esp4, &esp);
	f.b[L3 + 28] = 0x44; /* no header is so short */
	is_the_kernels(&f);
	CU_ASSERT_EQUAL(host_path_mtu_room, 100);
}

static void cut_news_and_floods_are_dropped(void)
{
	static const struct quote cut[] = {
		{.spi = SPI, .len = 20},
		{.spi = SPI, .len = 27},
		{.spi = SPI, .udp = true, .sport = 4500, .len = 35},
		{.six = true, .spi = SPI, .len = 47},
		{.six = true, .spi = SPI, .fragment = true, .len = 55},
	};
	const struct quote good = {.spi = SPI};
	unsigned esp;
	struct frame f;

	host_path_mtu_room = 2;
	for (unsigned i = 0; i < RTE_DIM(cut); i++) {
		f = too_big(&cut[i], &esp);
		dp_send(1, &f);
	}
	dp_run();
	CU_ASSERT(dp_dropped(DROP_PMTU_BAD, RTE_DIM(cut)));
	is_news(&good);
	is_news(&good);
	f = too_big(&good, &esp);
	for (unsigned i = 0; i < 1000; i++)
		dp_send(1, &f);
	dp_run();
	CU_ASSERT(dp_dropped(DROP_PMTU_RATE, 1000));
}

/* Fragments */

static void open_tunnel(bool six, uint16_t flags, uint16_t mtu, uint16_t path_mtu)
{
	struct dp_sa c = {
		.spi = SPI,
		.src = six ? NEAR6 : NEAR4,
		.dst = six ? PEER6 : PEER4,
		.flags = flags,
		.dir = SA_OUT,
	};

	vti = dp_vti("vti0");
	out_sa = dp_sa(vti, &c);
	c.dir = SA_IN;
	dp_sa(vti, &c);
	atomic_store(&vti->mtu, mtu);
	atomic_store(&out_sa->path_mtu, path_mtu);
	dp_route(PEER4 "/32", dp_station(1, "10.0.1.2", 2));
	dp_route(PEER6 "/128", dp_station(1, "2001:db8:1::2", 2));
	dp_route(FAR4 "/32", dp_through(vti));
	dp_route(FAR6 "/128", dp_through(vti));
	dp_route(HOST6 "/128", dp_station(0, NULL, 1));
}

static void fragment_after(void)
{
	atomic_fetch_or(&vti->flags, IFACE_FRAGMENT_AFTER);
}

/* An inner packet of `len` bytes. */
static struct frame inner(bool six, unsigned len, bool df)
{
	struct frame f =
		six ? frame_udp(0, HOST6, FAR6, len - 48) : frame_udp(0, HOST4, FAR4, len - 28);

	if (df && !six) {
		f.b[L3 + 6] = 0x40;
		frame_checksum(&f);
	}
	return f;
}

/* What came out of port 1 is the peer's now, and it gets f out of it. */
static void peer_gets(const struct frame *f, struct frame *wire, unsigned n)
{
	struct frame want = frame_forwarded(f, 1, 2);

	want = frame_forwarded(&want, 2, 3);
	dp_route(PEER4 "/32", NH_ID_LOCAL);
	dp_route(PEER6 "/128", NH_ID_LOCAL);
	dp_route(FAR4 "/32", dp_station(2, NULL, 3));
	dp_route(FAR6 "/128", dp_station(2, NULL, 3));
	for (unsigned i = 0; i < n; i++) {
		dp_readdress(&wire[i], 1);
		dp_send(1, &wire[i]);
	}
	dp_run();
	CU_ASSERT(dp_out(2, &want));
	CU_ASSERT(dp_none_dropped());
}

static unsigned wire_frames(const struct frame *f, struct frame *wire, unsigned max)
{
	unsigned n = 0;

	dp_send(0, f);
	dp_run();
	while (n < max && dp_out_any(1, &wire[n]))
		n++;
	return n;
}

/* The bytes of an IPv4 piece's header that cutting decides: of an ESP packet of 1556 bytes and 1300. */
static void ip4_pieces(void)
{
	struct frame f = inner(false, 1500, true), wire[4], check;
	/* 1536 bytes of ESP: 1280 first, at the most what 1300 leaves, in units of 8. */
	static const unsigned len[] = {1300, 276}, field[] = {0x2000, 1280 / 8};

	open_tunnel(false, SA_SET_DF, 1500, 1300);
	fragment_after();
	CU_ASSERT_EQUAL(sa_outer_len(out_sa, 1500), 1556);
	CU_ASSERT_EQUAL_FATAL(wire_frames(&f, wire, 4), 2);
	for (unsigned i = 0; i < 2; i++) {
		const uint8_t *ip = wire[i].b + L3;

		CU_ASSERT_EQUAL(wire[i].len, L3 + len[i]);
		CU_ASSERT_EQUAL(frame_ip_len(&wire[i]), len[i]);
		CU_ASSERT_EQUAL(ip[6] << 8 | ip[7], (int)field[i]);      /* DF is not set */
		CU_ASSERT_EQUAL(ip[4] << 8 | ip[5], (SPI + 1) & 0xffff); /* of packet 1 */
		CU_ASSERT_EQUAL(ip[9], IPPROTO_ESP);
		check = wire[i];
		frame_checksum(&check);
		CU_ASSERT_EQUAL(memcmp(&check, &wire[i], sizeof(check)), 0);
	}
	CU_ASSERT_EQUAL(memcmp(wire[0].b + L3 + 20, "\x10\0\x20\0\0\0\0\1", 8), 0);
	CU_ASSERT_EQUAL(dp.worker[0]->stats.fragments_made, 1);
	CU_ASSERT_EQUAL(dp_stats(vti).tx_packets, 1);
	CU_ASSERT_EQUAL(dp_stats(dp.port[1].iface).tx_packets, 2);
	CU_ASSERT_EQUAL(dp_stats(dp.port[1].iface).tx_bytes, 1300 + 276);
	peer_gets(&f, wire, 2);
}

/* 1536 bytes of ESP behind an IPv6 header, in pieces of at most 1280. */
static void ip6_pieces(void)
{
	struct frame f = inner(false, 1500, true), wire[4];
	static const unsigned len[] = {1280, 48 + 304}, field[] = {1, 1232};

	open_tunnel(true, 0, 1500, 1280);
	fragment_after();
	CU_ASSERT_EQUAL(sa_outer_len(out_sa, 1500), 1576);
	CU_ASSERT_EQUAL_FATAL(wire_frames(&f, wire, 4), 2);
	for (unsigned i = 0; i < 2; i++) {
		const uint8_t *ip = wire[i].b + L3, *ext = ip + 40;
		const uint8_t want[8] = {
			IPPROTO_ESP, 0, field[i] >> 8, field[i], 0x10, 0, 0x20, 0x01};

		CU_ASSERT_EQUAL(wire[i].len, L3 + len[i]);
		CU_ASSERT_EQUAL(frame_ip_len(&wire[i]), len[i]);
		CU_ASSERT_EQUAL(ip[6], IPPROTO_FRAGMENT);
		CU_ASSERT_EQUAL(ip[7], 64);
		CU_ASSERT_EQUAL(memcmp(ext, want, 8), 0);
		CU_ASSERT_EQUAL(memcmp(wire[0].b + L3 + 8, ip + 8, 32), 0);
	}
	CU_ASSERT_EQUAL(memcmp(wire[0].b + L3 + 48, "\x10\0\x20\0\0\0\0\1", 8), 0);
	CU_ASSERT_EQUAL(dp.worker[0]->stats.fragments_made, 1);
	peer_gets(&f, wire, 2);
}

/* The UDP checksum, which IPv6 needs, is that of the whole. */
static void udp_encapsulated_pieces(void)
{
	for (unsigned i = 0; i < 2; i++) {
		struct frame f = inner(true, 1500, true), wire[4];
		unsigned n;

		open_tunnel(i, SA_UDP_ENCAP, 1500, 1400);
		fragment_after();
		n = wire_frames(&f, wire, 4);
		CU_ASSERT_EQUAL_FATAL(n, 2);
		CU_ASSERT(frame_ip_len(&wire[0]) <= 1400);
		peer_gets(&f, wire, n);
		dp_sas_stop();
	}
}

/* What fits exactly is sent as the SA says, and is not cut. */
static void exactly_the_path_mtu(void)
{
	struct frame f = inner(false, 1500, true), wire[4];

	open_tunnel(false, SA_SET_DF, 1500, 1556);
	fragment_after();
	atomic_store(&dp.port[1].iface->mtu, 1556);
	CU_ASSERT_EQUAL_FATAL(wire_frames(&f, wire, 4), 1);
	CU_ASSERT_EQUAL(wire[0].b[L3 + 6], 0x40);
	CU_ASSERT_EQUAL(frame_ip_len(&wire[0]), 1556);
	atomic_store(&out_sa->path_mtu, 1555);
	CU_ASSERT_EQUAL(wire_frames(&f, wire, 4), 2);
	atomic_store(&dp.port[1].iface->mtu, DP_MTU);
}

/* Without that option it is as the SA says: cut where DF is clear, else dropped. */
static void as_the_df_bit_says(void)
{
	struct frame df = inner(false, 1400, true), f = inner(false, 1400, false), wire[4];

	open_tunnel(false, SA_COPY_DF, 1400, 1350);
	CU_ASSERT_EQUAL(wire_frames(&df, wire, 4), 0);
	CU_ASSERT(dp_dropped(DROP_TOO_BIG, 1));
	CU_ASSERT_EQUAL(dp_stats(vti).tx_drops, 1);
	CU_ASSERT_EQUAL_FATAL(wire_frames(&f, wire, 4), 2);
	peer_gets(&f, wire, 2);
	dp_sas_stop();

	open_tunnel(true, 0, 1400, 1350); /* an IPv6 packet has DF, as it were */
	CU_ASSERT_EQUAL(wire_frames(&f, wire, 4), 0);
	CU_ASSERT(dp_dropped(DROP_TOO_BIG, 1));
}

/* IPv6's smallest MTU passes any path (RFC 8200 5), whatever the DF bit; one byte more is answered. */
static void ip6_minimum_passes(void)
{
	for (unsigned i = 0; i < 2; i++) {
		struct frame f = inner(true, 1280, true), more = inner(true, 1281, true), wire[4],
			     e;
		unsigned n;

		open_tunnel(i, SA_COPY_DF, 1226, 1280);
		CU_ASSERT_EQUAL(wire_frames(&more, wire, 4), 0);
		CU_ASSERT(dp_dropped(DROP_TOO_BIG, 1));
		CU_ASSERT(dp_out_any(0, &e));
		CU_ASSERT_EQUAL(memcmp(e.b + L3 + 44, "\0\0\x05\0", 4), 0);
		n = wire_frames(&f, wire, 4);
		CU_ASSERT_EQUAL_FATAL(n, 2);
		peer_gets(&f, wire, n);
		dp_sas_stop();
	}
}

/* The kernel's own packets know the twin's MTU, which is IPv6's smallest at least: they pass. */
static void packets_of_the_kernel(void)
{
	struct frame f = inner(false, 1280, true), wire[4] = {0};

	open_tunnel(false, SA_SET_DF, 1226, 1280);
	dp_inject(0, (struct host_tag){.op = HOST_TUNNEL, .iface = vti->id}, f.b + L3, f.len - L3);
	dp_run();
	CU_ASSERT(dp_out_any(1, &wire[0]));
	CU_ASSERT(dp_out_any(1, &wire[1]));
	CU_ASSERT(dp_quiet());
	CU_ASSERT(frame_ip_len(&wire[0]) <= 1280);
	f.b[L3 + 8]++; /* not forwarded here */
	frame_checksum(&f);
	peer_gets(&f, wire, 2);
}

/* The pieces wait for the next hop's link-layer address as whole packets would. */
static void unresolved_next_hop(void)
{
	struct frame f = inner(false, 1500, true);

	open_tunnel(true, 0, 1500, 1300);
	fragment_after();
	dp_route(PEER6 "/128", nexthop_get(NH_GLEAN, dp.port[1].iface, NULL, NULL));
	dp_send(0, &f);
	dp_run();
	for (unsigned i = 0; i < 2; i++) {
		struct rte_mbuf *m = dp_host(0);

		CU_ASSERT_PTR_NOT_NULL_FATAL(m);
		CU_ASSERT_EQUAL(host_tag(m)->op, HOST_RESOLVE);
		CU_ASSERT_EQUAL(rte_pktmbuf_mtod(m, uint8_t *)[6], IPPROTO_FRAGMENT);
		CU_ASSERT(m->data_len <= 1300);
		rte_pktmbuf_free(m);
	}
}

/* Into another tunnel, whose MTU is smaller: cut before it. */
static void tunnel_in_a_tunnel(void)
{
	struct dp_sa second = {.spi = SPI + 1, .dir = SA_OUT, .src = NEAR4, .dst = "192.0.2.9"};
	struct frame f = inner(false, 1400, true), wire[4];
	struct iface *vti1;

	open_tunnel(false, 0, 1246, UINT16_MAX);
	vti1 = dp_vti("vti1");
	dp_sa(vti1, &second);
	atomic_fetch_or(&vti1->flags, IFACE_FRAGMENT_AFTER);
	dp_route(FAR4 "/32", dp_through(vti1));
	dp_route("192.0.2.9/32", dp_through(vti));
	CU_ASSERT_EQUAL(wire_frames(&f, wire, 4), 2);
	CU_ASSERT(frame_ip_len(&wire[0]) <= 1300);
	CU_ASSERT_EQUAL(dp_stats(vti1).tx_packets, 1);
	CU_ASSERT_EQUAL(dp_stats(vti).tx_packets, 2);
}

DP_MAIN("path_mtu", 1, DP_TEST(news_of_esp), DP_TEST(of_others_is_the_kernels),
	DP_TEST(cut_news_and_floods_are_dropped), DP_TEST(ip4_pieces), DP_TEST(ip6_pieces),
	DP_TEST(udp_encapsulated_pieces), DP_TEST(exactly_the_path_mtu),
	DP_TEST(as_the_df_bit_says), DP_TEST(ip6_minimum_passes), DP_TEST(packets_of_the_kernel),
	DP_TEST(unresolved_next_hop), DP_TEST(tunnel_in_a_tunnel))
