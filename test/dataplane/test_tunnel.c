/* SPDX-License-Identifier: BSD-3-Clause */
/* Through a tunnel and back: a packet is routed to a VTI, what comes out of the port is sent in again,
 * is decrypted and routed on. The inner bytes must be the same, less the TTL. */
#include "control/routing/nexthops.h"
#include "dp_sa.h"

#define HOST4 "10.0.0.9" /* behind port 0 */
#define HOST6 "2001:db8::9"
#define FAR4  "10.2.3.4" /* through the tunnel; when decrypted, behind port 2 */
#define FAR6  "2001:db8:ffff::4"
#define US4   "10.0.1.1"
#define US6   "2001:db8:1::1"
#define PEER4 "192.0.2.2" /* behind port 1 */
#define PEER6 "2001:db8:2222::2"
#define SPI   0x1000

static struct iface *vti;
static struct sa *out_sa, *in_sa;

/* Both directions of one tunnel: the inbound SA takes what the outbound one makes, for an SPI and
 * destination are all that finds it. */
static void open_tunnel(const struct dp_sa *conf)
{
	struct dp_sa c = *conf;

	vti = dp_vti("vti0");
	c.spi = SPI;
	c.dir = SA_OUT;
	out_sa = dp_sa(vti, &c);
	c.dir = SA_IN;
	in_sa = dp_sa(vti, &c);
	dp_route("192.0.2.2/32", dp_station(1, "10.0.1.2", 2));
	dp_route("2001:db8:2222::2/128", dp_station(1, "2001:db8:1::2", 2));
}

static void open_default(void)
{
	open_tunnel(&(struct dp_sa){.src = US4, .dst = PEER4});
}

static void route_far(uint32_t nh_id)
{
	dp_route("10.2.0.0/16", nh_id);
	dp_route("2001:db8:ffff::/48", nh_id);
}

/* Through the tunnel out of port 1. */
static void seal(const struct frame *f, struct frame *wire)
{
	route_far(dp_through(vti));
	dp_send(0, f);
	dp_run();
	CU_ASSERT(dp_out_any(1, wire));
	dp_readdress(wire, 1);
}

static struct frame minus_one_ttl(const struct frame *f)
{
	struct frame out = *f;

	out.b[L3 + (f->b[L3] >> 4 == 4 ? 8 : 7)]--;
	if (f->b[L3] >> 4 == 4)
		frame_checksum(&out);
	return out;
}

/* Decrypted and sent on by port 2. */
static void opened(const struct frame *wire, const struct frame *inner)
{
	struct frame want = frame_forwarded(inner, 2, 3);

	route_far(dp_station(2, "10.0.2.3", 3));
	dp_send(1, wire);
	dp_run();
	CU_ASSERT(dp_out(2, &want));
	CU_ASSERT(dp_none_dropped());
}

static void there_and_back(const char *src, const char *dst, unsigned payload)
{
	struct frame f = frame_udp(0, src, dst, payload), wire, inner = minus_one_ttl(&f);
	struct sa_stats before = sa_stats_sum(in_sa), after;

	seal(&f, &wire);
	CU_ASSERT_EQUAL(wire.len, L3 + frame_ip_len(&wire));
	CU_ASSERT(frame_ip_len(&wire) > frame_ip_len(&f) + 8);
	opened(&wire, &inner);
	after = sa_stats_sum(in_sa);
	CU_ASSERT_EQUAL(after.packets, before.packets + 1);
	CU_ASSERT_EQUAL(after.bytes, before.bytes + frame_ip_len(&f));
}

static void each_family_in_each(const struct dp_sa *conf)
{
	struct sa_stats sent;

	open_tunnel(conf);
	for (unsigned payload = 0; payload < 20; payload++) {
		there_and_back(HOST4, FAR4, payload);
		there_and_back(HOST6, FAR6, payload);
	}
	there_and_back(HOST4, FAR4, 1300);
	there_and_back(HOST6, FAR6, 1300);
	sent = sa_stats_sum(out_sa);
	CU_ASSERT_EQUAL(sent.packets, 42);
	CU_ASSERT_EQUAL(sent.bytes, 21 * (28 + 48) + 2 * (190 + 1300));
	CU_ASSERT_EQUAL(dp_stats(vti).tx_packets, 42);
	CU_ASSERT_EQUAL(dp_stats(vti).tx_bytes, sent.bytes);
	CU_ASSERT_EQUAL(dp_stats(vti).rx_packets, 42);
	CU_ASSERT_EQUAL(dp_stats(vti).rx_bytes, sent.bytes);
}

static void gcm_over_ip4(void)
{
	each_family_in_each(&(struct dp_sa){.src = US4, .dst = PEER4});
}

static void gcm_over_ip6(void)
{
	each_family_in_each(&(struct dp_sa){.src = US6, .dst = PEER6});
}

