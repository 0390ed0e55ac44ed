/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv4 options, IPv6 extension headers and the IPv4 checksum: what is carried, and what is dropped. */
#include "harness.h"

#include <rte_ip.h>

#define HOST4 "10.0.0.9"
#define HOST6 "2001:db8::9"
#define FAR4  "10.2.3.4"
#define FAR6  "2001:db8:ffff::4"

static void routes(void)
{
	dp_route("10.0.0.9/32", dp_station(0, NULL, 1));
	dp_route("2001:db8::9/128", dp_station(0, NULL, 1));
	dp_route("10.2.0.0/16", dp_station(1, "10.0.1.2", 2));
	dp_route("2001:db8:ffff::/48", dp_station(1, "2001:db8:1::2", 2));
}

static void dropped(const struct frame *f, enum drop_reason reason)
{
	uint64_t before = dp_stats(dp.port[0].iface).rx_drops;

	dp_send(0, f);
	dp_run();
	CU_ASSERT(dp_dropped(reason, 1));
	CU_ASSERT(dp_quiet());
	CU_ASSERT_EQUAL(dp_stats(dp.port[0].iface).rx_drops, before + 1);
}

/* IPv6 headers in a chain: kinds[] are their numbers, `len` each one's bytes; the last is UDP. */
static struct frame with_headers(const uint8_t *kinds, unsigned n, unsigned len)
{
	struct frame f = frame_udp(0, HOST6, FAR6, 20);

	for (unsigned i = n; i-- > 0;) {
		uint8_t header[256] = {f.b[L3 + 6], len / 8 - 1, 1, 4};

		if (kinds[i] == 0 || kinds[i] == 60) { /* one option that pads all */
			header[2] = 1;
			header[3] = len - 4;
		}
		if (kinds[i] == 43)
			header[2] = 4; /* segment routing, no segments left */
		if (kinds[i] == 44)
			memset(header + 1, 0, 7);
		frame_insert(&f, L3 + 40, header, len);
		f.b[L3 + 6] = kinds[i];
	}
	return f;
}

/* RFC 8200 4.1: each is carried as it came; walked to a bound. */
static void ip6_chains(void)
{
	static const uint8_t usual[] = {0, 60, 43, 44, 60},
			     twice[] = {60, 60, 60, 60, 60, 60, 60, 60};
	static const uint8_t late[] = {60, 0}, nine[] = {60, 60, 60, 60, 60, 60, 60, 60, 60};
	struct frame f = with_headers(usual, 5, 8);

	routes();
	dp_expect_forwarded(&f);
	f = with_headers(twice, 8, 8);
	dp_expect_forwarded(&f);
	f = with_headers(nine, 9, 8);
	dropped(&f, DROP_IP6_EXT_HEADERS);
	/* Hop-by-hop options stand first or not at all. */
	f = with_headers(late, 2, 8);
	dropped(&f, DROP_IP6_EXT_HEADERS);
	/* 256 bytes of them, and no more. */
	f = with_headers(twice, 4, 64);
	dp_expect_forwarded(&f);
	f = with_headers(twice, 5, 64);
	dropped(&f, DROP_IP6_EXT_HEADERS);
	/* One that says it is longer than the packet, one that begins where the packet ends. */
	f = with_headers(twice, 1, 8);
	f.b[L3 + 41] = 4;
	dropped(&f, DROP_IP6_EXT_HEADERS);
	f = frame_ip(0, HOST6, FAR6, 60, "", 0);
	dropped(&f, DROP_IP6_EXT_HEADERS);
}

/* RFC 5095: type 0 is what IPv4's source routes are; other types are for those they name. */
static void ip6_routing_headers(void)
{
	static const uint8_t routing[] = {43}, behind[] = {0, 43};
	struct frame f;

	routes();
	for (unsigned type = 1; type < 6; type++) {
		f = with_headers(routing, 1, 24);
		f.b[L3 + 42] = type;
		f.b[L3 + 43] = 1;
		dp_expect_forwarded(&f);
	}
	f = with_headers(routing, 1, 24);
	f.b[L3 + 42] = 0;
	dropped(&f, DROP_IP6_SOURCE_ROUTE);
	f.b[L3 + 43] = 1;
	dropped(&f, DROP_IP6_SOURCE_ROUTE);
	f = with_headers(behind, 2, 8);
	f.b[L3 + 50] = 0;
	dropped(&f, DROP_IP6_SOURCE_ROUTE);
}

