/* SPDX-License-Identifier: BSD-3-Clause */
/* The reverse path check (RFC 3704), on ports and behind the decryption: which sources pass, what is
 * dropped and where that is counted; and tunnels whose peers pretend to be another one's. */
#include "control/routing/nexthops.h"
#include "dp_sa.h"
#include "esp_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>

/* Behind port 0, behind port 1, behind the other tunnel; a network that nobody has a route to. */
#define NEAR4    "10.1.2.3"
#define NEAR6    "2001:db8:a::3"
#define FAR4     "10.3.0.4"
#define FAR6     "2001:db8:c::4"
#define TUNNEL4  "10.4.0.5"
#define TUNNEL6  "2001:db8:d::5"
#define NOBODY4  "172.16.0.1"
#define NOBODY6  "2001:db8:dead::1"
#define DROPPED4 "10.5.0.1"
#define DROPPED6 "2001:db8:e::1"

static struct iface *other;

static void set_rpf(struct iface *i, enum iface_rpf mode)
{
	atomic_store(&i->rpf, mode);
}

static void routes(void)
{
	uint32_t near = dp_station(0, "10.0.0.5", 5), far = dp_station(1, "10.0.1.2", 2);

	other = dp_vti("other");
	dp_route("10.1.0.0/16", near);
	dp_route("2001:db8:a::/48", near);
	dp_route("10.3.0.0/16", far);
	dp_route("2001:db8:c::/48", far);
	dp_route("10.4.0.0/16", dp_through(other));
	dp_route("2001:db8:d::/48", dp_through(other));
	dp_route("10.5.0.0/16", NH_ID_BLACKHOLE);
	dp_route("2001:db8:e::/48", NH_ID_UNREACHABLE);
}

static struct frame from(const char *src)
{
	return frame_udp(0, src, strchr(src, ':') != NULL ? FAR6 : FAR4, 20);
}

/* What comes into port 0 and is dropped: by its name, at its interface, without a word to anybody. */
static void refused(const char *src)
{
	uint64_t before = dp_stats(dp.port[0].iface).rx_drops;
	struct frame f = from(src);

	dp_send(0, &f);
	dp_run();
	if (!dp_dropped(DROP_RPF, 1))
		CU_FAIL(src);
	CU_ASSERT(dp_quiet());
	CU_ASSERT_EQUAL(dp_stats(dp.port[0].iface).rx_drops, before + 1);
}

static void taken(const char *src)
{
	struct frame f = from(src);

	dp_expect_forwarded(&f);
}

static void off_takes_all(void)
{
	routes();
	taken(NEAR4);
	taken(NEAR6);
	taken(FAR4);
	taken(TUNNEL6);
	taken(NOBODY4);
	taken(DROPPED6);
}

static void strict_on_a_port(void)
{
	routes();
	set_rpf(dp.port[0].iface, IFACE_RPF_STRICT);
	taken(NEAR4);
	taken(NEAR6);
	refused(FAR4);
	refused(FAR6);
	refused(TUNNEL4);
	refused(TUNNEL6);
	refused(NOBODY4);
	refused(NOBODY6);
	refused(DROPPED4);
	refused(DROPPED6);
}

static void loose_on_a_port(void)
{
	routes();
	set_rpf(dp.port[0].iface, IFACE_RPF_LOOSE);
	taken(NEAR4);
	taken(NEAR6);
	taken(FAR4);
	taken(FAR6);
	taken(TUNNEL4);
	taken(TUNNEL6);
	refused(NOBODY4);
	refused(NOBODY6);
	refused(DROPPED4);
	refused(DROPPED6);
	/* By way of the kernel's other devices is a way; a default route makes every source good. */
	dp_route("172.16.0.0/12", NH_ID_KERNEL);
	taken(NOBODY4);
	dp_route("::/0", dp_station(2, "2001:db8:2::9", 3));
	taken(NOBODY6);
	refused(DROPPED6);
}

/* The longest prefix decides, however the packets of a burst are mixed. */
static void the_best_route_counts(void)
{
	routes();
	set_rpf(dp.port[0].iface, IFACE_RPF_STRICT);
	dp_route("0.0.0.0/0", dp_station(0, "10.0.0.6", 6));
	taken(NOBODY4);
	refused(FAR4);
	dp_route("10.3.0.9/32", dp_station(0, NULL, 7));
	taken("10.3.0.9");
	dp_unroute("10.3.0.9/32");
	refused("10.3.0.9");
	set_rpf(dp.port[0].iface, IFACE_RPF_OFF);
	taken(FAR4);
}

/* A neighbour not yet resolved, and a gateway not yet resolved, are ways of their interface. */
static void unresolved_is_a_way(void)
{
	struct addr gateway = dp_addr("10.0.0.77");
	uint32_t glean = nexthop_get(NH_GLEAN, dp.port[0].iface, NULL, NULL);
	uint32_t pending = nexthop_get(NH_PENDING, dp.port[0].iface, &gateway, NULL);

	routes();
	dp_route("172.16.0.0/24", glean);
	dp_route("172.16.1.0/24", pending);
	set_rpf(dp.port[0].iface, IFACE_RPF_STRICT);
	taken("172.16.0.1");
	taken("172.16.1.1");
	refused("172.16.2.1");
}