static void cbc_sha1_esn_over_ip4(void)
{
	each_family_in_each(&(struct dp_sa){.src = US4,
		.dst = PEER4,
		.cipher = CIPHER_AES_CBC,
		.auth = AUTH_HMAC_SHA1_96,
		.flags = SA_ESN});
}

static void chacha_in_udp_over_ip4(void)
{
	each_family_in_each(&(struct dp_sa){.src = US4,
		.dst = PEER4,
		.cipher = CIPHER_CHACHA20_POLY1305,
		.flags = SA_UDP_ENCAP});
}

static void null_sha2_in_udp_over_ip6(void)
{
	each_family_in_each(&(struct dp_sa){.src = US6,
		.dst = PEER6,
		.cipher = CIPHER_NULL,
		.auth = AUTH_HMAC_SHA2_256_128,
		.flags = SA_UDP_ENCAP});
}

/* A long run of packets keeps its order and its numbers, whatever the bursts. */
static void order(void)
{
	enum {
		N = 1000
	};
	static struct frame wire[N];

	open_default();
	route_far(dp_through(vti));
	for (unsigned i = 0; i < N; i++) {
		struct frame f = frame_udp(0, i % 2 ? HOST6 : HOST4, i % 2 ? FAR6 : FAR4, i);

		dp_send(0, &f);
	}
	dp_run();
	for (unsigned i = 0; i < N; i++) {
		const uint8_t *seq = wire[i].b + L3 + 20 + 4;

		CU_ASSERT(dp_out_any(1, &wire[i]));
		CU_ASSERT_EQUAL(seq[2] * 256u + seq[3], i + 1);
		dp_readdress(&wire[i], 1);
	}
	route_far(dp_station(2, "10.0.2.3", 3));
	for (unsigned i = 0; i < N; i++)
		dp_send(1, &wire[i]);
	dp_run();
	for (unsigned i = 0; i < N; i++) {
		struct frame f = frame_udp(0, i % 2 ? HOST6 : HOST4, i % 2 ? FAR6 : FAR4, i);

		f = minus_one_ttl(&f);
		f = frame_forwarded(&f, 2, 3);
		CU_ASSERT(dp_out(2, &f));
	}
}

static void replay(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 20), wire, inner = minus_one_ttl(&f);

	open_default();
	seal(&f, &wire);
	opened(&wire, &inner);
	dp_send(1, &wire);
	dp_run();
	CU_ASSERT(dp_dropped(DROP_ESP_REPLAY, 1));
	/* Also within one burst. */
	seal(&f, &wire);
	route_far(dp_station(2, "10.0.2.3", 3));
	dp_send(1, &wire);
	dp_send(1, &wire);
	dp_run();
	CU_ASSERT(dp_dropped(DROP_ESP_REPLAY, 1));
	inner = frame_forwarded(&inner, 2, 3);
	CU_ASSERT(dp_out(2, &inner));
}

/* What the kernel sends on the twin goes through the tunnel with its TTL as it is. */
static void from_the_kernel(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 20), wire;

	open_default();
	dp_inject(0, (struct host_tag){.op = HOST_TUNNEL, .iface = vti->id}, f.b + L3, f.len - L3);
	dp_run();
	CU_ASSERT(dp_out_any(1, &wire));
	dp_readdress(&wire, 1);
	opened(&wire, &f);
}

/* Without the frame's Ethernet header, as a TUN device has it. */
static struct frame l3_only(const struct frame *f)
{
	struct frame out = {.len = frame_ip_len(f)};

	memcpy(out.b, f->b + L3, out.len);
	return out;
}

static void to_the_kernel(void)
{
	static const char *const to[] = {"10.0.1.1", "224.0.0.5", "2001:db8:1::1", "ff02::5"};
	struct frame wire;

	open_default();
	for (unsigned i = 0; i < RTE_DIM(to); i++) {
		struct frame f = frame_udp(0, i < 2 ? "10.9.9.9" : "2001:db8::9", to[i], 20);
		struct frame ip = l3_only(&f);

		dp_inject(0, (struct host_tag){.op = HOST_TUNNEL, .iface = vti->id}, ip.b, ip.len);
		dp_run();
		CU_ASSERT(dp_out_any(1, &wire));
		dp_readdress(&wire, 1);
		dp_send(1, &wire);
		dp_run();
		CU_ASSERT(dp_punted(vti, &ip));
	}
}

static void captures(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 20), wire, inner = minus_one_ttl(&f), ip;

	open_default();
	atomic_fetch_or(&vti->flags, IFACE_MIRROR);
	ip = l3_only(&inner);
	seal(&f, &wire);
	CU_ASSERT(dp_mirrored(vti, &ip));
	opened(&wire, &inner);
	CU_ASSERT(dp_mirrored(vti, &ip));
}

