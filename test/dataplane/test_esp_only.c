/* SPDX-License-Identifier: BSD-3-Clause */
/* Where nothing may leave in the clear: a port set to esp_only, and a next hop around prefixes that the
 * FIB had no room for. What is encrypted leaves, and what the router itself or its kernel sends. */
#include "control/iface/ifaces.h"
#include "control/routing/nexthops.h"
#include "esp_fixture.h"

#include <netinet/in.h>

#define HOST4 "10.1.0.9" /* of the protected network */
#define HOST6 "2001:db8:a::9"
#define FAR4  "203.0.113.4" /* the outside, in the clear */
#define FAR6  "2001:db8:77::4"

static struct tunnel t;

static void start(void)
{
	uint32_t out = dp_station(TUNNEL_WAN, "10.0.1.9", TUNNEL_WAN_STATION);

	tunnel_start(&t);
	dp_route("0.0.0.0/0", out);
	dp_route("::/0", out);
}

static void bar(bool on)
{
	iface_set_flag(dp.port[TUNNEL_WAN].iface, IFACE_ESP_ONLY, on);
}

/* Dropped by name, and its sender is told: administratively prohibited. */
static void barred(const char *src, const char *dst, enum drop_reason reason)
{
	struct frame f = frame_udp(TUNNEL_LAN, src, dst, 30), answer;

	dp_send(TUNNEL_LAN, &f);
	dp_run();
	CU_ASSERT(dp_dropped(reason, 1));
	CU_ASSERT(dp_out_any(TUNNEL_LAN, &answer));
	CU_ASSERT_EQUAL(answer.b[L3 + (f.b[L3] >> 4 == 4 ? 20 : 40)], f.b[L3] >> 4 == 4 ? 3 : 1);
	CU_ASSERT(dp_quiet());
}

static void passes(const char *src, const char *dst)
{
	struct frame f = frame_udp(TUNNEL_LAN, src, dst, 30);
	struct frame want = frame_forwarded(&f, TUNNEL_WAN, TUNNEL_WAN_STATION);

	dp_send(TUNNEL_LAN, &f);
	dp_run();
	CU_ASSERT(dp_out(TUNNEL_WAN, &want));
}

static void encrypted_passes(void)
{
	struct frame f = frame_udp(TUNNEL_LAN, HOST4, "10.2.3.4", 30), got;

	dp_send(TUNNEL_LAN, &f);
	dp_run();
	CU_ASSERT(dp_out_any(TUNNEL_WAN, &got));
	CU_ASSERT_EQUAL(got.b[L3 + 9], IPPROTO_ESP);
}

static void only_esp_leaves(void)
{
	start();
	tunnel_plain_sa(&t, SA_OUT, IP_V4, 0);
	passes(HOST4, FAR4);
	passes(HOST6, FAR6);
	bar(true);
	barred(HOST4, FAR4, DROP_ESP_ONLY);
	barred(HOST6, FAR6, DROP_ESP_ONLY);
	encrypted_passes();
	bar(false);
	passes(HOST4, FAR4);
	tunnel_stop(&t);
}

/* Nor to a neighbour, known or not. */
static void neighbours_are_no_exception(void)
{
	struct addr gateway = dp_addr("10.0.1.66");

	start();
	bar(true);
	dp_route("10.0.1.5/32", dp_station(TUNNEL_WAN, NULL, 5));
	dp_route("10.0.1.0/24", nexthop_get(NH_GLEAN, dp.port[TUNNEL_WAN].iface, NULL, NULL));
	dp_route(
		"10.77.0.0/16", nexthop_get(NH_PENDING, dp.port[TUNNEL_WAN].iface, &gateway, NULL));
	barred(HOST4, "10.0.1.5", DROP_ESP_ONLY);
	barred(HOST4, "10.0.1.6", DROP_ESP_ONLY);
	barred(HOST4, "10.77.0.1", DROP_ESP_ONLY);
	dp_unroute("10.0.1.0/24");
	dp_unroute("10.77.0.0/16");
	tunnel_stop(&t);
}

