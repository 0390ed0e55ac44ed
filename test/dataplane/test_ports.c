/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports as such: down, captured, full; and what the kernel sends by them. */
#include "control/routing/nexthops.h"
#include "harness.h"

#define HOST4 "10.0.0.9" /* behind port 0 */
#define FAR4  "10.2.3.4" /* behind port 1 */

static void routes(void)
{
	dp_route("10.2.0.0/16", dp_station(1, "10.0.1.2", 2));
}

static void set_up(unsigned port, bool up)
{
	atomic_store(&dp.port[port].iface->flags, up ? IFACE_UP | IFACE_CARRIER : IFACE_CARRIER);
}

static void tx_iface_down(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 20);
	struct frame near = frame_udp(0, HOST4, "10.0.1.77", 20);

	routes();
	dp_route("10.0.1.0/24", nexthop_get(NH_GLEAN, dp.port[1].iface, NULL, NULL));
	set_up(1, false);
	dp_send(0, &f);
	dp_send(0, &near);
	dp_run();
	CU_ASSERT(dp_dropped(DROP_TX_IFACE_DOWN, 2));
	CU_ASSERT_EQUAL(dp_stats(dp.port[1].iface).tx_drops, 2);
	CU_ASSERT_EQUAL(dp_stats(dp.port[1].iface).tx_packets, 0);
}

static void rx_iface_down(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 20), want = frame_forwarded(&f, 1, 2);

	routes();
	set_up(0, false);
	dp_send(0, &f);
	dp_run();
	CU_ASSERT(dp_dropped(DROP_RX_IFACE_DOWN, 1));
	set_up(0, true);
	dp_send(0, &f);
	dp_run();
	CU_ASSERT(dp_out(1, &want));
}

static void kernel_frames_leave_as_they_are(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 20);

	dp_inject(0, (struct host_tag){.op = HOST_SEND, .iface = dp.port[2].iface->id}, f.b, f.len);
	dp_run();
	CU_ASSERT(dp_out(2, &f));
	CU_ASSERT_EQUAL(dp_stats(dp.port[2].iface).tx_packets, 1);
	CU_ASSERT_EQUAL(dp_stats(dp.port[2].iface).tx_bytes, f.len - L3);
}

static void bad_injections(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 20);
	uint16_t port = dp.port[2].iface->id;

	/* No such interface, a port as a tunnel, less than a header, an offset beyond, no such op. */
	dp_inject(0, (struct host_tag){.op = HOST_SEND, .iface = 60000}, f.b, f.len);
	dp_inject(0, (struct host_tag){.op = HOST_TUNNEL, .iface = port}, f.b + L3, f.len - L3);
	dp_inject(0, (struct host_tag){.op = HOST_SEND, .iface = port}, f.b, 13);
	dp_inject(0, (struct host_tag){.op = HOST_FORWARD, .l3_off = 2000}, f.b, f.len);
	dp_inject(0, (struct host_tag){.op = HOST_FORWARD, .l3_off = L3}, f.b, f.len - 1);
	dp_inject(0, (struct host_tag){.op = HOST_PUNT, .iface = port}, f.b, f.len);
	dp_run();
	CU_ASSERT(dp_dropped(DROP_INJECT_BAD, 6));
	set_up(2, false);
	dp_inject(0, (struct host_tag){.op = HOST_SEND, .iface = port}, f.b, f.len);
	dp_run();
	CU_ASSERT(dp_dropped(DROP_TX_IFACE_DOWN, 1));
}

/* A capture on a port sees what comes in and what goes out, and the traffic goes on. */
static void mirrored(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 20), want = frame_forwarded(&f, 1, 2);

	routes();
	atomic_fetch_or(&dp.port[0].iface->flags, IFACE_MIRROR);
	atomic_fetch_or(&dp.port[1].iface->flags, IFACE_MIRROR);
	dp_send(0, &f);
	dp_run();
	CU_ASSERT(dp_out(1, &want));
	CU_ASSERT(dp_mirrored(dp.port[0].iface, &f));
	CU_ASSERT(dp_mirrored(dp.port[1].iface, &want));
	CU_ASSERT_EQUAL(dp.worker[0]->stats.mirrored, 2);
}

/* What the device does not take is counted, not lost. */
static void full_device(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 20), want = frame_forwarded(&f, 1, 2);
	struct frame got;
	unsigned room = rte_ring_get_capacity(dp.port[1].tx[0]), n = 0;
	const struct iface_stats *stats = &dp.port[1].iface->stats[0], before = *stats;

	routes();
	for (unsigned sent = 0; sent < room + 100; sent++) {
		dp_send(0, &f);
		if (sent % 64 == 63)
			worker_turn(dp.worker[0]);
	}
	dp_run();
	CU_ASSERT(dp_dropped(DROP_TX_QUEUE_FULL, 100));
	CU_ASSERT(dp_out(1, &want));
	while (dp_out_any(1, &got))
		n++;
	CU_ASSERT_EQUAL(n, room - 1);
	CU_ASSERT_EQUAL(stats->tx_packets - before.tx_packets, room);
	CU_ASSERT_EQUAL(stats->tx_bytes - before.tx_bytes, (f.len - RTE_ETHER_HDR_LEN) * room);
	CU_ASSERT_EQUAL(stats->tx_drops - before.tx_drops, 100);
}

/* A host thread that doesn't keep up costs punts, nothing else. */
static void full_punt_ring(void)
{
	struct frame f = frame_udp(0, HOST4, "10.0.0.1", 20);
	unsigned room = rte_ring_get_capacity(dp.worker[0]->to_host);
	struct rte_mbuf *m;

	for (unsigned sent = 0; sent < room + 10; sent++) {
		dp_send(0, &f);
		if (sent % 64 == 63)
			worker_turn(dp.worker[0]);
	}
	dp_run();
	CU_ASSERT(dp_dropped(DROP_PUNT_FULL, 10));
	while ((m = dp_host(0)) != NULL)
		rte_pktmbuf_free(m);
}

DP_MAIN("ports", 1, DP_TEST(tx_iface_down), DP_TEST(rx_iface_down),
	DP_TEST(kernel_frames_leave_as_they_are), DP_TEST(bad_injections), DP_TEST(mirrored),
	DP_TEST(full_device), DP_TEST(full_punt_ring))
