/* SPDX-License-Identifier: BSD-3-Clause */
/* Routing through the whole dataplane: each kind of next hop, with exact bytes. */
#include "control/routing/nexthops.h"
#include "harness.h"

#include <arpa/inet.h>

#define HOST4 "10.0.0.9" /* behind port 0 */
#define HOST6 "2001:db8::9"
#define FAR4  "10.2.3.4" /* behind port 1 */
#define FAR6  "2001:db8:ffff::4"

/* Way back for ICMP errors, and the far networks behind station 2. */
static void routes(void)
{
	dp_route("10.0.0.9/32", dp_station(0, NULL, 1));
	dp_route("2001:db8::9/128", dp_station(0, NULL, 1));
	dp_route("10.2.0.0/16", dp_station(1, "10.0.1.2", 2));
	dp_route("2001:db8:ffff::/48", dp_station(1, "2001:db8:1::2", 2));
}

/* Bytes by scapy, in and out. */
static void ip4_bytes(void)
{
	struct frame in = frame_hex("020000000000 020000000101 0800"
				    "45000023 00010000 401163bb 0a000009 0a020304"
				    "03e807d0000f1bd8 76696164756374");
	struct frame out = frame_hex("020000000102 020000000001 0800"
				     "45000023 00010000 3f1164bb 0a000009 0a020304"
				     "03e807d0000f1bd8 76696164756374");

	routes();
	dp_send(0, &in);
	dp_run();
	CU_ASSERT(dp_out(1, &out));
}

static void ip6_bytes(void)
{
	struct frame in = frame_hex("020000000000 020000000101 86dd"
				    "60000000 000f1102 20010db8000000000000000000000009"
				    "20010db8ffff00000000000000000004"
				    "03e807d0000fd767 76696164756374");
	struct frame out = frame_hex("020000000102 020000000001 86dd"
				     "60000000 000f1101 20010db8000000000000000000000009"
				     "20010db8ffff00000000000000000004"
				     "03e807d0000fd767 76696164756374");

	routes();
	dp_send(0, &in);
	dp_run();
	CU_ASSERT(dp_out(1, &out));
}

/* The incremental checksum is the one from scratch, for all 65536 values that a header may sum to. */
static void checksums(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 10);
	unsigned wrong = 0;

	routes();
	for (unsigned id = 0; id < 65536; id++) {
		struct frame want;

		f.b[L3 + 4] = id >> 8;
		f.b[L3 + 5] = id;
		frame_checksum(&f);
		want = frame_forwarded(&f, 1, 2);
		dp_send(0, &f);
		if (id % 32 == 0)
			dp_run();
		else
			worker_turn(dp.worker[0]);
		wrong += !dp_out(1, &want);
		if (wrong > 0)
			break;
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

static void order_and_counters(void)
{
	struct iface_stats in, out;

	routes();
	for (unsigned i = 0; i < 300; i++) {
		struct frame four = frame_udp(0, HOST4, FAR4, i);
		struct frame six = frame_udp(0, HOST6, FAR6, i);

		dp_send(0, &four);
		dp_send(0, &six);
	}
	dp_run();
	for (unsigned i = 0; i < 300; i++) {
		struct frame four = frame_udp(0, HOST4, FAR4, i);
		struct frame six = frame_udp(0, HOST6, FAR6, i);

		four = frame_forwarded(&four, 1, 2);
		six = frame_forwarded(&six, 1, 2);
		CU_ASSERT(dp_out(1, &four));
		CU_ASSERT(dp_out(1, &six));
	}
	in = dp_stats(dp.port[0].iface);
	out = dp_stats(dp.port[1].iface);
	CU_ASSERT_EQUAL(in.rx_packets, 600);
	CU_ASSERT_EQUAL(in.rx_bytes, 300 * (28 + 48) + 2 * (299 * 300 / 2));
	CU_ASSERT_EQUAL(in.tx_packets, 0);
	CU_ASSERT_EQUAL(out.tx_packets, 600);
	CU_ASSERT_EQUAL(out.tx_bytes, in.rx_bytes);
	CU_ASSERT_EQUAL(dp.worker[0]->stats.rx_packets, 600);
	CU_ASSERT_EQUAL(dp.worker[0]->stats.tx_packets, 600);
}

static void longest_prefix_wins(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 20), want;

	dp_route("0.0.0.0/0", dp_station(2, "10.0.2.9", 3));
	dp_send(0, &f);
	dp_run();
	want = frame_forwarded(&f, 2, 3);
	CU_ASSERT(dp_out(2, &want));

	routes();
	dp_send(0, &f);
	dp_run();
	want = frame_forwarded(&f, 1, 2);
	CU_ASSERT(dp_out(1, &want));

	dp_unroute("10.2.0.0/16");
	dp_send(0, &f);
	dp_run();
	want = frame_forwarded(&f, 2, 3);
	CU_ASSERT(dp_out(2, &want));
}

