/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets for a VTI without an outbound SA: as many as the control thread wants go to it, and come back
 * when there is one. On two workers, of which one serves the VTI. */
#include "control/routing/nexthops.h"
#include "dp_sa.h"

#define HOST4 "10.0.0.9" /* behind port 0 */
#define HOST6 "2001:db8::9"
#define FAR4  "10.2.3.4" /* through the tunnel */
#define FAR6  "2001:db8:ffff::4"
#define US4   "10.0.1.1"
#define PEER4 "192.0.2.2" /* behind port 1 */

static struct iface *vti;

static void start(void)
{
	vti = dp_vti("vti0");
	atomic_store(&host_hold_asks, true);
	dp_route("10.2.0.0/16", dp_through(vti));
	dp_route("2001:db8:ffff::/48", dp_through(vti));
	dp_route("192.0.2.2/32", dp_station(1, "10.0.1.2", 2));
}

static void want(uint16_t four, uint16_t six)
{
	atomic_store(&vti->hold[0], four);
	atomic_store(&vti->hold[1], six);
}

static void send_udp(const char *src, const char *dst, unsigned payload)
{
	struct frame f = frame_udp(0, src, dst, payload);

	dp_send(0, &f);
	dp_run();
}

static struct rte_mbuf *next_held(void)
{
	return dp_host(vti->id % dp.n_workers);
}

/* The next one is the packet that was sent, routed: from its IP header on, its TTL less by one. */
static void held(const char *src, const char *dst, unsigned payload)
{
	struct frame f = frame_udp(0, src, dst, payload), routed = frame_forwarded(&f, 1, 2),
		     ip = {0};
	struct rte_mbuf *m = next_held();
	const struct host_tag *tag;

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	tag = host_tag(m);
	CU_ASSERT_EQUAL(tag->op, HOST_HOLD);
	CU_ASSERT_EQUAL(tag->iface, vti->id);
	CU_ASSERT_EQUAL(tag->in, dp.port[0].iface->id);
	ip.len = frame_ip_len(&f);
	memcpy(ip.b, routed.b + L3, ip.len);
	CU_ASSERT(frame_eq(&ip, rte_pktmbuf_mtod(m, uint8_t *), m->data_len));
	rte_pktmbuf_free(m);
}

static void as_many_as_wanted_go_to_the_control_thread(void)
{
	start();
	want(2, 1);
	for (unsigned i = 0; i < 4; i++)
		send_udp(HOST4, FAR4, i);
	CU_ASSERT(dp_dropped(DROP_VTI_NO_SA, 2));
	held(HOST4, FAR4, 0);
	held(HOST4, FAR4, 1);
	/* Each family has its number. */
	for (unsigned i = 0; i < 2; i++)
		send_udp(HOST6, FAR6, i);
	CU_ASSERT(dp_dropped(DROP_VTI_NO_SA, 1));
	held(HOST6, FAR6, 0);
	CU_ASSERT_PTR_NULL(next_held());
	CU_ASSERT_EQUAL(atomic_load(&vti->hold[0]), 0);
	CU_ASSERT_EQUAL(dp_stats(vti).tx_drops, 3);
	CU_ASSERT(dp_quiet());
}

static void a_flood_costs_no_more(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 20);

	start();
	want(3, 0);
	for (unsigned i = 0; i < 2000; i++)
		dp_send(0, &f);
	dp_run();
	CU_ASSERT(dp_dropped(DROP_VTI_NO_SA, 1997));
	for (unsigned i = 0; i < 3; i++)
		held(HOST4, FAR4, 20);
	CU_ASSERT_PTR_NULL(next_held());
}

static void a_vti_that_is_down_holds_nothing(void)
{
	struct frame error;

	start();
	want(2, 2);
	atomic_store(&vti->flags, 0);
	dp_route("10.0.0.9/32", dp_station(0, HOST4, 1));
	send_udp(HOST4, FAR4, 1);
	CU_ASSERT(dp_dropped(DROP_VTI_DOWN, 1));
	CU_ASSERT_EQUAL(atomic_load(&vti->hold[0]), 2);
	CU_ASSERT(dp_out_any(0, &error)); /* see test_unreachable.c */
}

