/* SPDX-License-Identifier: BSD-3-Clause */
/* What a VTI's options make of outer headers: each byte of them for each option, inner and outer
 * families in all four pairs, plain and UDP-encapsulated, on both crypto paths. */
#include "control/iface/vti_options.h"
#include "device_fixture.h"

#include <rte_ip.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#define SPI   10001
#define LABEL 0x12345
#define TTL   77 /* of inner packets as they come in: one less is what a copy has */

static const struct alg gcm = {"aes-gcm-128", CIPHER_AES_GCM_16, AUTH_NONE, 20};

/* Of the inner packet. */
struct inner {
	enum ip_family family;
	uint8_t tos;
	bool df;
};

/* What the outer header should have. */
struct want {
	uint8_t tos, ttl;
	bool df;
	uint32_t label;
};

static void set_options(const struct viaduct_vti *conf)
{
	struct outer_rules *rules;
	struct err e;

	CU_ASSERT_EQUAL_FATAL(vti_options_make(conf, &rules, &e), 0);
	vti_options_apply(t.vti, conf, rules);
}

static const struct viaduct_vti defaults = {.name = "vti0", .ttl = 64};

static struct frame inner_frame(const struct inner *in)
{
	struct frame f;

	if (in->family == IP_V4) {
		f = frame_udp(TUNNEL_LAN, HOST4, FAR4, 20);
		f.b[L3 + 1] = in->tos;
		f.b[L3 + 6] = in->df ? 0x40 : 0;
		f.b[L3 + 8] = TTL;
		frame_checksum(&f);
	} else {
		uint32_t first = htonl(6u << 28 | (uint32_t)in->tos << 20 | LABEL);

		f = frame_udp(TUNNEL_LAN, HOST6, FAR6, 20);
		memcpy(f.b + L3, &first, 4);
		f.b[L3 + 7] = TTL;
	}
	return f;
}

static struct frame send_one(const struct frame *f)
{
	struct frame out = {0};

	send_burst(TUNNEL_LAN, f, 1);
	CU_ASSERT_FATAL(dp_out_any(TUNNEL_WAN, &out));
	return out;
}

/* The outer IPv4 header, from scratch. */
static void check_ip4(const struct frame *f, const struct want *w, bool udp, uint32_t seq)
{
	const uint16_t id = w->df ? 0 : seq + SPI;
	struct frame want = {.len = f->len};
	uint8_t *ip = want.b + L3;

	ip[0] = 0x45;
	ip[1] = w->tos;
	ip[2] = (f->len - L3) >> 8;
	ip[3] = f->len - L3;
	ip[4] = id >> 8;
	ip[5] = id;
	ip[6] = w->df ? 0x40 : 0;
	ip[8] = w->ttl;
	ip[9] = udp ? IPPROTO_UDP : IPPROTO_ESP;
	inet_pton(AF_INET, TUNNEL_LOCAL4, ip + 12);
	inet_pton(AF_INET, TUNNEL_PEER4, ip + 16);
	frame_checksum(&want);
	CU_ASSERT_EQUAL(memcmp(f->b + L3, ip, 20), 0);
	CU_ASSERT_EQUAL(rte_ipv4_cksum((const struct rte_ipv4_hdr *)(f->b + L3)), 0);
}

static uint32_t label_of(const struct frame *f)
{
	uint32_t first;

	memcpy(&first, f->b + L3, 4);
	return ntohl(first) & 0xfffff;
}

/* label UINT32_MAX: any but 0. */
static void check_ip6(const struct frame *f, const struct want *w, bool udp)
{
	uint8_t ip[40] = {0};
	uint32_t first, label = w->label == UINT32_MAX ? label_of(f) : w->label;

	CU_ASSERT(w->label != UINT32_MAX || label != 0);
	first = htonl(6u << 28 | (uint32_t)w->tos << 20 | label);
	memcpy(ip, &first, 4);
	ip[4] = (f->len - L3 - 40) >> 8;
	ip[5] = f->len - L3 - 40;
	ip[6] = udp ? IPPROTO_UDP : IPPROTO_ESP;
	ip[7] = w->ttl;
	inet_pton(AF_INET6, TUNNEL_LOCAL6, ip + 8);
	inet_pton(AF_INET6, TUNNEL_PEER6, ip + 24);
	CU_ASSERT_EQUAL(memcmp(f->b + L3, ip, 40), 0);
	/* Its checksum covers the ciphertext (RFC 8200 8.1). */
	if (udp)
		CU_ASSERT_EQUAL(
			rte_ipv6_udptcp_cksum_verify((const void *)(f->b + L3), f->b + L3 + 40), 0);
}