static void bursts_keep_their_order(void)
{
	static const char *const src[] = {NEAR4, FAR6, NEAR6, FAR4, NOBODY6, NEAR4, NEAR6, TUNNEL4};
	static const bool good[] = {true, false, true, false, false, true, true, false};
	struct frame want;

	routes();
	set_rpf(dp.port[0].iface, IFACE_RPF_STRICT);
	for (unsigned i = 0; i < 160; i++) {
		struct frame f = from(src[i % 8]);

		dp_send(0, &f);
	}
	dp_run();
	for (unsigned i = 0; i < 160; i++) {
		struct frame f = from(src[i % 8]);

		want = frame_forwarded(&f, 1, 2);
		if (good[i % 8])
			CU_ASSERT(dp_out(1, &want));
	}
	CU_ASSERT(dp_quiet());
	CU_ASSERT(dp_dropped(DROP_RPF, 80));
}

/* One port asks, the other one does not, in the same turn. */
static void each_interface_for_itself(void)
{
	struct frame bad = from(NOBODY4), good = frame_udp(2, NOBODY4, FAR4, 20), want;

	routes();
	set_rpf(dp.port[0].iface, IFACE_RPF_STRICT);
	for (unsigned i = 0; i < 4; i++) {
		dp_send(0, &bad);
		dp_send(2, &good);
	}
	dp_run();
	want = frame_forwarded(&good, 1, 2);
	for (unsigned i = 0; i < 4; i++)
		CU_ASSERT(dp_out(1, &want));
	CU_ASSERT(dp_quiet());
	CU_ASSERT(dp_dropped(DROP_RPF, 4));
}

/* Routing protocols, neighbour discovery and DHCP speak from addresses without a route. */
static void the_kernels_is_not_asked(void)
{
	static const char *const to6[] = {"ff02::5", "ff02::1:ff00:1", "fe80::1"};
	struct frame f;

	routes();
	set_rpf(dp.port[0].iface, IFACE_RPF_STRICT);
	f = frame_udp(0, NOBODY4, "224.0.0.5", 20);
	dp_expect_punted(&f);
	f = frame_udp(0, "0.0.0.0", "255.255.255.255", 20);
	dp_expect_punted(&f);
	for (unsigned i = 0; i < 3; i++) {
		f = frame_udp(0, "fe80::9", to6[i], 20);
		dp_expect_punted(&f);
	}
	/* To a global address of ours, from the link. */
	f = frame_udp(0, "fe80::9", "2001:db8:0::1", 20);
	dp_expect_punted(&f);
	/* To the router itself is asked. */
	f = frame_udp(0, NEAR4, "10.0.0.1", 20);
	dp_expect_punted(&f);
	f = frame_udp(0, NOBODY4, "10.0.0.1", 20);
	dp_send(0, &f);
	dp_run();
	CU_ASSERT(dp_dropped(DROP_RPF, 1));
}

/* The router's own answer has its own address and passes. */
static void own_errors_pass(void)
{
	struct frame f = from(NEAR4), got;

	routes();
	set_rpf(dp.port[0].iface, IFACE_RPF_STRICT);
	f.b[L3 + 8] = 1;
	frame_checksum(&f);
	dp_send(0, &f);
	dp_run();
	CU_ASSERT(dp_dropped(DROP_TTL_EXCEEDED, 1));
	CU_ASSERT(dp_out_any(0, &got));
	CU_ASSERT_EQUAL(got.b[L3 + 9], IPPROTO_ICMP);
	CU_ASSERT_EQUAL(got.b[L3 + 20], 11);
}

/* ESP itself is judged by its keys, not by where it comes from. */
static void encrypted_packets_are_not_asked(void)
{
	struct tunnel t;
	struct frame inner = frame_udp(TUNNEL_WAN, "10.2.3.4", NEAR4, 30), f;

	tunnel_start(&t);
	dp_unroute(TUNNEL_PEER4 "/32");
	set_rpf(dp.port[TUNNEL_WAN].iface, IFACE_RPF_STRICT);
	tunnel_plain_sa(&t, SA_IN, IP_V4, 0);
	f = tunnel_seal(&t, 1, &inner, 0);
	tunnel_passes(&f, &inner);
	tunnel_stop(&t);
}

/* The tunnel drops what came out of it: counted at the tunnel, not at the port. */
static void tunnel_refuses(struct tunnel *t, uint64_t seq, const char *src, const char *dst)
{
	struct frame inner = frame_udp(TUNNEL_WAN, src, dst, 30),
		     f = tunnel_seal(t, seq, &inner, 0);
	uint64_t vti = dp_stats(t->vti).rx_drops;
	uint64_t port = dp_stats(dp.port[TUNNEL_WAN].iface).rx_drops;

	tunnel_drops(&f, DROP_RPF);
	CU_ASSERT_EQUAL(dp_stats(t->vti).rx_drops, vti + 1);
	CU_ASSERT_EQUAL(dp_stats(dp.port[TUNNEL_WAN].iface).rx_drops, port);
}