/* Ethernet pads short frames to 60 bytes: that isn't part of the packet. */
static void padding_is_cut(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 1), want = frame_forwarded(&f, 1, 2);

	routes();
	memset(f.b + f.len, 0xee, 60 - f.len);
	f.len = 60;
	dp_send(0, &f);
	dp_run();
	CU_ASSERT_EQUAL(want.len, L3 + 29);
	CU_ASSERT(dp_out(1, &want));
}

/* type and code of the ICMP error that comes out of a port, from the router's address there. */
static void expect_icmp(unsigned port, unsigned type, unsigned code)
{
	struct frame got = {0};
	unsigned l4;

	CU_ASSERT(dp_out_any(port, &got));
	l4 = L3 + (got.b[L3] >> 4 == 4 ? 20 : 40);
	CU_ASSERT_EQUAL(got.b[got.b[L3] >> 4 == 4 ? L3 + 9 : L3 + 6],
		got.b[L3] >> 4 == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	CU_ASSERT_EQUAL(got.b[l4], type);
	CU_ASSERT_EQUAL(got.b[l4 + 1], code);
}

static void refused(
	const char *src, const char *dst, enum drop_reason reason, unsigned type, unsigned code)
{
	struct frame f = frame_udp(0, src, dst, 20);

	dp_send(0, &f);
	dp_run();
	CU_ASSERT(dp_dropped(reason, 1));
	expect_icmp(0, type, code);
}

static void no_route(void)
{
	routes();
	refused(HOST4, "172.16.0.1", DROP_NO_ROUTE, 3, 0);
	refused(HOST6, "2001:db8:dead::1", DROP_NO_ROUTE, 1, 0);
}

static void unreachable(void)
{
	routes();
	dp_route("172.16.0.0/12", NH_ID_UNREACHABLE);
	dp_route("2001:db8:dead::/48", NH_ID_UNREACHABLE);
	refused(HOST4, "172.16.0.1", DROP_UNREACHABLE, 3, 1);
	refused(HOST6, "2001:db8:dead::1", DROP_UNREACHABLE, 1, 3);
}

static void prohibit(void)
{
	routes();
	dp_route("172.16.0.0/12", NH_ID_PROHIBIT);
	dp_route("2001:db8:dead::/48", NH_ID_PROHIBIT);
	refused(HOST4, "172.16.0.1", DROP_PROHIBIT, 3, 13);
	refused(HOST6, "2001:db8:dead::1", DROP_PROHIBIT, 1, 1);
}

static void blackhole_is_silent(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 20);

	routes();
	dp_route("10.2.0.0/16", NH_ID_BLACKHOLE);
	dp_send(0, &f);
	dp_run();
	CU_ASSERT(dp_dropped(DROP_BLACKHOLE, 1));
	CU_ASSERT(dp_quiet());
	CU_ASSERT_EQUAL(dp_stats(dp.port[0].iface).rx_drops, 1);
}

static void with_ttl(const char *src, const char *dst, uint8_t ttl, bool passes)
{
	struct frame f = frame_udp(0, src, dst, 20), want;

	if (f.b[L3] >> 4 == 4) {
		f.b[L3 + 8] = ttl;
		frame_checksum(&f);
	} else {
		f.b[L3 + 7] = ttl;
	}
	dp_send(0, &f);
	dp_run();
	if (passes) {
		want = frame_forwarded(&f, 1, 2);
		CU_ASSERT(dp_out(1, &want));
	} else {
		CU_ASSERT(dp_dropped(DROP_TTL_EXCEEDED, 1));
		expect_icmp(0, f.b[L3] >> 4 == 4 ? 11 : 3, 0);
	}
}

