/* SPDX-License-Identifier: BSD-3-Clause */
/* ICMP that comes in (RFC 4301 6.1.1), by type: what passes through, what the kernel gets, what nobody
 * gets; and that none of it changes a tunnel. Packet Too Big about ESP has tests of its own. */
#include "esp_fixture.h"

#include <rte_ip.h>

#include <netinet/in.h>

#define HOST4 "10.1.0.9"
#define HOST6 "2001:db8:a::9"
#define FAR4  "10.3.0.4"
#define FAR6  "2001:db8:c::4"

static void routes(void)
{
	uint32_t far = dp_station(1, "10.0.1.2", 2);

	dp_route("10.3.0.0/16", far);
	dp_route("2001:db8:c::/48", far);
}

/* ICMP with this type and code, the checksum right; its payload quotes an ESP packet of ours. */
static struct frame icmp(
	unsigned port, const char *src, const char *dst, uint8_t type, uint8_t code)
{
	bool six = strchr(src, ':') != NULL;
	uint8_t body[64] = {type, code};
	struct frame f,
		quoted = frame_ip(
			1, TUNNEL_LOCAL4, TUNNEL_PEER4, IPPROTO_ESP, "\0\0\x27\x11\0\0\0\1", 8);
	uint16_t sum;

	memcpy(body + 8, quoted.b + L3, 28);
	f = frame_ip(port, src, dst, six ? IPPROTO_ICMPV6 : IPPROTO_ICMP, body, sizeof(body));
	if (six)
		sum = rte_ipv6_udptcp_cksum((struct rte_ipv6_hdr *)(f.b + L3), f.b + L3 + 40);
	else
		sum = ~rte_raw_cksum(f.b + L3 + 20, sizeof(body));
	memcpy(f.b + L3 + (six ? 40 : 20) + 2, &sum, sizeof(sum));
	return f;
}

static void refused(const struct frame *f)
{
	uint64_t before = dp_stats(dp.port[0].iface).rx_drops;

	dp_send(0, f);
	dp_run();
	CU_ASSERT(dp_dropped(DROP_ICMP_REFUSED, 1));
	CU_ASSERT(dp_quiet());
	CU_ASSERT_EQUAL(dp_stats(dp.port[0].iface).rx_drops, before + 1);
}

/* Transit ICMP is a packet like any other, redirects included. */
static void transit_is_forwarded(void)
{
	routes();
	for (unsigned type = 0; type < 20; type++) {
		struct frame f = icmp(0, HOST4, FAR4, type, 0);

		dp_expect_forwarded(&f);
	}
	for (unsigned type = 1; type < 155; type++) {
		struct frame f = icmp(0, HOST6, FAR6, type, 0);

		dp_expect_forwarded(&f);
	}
}

/* To the router itself: redirects and source quench are nobody's, all else is the kernel's. */
static void local_by_type(void)
{
	for (unsigned type = 0; type < 20; type++) {
		struct frame f = icmp(0, HOST4, "10.0.0.1", type, 1);

		if (type == 4 || type == 5)
			refused(&f);
		else
			dp_expect_punted(&f);
	}
	for (unsigned type = 128; type < 155; type++) {
		struct frame f = icmp(0, HOST6, "2001:db8:0::1", type, 0);

		if (type == 137)
			refused(&f);
		else
			dp_expect_punted(&f);
	}
}

/* On the link: a redirect comes from the router's link-local address, perhaps to ours. */
static void link_local_redirects(void)
{
	struct frame f = icmp(0, "fe80::9", "fe80::1", 137, 0);

	refused(&f);
	f = icmp(0, "fe80::9", "2001:db8:0::1", 137, 0);
	refused(&f);
	f = icmp(0, "fe80::9", "fe80::1", 136, 0);
	dp_expect_punted(&f);
	f = icmp(0, "fe80::9", "ff02::1", 134, 0);
	dp_expect_punted(&f);
}

static void damaged(void)
{
	struct frame f = icmp(0, HOST4, "10.0.0.1", 5, 0);

	/* A later fragment has no type; a first one has. */
	f.b[L3 + 7] = 1;
	frame_checksum(&f);
	dp_expect_punted(&f);
	f.b[L3 + 6] = 0x20;
	f.b[L3 + 7] = 0;
	frame_checksum(&f);
	refused(&f);
	/* No byte of ICMP at all; what stands behind the packet is not it. */
	f = frame_ip(0, HOST4, "10.0.0.1", IPPROTO_ICMP, "", 0);
	f.b[f.len++] = 5;
	dp_expect_punted(&f);
}

/* Unreachables of every code about ESP that we sent are the kernel's to ignore: the SA goes on. */
static void unreachables_change_no_tunnel(void)
{
	struct frame in = frame_udp(TUNNEL_LAN, HOST4, "10.2.3.4", 30), out;
	struct tunnel t;

	tunnel_start(&t);
	tunnel_plain_sa(&t, SA_OUT, IP_V4, 0);
	for (unsigned code = 0; code < 16; code++) {
		struct frame f = icmp(0, HOST4, "10.0.0.1", 3, code);

		if (code == 4)
			continue;
		dp_expect_punted(&f);
		dp_send(TUNNEL_LAN, &in);
		dp_run();
		CU_ASSERT(dp_out_any(TUNNEL_WAN, &out));
		CU_ASSERT_EQUAL(out.b[L3 + 9], IPPROTO_ESP);
	}
	CU_ASSERT_EQUAL(iface_mtu(t.vti), 1400);
	tunnel_stop(&t);
}

/* Out of a tunnel the same holds: authenticated, but by a peer that may be anybody's router. */
static void out_of_a_tunnel(void)
{
	struct frame inner, f;
	struct tunnel t;

	tunnel_start(&t);
	tunnel_plain_sa(&t, SA_IN, IP_V4, 0);
	inner = icmp(TUNNEL_WAN, "10.2.0.1", "10.0.0.1", 5, 1);
	f = tunnel_seal(&t, 1, &inner, 0);
	tunnel_drops(&f, DROP_ICMP_REFUSED);
	inner = icmp(TUNNEL_WAN, "10.2.0.1", HOST4, 5, 1);
	f = tunnel_seal(&t, 2, &inner, 0);
	tunnel_passes(&f, &inner);
	tunnel_stop(&t);
}

DP_MAIN("icmp_in", 1, DP_TEST(transit_is_forwarded), DP_TEST(local_by_type),
	DP_TEST(link_local_redirects), DP_TEST(damaged), DP_TEST(unreachables_change_no_tunnel),
	DP_TEST(out_of_a_tunnel))