static void down_and_without_sa(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 20);
	struct iface *empty = dp_vti("empty");
	struct frame error;

	dp_route(HOST4 "/32", dp_station(0, NULL, 1));
	route_far(dp_through(empty));
	dp_send(0, &f);
	dp_run();
	CU_ASSERT(dp_dropped(DROP_VTI_NO_SA, 1));
	CU_ASSERT(dp_out_any(0, &error)); /* see test_unreachable.c */
	open_default();
	route_far(dp_through(vti));
	atomic_store(&vti->flags, 0);
	dp_send(0, &f);
	dp_run();
	CU_ASSERT(dp_dropped(DROP_VTI_DOWN, 1));
	CU_ASSERT(dp_out_any(0, &error));
	CU_ASSERT_EQUAL(dp_stats(vti).tx_drops, 1);
	CU_ASSERT(dp_quiet());
}

/* The peer's next hop has no link-layer address yet: the finished ESP packet waits. */
static void outer_next_hop_unresolved(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 20), wire, inner = minus_one_ttl(&f);
	struct host_tag tag;
	struct rte_mbuf *m;

	open_default();
	dp_route("192.0.2.2/32", nexthop_get(NH_GLEAN, dp.port[1].iface, NULL, NULL));
	route_far(dp_through(vti));
	dp_send(0, &f);
	dp_run();
	m = dp_host(0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	tag = *host_tag(m);
	CU_ASSERT_EQUAL(tag.op, HOST_RESOLVE);
	CU_ASSERT_EQUAL(tag.iface, dp.port[1].iface->id);
	CU_ASSERT_EQUAL(memcmp(&tag.target.v4, "\xc0\0\2\2", 4), 0);
	dp_route("192.0.2.2/32", dp_station(1, NULL, 2));
	tag.op = HOST_FORWARD;
	dp_inject(0, tag, rte_pktmbuf_mtod(m, void *), m->data_len);
	rte_pktmbuf_free(m);
	dp_run();
	CU_ASSERT(dp_out_any(1, &wire));
	CU_ASSERT_EQUAL(wire.b[L3 + 8], 64); /* the outer one's own, not counted down */
	dp_readdress(&wire, 1);
	opened(&wire, &inner);
}

/* A second tunnel inside the first. */
static void tunnel_in_a_tunnel(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 20), wire, inner = minus_one_ttl(&f), want;
	/* Both ends are this router: nothing that comes in may have its own address. */
	struct dp_sa second = {
		.spi = SPI + 1, .dir = SA_OUT, .src = "192.0.2.8", .dst = "192.0.2.9"};
	struct iface *vti1;

	open_default();
	vti1 = dp_vti("vti1");
	dp_sa(vti1, &second);
	second.dir = SA_IN;
	dp_sa(vti1, &second);
	route_far(dp_through(vti1));
	dp_route("192.0.2.9/32", dp_through(vti));
	dp_send(0, &f);
	dp_run();
	CU_ASSERT(dp_out_any(1, &wire));
	/* The outermost header is the first tunnel's. */
	CU_ASSERT_EQUAL(memcmp(wire.b + L3 + 16, "\xc0\0\2\2", 4), 0);

	dp_readdress(&wire, 1);
	dp_route("192.0.2.9/32", NH_ID_LOCAL);
	route_far(dp_station(2, "10.0.2.3", 3));
	dp_send(1, &wire);
	dp_run();
	want = frame_forwarded(&inner, 2, 3);
	CU_ASSERT(dp_out(2, &want));
	CU_ASSERT_EQUAL(dp_stats(vti).rx_packets, 1);
	CU_ASSERT_EQUAL(dp_stats(vti1).rx_packets, 1);
}

/* The route to the peer leads into its own tunnel. With room for more headers than may be. */
static void loop(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 20);
	struct rte_mbuf *m = rte_pktmbuf_alloc(dp.pool);

	open_default();
	route_far(dp_through(vti));
	dp_route("192.0.2.2/32", dp_through(vti));
	m->data_off = 1000;
	memcpy(rte_pktmbuf_append(m, f.len), f.b, f.len);
	dp_send_mbuf(0, 0, m);
	dp_run();
	CU_ASSERT(dp_dropped(DROP_VTI_LOOP, 1));
	CU_ASSERT(dp_quiet());
}

DP_MAIN("tunnel", 1, DP_TEST(gcm_over_ip4), DP_TEST(gcm_over_ip6), DP_TEST(cbc_sha1_esn_over_ip4),
	DP_TEST(chacha_in_udp_over_ip4), DP_TEST(null_sha2_in_udp_over_ip6), DP_TEST(order),
	DP_TEST(replay), DP_TEST(from_the_kernel), DP_TEST(to_the_kernel), DP_TEST(captures),
	DP_TEST(down_and_without_sa), DP_TEST(outer_next_hop_unresolved),
	DP_TEST(tunnel_in_a_tunnel), DP_TEST(loop))
