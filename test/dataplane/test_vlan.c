/* SPDX-License-Identifier: BSD-3-Clause */
/* VLANs (IEEE 802.1Q) as ports of their own: tags off on the way in and on on the way out, whose a frame
 * is, and what the kernel gets. Port 0 is a trunk with VLANs 100 and 200, port 1 one with VLAN 30. */
#include "dp_vlan.h"
#include "harness.h"

#include "control/routing/nexthops.h"
#include "dataplane/spread.h"

#include <rte_ip.h>

#define HOST4 "10.0.0.9"
#define HOST6 "2001:db8::9"
#define FAR4  "10.2.3.4" /* behind port 1, untagged */
#define FAR6  "2001:db8:ffff::4"
#define DEEP4 "10.3.3.4" /* behind VLAN 30 of port 1 */
#define DEEP6 "2001:db8:eeee::4"
#define NEAR4 "10.4.3.4" /* behind VLAN 200 of port 0 */

#define ARP 0x0806

static struct iface *v100, *v200, *v30;

static void trunk(void)
{
	v100 = dp_vlan(0, 100);
	v200 = dp_vlan(0, 200);
	v30 = dp_vlan(1, 30);
	dp_route("10.2.0.0/16", dp_station(1, "10.0.1.2", 2));
	dp_route("2001:db8:ffff::/48", dp_station(1, "2001:db8:1::2", 2));
	dp_route("10.3.0.0/16", dp_vlan_station(v30, "10.9.30.3", 3));
	dp_route("2001:db8:eeee::/48", dp_vlan_station(v30, "2001:db8:9:30::3", 3));
	dp_route("10.4.0.0/16", dp_vlan_station(v200, "10.9.200.4", 4));
}

static struct frame with_type(struct frame f, uint16_t type)
{
	f.b[12] = type >> 8;
	f.b[13] = type;
	return f;
}

static void sends(unsigned port, const struct frame *f)
{
	dp_send(port, f);
	dp_run();
}

static void sends_tagged(const struct frame *f, uint16_t tci)
{
	struct frame t = dp_tagged(f, tci);

	sends(0, &t);
}

static bool counts_rx(const struct iface *i, uint64_t packets, uint64_t bytes, uint64_t drops)
{
	struct iface_stats s = dp_stats(i);

	return s.rx_packets == packets && s.rx_bytes == bytes && s.rx_drops == drops;
}

static bool counts_tx(const struct iface *i, uint64_t packets, uint64_t bytes, uint64_t drops)
{
	struct iface_stats s = dp_stats(i);

	return s.tx_packets == packets && s.tx_bytes == bytes && s.tx_drops == drops;
}

static void tag_comes_off(void)
{
	static const char *const from[] = {HOST4, HOST6}, *const to[] = {FAR4, FAR6};
	uint64_t bytes = 0;

	trunk();
	for (unsigned i = 0; i < 2; i++) {
		struct frame f = frame_udp(0, from[i], to[i], 20), want = frame_forwarded(&f, 1, 2);

		sends_tagged(&f, 100);
		CU_ASSERT(dp_out(1, &want));
		/* Priority and drop eligibility are not part of the id. */
		sends_tagged(&f, 100 | 0xf000);
		CU_ASSERT(dp_out(1, &want));
		bytes += 2 * (f.len - L3);
	}
	CU_ASSERT(dp_none_dropped());
	CU_ASSERT(counts_rx(v100, 4, bytes, 0));
	CU_ASSERT(counts_rx(dp.port[0].iface, 4, bytes, 0));
	CU_ASSERT(counts_rx(v200, 0, 0, 0));
	CU_ASSERT(counts_tx(dp.port[1].iface, 4, bytes, 0));
	CU_ASSERT(counts_tx(v30, 0, 0, 0));
}

