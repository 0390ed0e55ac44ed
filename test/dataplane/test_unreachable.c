/* SPDX-License-Identifier: BSD-3-Clause */
/* ICMP host unreachable, byte for byte: for packets whose next hop has no neighbour, and for those to a
 * tunnel that is down, or has no SA and nobody to ask for one. */
#include "control/routing/nexthops.h"
#include "dataplane/host.h"
#include "dp_sa.h"

#include <netinet/in.h>

#define HOST4   "10.0.0.9" /* a station on port 0 */
#define HOST6   "2001:db8::9"
#define ABSENT4 "10.0.1.77" /* on port 1's network */
#define ABSENT6 "2001:db8:1::77"
#define FAR4    "10.2.3.4" /* through the tunnel */
#define FAR6    "2001:db8:ffff::4"

static struct iface *vti;

static void start(void)
{
	vti = dp_vti("vti0");
	dp_route("10.2.0.0/16", dp_through(vti));
	dp_route("2001:db8:ffff::/48", dp_through(vti));
	dp_route("10.0.0.9/32", dp_station(0, HOST4, 1));
	dp_route("2001:db8::9/128", dp_station(0, HOST6, 1));
	dp_route("10.0.1.0/24", nexthop_get(NH_GLEAN, dp.port[1].iface, NULL, NULL));
	dp_route("2001:db8:1::/64", nexthop_get(NH_GLEAN, dp.port[1].iface, NULL, NULL));
	atomic_store(&host_hold_asks, false);
}

static bool is_six(const struct frame *f)
{
	return f->b[L3] >> 4 == 6;
}

static void put_checksum(uint8_t *at, const uint8_t *data, unsigned len, uint32_t sum)
{
	for (unsigned i = 0; i < len; i++)
		sum += i & 1 ? data[i] : data[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	at[0] = ~sum >> 8;
	at[1] = ~sum;
}

/* The error about `routed`: RFC 1812 5.2.7.1 code 1, RFC 4443 3.1 code 3; from port 0's address. */
static struct frame error_about(const struct frame *routed)
{
	const bool six = is_six(routed);
	const unsigned head = six ? 40 : 20, quote = routed->len - L3;
	uint8_t b[FRAME_MAX] = {six ? 1 : 3, six ? 3 : 1};
	struct frame e;
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)e.b;
	uint8_t *icmp = e.b + L3 + head;

	memcpy(b + 8, routed->b + L3, quote);
	e = frame_ip(0, six ? "2001:db8::1" : "10.0.0.1", six ? HOST6 : HOST4,
		six ? IPPROTO_ICMPV6 : IPPROTO_ICMP, b, 8 + quote);
	if (six) {
		e.b[L3] = 0x6c; /* internetwork control */
		put_checksum(icmp + 2, e.b + L3 + 8, 32 + 8 + quote, 8 + quote + IPPROTO_ICMPV6);
	} else {
		e.b[L3 + 1] = 0xc0;
		e.b[L3 + 4] = e.b[L3 + 5] = 0;
		frame_checksum(&e);
		put_checksum(icmp + 2, icmp, 8 + quote, 0);
	}
	eth->dst_addr = mac_of_station(1);
	eth->src_addr = mac_of_port(0);
	return e;
}

/* As control/iface/host_thread.c gives a packet back that waited in vain; flags: more of them. */
static void give_up(unsigned worker, enum drop_reason reason, uint8_t flags)
{
	struct rte_mbuf *m = dp_host(worker);
	struct host_tag tag;

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	tag = *host_tag(m);
	tag.op = HOST_UNREACHABLE;
	tag.reason = reason;
	tag.flags |= flags;
	dp_inject(worker, tag, rte_pktmbuf_mtod(m, void *), m->data_len);
	rte_pktmbuf_free(m);
	dp_run();
}

static void send_frame(const struct frame *f)
{
	dp_send(0, f);
	dp_run();
}

/* Quoted as it was when it waited: its TTL had been counted down. */
static void told(const struct frame *f)
{
	const struct frame routed = frame_forwarded(f, 1, 2), e = error_about(&routed);

	CU_ASSERT(dp_out(0, &e));
	CU_ASSERT(dp_quiet());
}

static void no_neighbour(const char *src, const char *dst)
{
	const uint64_t before = dp_stats(dp.port[1].iface).tx_drops;
	const struct frame f = frame_udp(0, src, dst, 20);

	send_frame(&f);
	CU_ASSERT(dp_quiet());
	give_up(0, DROP_NEIGH_FAILED, 0);
	told(&f);
	CU_ASSERT(dp_dropped(DROP_NEIGH_FAILED, 1));
	CU_ASSERT_EQUAL(dp_stats(dp.port[1].iface).tx_drops, before + 1);
}

static void the_neighbour_never_answered(void)
{
	start();
	no_neighbour(HOST4, ABSENT4);
	no_neighbour(HOST6, ABSENT6);
	CU_ASSERT_EQUAL(dp.worker[0]->stats.icmp_sent, 2);
}