static void check_outer(const struct frame *f, const struct want *w, const struct sa *sa)
{
	const bool udp = sa->flags & SA_UDP_ENCAP;
	uint32_t seq;

	memcpy(&seq, f->b + tunnel_esp_at(f, sa) + 4, 4);
	if (sa->family == IP_V4)
		check_ip4(f, w, udp, ntohl(seq));
	else
		check_ip6(f, w, udp);
}

static uint16_t path; /* of the running test: 0 or SA_LOOKASIDE */

/* The options, over SAs of these flags: what becomes of an inner packet. */
static void becomes(const struct viaduct_vti *conf, uint16_t flags, enum ip_family outer,
	const struct inner *in, const struct want *w)
{
	struct kind k = {.alg = &gcm, .outer = outer};
	struct frame f = inner_frame(in), out;

	set_options(conf);
	for (unsigned udp = 0; udp < 2; udp++) {
		k.flags = flags | (udp ? SA_UDP_ENCAP : 0);
		CU_ASSERT_PTR_NOT_NULL_FATAL(open_sa(&k, SA_OUT, path));
		out = send_one(&f);
		check_outer(&out, w, t.out);
	}
}

/* A test for all four pairs of families. */
static void in_each_pair(void (*test)(enum ip_family outer, struct inner in))
{
	static const enum ip_family families[] = {IP_V4, IP_V6};

	for (unsigned o = 0; o < 2; o++) {
		for (unsigned i = 0; i < 2; i++) {
			for (unsigned df = 0; df < 2; df++)
				test(families[o], (struct inner){families[i], 0xb9, df});
		}
	}
}

static const uint16_t sa_says[] = {
	0, SA_COPY_DF, SA_SET_DF, SA_NO_COPY_DSCP, SA_NO_ECN, SA_NO_COPY_DSCP | SA_NO_ECN};

/* As the SA says. */
static struct want by_sa(uint16_t flags, const struct inner *in)
{
	const bool inner_df = in->family == IP_V6 || in->df;

	return (struct want){
		.tos = in->tos &
			((flags & SA_NO_COPY_DSCP ? 0 : 0xfc) | (flags & SA_NO_ECN ? 0 : 3)),
		.ttl = 64,
		.df = flags & SA_SET_DF || (flags & SA_COPY_DF && inner_df),
		.label = UINT32_MAX,
	};
}

static void by_default(enum ip_family outer, struct inner in)
{
	for (unsigned i = 0; i < RTE_DIM(sa_says); i++) {
		const struct want w = by_sa(sa_says[i], &in);

		becomes(&defaults, sa_says[i], outer, &in, &w);
		CU_ASSERT_PTR_NULL(atomic_load(&t.vti->outer));
	}
}

static void df(enum ip_family outer, struct inner in)
{
	const bool inner_df = in.family == IP_V6 || in.df;

	for (unsigned i = 0; i < RTE_DIM(sa_says); i++) {
		struct want w = by_sa(sa_says[i], &in);
		struct viaduct_vti c = defaults;

		w.df = true;
		c.df = VIADUCT_DF_SET;
		becomes(&c, sa_says[i], outer, &in, &w);
		w.df = false;
		c.df = VIADUCT_DF_CLEAR;
		becomes(&c, sa_says[i], outer, &in, &w);
		w.df = inner_df;
		c.df = VIADUCT_DF_COPY;
		becomes(&c, sa_says[i], outer, &in, &w);
	}
}

static void dscp(enum ip_family outer, struct inner in)
{
	for (unsigned i = 0; i < RTE_DIM(sa_says); i++) {
		struct want w = by_sa(sa_says[i], &in);
		struct viaduct_vti c = defaults;
		const uint8_t ecn = w.tos & 3;

		w.tos = (in.tos & 0xfc) | ecn;
		c.dscp = VIADUCT_DSCP_COPY;
		becomes(&c, sa_says[i], outer, &in, &w);
		for (unsigned n = 0; n < 64; n += 21) {
			w.tos = n << 2 | ecn;
			c.dscp = VIADUCT_DSCP_VALUE + n;
			becomes(&c, sa_says[i], outer, &in, &w);
		}
		c.dscp = VIADUCT_DSCP_MAP;
		memset(c.dscp_map, 1, sizeof(c.dscp_map));
		c.dscp_map[in.tos >> 2] = 63;
		w.tos = 63 << 2 | ecn;
		becomes(&c, sa_says[i], outer, &in, &w);
	}
}