static void tag_goes_on(void)
{
	static const char *const from[] = {HOST4, HOST6}, *const to[] = {DEEP4, DEEP6};
	uint64_t bytes = 0;

	trunk();
	for (unsigned i = 0; i < 2; i++) {
		struct frame f = frame_udp(0, from[i], to[i], 20), want = frame_forwarded(&f, 1, 3);

		want = dp_tagged(&want, 30);
		sends(0, &f);
		CU_ASSERT(dp_out(1, &want));
		sends_tagged(&f, 200);
		CU_ASSERT(dp_out(1, &want));
		bytes += 2 * (f.len - L3);
	}
	CU_ASSERT(dp_none_dropped());
	CU_ASSERT(counts_tx(v30, 4, bytes, 0));
	CU_ASSERT(counts_tx(dp.port[1].iface, 4, bytes, 0));
	CU_ASSERT(counts_rx(v200, 2, bytes / 2, 0));
	CU_ASSERT(counts_rx(dp.port[0].iface, 4, bytes, 0));
}

/* Between two VLANs of one trunk, in a burst with untagged frames between. */
static void router_on_a_stick(void)
{
	struct frame f = frame_udp(0, HOST4, NEAR4, 20), in = dp_tagged(&f, 100);
	struct frame out = frame_forwarded(&f, 0, 4), plain = frame_udp(0, HOST4, FAR4, 30);
	struct frame plain_out = frame_forwarded(&plain, 1, 2);

	trunk();
	out = dp_tagged(&out, 200);
	for (unsigned i = 0; i < 40; i++) {
		dp_send(0, &in);
		dp_send(0, &plain);
	}
	dp_run();
	for (unsigned i = 0; i < 40; i++) {
		CU_ASSERT(dp_out(0, &out));
		CU_ASSERT(dp_out(1, &plain_out));
	}
	CU_ASSERT(counts_rx(v100, 40, 40 * (f.len - L3), 0));
	CU_ASSERT(counts_tx(v200, 40, 40 * (f.len - L3), 0));
	CU_ASSERT(counts_rx(dp.port[0].iface, 80, 40 * (f.len + plain.len - 2 * L3), 0));
}

/* The kernel may have its own VLAN devices on the port's twin. */
static void other_vlans_are_the_kernels(void)
{
	static const uint16_t tci[] = {1, 30, 101, 4094, 4095, 0xe000 | 101};
	struct frame f = frame_udp(0, HOST4, FAR4, 20), arp = with_type(f, ARP), t;

	trunk();
	for (unsigned i = 0; i < RTE_DIM(tci); i++) {
		t = dp_tagged(&f, tci[i]);
		dp_expect_punted(&t);
		t = dp_tagged(&arp, tci[i]);
		dp_expect_punted(&t);
	}
	CU_ASSERT(counts_rx(v100, 0, 0, 0));
}

/* A tag with the id 0 has a priority only (802.1Q 6.9.1): the frame is the port's, VLANs or not. */
static void priority_tags(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 20), want = frame_forwarded(&f, 1, 2);
	struct frame arp = with_type(frame_udp(0, HOST4, FAR4, 20), ARP);

	dp_route("10.2.0.0/16", dp_station(1, "10.0.1.2", 2));
	for (unsigned round = 0; round < 2; round++) {
		sends_tagged(&f, 0);
		CU_ASSERT(dp_out(1, &want));
		sends_tagged(&f, 0xe000);
		CU_ASSERT(dp_out(1, &want));
		sends_tagged(&arp, 0xa000);
		CU_ASSERT(dp_punted(dp.port[0].iface, &arp));
		if (round == 0)
			trunk();
	}
	CU_ASSERT(dp_none_dropped());
	CU_ASSERT(counts_rx(v100, 0, 0, 0));
}

