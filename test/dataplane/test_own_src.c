/* SPDX-License-Identifier: BSD-3-Clause */
/* Sources that only the router itself may have, or that must not leave their link: dropped by name,
 * from a port and out of a tunnel. */
#include "control/routing/nexthops.h"
#include "dataplane/own_src.h"
#include "esp_fixture.h"

#include <netinet/in.h>

#define NEAR4 "10.1.2.3"
#define NEAR6 "2001:db8:a::3"
#define FAR4  "10.3.0.4"
#define FAR6  "2001:db8:c::4"

static void routes(void)
{
	uint32_t far = dp_station(1, "10.0.1.2", 2);

	dp_route("10.3.0.0/16", far);
	dp_route("2001:db8:c::/48", far);
	dp_route("0.0.0.0/0", far);
	dp_route("::/0", far);
}

static void refused(const char *src, const char *dst, enum drop_reason reason)
{
	uint64_t before = dp_stats(dp.port[0].iface).rx_drops;
	struct frame f = frame_udp(0, src, dst, 20);

	dp_send(0, &f);
	dp_run();
	if (!dp_dropped(reason, 1))
		CU_FAIL(src);
	CU_ASSERT(dp_quiet());
	CU_ASSERT_EQUAL(dp_stats(dp.port[0].iface).rx_drops, before + 1);
}

/* Any of its addresses, whichever interface has it, to others and to itself (LAND). */
static void own_addresses(void)
{
	routes();
	refused("10.0.0.1", FAR4, DROP_OWN_SRC);
	refused("10.0.1.1", FAR4, DROP_OWN_SRC);
	refused("10.0.2.1", FAR4, DROP_OWN_SRC);
	refused("10.0.0.1", "10.0.0.1", DROP_OWN_SRC);
	refused("2001:db8:0::1", FAR6, DROP_OWN_SRC);
	refused("2001:db8:1::1", FAR6, DROP_OWN_SRC);
	refused("2001:db8:2::1", "2001:db8:0::1", DROP_OWN_SRC);
}

/* An address that came and went: dropped while it is there. */
static void addresses_come_and_go(void)
{
	struct frame four = frame_udp(0, "10.9.8.7", FAR4, 20);
	struct frame six = frame_udp(0, "2001:db8:9::7", FAR6, 20);

	routes();
	dp_expect_forwarded(&four);
	dp_expect_forwarded(&six);
	dp_route("10.9.8.7/32", NH_ID_LOCAL);
	dp_route("2001:db8:9::7/128", NH_ID_LOCAL);
	refused("10.9.8.7", FAR4, DROP_OWN_SRC);
	refused("2001:db8:9::7", FAR6, DROP_OWN_SRC);
	dp_unroute("10.9.8.7/32");
	dp_unroute("2001:db8:9::7/128");
	dp_expect_forwarded(&four);
	dp_expect_forwarded(&six);
}

/* 4096 other sources, of which many share a bit with one of ours: none is taken for it. */
static void others_are_not_taken_for_it(void)
{
	unsigned alike = 0;

	routes();
	for (unsigned i = 0; i < 4096; i++) {
		const uint8_t addr[4] = {10, 77, i >> 8, i};
		struct addr a = {.family = IP_V4};
		struct frame f, want;
		char src[16];

		memcpy(a.v6, addr, sizeof(addr));
		if (i == 5)
			for (unsigned j = 0; j < 64; j++)
				own_src_note(&(struct addr){.family = IP_V4, .v6 = {99, j, 1, j}});
		snprintf(src, sizeof(src), "10.77.%u.%u", i >> 8, i & 0xff);
		alike += own_src_hint(IP_V4, addr) & 1;
		f = frame_udp(0, src, FAR4, 20);
		want = frame_forwarded(&f, 1, 2);
		dp_send(0, &f);
		dp_run();
		CU_ASSERT(dp_out(1, &want));
	}
	CU_ASSERT(alike > 0 && alike < 200);
	CU_ASSERT(dp_none_dropped());
}