/* RFC 6040 4.1: copied in normal mode, 0 in compatibility mode. */
static void ecn(enum ip_family outer, struct inner in)
{
	for (unsigned i = 0; i < RTE_DIM(sa_says); i++) {
		struct want w = by_sa(sa_says[i], &in);
		struct viaduct_vti c = defaults;

		for (unsigned mark = 0; mark < 4; mark++) {
			in.tos = (in.tos & 0xfc) | mark;
			w.tos = (w.tos & 0xfc) | mark;
			c.ecn = VIADUCT_ECN_TRUE;
			becomes(&c, sa_says[i], outer, &in, &w);
			w.tos &= 0xfc;
			c.ecn = VIADUCT_ECN_FALSE;
			becomes(&c, sa_says[i], outer, &in, &w);
		}
	}
}

static void ttl(enum ip_family outer, struct inner in)
{
	struct want w = by_sa(0, &in);
	struct viaduct_vti c = defaults;

	for (unsigned n = 1; n < 256; n += 127) {
		c.ttl = w.ttl = n;
		becomes(&c, 0, outer, &in, &w);
	}
	c.ttl = VIADUCT_TTL_COPY;
	w.ttl = TTL - 1;
	becomes(&c, 0, outer, &in, &w);
}

static void label(enum ip_family outer, struct inner in)
{
	struct want w = by_sa(0, &in);
	struct viaduct_vti c = defaults;

	c.flow_label = VIADUCT_FLOW_LABEL_COPY;
	w.label = in.family == IP_V6 ? LABEL : 0;
	becomes(&c, 0, outer, &in, &w);
	c.flow_label = VIADUCT_FLOW_LABEL_ZERO;
	w.label = 0;
	becomes(&c, 0, outer, &in, &w);
}

/* One word about everything at once, against what the SA says. */
static void together(enum ip_family outer, struct inner in)
{
	struct viaduct_vti c = {.df = VIADUCT_DF_SET,
		.dscp = VIADUCT_DSCP_MAP,
		.ecn = VIADUCT_ECN_FALSE,
		.ttl = VIADUCT_TTL_COPY,
		.flow_label = VIADUCT_FLOW_LABEL_COPY};
	const struct want w = {
		.tos = 9 << 2, .ttl = TTL - 1, .df = true, .label = in.family == IP_V6 ? LABEL : 0};

	c.dscp_map[in.tos >> 2] = 9;
	becomes(&c, SA_COPY_DF, outer, &in, &w);
}

static void every_option(void)
{
	in_each_pair(by_default);
	in_each_pair(df);
	in_each_pair(dscp);
	in_each_pair(ecn);
	in_each_pair(ttl);
	in_each_pair(label);
	in_each_pair(together);
	CU_ASSERT(dp_none_dropped());
	set_options(&defaults);
}

static void each_option(void)
{
	path = 0;
	tunnel_start(&t);
	every_option();
	tunnel_stop(&t);
}

static void with_device(void)
{
	path = SA_LOOKASIDE;
	every_option();
}

static void each_option_with_a_device(void)
{
	on_each_device(with_device);
}

static uint32_t label_for(const struct frame *f)
{
	const struct frame out = send_one(f);

	return label_of(&out);
}

static void spread_ports(struct frame f, unsigned at)
{
	uint32_t first = label_for(&f), n = 0;

	CU_ASSERT_EQUAL(label_for(&f), first); /* of one flow always the same */
	for (unsigned port = 0; port < 64; port++) {
		f.b[at] = port;
		n += label_for(&f) != first;
	}
	CU_ASSERT(n >= 60);
}