/* What is not IP goes to the VLAN's twin, as on any port, and without the tag. */
static void vlan_twin_gets_its_own(void)
{
	static const uint16_t types[] = {ARP, 0x88cc, 0x8100, 0x88a8, 0x9100, 0x0600};
	struct frame f = frame_udp(0, HOST4, FAR4, 20), g;

	trunk();
	for (unsigned i = 0; i < RTE_DIM(types); i++) {
		g = with_type(f, types[i]);
		sends_tagged(&g, 100);
		CU_ASSERT(dp_punted(v100, &g));
		memset(g.b, 0xff, 6);
		sends_tagged(&g, 200);
		CU_ASSERT(dp_punted(v200, &g));
	}
	/* Two tags: the inner one is the kernel's. */
	g = dp_tagged(&f, 200);
	sends_tagged(&g, 100);
	CU_ASSERT(dp_punted(v100, &g));
	/* The router's own address, multicast, and padding that Ethernet added. */
	f = frame_udp(0, HOST4, "10.9.100.1", 1);
	f.len += 14;
	sends_tagged(&f, 100);
	CU_ASSERT(dp_punted(v100, &f));
	f = frame_udp(0, "fe80::1", "ff02::5", 20);
	sends_tagged(&f, 100);
	CU_ASSERT(dp_punted(v100, &f));
	CU_ASSERT(dp_none_dropped());
}

static void drops(const struct frame *f, const struct iface *i, enum drop_reason reason)
{
	uint64_t before = dp_stats(i).rx_drops;

	sends(0, f);
	CU_ASSERT(dp_dropped(reason, 1));
	CU_ASSERT_EQUAL(dp_stats(i).rx_drops, before + 1);
	CU_ASSERT(dp_quiet());
}

static void short_and_wrong(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 20), t = dp_tagged(&f, 100);

	trunk();
	/* Less than a tag has, less than IP has, less than the packet says. */
	for (t.len = L3; t.len < L3 + 4; t.len++)
		drops(&t, dp.port[0].iface, DROP_TOO_SHORT);
	for (; t.len < L3 + 4 + 20; t.len++)
		drops(&t, v100, DROP_TOO_SHORT);
	t.len = f.len + 4 - 1;
	drops(&t, v100, DROP_IP4_TOTAL_LEN);
	t = dp_tagged(&f, 100);
	t.b[5] ^= 1;
	drops(&t, v100, DROP_NOT_OUR_MAC);
	t = dp_tagged(&f, 100);
	t.b[L3 + 4 + 10] ^= 1;
	drops(&t, v100, DROP_IP4_CHECKSUM);
	t = dp_tagged(&f, 100);
	t.b[16] = 0x05;
	t.b[17] = 0xff;
	drops(&t, v100, DROP_BAD_ETHERTYPE);
}

static void segments(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 1000), want = frame_forwarded(&f, 1, 2);
	struct frame t = dp_tagged(&f, 100);

	trunk();
	for (unsigned cut = 1; cut < 40; cut++) {
		struct frame head = {.len = cut}, rest = {.len = t.len - cut};
		struct rte_mbuf *m;

		memcpy(head.b, t.b, cut);
		memcpy(rest.b, t.b + cut, rest.len);
		m = dp_mbuf(&head);
		rte_pktmbuf_chain(m, dp_mbuf(&rest));
		dp_send_mbuf(0, 0, m);
		dp_run();
		CU_ASSERT(dp_out(1, &want));
	}
}

static void down(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 20), want = frame_forwarded(&f, 1, 2);
	struct frame deep = frame_udp(0, HOST4, DEEP4, 20), t = dp_tagged(&f, 100);

	trunk();
	atomic_store(&v100->flags, IFACE_CARRIER);
	atomic_store(&v30->flags, IFACE_CARRIER);
	drops(&t, v100, DROP_RX_IFACE_DOWN);
	CU_ASSERT(counts_rx(v100, 0, 0, 1));
	sends(0, &deep);
	CU_ASSERT(dp_dropped(DROP_TX_IFACE_DOWN, 1));
	CU_ASSERT(counts_tx(v30, 0, 0, 1));
	/* The others go on. */
	sends_tagged(&f, 200);
	CU_ASSERT(dp_out(1, &want));
	atomic_store(&dp.port[0].iface->flags, IFACE_CARRIER);
	t = dp_tagged(&f, 200);
	drops(&t, dp.port[0].iface, DROP_RX_IFACE_DOWN);
}