static void tunnel_takes(struct tunnel *t, uint64_t seq, const char *src, const char *dst)
{
	struct frame inner = frame_udp(TUNNEL_WAN, src, dst, 30),
		     f = tunnel_seal(t, seq, &inner, 0);

	tunnel_passes(&f, &inner);
}

/* An SA for everything, as route-based tunnels have: only the routes say who is behind it. */
static void strict_behind_the_decryption(void)
{
	struct tunnel t;

	tunnel_start(&t);
	other = dp_vti("other");
	dp_route("10.4.0.0/16", dp_through(other));
	dp_route("2001:db8:d::/48", dp_through(other));
	tunnel_plain_sa(&t, SA_IN, IP_V4, 0);
	tunnel_takes(&t, 1, TUNNEL4, NEAR4);
	tunnel_takes(&t, 2, NEAR4, NEAR4);
	set_rpf(t.vti, IFACE_RPF_STRICT);
	tunnel_takes(&t, 3, "10.2.3.4", NEAR4);
	tunnel_takes(&t, 4, "2001:db8:b::4", NEAR6);
	tunnel_refuses(&t, 5, TUNNEL4, NEAR4);
	tunnel_refuses(&t, 6, TUNNEL6, NEAR6);
	tunnel_refuses(&t, 7, NEAR4, NEAR4);
	tunnel_refuses(&t, 8, NOBODY4, NEAR4);
	tunnel_refuses(&t, 9, TUNNEL_PEER4, NEAR4);
	set_rpf(t.vti, IFACE_RPF_LOOSE);
	tunnel_takes(&t, 10, TUNNEL4, NEAR4);
	tunnel_refuses(&t, 11, NOBODY6, NEAR6);
	tunnel_stop(&t);
}

/* OSPF through the tunnel: multicast from whatever address the neighbour has. */
static void multicast_behind_the_decryption(void)
{
	struct frame inner = frame_udp(TUNNEL_WAN, "10.255.0.2", "224.0.0.5", 30), f;
	struct rte_mbuf *m;
	struct tunnel t;

	tunnel_start(&t);
	tunnel_plain_sa(&t, SA_IN, IP_V4, 0);
	set_rpf(t.vti, IFACE_RPF_STRICT);
	f = tunnel_seal(&t, 1, &inner, 0);
	tunnel_receive(&f);
	m = dp_host(0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_EQUAL(host_tag(m)->iface, t.vti->id);
	rte_pktmbuf_free(m);
	tunnel_stop(&t);
}

/* Where the SAs were negotiated for networks, they say it themselves: the peer of one tunnel sends
 * what the other tunnel's selectors allow. */
static void another_tunnels_selectors(void)
{
	static const uint8_t key[32] = {1, 2, 3, 4};
	static const struct selector mine = {.family = IP_V4,
		.src_port = {0, 65535},
		.dst_port = {0, 65535},
		.src = {{10, 2, 0, 0}, {10, 2, 255, 255}},
		.dst = {{10, 1, 0, 0}, {10, 1, 255, 255}}};
	struct sa_params p = tunnel_params(SA_IN, IP_V4);
	struct frame f, inner = frame_udp(TUNNEL_WAN, TUNNEL4, NEAR4, 30);
	struct tunnel t;
	const char *why;

	tunnel_start(&t);
	other = dp_vti("other");
	dp_route("10.4.0.0/16", dp_through(other));
	p.cipher = CIPHER_NULL;
	p.auth = AUTH_HMAC_SHA2_256_128;
	p.auth_key = key;
	p.auth_key_len = sizeof(key);
	p.selectors = &mine;
	p.n_selectors = 1;
	CU_ASSERT_PTR_NOT_NULL_FATAL(tunnel_sa(&t, &p, &why));
	tunnel_takes(&t, 1, "10.2.3.4", NEAR4);
	f = tunnel_seal(&t, 2, &inner, 0);
	tunnel_drops(&f, DROP_ESP_SELECTOR);
	/* Nor may it speak to networks that only the other one may. */
	inner = frame_udp(TUNNEL_WAN, "10.2.3.4", TUNNEL4, 30);
	f = tunnel_seal(&t, 3, &inner, 0);
	tunnel_drops(&f, DROP_ESP_SELECTOR);
	tunnel_stop(&t);
}

DP_MAIN("rpf", 1, DP_TEST(off_takes_all), DP_TEST(strict_on_a_port), DP_TEST(loose_on_a_port),
	DP_TEST(the_best_route_counts), DP_TEST(unresolved_is_a_way),
	DP_TEST(bursts_keep_their_order), DP_TEST(each_interface_for_itself),
	DP_TEST(the_kernels_is_not_asked), DP_TEST(own_errors_pass),
	DP_TEST(encrypted_packets_are_not_asked), DP_TEST(strict_behind_the_decryption),
	DP_TEST(multicast_behind_the_decryption), DP_TEST(another_tunnels_selectors))