/* ESP that waits for its neighbour goes on when it comes back. */
static void esp_waits_for_its_neighbour(void)
{
	struct frame f = frame_udp(TUNNEL_LAN, HOST4, "10.2.3.4", 30), got;
	struct addr gateway = dp_addr("10.0.1.66");
	struct host_tag tag = {.op = HOST_FORWARD};
	struct rte_mbuf *m;

	start();
	tunnel_plain_sa(&t, SA_OUT, IP_V4, 0);
	bar(true);
	dp_route(TUNNEL_PEER4 "/32",
		nexthop_get(NH_PENDING, dp.port[TUNNEL_WAN].iface, &gateway, NULL));
	dp_send(TUNNEL_LAN, &f);
	dp_run();
	m = dp_host(0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_EQUAL(host_tag(m)->op, HOST_RESOLVE);
	tag.flags = host_tag(m)->flags;
	tag.in = host_tag(m)->in;
	dp_route(TUNNEL_PEER4 "/32", dp_station(TUNNEL_WAN, "10.0.1.9", TUNNEL_WAN_STATION));
	dp_inject(0, tag, rte_pktmbuf_mtod(m, void *), m->data_len);
	rte_pktmbuf_free(m);
	dp_run();
	CU_ASSERT(dp_out_any(TUNNEL_WAN, &got));
	CU_ASSERT_EQUAL(got.b[L3 + 9], IPPROTO_ESP);
	tunnel_stop(&t);
}

/* What the kernel sends on the twin: IKE, ARP. */
static void the_kernels_own_leaves(void)
{
	struct frame f = frame_udp(TUNNEL_WAN, TUNNEL_LOCAL4, TUNNEL_PEER4, 30);

	start();
	bar(true);
	dp_inject(0, (struct host_tag){.op = HOST_SEND, .iface = dp.port[TUNNEL_WAN].iface->id},
		f.b, f.len);
	dp_run();
	CU_ASSERT(dp_out(TUNNEL_WAN, &f));
	tunnel_stop(&t);
}

/* Our ICMP errors quote the packet: to where it came from in the clear, yes; what came out of a tunnel
 * is not told to the outside. */
static void errors_tell_nothing(void)
{
	struct frame f = frame_udp(TUNNEL_WAN, FAR4, "203.0.113.5", 30), inner, got;

	start();
	bar(true);
	f.b[L3 + 8] = 1;
	frame_checksum(&f);
	dp_send(TUNNEL_WAN, &f);
	dp_run();
	CU_ASSERT(dp_dropped2(DROP_ESP_ONLY, 1, DROP_TTL_EXCEEDED, 0));
	CU_ASSERT(dp_out_any(TUNNEL_WAN, &got));
	CU_ASSERT_EQUAL(got.b[L3 + 9], IPPROTO_ICMP);

	tunnel_plain_sa(&t, SA_IN, IP_V4, 0);
	atomic_store(&t.vti->ip4, dp_addr("10.255.0.1").v4);
	inner = frame_udp(TUNNEL_WAN, "198.51.100.7", HOST4, 30);
	inner.b[L3 + 8] = 1;
	frame_checksum(&inner);
	f = tunnel_seal(&t, 1, &inner, 0);
	tunnel_receive(&f);
	CU_ASSERT_EQUAL(dp.worker[0]->stats.drops[DROP_TTL_EXCEEDED], 1);
	CU_ASSERT_EQUAL(dp.worker[0]->stats.drops[DROP_ESP_ONLY], 2);
	dp_drops_forget(); /* and the error about the error, which is never sent */
	CU_ASSERT(dp_quiet());
	tunnel_stop(&t);
}

/* The same by next hop: of one gateway, one way is barred and the other is not. */
static void partial_next_hop(void)
{
	struct rte_ether_addr mac = mac_of_station(TUNNEL_WAN_STATION);
	struct addr gateway = dp_addr("10.0.1.9");

	start();
	tunnel_plain_sa(&t, SA_OUT, IP_V4, 0);
	dp_route("0.0.0.0/0",
		nexthop_get_partial(NH_PORT, dp.port[TUNNEL_WAN].iface, &gateway, &mac));
	dp_route("198.51.100.0/24", dp_station(TUNNEL_WAN, "10.0.1.9", TUNNEL_WAN_STATION));
	barred(HOST4, FAR4, DROP_FIB_FULL);
	passes(HOST4, "198.51.100.1");
	encrypted_passes();
	dp_route("10.88.0.0/16", NH_ID_FIB_FULL);
	barred(HOST4, "10.88.0.1", DROP_FIB_FULL);
	dp_unroute(TUNNEL_PEER4 "/32"); /* ESP by the barred way */
	encrypted_passes();
	dp_route("10.89.0.0/16", NH_ID_GUARD);
	barred(HOST4, "10.89.0.1", DROP_GUARD);
	tunnel_stop(&t);
}

DP_MAIN("esp_only", 1, DP_TEST(only_esp_leaves), DP_TEST(neighbours_are_no_exception),
	DP_TEST(esp_waits_for_its_neighbour), DP_TEST(the_kernels_own_leaves),
	DP_TEST(errors_tell_nothing), DP_TEST(partial_next_hop))