static void kernel_frames_get_the_tag(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 20), want = dp_tagged(&f, 30);
	struct frame arp = with_type(f, ARP), inner = dp_tagged(&f, 7);

	trunk();
	dp_inject(0, (struct host_tag){.op = HOST_SEND, .iface = v30->id}, f.b, f.len);
	dp_run();
	CU_ASSERT(dp_out(1, &want));
	CU_ASSERT(counts_tx(v30, 1, f.len - L3, 0));
	CU_ASSERT(counts_tx(dp.port[1].iface, 1, f.len - L3, 0));
	want = dp_tagged(&arp, 200);
	dp_inject(0, (struct host_tag){.op = HOST_SEND, .iface = v200->id}, arp.b, arp.len);
	dp_run();
	CU_ASSERT(dp_out(0, &want));
	want = dp_tagged(&inner, 30);
	dp_inject(0, (struct host_tag){.op = HOST_SEND, .iface = v30->id}, inner.b, inner.len);
	dp_run();
	CU_ASSERT(dp_out(1, &want));
	dp_inject(0, (struct host_tag){.op = HOST_SEND, .iface = v30->id}, f.b, 13);
	dp_run();
	CU_ASSERT(dp_dropped(DROP_INJECT_BAD, 1));
	atomic_store(&v30->flags, 0);
	dp_inject(0, (struct host_tag){.op = HOST_SEND, .iface = v30->id}, f.b, f.len);
	dp_run();
	CU_ASSERT(dp_dropped(DROP_TX_IFACE_DOWN, 1));
}

static void captures_show_no_tag(void)
{
	struct frame f = frame_udp(0, HOST4, DEEP4, 20), out = frame_forwarded(&f, 1, 3);
	struct frame want = dp_tagged(&out, 30);

	trunk();
	atomic_fetch_or(&v100->flags, IFACE_MIRROR);
	atomic_fetch_or(&v30->flags, IFACE_MIRROR);
	sends_tagged(&f, 100);
	CU_ASSERT(dp_out(1, &want));
	CU_ASSERT(dp_mirrored(v100, &f));
	CU_ASSERT(dp_mirrored(v30, &out));
	sends_tagged(&f, 200);
	CU_ASSERT(dp_out(1, &want));
	CU_ASSERT(dp_mirrored(v30, &out));
}

/* What the device does not take is taken off both counts. */
static void full_device(void)
{
	struct frame f = frame_udp(0, HOST4, DEEP4, 20), got;
	unsigned room = rte_ring_get_capacity(dp.port[1].tx[0]);

	trunk();
	for (unsigned sent = 0; sent < room + 100; sent++) {
		dp_send(0, &f);
		if (sent % 64 == 63)
			worker_turn(dp.worker[0]);
	}
	dp_run();
	CU_ASSERT(dp_dropped(DROP_TX_QUEUE_FULL, 100));
	CU_ASSERT(counts_tx(v30, room, (uint64_t)room * (f.len - L3), 100));
	CU_ASSERT(counts_tx(dp.port[1].iface, room, (uint64_t)room * (f.len - L3), 100));
	while (dp_out_any(1, &got))
		;
}

static void unresolved(void)
{
	struct frame f = frame_udp(0, HOST4, "10.9.30.77", 20), want = frame_forwarded(&f, 1, 3);

	trunk();
	dp_route("10.9.30.0/24", nexthop_get(NH_GLEAN, v30, NULL, NULL));
	sends(0, &f);
	CU_ASSERT(dp_resolving(v30, "10.9.30.77", want.b + L3, want.len - L3));
}

