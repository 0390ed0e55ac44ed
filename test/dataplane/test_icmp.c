/* SPDX-License-Identifier: BSD-3-Clause */
/* The router's own ICMP errors, byte for byte: what they say and quote, whom they come from, which way
 * they go back, and what is not answered. */
#include "dp_sa.h"
#include "far_end.h"

#include "control/routing/nexthops.h"

#include <netinet/in.h>

#define HOST4 "10.1.0.9" /* behind port 0 */
#define HOST6 "2001:db8:a::9"
#define FAR4  "10.2.3.4" /* behind the tunnel */
#define FAR6  "2001:db8:b::4"
#define HUB4  "10.3.0.4" /* behind another tunnel, or not at all */
#define HUB6  "2001:db8:c::4"
#define PORT4 "10.0.0.1" /* the router, at port 0 */
#define PORT6 "2001:db8::1"
#define MTU   1400

static struct tunnel t;
static uint64_t seq;

static void open_tunnel(void)
{
	far_end_open(&t, IP_V4, MTU);
	seq = 0;
}

static bool is_six(const struct frame *f)
{
	return f->b[L3] >> 4 == 6;
}

static struct frame udp(const char *src, const char *dst, unsigned len, uint8_t ttl)
{
	bool six = strchr(src, ':') != NULL;
	struct frame f = frame_udp(TUNNEL_LAN, src, dst, len - (six ? 48 : 28));

	if (six) {
		f.b[L3 + 7] = ttl;
	} else {
		f.b[L3 + 8] = ttl;
		f.b[L3 + 6] = 0x40; /* DF */
		frame_checksum(&f);
	}
	return f;
}