static void open_sa(void)
{
	struct dp_sa conf = {.spi = 0x1000, .dir = SA_OUT, .src = US4, .dst = PEER4};

	dp_sa(vti, &conf);
}

/* As host_to_tunnel() does. */
static void give_back(struct rte_mbuf *m)
{
	struct host_tag tag = *host_tag(m);

	tag.op = HOST_VTI;
	dp_inject(vti->id % dp.n_workers, tag, rte_pktmbuf_mtod(m, void *), m->data_len);
	rte_pktmbuf_free(m);
}

/* Sequence numbers in the order in which they waited, and nothing but ESP comes out. */
static void they_go_through_the_tunnel_in_order(void)
{
	struct rte_mbuf *m[20];
	struct frame out;

	start();
	want(20, 0);
	for (unsigned i = 0; i < RTE_DIM(m); i++)
		send_udp(HOST4, FAR4, 4 * i);
	CU_ASSERT(dp_quiet());
	for (unsigned i = 0; i < RTE_DIM(m); i++) {
		m[i] = next_held();
		CU_ASSERT_PTR_NOT_NULL_FATAL(m[i]);
	}
	open_sa();
	for (unsigned i = 0; i < RTE_DIM(m); i++)
		give_back(m[i]);
	dp_run();
	for (unsigned i = 0; i < RTE_DIM(m); i++) {
		/* GCM: IP 20, ESP 8, IV 8, inner 28 and payload, trailer 2 and padding to 4, ICV 16. */
		const unsigned len = L3 + 20 + 8 + 8 + RTE_ALIGN_CEIL(28 + 4 * i + 2, 4) + 16;

		CU_ASSERT(dp_out_any(1, &out));
		CU_ASSERT_EQUAL(out.len, len);
		CU_ASSERT_EQUAL(out.b[L3 + 9], 50);
		CU_ASSERT_EQUAL(out.b[L3 + 20 + 7], i + 1);
	}
	CU_ASSERT(dp_none_dropped());
	CU_ASSERT_EQUAL(dp_stats(vti).tx_packets, RTE_DIM(m));
}

static void its_vti_has_gone_meanwhile(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 20);
	const struct host_tag tag = {.op = HOST_VTI, .iface = 60000};

	start();
	dp_inject(0, tag, f.b + L3, f.len - L3);
	dp_run();
	CU_ASSERT(dp_dropped(DROP_VTI_DOWN, 1));
	CU_ASSERT(dp_quiet());
}

/* What it is too large for shows only then; its sender hears of it all the same. */
static void too_large_for_the_sa_that_came(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 1350), out;
	struct rte_mbuf *m;

	start();
	want(1, 0);
	f.b[L3 + 6] |= 0x40; /* DF */
	frame_checksum(&f);
	dp_send(0, &f);
	dp_run();
	m = next_held();
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	open_sa();
	atomic_store(&vti->mtu, 1300);
	dp_route("10.0.0.9/32", dp_station(0, "10.0.0.9", 1));
	give_back(m);
	dp_run();
	CU_ASSERT(dp_dropped(DROP_TOO_BIG, 1));
	CU_ASSERT(dp_out_any(0, &out));
	CU_ASSERT_EQUAL(out.b[L3 + 20], 3); /* unreachable, fragmentation needed, MTU 1300 */
	CU_ASSERT_EQUAL(out.b[L3 + 21], 4);
	CU_ASSERT_EQUAL(out.b[L3 + 26] << 8 | out.b[L3 + 27], 1300);
}

DP_MAIN("hold", 2, DP_TEST(as_many_as_wanted_go_to_the_control_thread),
	DP_TEST(a_flood_costs_no_more), DP_TEST(a_vti_that_is_down_holds_nothing),
	DP_TEST(they_go_through_the_tunnel_in_order), DP_TEST(its_vti_has_gone_meanwhile),
	DP_TEST(too_large_for_the_sa_that_came))
