/* SPDX-License-Identifier: BSD-3-Clause */
/* Packet sizes at and beyond a tunnel's MTU: what is sent, cut or answered, and that what comes in
 * fragments is put together. */
#include "far_end.h"

#include "control/routing/nexthops.h"

#include <rte_cycles.h>

#include <netinet/in.h>

#define HOST4 "10.1.0.9" /* behind port 0 */
#define HOST6 "2001:db8:a::9"
#define FAR4  "10.2.3.4" /* behind the tunnel */
#define FAR6  "2001:db8:b::4"
#define MTU   1400

static struct tunnel tun;

static void open_tunnel(uint16_t mtu)
{
	far_end_open(&tun, IP_V4, mtu);
}

/* A packet of `len` bytes from the host to the far net. */
static struct frame udp4(uint16_t len, bool df)
{
	struct frame f = frame_udp(0, HOST4, FAR4, len - 28);

	f.b[L3 + 6] = df ? 0x40 : 0;
	frame_checksum(&f);
	return f;
}

static struct frame udp6(uint16_t len)
{
	return frame_udp(0, HOST6, FAR6, len - 48);
}

/* The tunnel's next packet is `want` from L3 on. */
static bool tunnelled(const struct frame *want)
{
	struct frame got;

	return far_end_got(&got) && got.len == want->len &&
		memcmp(got.b + L3, want->b + L3, got.len - L3) == 0;
}

/* The same with TTL or hop limit one lower, as it is after forwarding. */
static struct frame hop(struct frame f)
{
	if (f.b[L3] >> 4 == 4) {
		f.b[L3 + 8]--;
		frame_checksum(&f);
	} else {
		f.b[L3 + 7]--;
	}
	return f;
}