/* As it is after n hops: what the router quotes. */
static struct frame hops(struct frame f, unsigned n)
{
	if (is_six(&f)) {
		f.b[L3 + 7] -= n;
	} else {
		f.b[L3 + 8] -= n;
		frame_checksum(&f);
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

struct icmp {
	uint8_t type, code;
	uint16_t mtu;
};

/* The error from `src` about f, as the router makes it: RFC 1812 4.3.2, RFC 4443 2.4. */
static struct frame error_about(const struct frame *f, const char *src, struct icmp icmp)
{
	bool six = is_six(f);
	unsigned head = six ? 48 : 28, max = six ? 1280 : 576,
		 quote = RTE_MIN((unsigned)f->len - L3, max - head);
	uint8_t b[FRAME_MAX] = {icmp.type, icmp.code, [6] = icmp.mtu >> 8, [7] = icmp.mtu & 0xff};
	struct frame e;
	uint16_t sum;

	memcpy(b + 8, f->b + L3, quote);
	e = frame_ip(TUNNEL_LAN, src, src, six ? IPPROTO_ICMPV6 : IPPROTO_ICMP, b, 8 + quote);
	memcpy(e.b + L3 + (six ? 24 : 16), f->b + L3 + (six ? 8 : 12), six ? 16 : 4);
	sum = six ? sum16(e.b + L3 + 8, 32 + 8 + quote, 8 + quote + IPPROTO_ICMPV6)
		  : sum16(e.b + L3 + 20, 8 + quote, 0);
	e.b[L3 + head - 6] = sum >> 8;
	e.b[L3 + head - 5] = sum & 0xff;
	if (six) {
		e.b[L3] = 0x6c; /* internetwork control */
	} else {
		e.b[L3 + 1] = 0xc0;
		e.b[L3 + 4] = e.b[L3 + 5] = 0;
		frame_checksum(&e);
	}
	return e;
}

/* Out of port 0 comes the error about f, whose TTL the router has counted down `n_hops` times. */
static void port_answers(const struct frame *f, unsigned n_hops, struct icmp icmp)
{
	struct frame about = hops(*f, n_hops),
		     e = error_about(&about, is_six(f) ? PORT6 : PORT4, icmp);
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)e.b;

	eth->dst_addr = mac_of_station(TUNNEL_LAN_STATION);
	eth->src_addr = mac_of_port(TUNNEL_LAN);
	CU_ASSERT(dp_out(TUNNEL_LAN, &e));
}

/* Into the tunnel goes the error about f. */
static void tunnel_answers(const struct frame *f, unsigned n_hops, struct icmp icmp)
{
	struct frame about = hops(*f, n_hops), got,
		     e = error_about(&about, is_six(f) ? VTI_IP6 : VTI_IP4, icmp);

	CU_ASSERT_FATAL(far_end_got(&got));
	memcpy(e.b, got.b, L3);
	CU_ASSERT(frame_eq(&e, got.b, got.len));
}

static void from_lan(const struct frame *f)
{
	dp_send(TUNNEL_LAN, f);
	dp_run();
}

static void from_tunnel(const struct frame *f)
{
	struct frame esp = tunnel_seal(&t, ++seq, f, 0);

	tunnel_receive(&esp);
}

/* What can be wrong with a packet to HUB4 and HUB6, and the errors for it. */
static const struct refusal {
	uint32_t nh_id;
	enum drop_reason reason;
	struct icmp four, six;
} refusals[] = {
	{NH_ID_NO_ROUTE, DROP_NO_ROUTE, {3, 0, 0}, {1, 0, 0}},
	{NH_ID_UNREACHABLE, DROP_UNREACHABLE, {3, 1, 0}, {1, 3, 0}},
	{NH_ID_PROHIBIT, DROP_PROHIBIT, {3, 13, 0}, {1, 1, 0}},
};

static void route_hub(uint32_t nh_id)
{
	if (nh_id == NH_ID_NO_ROUTE)
		return;
	dp_route(HUB4 "/32", nh_id);
	dp_route(HUB6 "/128", nh_id);
}

static void unroute_hub(uint32_t nh_id)
{
	if (nh_id == NH_ID_NO_ROUTE)
		return;
	dp_unroute(HUB4 "/32");
	dp_unroute(HUB6 "/128");
}

static void unreachable_by_a_port(void)
{
	open_tunnel();
	for (unsigned i = 0; i < RTE_DIM(refusals); i++) {
		const struct refusal *r = &refusals[i];
		struct frame f4 = udp(HOST4, HUB4, 60, 64), f6 = udp(HOST6, HUB6, 80, 64);

		route_hub(r->nh_id);
		from_lan(&f4);
		port_answers(&f4, 0, r->four);
		from_lan(&f6);
		port_answers(&f6, 0, r->six);
		CU_ASSERT(dp_dropped(r->reason, 2));
		unroute_hub(r->nh_id);
	}
	tunnel_stop(&t);
}

/* Through the tunnel by which the packet came, from the tunnel's own address. */
static void unreachable_by_a_tunnel(void)
{
	open_tunnel();
	for (unsigned i = 0; i < RTE_DIM(refusals); i++) {
		const struct refusal *r = &refusals[i];
		struct frame f4 = udp(FAR4, HUB4, 60, 64), f6 = udp(FAR6, HUB6, 80, 64);

		route_hub(r->nh_id);
		from_tunnel(&f4);
		tunnel_answers(&f4, 0, r->four);
		from_tunnel(&f6);
		tunnel_answers(&f6, 0, r->six);
		CU_ASSERT(dp_dropped(r->reason, 2));
		unroute_hub(r->nh_id);
	}
	CU_ASSERT(dp_quiet());
	tunnel_stop(&t);
}

/* What traceroute sees of a gateway: at its own end, and at the far one. */
static void time_exceeded(void)
{
	static const struct icmp four = {11, 0, 0}, six = {3, 0, 0};
	struct frame f;

	open_tunnel();
	for (uint8_t ttl = 0; ttl < 2; ttl++) {
		f = udp(HOST4, FAR4, 60, ttl);
		from_lan(&f);
		port_answers(&f, 0, four);
		f = udp(HOST6, FAR6, 80, ttl);
		from_lan(&f);
		port_answers(&f, 0, six);
		f = udp(FAR4, HOST4, 60, ttl);
		from_tunnel(&f);
		tunnel_answers(&f, 0, four);
		f = udp(FAR6, HOST6, 80, ttl);
		from_tunnel(&f);
		tunnel_answers(&f, 0, six);
		CU_ASSERT(dp_dropped(DROP_TTL_EXCEEDED, 4));
	}
	tunnel_stop(&t);
}

/* The whole error is 576 bytes at most, in IPv6 1280: the rest of a long packet is not quoted. */
static void quotes_what_fits(void)
{
	static const unsigned sizes[] = {28, 547, 548, 549, 1232, 1233, 1400};

	open_tunnel();
	for (unsigned i = 0; i < RTE_DIM(sizes); i++) {
		struct frame f = udp(FAR4, HOST4, sizes[i], 1);

		from_tunnel(&f);
		tunnel_answers(&f, 0, (struct icmp){11, 0, 0});
		if (sizes[i] < 48)
			continue;
		f = udp(FAR6, HOST6, sizes[i], 1);
		from_tunnel(&f);
		tunnel_answers(&f, 0, (struct icmp){3, 0, 0});
	}
	dp_drops_forget();
	tunnel_stop(&t);
}

/* Between two tunnels the second one's MTU counts, and the answer goes back through the first. */
static void too_big_for_another_tunnel(void)
{
	const struct dp_sa conf = {SA_OUT, 7777, "10.0.1.1", "192.0.2.9", 0, 0, 0};
	struct frame f4 = udp(FAR4, HUB4, 1301, 64), f6 = udp(FAR6, HUB6, 1301, 64);
	struct iface *vti;

	open_tunnel();
	vti = dp_vti("vti1");
	atomic_store(&vti->mtu, 1300);
	dp_sa(vti, &conf);
	route_hub(dp_through(vti));
	from_tunnel(&f4);
	tunnel_answers(&f4, 1, (struct icmp){3, 4, 1300});
	from_tunnel(&f6);
	tunnel_answers(&f6, 1, (struct icmp){2, 0, 1300});
	CU_ASSERT(dp_dropped(DROP_TOO_BIG, 2));
	/* What fits goes on. */
	f4 = udp(FAR4, HUB4, 1300, 64);
	from_tunnel(&f4);
	CU_ASSERT(dp_out_any(TUNNEL_WAN, &f4));
	CU_ASSERT(dp_none_dropped());
	unroute_hub(NH_ID_LOCAL);
	tunnel_stop(&t);
}

/* The MTU of the last link, told to a host beyond the tunnel. */
static void too_big_for_a_port_behind_the_tunnel(void)
{
	struct frame f4 = udp(FAR4, HOST4, 1001, 64), f6 = udp(FAR6, HOST6, 1301, 64);

	open_tunnel();
	atomic_store(&dp.port[TUNNEL_LAN].iface->mtu, 1000);
	from_tunnel(&f4);
	tunnel_answers(&f4, 1, (struct icmp){3, 4, 1000});
	atomic_store(&dp.port[TUNNEL_LAN].iface->mtu, 1300);
	from_tunnel(&f6);
	tunnel_answers(&f6, 1, (struct icmp){2, 0, 1300});
	CU_ASSERT(dp_dropped(DROP_TOO_BIG, 2));
	atomic_store(&dp.port[TUNNEL_LAN].iface->mtu, DP_MTU);
	tunnel_stop(&t);
}

/* Each is dropped for its TTL, and the error for it counted as not sent. */
static void unanswered(const struct frame *f)
{
	from_lan(f);
	CU_ASSERT(dp_dropped2(DROP_TTL_EXCEEDED, 1, DROP_ICMP_SUPPRESSED, 1));
	CU_ASSERT(dp_quiet());
}

static void later_fragments_are_not_answered(void)
{
	static const uint8_t later[] = {IPPROTO_UDP, 0, 0, 8, 0, 0, 0, 7};
	struct frame f = udp(HOST4, FAR4, 60, 1);

	open_tunnel();
	f.b[L3 + 6] = 0;
	f.b[L3 + 7] = 8;
	frame_checksum(&f);
	unanswered(&f);
	f.b[L3 + 6] = 0x20; /* the first one is */
	f.b[L3 + 7] = 0;
	frame_checksum(&f);
	from_lan(&f);
	port_answers(&f, 0, (struct icmp){11, 0, 0});
	CU_ASSERT(dp_dropped(DROP_TTL_EXCEEDED, 1));
	f = udp(HOST6, FAR6, 80, 1);
	frame_insert(&f, L3 + 40, later, sizeof(later));
	f.b[L3 + 6] = IPPROTO_FRAGMENT;
	unanswered(&f);
	tunnel_stop(&t);
}

static void errors_are_not_answered(void)
{
	static const uint8_t error4[] = {3, 4, 5, 11, 12}, error6[] = {1, 2, 3, 4, 100, 137};
	uint8_t icmp[36] = {0};
	struct frame f;

	open_tunnel();
	for (unsigned i = 0; i < RTE_DIM(error4); i++) {
		icmp[0] = error4[i];
		f = frame_ip(0, HOST4, FAR4, IPPROTO_ICMP, icmp, sizeof(icmp));
		f = hops(f, 63);
		unanswered(&f);
	}
	for (unsigned i = 0; i < RTE_DIM(error6); i++) {
		icmp[0] = error6[i];
		f = frame_ip(0, HOST6, FAR6, IPPROTO_ICMPV6, icmp, sizeof(icmp));
		f = hops(f, 63);
		unanswered(&f);
	}
	/* ping and its answer are: traceroute -I. */
	icmp[0] = 8;
	f = frame_ip(0, HOST4, FAR4, IPPROTO_ICMP, icmp, sizeof(icmp));
	f = hops(f, 63);
	from_lan(&f);
	port_answers(&f, 0, (struct icmp){11, 0, 0});
	icmp[0] = 128;
	f = frame_ip(0, HOST6, FAR6, IPPROTO_ICMPV6, icmp, sizeof(icmp));
	f = hops(f, 63);
	from_lan(&f);
	port_answers(&f, 0, (struct icmp){3, 0, 0});
	CU_ASSERT(dp_dropped(DROP_TTL_EXCEEDED, 2));
	tunnel_stop(&t);
}

/* Martians have reasons of their own, and no error for them is so much as thought of. */
static void senders_that_cannot_be_answered(void)
{
	static const struct {
		const char *src, *dst;
		enum drop_reason reason;
	} martian[] = {
		{"127.0.0.1", FAR4, DROP_MARTIAN_SRC},
		{"0.0.0.0", FAR4, DROP_MARTIAN_SRC},
		{"224.0.0.5", FAR4, DROP_MARTIAN_SRC},
		{"255.255.255.255", FAR4, DROP_MARTIAN_SRC},
		{HOST4, "240.0.0.1", DROP_MARTIAN_DST},
		{"::1", FAR6, DROP_MARTIAN_SRC},
		{"::", FAR6, DROP_MARTIAN_SRC},
		{"ff02::1", FAR6, DROP_MARTIAN_SRC},
		{"fe80::9", FAR6, DROP_MARTIAN_SRC},
		{HOST6, "::1", DROP_MARTIAN_DST},
	};
	struct frame f;

	open_tunnel();
	for (unsigned i = 0; i < RTE_DIM(martian); i++) {
		f = udp(martian[i].src, martian[i].dst, 60, 1);
		from_lan(&f);
		CU_ASSERT(dp_dropped(martian[i].reason, 1));
		CU_ASSERT(dp_quiet());
	}
	tunnel_stop(&t);
}

/* To a station's multicast or broadcast address, or to a group: the kernel's, whatever the TTL. */
static void multicast_is_not_answered(void)
{
	struct frame f[] = {udp(HOST4, FAR4, 60, 1), udp(HOST4, "224.0.0.99", 60, 1),
		udp(HOST4, "255.255.255.255", 60, 1), udp(HOST6, "ff02::99", 80, 1)};

	open_tunnel();
	memset(f[0].b, 0xff, RTE_ETHER_ADDR_LEN);
	for (unsigned i = 0; i < RTE_DIM(f); i++) {
		from_lan(&f[i]);
		CU_ASSERT(dp_punted(dp.port[TUNNEL_LAN].iface, &f[i]));
		CU_ASSERT(dp_none_dropped());
		CU_ASSERT(dp_quiet());
	}
	tunnel_stop(&t);
}

/* Neither the interface nor another one has an address: better no error than one from nobody. */
static void no_address_to_answer_from(void)
{
	struct iface *port = dp.port[TUNNEL_LAN].iface;
	uint32_t ip4 = atomic_load(&port->ip4);
	struct addr *ip6 = atomic_load(&port->ip6);
	struct frame f4 = udp(HOST4, FAR4, 60, 1), f6 = udp(HOST6, FAR6, 80, 1);

	open_tunnel();
	atomic_store(&port->ip4, 0);
	atomic_store(&port->ip6, NULL);
	unanswered(&f4);
	unanswered(&f6);
	atomic_store(&port->ip4, ip4);
	atomic_store(&port->ip6, ip6);
	tunnel_stop(&t);
}

/* An error that has no way back is dropped, and gets no error itself. */
static void no_way_back(void)
{
	struct frame f = udp("172.16.5.5", FAR4, 60, 1);

	open_tunnel();
	from_lan(&f);
	CU_ASSERT_EQUAL(dp.worker[0]->stats.drops[DROP_TTL_EXCEEDED], 1);
	CU_ASSERT_EQUAL(dp.worker[0]->stats.drops[DROP_NO_ROUTE], 1);
	CU_ASSERT_EQUAL(dp.worker[0]->stats.drops[DROP_ICMP_SUPPRESSED], 1);
	CU_ASSERT_EQUAL(dp.worker[0]->stats.icmp_sent, 1);
	CU_ASSERT(dp_quiet());
	dp_drops_forget();
	tunnel_stop(&t);
}

/* A host that floods gets 20 errors at once; another one's Packet Too Big is still sent. */
static void a_flood_starves_nobody(void)
{
	struct frame flood = udp(HOST4, FAR4, 60, 1), f = udp("10.1.0.10", FAR4, MTU + 1, 64), got;

	open_tunnel();
	for (unsigned i = 0; i < 60; i++)
		dp_send(TUNNEL_LAN, &flood);
	dp_run();
	for (unsigned i = 0; i < 20; i++)
		CU_ASSERT(dp_out_any(TUNNEL_LAN, &got));
	CU_ASSERT(dp_dropped2(DROP_TTL_EXCEEDED, 60, DROP_ICMP_SUPPRESSED, 40));
	from_lan(&f);
	port_answers(&f, 1, (struct icmp){3, 4, MTU});
	CU_ASSERT(dp_dropped(DROP_TOO_BIG, 1));
	tunnel_stop(&t);
}

DP_MAIN("icmp", 1, DP_TEST(unreachable_by_a_port), DP_TEST(unreachable_by_a_tunnel),
	DP_TEST(time_exceeded), DP_TEST(quotes_what_fits), DP_TEST(too_big_for_another_tunnel),
	DP_TEST(too_big_for_a_port_behind_the_tunnel), DP_TEST(later_fragments_are_not_answered),
	DP_TEST(errors_are_not_answered), DP_TEST(senders_that_cannot_be_answered),
	DP_TEST(multicast_is_not_answered), DP_TEST(no_address_to_answer_from),
	DP_TEST(no_way_back), DP_TEST(a_flood_starves_nobody))