/* An error goes back tagged, from the VLAN's address; one about the VLAN's MTU has that. */
static void icmp_errors(void)
{
	struct frame f = frame_udp(0, "10.4.0.9", DEEP4, 1200), got;

	trunk();
	f.b[L3 + 8] = 1;
	frame_checksum(&f);
	sends_tagged(&f, 200);
	CU_ASSERT(dp_dropped(DROP_TTL_EXCEEDED, 1));
	CU_ASSERT_FATAL(dp_out_any(0, &got));
	CU_ASSERT_EQUAL(memcmp(got.b + 12, "\x81\x00\x00\xc8\x08\x00", 6), 0);
	CU_ASSERT_EQUAL(memcmp(got.b + L3 + 4 + 12, "\x0a\x09\xc8\x01\x0a\x04\x00\x09", 8), 0);
	CU_ASSERT_EQUAL(memcmp(got.b + L3 + 4 + 20, "\x0b\x00", 2), 0);

	atomic_store(&v30->mtu, 1000);
	f = frame_udp(0, "10.4.0.9", DEEP4, 1200);
	f.b[L3 + 6] = 0x40;
	frame_checksum(&f);
	sends_tagged(&f, 200);
	CU_ASSERT(dp_dropped(DROP_TOO_BIG, 1));
	CU_ASSERT_FATAL(dp_out_any(0, &got));
	CU_ASSERT_EQUAL(memcmp(got.b + 12, "\x81\x00\x00\xc8\x08\x00", 6), 0);
	CU_ASSERT_EQUAL(memcmp(got.b + L3 + 4 + 20, "\x03\x04", 2), 0);
	CU_ASSERT_EQUAL(memcmp(got.b + L3 + 4 + 26, "\x03\xe8", 2), 0);
}

static void fragments_are_tagged(void)
{
	struct frame f = frame_udp(0, HOST4, DEEP4, 1200), got;
	unsigned payload = 0;

	trunk();
	atomic_store(&v30->mtu, 500);
	sends_tagged(&f, 100);
	for (unsigned i = 0; i < 3; i++) {
		CU_ASSERT_FATAL(dp_out_any(1, &got));
		CU_ASSERT_EQUAL(memcmp(got.b + 12, "\x81\x00\x00\x1e\x08\x00", 6), 0);
		CU_ASSERT(got.len <= L3 + 4 + 500);
		payload += got.len - L3 - 4 - 20;
	}
	CU_ASSERT_EQUAL(payload, 1200 + 8);
	CU_ASSERT(dp_none_dropped());
}

static uint32_t hash_of(const struct frame *f)
{
	struct rte_mbuf *m = dp_mbuf(f);
	uint32_t hash = spread_hash(m);

	rte_pktmbuf_free(m);
	return hash;
}

/* A flow is served by one worker, whatever its tag; and flows inside VLANs are spread. */
static void spread_by_what_is_inside(void)
{
	uint8_t esp[64] = {0, 0, 0x10};

	for (unsigned spi = 0; spi < 50; spi++) {
		struct frame f[2], t;

		esp[3] = spi;
		f[0] = frame_ip(0, HOST4, "10.9.100.1", IPPROTO_ESP, esp, sizeof(esp));
		f[1] = frame_ip(0, HOST6, "2001:db8:9:100::1", IPPROTO_ESP, esp, sizeof(esp));
		for (unsigned i = 0; i < 2; i++) {
			t = dp_tagged(&f[i], 100);
			CU_ASSERT_NOT_EQUAL(hash_of(&f[i]), 0);
			CU_ASSERT_EQUAL(hash_of(&t), hash_of(&f[i]));
			t.len = 17;
			CU_ASSERT_EQUAL(hash_of(&t), 0);
		}
	}
}

DP_MAIN("vlan", 1, DP_TEST(tag_comes_off), DP_TEST(tag_goes_on), DP_TEST(router_on_a_stick),
	DP_TEST(other_vlans_are_the_kernels), DP_TEST(priority_tags),
	DP_TEST(vlan_twin_gets_its_own), DP_TEST(short_and_wrong), DP_TEST(segments), DP_TEST(down),
	DP_TEST(kernel_frames_get_the_tag), DP_TEST(captures_show_no_tag), DP_TEST(full_device),
	DP_TEST(unresolved), DP_TEST(icmp_errors), DP_TEST(fragments_are_tagged),
	DP_TEST(spread_by_what_is_inside))