/* RFC 6438: flows are told apart, and each keeps its label. */
static void label_is_of_the_flow(void)
{
	const struct kind k = {.alg = &gcm, .outer = IP_V6};
	struct frame four = frame_udp(TUNNEL_LAN, HOST4, FAR4, 20);
	struct frame six = frame_udp(TUNNEL_LAN, HOST6, FAR6, 20), f;
	uint32_t first;

	tunnel_start(&t);
	set_options(&defaults);
	CU_ASSERT_PTR_NOT_NULL_FATAL(open_sa(&k, SA_OUT, 0));
	spread_ports(four, L3 + 20);
	spread_ports(four, L3 + 23);
	spread_ports(six, L3 + 40);
	first = label_for(&six);
	f = six;
	f.b[L3 + 3] = 7; /* the inner label */
	CU_ASSERT_NOT_EQUAL(label_for(&f), first);
	f = six;
	f.b[L3 + 1] = 0xb0; /* the traffic class says nothing about the flow */
	CU_ASSERT_EQUAL(label_for(&f), first);
	f = six;
	f.b[L3 + 23] ^= 1;
	CU_ASSERT_NOT_EQUAL(label_for(&f), first);
	/* Fragments of one packet go one way, whatever stands behind their headers. */
	f = four;
	f.b[L3 + 6] = 0x20;
	frame_checksum(&f);
	first = label_for(&f);
	f.b[L3 + 7] = 4;
	f.b[L3 + 20] ^= 0xff;
	frame_checksum(&f);
	CU_ASSERT_EQUAL(label_for(&f), first);
	/* Too short for ports. */
	f = frame_ip(TUNNEL_LAN, HOST4, FAR4, IPPROTO_TCP, "\1\2\3", 3);
	CU_ASSERT_NOT_EQUAL(label_for(&f), 0);
	CU_ASSERT(dp_none_dropped());
	tunnel_stop(&t);
}

/* The VTI's word about what the way has marked, whatever the SA says. */
static void ecn_on_the_way_in(void)
{
	struct frame in = frame_udp(TUNNEL_WAN, FAR4, HOST4, 20), f, marked;
	struct viaduct_vti c = defaults;

	tunnel_start(&t);
	in.b[L3 + 1] = 2;
	frame_checksum(&in);
	marked = in;
	marked.b[L3 + 1] = 3;
	frame_checksum(&marked);
	for (unsigned six = 0; six < 2; six++) {
		tunnel_plain_sa(&t, SA_IN, six ? IP_V6 : IP_V4, 0);
		c.ecn = VIADUCT_ECN_FALSE;
		set_options(&c);
		f = tunnel_seal(&t, 1, &in, 3);
		tunnel_passes(&f, &in);
		c.ecn = VIADUCT_ECN_SA;
		set_options(&c);
		f = tunnel_seal(&t, 2, &in, 3);
		tunnel_passes(&f, &marked);
		tunnel_plain_sa(&t, SA_IN, six ? IP_V6 : IP_V4, SA_NO_ECN);
		f = tunnel_seal(&t, 1, &in, 3);
		tunnel_passes(&f, &in);
		c.ecn = VIADUCT_ECN_TRUE;
		set_options(&c);
		f = tunnel_seal(&t, 2, &in, 3);
		tunnel_passes(&f, &marked);
		set_options(&defaults);
	}
	tunnel_stop(&t);
}

/* Between two bursts of a live SA: no packet is lost, and from one to the next all of it changes. */
static void changes_under_traffic(void)
{
	const struct kind k = {.alg = &gcm, .outer = IP_V4};
	const struct inner in = {IP_V4, 0xb8, false};
	struct frame burst[32], out;
	struct viaduct_vti c = defaults;

	tunnel_start(&t);
	set_options(&defaults);
	CU_ASSERT_PTR_NOT_NULL_FATAL(open_sa(&k, SA_OUT, 0));
	for (unsigned i = 0; i < RTE_DIM(burst); i++)
		burst[i] = inner_frame(&in);
	for (unsigned turn = 0; turn < 100; turn++) {
		struct want w = by_sa(0, &in);

		c.ttl = w.ttl = turn + 1;
		c.dscp = VIADUCT_DSCP_VALUE + turn % 64;
		w.tos = turn % 64 << 2;
		c.df = turn % 2 ? VIADUCT_DF_SET : VIADUCT_DF_CLEAR;
		w.df = turn % 2;
		set_options(&c);
		send_burst(TUNNEL_LAN, burst, RTE_DIM(burst));
		for (unsigned i = 0; i < RTE_DIM(burst); i++) {
			CU_ASSERT_FATAL(dp_out_any(TUNNEL_WAN, &out));
			check_outer(&out, &w, t.out);
		}
	}
	CU_ASSERT(dp_none_dropped());
	CU_ASSERT_EQUAL(sa_stats_sum(t.out).packets, 100 * RTE_DIM(burst));
	tunnel_stop(&t);
}

DP_MAIN("outer_header", 1, DP_TEST(each_option), DP_TEST(each_option_with_a_device),
	DP_TEST(label_is_of_the_flow), DP_TEST(ecn_on_the_way_in), DP_TEST(changes_under_traffic))