/* The rules of all errors: not about an error, nor about a packet of the router's own. */
static void not_about_everything(void)
{
	static const uint8_t error[36] = {3, 1};
	struct frame f = frame_ip(0, HOST4, ABSENT4, IPPROTO_ICMP, error, sizeof(error));

	start();
	send_frame(&f);
	give_up(0, DROP_NEIGH_FAILED, 0);
	CU_ASSERT(dp_dropped2(DROP_NEIGH_FAILED, 1, DROP_ICMP_SUPPRESSED, 1));
	f = frame_udp(0, HOST4, ABSENT4, 20);
	send_frame(&f);
	give_up(0, DROP_NEIGH_FAILED, PKT_OWN);
	CU_ASSERT(dp_dropped2(DROP_NEIGH_FAILED, 1, DROP_ICMP_SUPPRESSED, 1));
	CU_ASSERT(dp_quiet());
}

/* Whatever becomes of interfaces and bytes meanwhile. */
static void what_is_given_back_may_be_anything(void)
{
	const struct frame f = frame_udp(0, HOST4, ABSENT4, 20);
	struct host_tag tag = {.op = HOST_UNREACHABLE, .iface = 60000, .in = 60001};

	start();
	tag.reason = DROP_NEIGH_FAILED;
	dp_inject(0, tag, f.b + L3, f.len - L3);
	dp_run();
	CU_ASSERT(dp_dropped2(DROP_NEIGH_FAILED, 1, DROP_ICMP_SUPPRESSED, 1));
	tag.l3_off = 2000;
	dp_inject(0, tag, f.b + L3, f.len - L3);
	dp_run();
	CU_ASSERT(dp_dropped(DROP_NEIGH_FAILED, 1));
	CU_ASSERT(dp_quiet());
}

static void both_families(enum drop_reason reason)
{
	const struct frame f4 = frame_udp(0, HOST4, FAR4, 20), f6 = frame_udp(0, HOST6, FAR6, 20);

	send_frame(&f4);
	told(&f4);
	send_frame(&f6);
	told(&f6);
	CU_ASSERT(dp_dropped(reason, 2));
}

static void the_tunnel_is_down(void)
{
	start();
	atomic_store(&host_hold_asks, true);
	atomic_store(&vti->flags, 0);
	both_families(DROP_VTI_DOWN);
	CU_ASSERT_EQUAL(dp_stats(vti).tx_drops, 2);
}

static void no_sa_and_nobody_to_ask(void)
{
	start();
	both_families(DROP_VTI_NO_SA);
	CU_ASSERT_EQUAL(dp_stats(vti).tx_drops, 2);
}

/* What finds no room may find the SA a second later. */
static void no_word_while_an_sa_may_come(void)
{
	const struct frame f = frame_udp(0, HOST4, FAR4, 20);

	start();
	atomic_store(&host_hold_asks, true);
	send_frame(&f);
	CU_ASSERT(dp_dropped(DROP_VTI_NO_SA, 1));
	CU_ASSERT(dp_quiet());
	CU_ASSERT_EQUAL(dp.worker[0]->stats.icmp_sent, 0);
}

static void the_sa_did_not_come_in_time(void)
{
	const struct frame f4 = frame_udp(0, HOST4, FAR4, 20), f6 = frame_udp(0, HOST6, FAR6, 20);

	start();
	atomic_store(&host_hold_asks, true);
	atomic_store(&vti->hold[0], 1);
	atomic_store(&vti->hold[1], 1);
	send_frame(&f4);
	give_up(0, DROP_VTI_HOLD_TIMEOUT, 0);
	told(&f4);
	send_frame(&f6);
	give_up(0, DROP_VTI_HOLD_TIMEOUT, 0);
	told(&f6);
	CU_ASSERT(dp_dropped(DROP_VTI_HOLD_TIMEOUT, 2));
	CU_ASSERT_EQUAL(dp_stats(vti).tx_drops, 2);
}

/* The kernel knows of its interfaces by itself. */
static void the_kernels_own_get_none(void)
{
	const struct frame f = frame_udp(0, HOST4, FAR4, 20);
	struct host_tag own = {.op = HOST_TUNNEL};

	start();
	own.iface = vti->id;
	dp_inject(0, own, f.b + L3, f.len - L3);
	dp_run();
	CU_ASSERT(dp_dropped(DROP_VTI_NO_SA, 1));
	atomic_store(&vti->flags, 0);
	dp_inject(0, own, f.b + L3, f.len - L3);
	dp_run();
	CU_ASSERT(dp_dropped(DROP_VTI_DOWN, 1));
	CU_ASSERT(dp_quiet());
}

/* A host that floods a dead tunnel gets 20 at once. */
static void a_flood_is_limited(void)
{
	const struct frame f = frame_udp(0, HOST4, FAR4, 20);
	struct frame got;

	start();
	for (unsigned i = 0; i < 60; i++)
		dp_send(0, &f);
	dp_run();
	for (unsigned i = 0; i < 20; i++)
		CU_ASSERT(dp_out_any(0, &got));
	CU_ASSERT(dp_dropped2(DROP_VTI_NO_SA, 60, DROP_ICMP_SUPPRESSED, 40));
}

DP_MAIN("unreachable", 1, DP_TEST(the_neighbour_never_answered), DP_TEST(not_about_everything),
	DP_TEST(what_is_given_back_may_be_anything), DP_TEST(the_tunnel_is_down),
	DP_TEST(no_sa_and_nobody_to_ask), DP_TEST(no_word_while_an_sa_may_come),
	DP_TEST(the_sa_did_not_come_in_time), DP_TEST(the_kernels_own_get_none),
	DP_TEST(a_flood_is_limited))