static void ttl(void)
{
	routes();
	with_ttl(HOST4, FAR4, 255, true);
	with_ttl(HOST4, FAR4, 2, true);
	with_ttl(HOST4, FAR4, 1, false);
	with_ttl(HOST4, FAR4, 0, false);
	with_ttl(HOST6, FAR6, 2, true);
	with_ttl(HOST6, FAR6, 1, false);
	with_ttl(HOST6, FAR6, 0, false);
}

/* What is addressed to us arrives with whatever TTL it has left. */
static void ttl_of_local_packets_is_left_alone(void)
{
	struct frame f = frame_udp(0, HOST4, "10.0.1.1", 20);

	routes();
	f.b[L3 + 8] = 1;
	frame_checksum(&f);
	dp_send(0, &f);
	dp_run();
	CU_ASSERT(dp_punted(dp.port[0].iface, &f));
}

static void kernel_routes_are_punted(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 20);

	dp_route("10.2.0.0/16", NH_ID_KERNEL);
	dp_send(0, &f);
	dp_run();
	CU_ASSERT(dp_punted(dp.port[0].iface, &f));
	CU_ASSERT_EQUAL(dp.worker[0]->stats.punted, 1);
}

/* What the control thread would do when the neighbour has answered. */
static void answer_resolve(void)
{
	struct rte_mbuf *m = dp_host(0);
	struct host_tag tag;

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	tag = *host_tag(m);
	tag.op = HOST_FORWARD;
	dp_inject(0, tag, rte_pktmbuf_mtod(m, void *), m->data_len);
	rte_pktmbuf_free(m);
}

/* Connected network: the packet's destination is resolved, then it goes on with one TTL less. */
static void glean(const char *src, const char *dst, const char *net, const char *host)
{
	struct frame f = frame_udp(0, src, dst, 20), want = frame_forwarded(&f, 1, 2);

	dp_route(net, nexthop_get(NH_GLEAN, dp.port[1].iface, NULL, NULL));
	dp_send(0, &f);
	dp_run();
	CU_ASSERT(dp_resolving(dp.port[1].iface, dst, want.b + L3, want.len - L3));

	dp_send(0, &f);
	dp_run();
	dp_route(host, dp_station(1, NULL, 2));
	answer_resolve();
	dp_run();
	CU_ASSERT(dp_out(1, &want));
}

static void glean4(void)
{
	glean(HOST4, "10.0.1.77", "10.0.1.0/24", "10.0.1.77/32");
}

static void glean6(void)
{
	glean(HOST6, "2001:db8:1::77", "2001:db8:1::/64", "2001:db8:1::77/128");
}

/* The last hop of a TTL is spent before the packet waits, so it need not wait in vain. */
static void ttl_before_resolving(void)
{
	struct frame f = frame_udp(0, HOST4, "10.0.1.77", 20);

	routes();
	dp_route("10.0.1.0/24", nexthop_get(NH_GLEAN, dp.port[1].iface, NULL, NULL));
	f.b[L3 + 8] = 1;
	frame_checksum(&f);
	dp_send(0, &f);
	dp_run();
	CU_ASSERT(dp_dropped(DROP_TTL_EXCEEDED, 1));
	expect_icmp(0, 11, 0);
}

static uint32_t pending(unsigned port, const char *gateway)
{
	struct addr gw = {.family = IP_V4};

	inet_pton(AF_INET, gateway, &gw.v4);
	return nexthop_get(NH_PENDING, dp.port[port].iface, &gw, NULL);
}

static void pending_gateway(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 20), want = frame_forwarded(&f, 1, 7);
	struct rte_ether_addr mac = mac_of_station(7);
	struct addr gw = {.family = IP_V4};

	dp_route("10.2.0.0/16", pending(1, "10.0.1.7"));
	dp_send(0, &f);
	dp_run();
	CU_ASSERT(dp_resolving(dp.port[1].iface, "10.0.1.7", want.b + L3, want.len - L3));

	dp_send(0, &f);
	dp_run();
	inet_pton(AF_INET, "10.0.1.7", &gw.v4);
	nexthop_resolve(dp.port[1].iface, &gw, &mac);
	answer_resolve();
	dp_run();
	CU_ASSERT(dp_out(1, &want));
}

/* A packet that waited and whose route now leads to the router itself: the twin gets it with an
 * Ethernet header again. */