static void bursts_keep_their_order(void)
{
	static const char *const src[] = {NEAR4, "10.0.1.1", NEAR6, "2001:db8:1::1", "fe80::9"};
	struct frame want;

	routes();
	for (unsigned i = 0; i < 200; i++) {
		const char *s = src[i % 5];
		struct frame f = frame_udp(0, s, strchr(s, ':') != NULL ? FAR6 : FAR4, i);

		dp_send(0, &f);
	}
	dp_run();
	for (unsigned i = 0; i < 200; i++) {
		const char *s = src[i % 5];
		struct frame f = frame_udp(0, s, strchr(s, ':') != NULL ? FAR6 : FAR4, i);

		want = frame_forwarded(&f, 1, 2);
		if (i % 5 == 0 || i % 5 == 2)
			CU_ASSERT(dp_out(1, &want));
	}
	CU_ASSERT(dp_dropped2(DROP_OWN_SRC, 80, DROP_MARTIAN_SRC, 40));
}

/* RFC 4291 2.5.6: such a source stays on its link; the router itself may be spoken to. */
static void link_local_sources(void)
{
	struct frame f;

	routes();
	refused("fe80::9", FAR6, DROP_MARTIAN_SRC);
	refused("febf::9", FAR6, DROP_MARTIAN_SRC);
	f = frame_udp(0, "fe80::9", "2001:db8:0::1", 20);
	dp_expect_punted(&f);
	f = frame_udp(0, "fec0::9", FAR6, 20);
	dp_expect_forwarded(&f);
}

static void after_the_decryption(void)
{
	struct frame inner, f;
	struct tunnel t;
	uint64_t seq = 0;
	static const struct {
		const char *src, *dst;
		enum drop_reason reason;
	} cases[] = {
		{"10.0.0.1", NEAR4, DROP_OWN_SRC},
		{TUNNEL_LOCAL4, NEAR4, DROP_OWN_SRC},
		{"10.0.0.1", "10.0.0.1", DROP_OWN_SRC},
		{TUNNEL_LOCAL6, NEAR6, DROP_OWN_SRC},
		{"fe80::9", NEAR6, DROP_MARTIAN_SRC},
		{"127.0.0.1", NEAR4, DROP_MARTIAN_SRC},
		{"224.0.0.1", NEAR4, DROP_MARTIAN_SRC},
		{"::1", NEAR6, DROP_MARTIAN_SRC},
		{"ff02::1", NEAR6, DROP_MARTIAN_SRC},
		{"::ffff:10.2.0.1", NEAR6, DROP_MARTIAN_SRC},
		{"10.2.3.4", "127.0.0.1", DROP_MARTIAN_DST},
		{"10.2.3.4", "240.0.0.1", DROP_MARTIAN_DST},
		{"2001:db8:b::4", "::1", DROP_MARTIAN_DST},
	};

	tunnel_start(&t);
	tunnel_plain_sa(&t, SA_IN, IP_V4, 0);
	for (unsigned i = 0; i < RTE_DIM(cases); i++) {
		uint64_t before = dp_stats(t.vti).rx_drops;

		inner = frame_udp(TUNNEL_WAN, cases[i].src, cases[i].dst, 20);
		f = tunnel_seal(&t, ++seq, &inner, 0);
		tunnel_drops(&f, cases[i].reason);
		CU_ASSERT_EQUAL(dp_stats(t.vti).rx_drops, before + 1);
	}
	inner = frame_udp(TUNNEL_WAN, "10.2.3.4", NEAR4, 20);
	f = tunnel_seal(&t, ++seq, &inner, 0);
	tunnel_passes(&f, &inner);
	tunnel_stop(&t);
}

/* Its own ICMP errors have its own source. */
static void what_the_router_makes_passes(void)
{
	struct frame f = frame_udp(0, NEAR4, FAR4, 20), got;

	routes();
	dp_route("10.1.0.0/16", dp_station(0, "10.0.0.5", 5));
	f.b[L3 + 8] = 1;
	frame_checksum(&f);
	dp_send(0, &f);
	dp_run();
	CU_ASSERT(dp_dropped(DROP_TTL_EXCEEDED, 1));
	CU_ASSERT(dp_out_any(0, &got));
	CU_ASSERT_EQUAL(memcmp(got.b + L3 + 12, "\x0a\0\0\1\x0a\1\2\3", 8), 0);
}

DP_MAIN("own_src", 1, DP_TEST(own_addresses), DP_TEST(addresses_come_and_go),
	DP_TEST(others_are_not_taken_for_it), DP_TEST(bursts_keep_their_order),
	DP_TEST(link_local_sources), DP_TEST(after_the_decryption),
	DP_TEST(what_the_router_makes_passes))