static uint16_t sum16(const uint8_t *data, unsigned len, uint32_t sum)
{
	for (unsigned i = 0; i < len; i++)
		sum += i & 1 ? data[i] : data[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* The router's error from `src` about f, as it leaves the router: type, code and MTU in front of as
 * much of f as goes into `max` bytes. */
static struct frame error_about(const struct frame *f, const char *src, uint8_t type, uint8_t code,
	uint16_t mtu, unsigned max)
{
	bool six = f->b[L3] >> 4 == 6;
	unsigned head = six ? 48 : 28, quote = RTE_MIN((unsigned)f->len - L3, max - head);
	uint8_t icmp[FRAME_MAX] = {type, code, [6] = mtu >> 8, [7] = mtu & 0xff};
	struct frame e;
	uint16_t sum;

	memcpy(icmp + 8, f->b + L3, quote);
	e = frame_ip(0, src, six ? HOST6 : HOST4, six ? 58 : 1, icmp, 8 + quote);
	sum = six ? sum16(e.b + L3 + 8, 32 + 8 + quote, 8 + quote + 58)
		  : sum16(e.b + L3 + 20, 8 + quote, 0);
	e.b[L3 + head - 6] = sum >> 8;
	e.b[L3 + head - 5] = sum & 0xff;
	if (six) {
		e.b[L3] = 0x6c;
	} else {
		e.b[L3 + 1] = 0xc0;
		e.b[L3 + 4] = e.b[L3 + 5] = 0;
		frame_checksum(&e);
	}
	return e;
}

/* From port 0 to the host's router. */
static struct frame sent_by_port0(struct frame f)
{
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)f.b;

	eth->dst_addr = mac_of_station(TUNNEL_LAN_STATION);
	eth->src_addr = mac_of_port(0);
	return f;
}

static void exactly_the_mtu_passes(void)
{
	struct frame f[] = {udp4(MTU, false), udp4(MTU, true), udp6(MTU)};

	open_tunnel(MTU);
	for (unsigned i = 0; i < RTE_DIM(f); i++)
		dp_send(0, &f[i]);
	dp_run();
	for (unsigned i = 0; i < RTE_DIM(f); i++) {
		f[i] = hop(f[i]);
		CU_ASSERT(tunnelled(&f[i]));
	}
	CU_ASSERT_EQUAL(dp_stats(tun.vti).tx_packets, 3);
	CU_ASSERT_EQUAL(dp_stats(tun.vti).tx_bytes, 3 * MTU);
	tunnel_stop(&tun);
}

/* The piece of f with payload bytes [from, to). */
static struct frame piece_of(const struct frame *f, unsigned from, unsigned to, bool more)
{
	struct frame p = *f;

	memmove(p.b + L3 + 20, f->b + L3 + 20 + from, to - from);
	p.len = L3 + 20 + to - from;
	p.b[L3 + 2] = (20 + to - from) >> 8;
	p.b[L3 + 3] = (20 + to - from) & 0xff;
	p.b[L3 + 6] = from / 8 >> 8 | (more ? 0x20 : 0);
	p.b[L3 + 7] = from / 8;
	frame_checksum(&p);
	return p;
}

static void one_more_is_cut(void)
{
	struct frame f = udp4(MTU + 1, false), after = udp4(100, false), first, second;

	open_tunnel(MTU);
	dp_send(0, &f);
	dp_send(0, &after);
	dp_run();
	f = hop(f);
	after = hop(after);
	first = piece_of(&f, 0, 1376, true);
	second = piece_of(&f, 1376, 1381, false);
	CU_ASSERT(tunnelled(&first));
	CU_ASSERT(tunnelled(&second));
	CU_ASSERT(tunnelled(&after));
	CU_ASSERT_EQUAL(dp_stats(tun.vti).tx_packets, 3);
	CU_ASSERT_EQUAL(dp_stats(tun.vti).tx_bytes, 1396 + 25 + 100);
	tunnel_stop(&tun);
}

static void one_more_with_df_is_answered(void)
{
	struct frame f = udp4(MTU + 1, true), e;

	open_tunnel(MTU);
	dp_send(0, &f);
	dp_run();
	f = hop(f);
	e = sent_by_port0(error_about(&f, "10.0.0.1", 3, 4, MTU, 576));
	CU_ASSERT(dp_out(0, &e));
	CU_ASSERT(dp_dropped(DROP_TOO_BIG, 1));
	CU_ASSERT_EQUAL(dp_stats(tun.vti).tx_packets, 0);
	CU_ASSERT_EQUAL(dp_stats(tun.vti).tx_drops, 1);
	tunnel_stop(&tun);
}

static void ip6_one_more_is_answered(void)
{
	struct frame f = udp6(MTU + 1), e;

	open_tunnel(MTU);
	dp_send(0, &f);
	dp_run();
	f = hop(f);
	e = sent_by_port0(error_about(&f, "2001:db8::1", 2, 0, MTU, 1280));
	CU_ASSERT(dp_out(0, &e));
	CU_ASSERT(dp_dropped(DROP_TOO_BIG, 1));
	tunnel_stop(&tun);
}

/* No IPv6 sender goes below 1280: such packets pass whatever the MTU, larger ones learn 1280. */
static void ip6_minimum_passes_a_small_tunnel(void)
{
	struct frame f = udp6(1280), big = udp6(1281), small4 = udp4(1201, true), e;

	open_tunnel(1200);
	dp_send(0, &f);
	dp_send(0, &big);
	dp_send(0, &small4);
	dp_run();
	f = hop(f);
	CU_ASSERT(tunnelled(&f));
	big = hop(big);
	e = sent_by_port0(error_about(&big, "2001:db8::1", 2, 0, 1280, 1280));
	CU_ASSERT(dp_out(0, &e));
	small4 = hop(small4);
	e = sent_by_port0(error_about(&small4, "10.0.0.1", 3, 4, 1200, 576));
	CU_ASSERT(dp_out(0, &e));
	CU_ASSERT(dp_dropped(DROP_TOO_BIG, 2));
	tunnel_stop(&tun);
}

/* A change of the MTU holds from the next packet on. */
static void mtu_changes(void)
{
	struct frame f = udp4(1300, true), sent = hop(f), e;

	open_tunnel(MTU);
	for (unsigned i = 0; i < 2; i++) {
		dp_send(0, &f);
		dp_run();
		CU_ASSERT(tunnelled(&sent));
		atomic_store(&tun.vti->mtu, 1299);
		dp_send(0, &f);
		dp_run();
		e = sent_by_port0(error_about(&sent, "10.0.0.1", 3, 4, 1299, 576));
		CU_ASSERT(dp_out(0, &e));
		CU_ASSERT(dp_dropped(DROP_TOO_BIG, 1));
		atomic_store(&tun.vti->mtu, 1300);
	}
	tunnel_stop(&tun);
}

/* The kernel knows the MTU, so only a packet that raced with a change is too large: it is counted,
 * and cut where that is allowed. */
static void packets_of_the_kernel(void)
{
	struct frame f = udp4(MTU + 1, false), df = udp4(MTU + 1, true), first, second;
	struct host_tag tag = {.op = HOST_TUNNEL};

	open_tunnel(MTU);
	tag.iface = tun.vti->id;
	dp_inject(0, tag, f.b + L3, f.len - L3);
	dp_inject(0, tag, df.b + L3, df.len - L3);
	dp_run();
	first = piece_of(&f, 0, 1376, true);
	second = piece_of(&f, 1376, 1381, false);
	CU_ASSERT(tunnelled(&first));
	CU_ASSERT(tunnelled(&second));
	CU_ASSERT(dp_dropped2(DROP_TOO_BIG, 1, DROP_ICMP_SUPPRESSED, 1));
	tunnel_stop(&tun);
}

/* Captures see what the tunnel carries: the pieces. */
static void captures_show_the_pieces(void)
{
	struct frame f = udp4(MTU + 1, false), bare[2], piece;

	open_tunnel(MTU);
	atomic_store(&tun.vti->flags, IFACE_UP | IFACE_CARRIER | IFACE_MIRROR);
	dp_send(0, &f);
	dp_run();
	f = hop(f);
	for (unsigned i = 0; i < 2; i++) {
		piece = piece_of(&f, i * 1376, i ? 1381 : 1376, i == 0);
		bare[i].len = piece.len - L3;
		memcpy(bare[i].b, piece.b + L3, bare[i].len);
		CU_ASSERT(dp_mirrored(tun.vti, &bare[i]));
		CU_ASSERT(tunnelled(&piece));
	}
	tunnel_stop(&tun);
}

/* No SA, one that expired, an interface that is down: nothing leaves in the clear, all is counted. */
static void refusals(void)
{
	struct frame error;
	struct frame f4 = udp4(100, false), f6 = udp6(MTU + 1);

	open_tunnel(MTU);
	atomic_store(&tun.out->expired, 1);
	dp_send(0, &f4);
	dp_send(0, &f6);
	dp_run();
	CU_ASSERT(dp_dropped(DROP_ESP_EXPIRED_OUT, 2));
	atomic_store(&tun.out->expired, 0);
	atomic_store(&tun.vti->sa_out[1], NULL);
	dp_send(0, &f4);
	dp_send(0, &f6);
	dp_run();
	CU_ASSERT(dp_dropped(DROP_VTI_NO_SA, 1));
	f4 = hop(f4);
	CU_ASSERT(tunnelled(&f4));
	atomic_store(&tun.vti->flags, 0);
	dp_send(0, &f4);
	dp_send(0, &f6);
	dp_run();
	CU_ASSERT(dp_dropped(DROP_VTI_DOWN, 2));
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT(dp_out_any(0, &error)); /* see test_unreachable.c */
	CU_ASSERT(dp_quiet());
	CU_ASSERT_EQUAL(dp_stats(tun.vti).tx_drops, 5);
	tunnel_stop(&tun);
}

/* The far end's own address is routed into the tunnel: counted after the first round, not sent. */
static void route_loop(void)
{
	struct frame f = udp4(100, false);

	open_tunnel(MTU);
	dp_route(TUNNEL_PEER4 "/32", nexthop_get(NH_VTI, tun.vti, NULL, NULL));
	dp_send(0, &f);
	dp_run();
	CU_ASSERT(dp_dropped(DROP_VTI_LOOP, 1));
	CU_ASSERT(dp_quiet());
	CU_ASSERT_EQUAL(dp_stats(tun.vti).tx_packets, 1);
	dp_unroute(TUNNEL_PEER4 "/32");
	tunnel_stop(&tun);
}

/* Send f into the tunnel, take the ESP frame and address it to the router. */
static struct frame esp_of(const struct frame *f)
{
	struct frame esp = {0};

	dp_send(0, f);
	dp_run();
	CU_ASSERT(dp_out_any(1, &esp));
	far_end_turn(&esp);
	return esp;
}

/* Out of the tunnel, too large for the last link: the answer goes back through the tunnel. */
static void answer_goes_back_through_the_tunnel(void)
{
	struct frame f = udp4(1200, true), esp, e;

	open_tunnel(MTU);
	/* From the far net to the host, so that the router sends it into the tunnel at first. */
	dp_route(HOST4 "/32", nexthop_get(NH_VTI, tun.vti, NULL, NULL));
	memcpy(f.b + L3 + 12, (const uint8_t[]){10, 2, 3, 4, 10, 1, 0, 9}, 8);
	frame_checksum(&f);
	esp = esp_of(&f);
	dp_route(HOST4 "/32", dp_station(0, "10.0.0.5", TUNNEL_LAN_STATION));
	atomic_store(&dp.port[0].iface->mtu, 1000);
	dp_send(1, &esp);
	dp_run();
	f = hop(hop(f));
	e = error_about(&f, VTI_IP4, 3, 4, 1000, 576);
	memcpy(e.b + L3 + 16, (const uint8_t[]){10, 2, 3, 4}, 4);
	frame_checksum(&e);
	CU_ASSERT(tunnelled(&e));
	CU_ASSERT(dp_dropped(DROP_TOO_BIG, 1));
	atomic_store(&dp.port[0].iface->mtu, DP_MTU);
	tunnel_stop(&tun);
}

/* Cut an IPv6 frame's payload, which is what `from` and `to` count. */
static struct frame piece_of6(const struct frame *f, unsigned from, unsigned to, bool more)
{
	const uint8_t ext[8] = {f->b[L3 + 6], 0, from >> 8, from | more, 0, 0, 0, 77};
	struct frame p = *f;

	memcpy(p.b + L3 + 48, f->b + L3 + 40 + from, to - from);
	memcpy(p.b + L3 + 40, ext, 8);
	p.b[L3 + 6] = IPPROTO_FRAGMENT;
	p.b[L3 + 4] = (8 + to - from) >> 8;
	p.b[L3 + 5] = (8 + to - from) & 0xff;
	p.len = L3 + 48 + to - from;
	return p;
}

/* The outer packet arrives in three pieces, in each order of the first two: decrypted all the same. */
static void fragmented_esp(unsigned family)
{
	struct frame f = udp4(1200, true), esp, piece[3], want;
	unsigned len;

	far_end_open(&tun, family, MTU);
	for (unsigned order = 0; order < 2; order++) {
		dp_route(FAR4 "/32", nexthop_get(NH_VTI, tun.vti, NULL, NULL));
		esp = esp_of(&f);
		len = frame_ip_len(&esp) - (family == IP_V4 ? 20 : 40);
		for (unsigned i = 0; i < 3; i++) {
			unsigned to = i < 2 ? (i + 1) * 600 : len;

			piece[i] = family == IP_V4 ? piece_of(&esp, i * 600, to, i < 2)
						   : piece_of6(&esp, i * 600, to, i < 2);
		}
		dp_route(FAR4 "/32", dp_station(0, "10.0.0.5", TUNNEL_LAN_STATION));
		dp_send(1, &piece[order]);
		dp_send(1, &piece[!order]);
		dp_run();
		CU_ASSERT(dp_quiet());
		dp_send(1, &piece[2]);
		dp_run();
		want = hop(f);
		want = frame_forwarded(&want, 0, TUNNEL_LAN_STATION);
		CU_ASSERT(dp_out(0, &want));
	}
	CU_ASSERT_EQUAL(dp.worker[0]->stats.fragments_joined, 4);
	tunnel_stop(&tun);
}

static void fragmented_esp4(void)
{
	fragmented_esp(IP_V4);
}

static void fragmented_esp6(void)
{
	fragmented_esp(IP_V6);
}

/* What waits for its other fragments goes when the worker does. */
static void lone_fragments_are_freed_in_the_end(void)
{
	struct frame f = udp4(1200, true), esp, piece;

	open_tunnel(MTU);
	esp = esp_of(&f);
	piece = piece_of(&esp, 0, 600, true);
	dp_send(1, &piece);
	dp_run();
	CU_ASSERT(dp_none_dropped());
	CU_ASSERT(dp_quiet());
	dp.worker[0]->now += 31 * rte_get_tsc_hz();
	reassemble_expire(dp.worker[0]);
	CU_ASSERT(dp_dropped(DROP_FRAG_TIMEOUT, 1));
	tunnel_stop(&tun);
}

DP_MAIN("mtu", 1, DP_TEST(exactly_the_mtu_passes), DP_TEST(one_more_is_cut),
	DP_TEST(one_more_with_df_is_answered), DP_TEST(ip6_one_more_is_answered),
	DP_TEST(ip6_minimum_passes_a_small_tunnel), DP_TEST(mtu_changes),
	DP_TEST(packets_of_the_kernel), DP_TEST(captures_show_the_pieces), DP_TEST(refusals),
	DP_TEST(route_loop), DP_TEST(answer_goes_back_through_the_tunnel), DP_TEST(fragmented_esp4),
	DP_TEST(fragmented_esp6), DP_TEST(lone_fragments_are_freed_in_the_end))