/* RFC 2675: a payload length of 0 and its true one in an option. No link here carries such packets. */
static void ip6_jumbograms(void)
{
	static const uint8_t hop_by_hop[] = {0};
	struct frame f = with_headers(hop_by_hop, 1, 8);

	routes();
	memcpy(f.b + L3 + 42, "\xc2\x04\0\1\0\0", 6);
	f.b[L3 + 4] = 0;
	f.b[L3 + 5] = 0;
	dropped(&f, DROP_IP6_EXT_HEADERS);
	/* An empty packet is one. */
	f = frame_ip(0, HOST6, FAR6, 59, "", 0);
	dp_expect_forwarded(&f);
}

/* Every IPv4 option's length within the header, whatever stands there. */
static void ip4_option_bounds(void)
{
	static const struct {
		const char *options;
		enum drop_reason reason; /* DROP_REASON_COUNT: forwarded */
	} cases[] = {
		{"\x01\x01\x01\x01\x01\x01\x01\x01", DROP_REASON_COUNT},
		{"\x00\x83\x07\x04\x0a\0\0\1", DROP_REASON_COUNT}, /* the list ends before it */
		{"\x94\x04\0\0\0\0\0\0", DROP_REASON_COUNT},       /* router alert */
		{"\x44\x08\x05\0\0\0\0\0", DROP_REASON_COUNT},     /* time stamps */
		{"\x07\x00\0\0\0\0\0\0", DROP_IP4_HEADER_LEN},
		{"\x07\x01\0\0\0\0\0\0", DROP_IP4_HEADER_LEN},
		{"\x07\x09\0\0\0\0\0\0", DROP_IP4_HEADER_LEN},
		{"\x07\xff\0\0\0\0\0\0", DROP_IP4_HEADER_LEN},
		{"\x01\x01\x01\x01\x01\x01\x01\x07", DROP_IP4_HEADER_LEN},
		{"\x01\x01\x01\x01\x01\x01\x07\x03", DROP_IP4_HEADER_LEN},
		{"\x01\x83\x07\x04\x0a\0\0\1", DROP_IP4_SOURCE_ROUTE},
		{"\x01\x89\x07\x04\x0a\0\0\1", DROP_IP4_SOURCE_ROUTE},
		{"\x94\x04\0\0\x89\x03\x04\0", DROP_IP4_SOURCE_ROUTE},
		{"\x01\x01\x01\x01\x01\x01\x01\x83", DROP_IP4_SOURCE_ROUTE},
	};

	routes();
	for (unsigned i = 0; i < RTE_DIM(cases); i++) {
		struct frame f = frame_udp(0, HOST4, FAR4, 20);

		frame_insert(&f, L3 + 20, cases[i].options, 8);
		f.b[L3] = 0x47;
		frame_checksum(&f);
		if (cases[i].reason == DROP_REASON_COUNT)
			dp_expect_forwarded(&f);
		else
			dropped(&f, cases[i].reason);
	}
}

/* What the NIC says of the header's checksum, against what it is. The bytes are believed: a NIC that
 * finds a good header bad may have looked at one further inside. */
static void nic_against_bytes(void)
{
	static const uint64_t flags[] = {RTE_MBUF_F_RX_IP_CKSUM_UNKNOWN, RTE_MBUF_F_RX_IP_CKSUM_BAD,
		RTE_MBUF_F_RX_IP_CKSUM_NONE};
	struct frame good = frame_udp(0, HOST4, FAR4, 20), bad = good, want;

	routes();
	bad.b[L3 + 10] ^= 0x40;
	want = frame_forwarded(&good, 1, 2);
	for (unsigned i = 0; i < RTE_DIM(flags); i++) {
		struct rte_mbuf *m = dp_mbuf(&bad);

		m->ol_flags |= flags[i];
		dp_send_mbuf(0, 0, m);
		dp_run();
		CU_ASSERT(dp_dropped(DROP_IP4_CHECKSUM, 1));
		m = dp_mbuf(&good);
		m->ol_flags |= flags[i];
		dp_send_mbuf(0, 0, m);
		dp_run();
		CU_ASSERT(dp_out(1, &want));
	}
}

DP_MAIN("ip_headers", 1, DP_TEST(ip4_option_bounds), DP_TEST(ip6_chains),
	DP_TEST(ip6_routing_headers), DP_TEST(ip6_jumbograms), DP_TEST(nic_against_bytes))