static void waited_then_local(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 20), want = frame_forwarded(&f, 1, 7);
	struct rte_ether_addr mac = mac_of_port(0);

	dp_route("10.2.0.0/16", pending(1, "10.0.1.7"));
	dp_send(0, &f);
	dp_run();
	dp_route("10.2.3.4/32", NH_ID_LOCAL);
	answer_resolve();
	dp_run();
	memcpy(want.b, &mac, 6);
	memset(want.b + 6, 0, 6);
	CU_ASSERT(dp_punted(dp.port[0].iface, &want));
}

static void too_big(void)
{
	struct frame four = frame_udp(0, HOST4, FAR4, 1300 - 28), six, want, got = {0};

	routes();
	atomic_store(&dp.port[1].iface->mtu, 1300);
	four.b[L3 + 6] = 0x40;
	frame_checksum(&four);
	dp_send(0, &four);
	dp_run();
	want = frame_forwarded(&four, 1, 2);
	CU_ASSERT(dp_out(1, &want));

	four = frame_udp(0, HOST4, FAR4, 1301 - 28);
	four.b[L3 + 6] = 0x40;
	frame_checksum(&four);
	dp_send(0, &four);
	dp_run();
	CU_ASSERT(dp_dropped(DROP_TOO_BIG, 1));
	CU_ASSERT(dp_out_any(0, &got));
	CU_ASSERT_EQUAL(memcmp(got.b + L3 + 20, "\3\4", 2), 0);
	CU_ASSERT_EQUAL(got.b[L3 + 26] << 8 | got.b[L3 + 27], 1300);

	six = frame_udp(0, HOST6, FAR6, 1301 - 48);
	dp_send(0, &six);
	dp_run();
	CU_ASSERT(dp_dropped(DROP_TOO_BIG, 1));
	CU_ASSERT(dp_out_any(0, &got));
	CU_ASSERT_EQUAL(memcmp(got.b + L3 + 40, "\2\0", 2), 0);
	CU_ASSERT_EQUAL(got.b[L3 + 46] << 8 | got.b[L3 + 47], 1300);
}

/* Two pieces whose payloads make up the packet's. */
static void fragmented_without_df(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 1000), a, b, got;

	routes();
	atomic_store(&dp.port[1].iface->mtu, 620);
	dp_send(0, &f);
	dp_run();
	a = b = frame_forwarded(&f, 1, 2);
	a.len = L3 + 620;
	a.b[L3 + 2] = 620 >> 8;
	a.b[L3 + 3] = 620 & 0xff;
	a.b[L3 + 6] = 0x20;
	frame_checksum(&a);
	b.len = L3 + 20 + 408;
	memcpy(b.b + L3 + 20, f.b + L3 + 620, 408);
	b.b[L3 + 2] = 428 >> 8;
	b.b[L3 + 3] = 428 & 0xff;
	b.b[L3 + 7] = 600 / 8;
	frame_checksum(&b);
	CU_ASSERT(dp_out(1, &a));
	CU_ASSERT(dp_out(1, &b));
	CU_ASSERT_FALSE(dp_out_any(1, &got));
}

/* More pieces than a vector holds, from one burst. */
static void many_fragments(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 1472), got;
	unsigned n = 0;

	routes();
	atomic_store(&dp.port[1].iface->mtu, 68);
	for (unsigned i = 0; i < 64; i++)
		dp_send(0, &f);
	dp_run();
	while (dp_out_any(1, &got))
		n++;
	/* 1480 bytes of payload, 48 in each piece. */
	CU_ASSERT_EQUAL(n, 64 * 31);
}

DP_MAIN("forward", 1, DP_TEST(ip4_bytes), DP_TEST(ip6_bytes), DP_TEST(checksums),
	DP_TEST(order_and_counters), DP_TEST(longest_prefix_wins), DP_TEST(padding_is_cut),
	DP_TEST(no_route), DP_TEST(unreachable), DP_TEST(prohibit), DP_TEST(blackhole_is_silent),
	DP_TEST(ttl), DP_TEST(ttl_of_local_packets_is_left_alone),
	DP_TEST(kernel_routes_are_punted), DP_TEST(glean4), DP_TEST(glean6),
	DP_TEST(ttl_before_resolving), DP_TEST(pending_gateway), DP_TEST(waited_then_local),
	DP_TEST(too_big), DP_TEST(fragmented_without_df), DP_TEST(many_fragments))
