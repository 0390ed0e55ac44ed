/* SPDX-License-Identifier: BSD-3-Clause */
/* ESP to the peer, beyond what the cryptography says (test_scapy.py): outer headers, sequence numbers,
 * where encrypted packets go, and what can't be sent. */
#include "esp_fixture.h"

#include "control/iface/ifaces.h"
#include "control/routing/nexthops.h"
#include "dataplane/esp.h"

#include <rte_ip.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#define FAR4  "10.2.3.4"
#define FAR6  "2001:db8:b::4"
#define HOST4 "10.1.2.3"
#define HOST6 "2001:db8:a::3"

static struct tunnel t;

static void open_tunnel(enum ip_family family, uint16_t flags)
{
	tunnel_start(&t);
	tunnel_plain_sa(&t, SA_OUT, family, flags);
}

static struct frame udp4(unsigned payload)
{
	return frame_udp(TUNNEL_LAN, HOST4, FAR4, payload);
}

static void send_one(const struct frame *f)
{
	dp_send(TUNNEL_LAN, f);
	dp_run();
}

/* The next frame out of the WAN. */
static struct frame sent(void)
{
	struct frame f = {0};

	CU_ASSERT_FATAL(dp_out_any(TUNNEL_WAN, &f));
	return f;
}

static void dropped(const struct frame *f, enum drop_reason reason)
{
	send_one(f);
	CU_ASSERT(dp_dropped(reason, 1));
	CU_ASSERT(dp_quiet());
}

static uint32_t seq_of(const struct frame *f)
{
	uint32_t seq;

	memcpy(&seq, f->b + tunnel_esp_at(f, t.out) + 4, 4);
	return ntohl(seq);
}

static uint8_t tos_of(const struct frame *f)
{
	return f->b[L3] >> 4 == 4 ? f->b[L3 + 1] : (uint8_t)(f->b[L3] << 4 | f->b[L3 + 1] >> 4);
}

/* The whole frame, byte by byte, but for the ICV. */
static void exact_bytes(void)
{
	struct frame in = udp4(5), f, want;

	open_tunnel(IP_V4, 0);
	send_one(&in);
	f = sent();
	/* id: sequence number and SPI; the checksum is put in below. */
	want = frame_hex("020000000109 020000000001 0800"
			 "45000050 2712 0000 4032 0000 0a000101 c0000209");
	frame_checksum(&want);
	CU_ASSERT_EQUAL(f.len, L3 + 20 + 8 + 36 + 16);
	CU_ASSERT_EQUAL(memcmp(f.b, want.b, L3 + 20), 0);
	CU_ASSERT_EQUAL(memcmp(f.b + L3 + 20, "\0\0\x27\x11\0\0\0\1", 8), 0);
	/* The inner packet as forwarding leaves it, one byte of padding, so that the trailer ends
	 * at 36. */
	in = frame_forwarded(&in, TUNNEL_LAN, 1);
	CU_ASSERT_EQUAL(memcmp(f.b + L3 + 28, in.b + L3, 33), 0);
	CU_ASSERT_EQUAL(memcmp(f.b + L3 + 28 + 33, "\1\1\4", 3), 0);
	tunnel_stop(&t);
}

static void tos_is(uint16_t flags, enum ip_family outer, uint8_t inner, uint8_t want)
{
	struct frame in = udp4(20), in6 = frame_udp(TUNNEL_LAN, HOST6, FAR6, 20), f;

	open_tunnel(outer, flags);
	in.b[L3 + 1] = inner;
	frame_checksum(&in);
	send_one(&in);
	f = sent();
	CU_ASSERT_EQUAL(tos_of(&f), want);
	in6.b[L3] |= inner >> 4;
	in6.b[L3 + 1] |= inner << 4;
	send_one(&in6);
	f = sent();
	CU_ASSERT_EQUAL(tos_of(&f), want);
	tunnel_stop(&t);
}

/* RFC 6040 4.1, normal mode: the field is copied, CE included. */
static void tos_is_copied(void)
{
	static const enum ip_family families[] = {IP_V4, IP_V6};

	for (unsigned i = 0; i < 2; i++) {
		for (unsigned ecn = 0; ecn < 4; ecn++) {
			tos_is(0, families[i], 0xb8 | ecn, 0xb8 | ecn);
			tos_is(SA_NO_COPY_DSCP, families[i], 0xb8 | ecn, ecn);
			tos_is(SA_NO_ECN, families[i], 0xb8 | ecn, 0xb8);
			tos_is(SA_NO_ECN | SA_NO_COPY_DSCP, families[i], 0xb8 | ecn, 0);
		}
	}
}

static bool outer_df(uint16_t flags, bool inner_df, bool six)
{
	struct frame in = six ? frame_udp(TUNNEL_LAN, HOST6, FAR6, 20) : udp4(20), f, g;
	bool df;

	open_tunnel(IP_V4, flags);
	if (!six) {
		in.b[L3 + 6] = inner_df ? 0x40 : 0;
		frame_checksum(&in);
	}
	send_one(&in);
	send_one(&in);
	f = sent();
	g = sent();
	df = f.b[L3 + 6] & 0x40;
	/* Without DF ids must differ, with it they say nothing (RFC 6864). */
	CU_ASSERT_EQUAL(memcmp(f.b + L3 + 4, "\0\0", 2) == 0, df);
	CU_ASSERT_EQUAL(memcmp(f.b + L3 + 4, g.b + L3 + 4, 2) == 0, df);
	tunnel_stop(&t);
	return df;
}

static void df_as_told(void)
{
	CU_ASSERT_FALSE(outer_df(0, false, false));
	CU_ASSERT_FALSE(outer_df(0, true, false));
	CU_ASSERT_FALSE(outer_df(0, true, true));
	CU_ASSERT_FALSE(outer_df(SA_COPY_DF, false, false));
	CU_ASSERT_TRUE(outer_df(SA_COPY_DF, true, false));
	CU_ASSERT_TRUE(outer_df(SA_COPY_DF, true, true));
	CU_ASSERT_TRUE(outer_df(SA_SET_DF, false, false));
	CU_ASSERT_TRUE(outer_df(SA_SET_DF, true, false));
}

/* A burst through two tunnels in turn: each has its own numbers, in order. */
static void runs_are_numbered_in_order(void)
{
	struct frame in = udp4(20), f;

	open_tunnel(IP_V4, 0);
	for (unsigned i = 0; i < 500; i++)
		dp_send(TUNNEL_LAN, &in);
	dp_run();
	for (unsigned i = 0; i < 500; i++) {
		f = sent();
		CU_ASSERT_EQUAL_FATAL(seq_of(&f), i + 1);
	}
	CU_ASSERT(dp_none_dropped());
	CU_ASSERT_EQUAL(sa_stats_sum(t.out).packets, 500);
	CU_ASSERT_EQUAL(sa_stats_sum(t.out).bytes, 500 * 48);
	CU_ASSERT_EQUAL(dp_stats(t.vti).tx_packets, 500);
	CU_ASSERT_EQUAL(dp_stats(t.vti).tx_bytes, 500 * 48);
	tunnel_stop(&t);
}

/* RFC 4303 3.3.3: at the end the SA stops; nothing wraps. */
static void numbers_run_out(void)
{
	static const uint8_t key[36];
	struct sa_params p = tunnel_params(SA_OUT, IP_V4);
	struct frame in = udp4(20), f;
	const char *why;

	tunnel_start(&t);
	p.cipher = CIPHER_CHACHA20_POLY1305;
	p.enc_key = key;
	p.enc_key_len = sizeof(key);
	p.first_seq = UINT32_MAX - 2;
	CU_ASSERT_PTR_NOT_NULL_FATAL(tunnel_sa(&t, &p, &why));
	for (unsigned i = 0; i < 8; i++)
		dp_send(TUNNEL_LAN, &in);
	dp_run();
	for (unsigned i = 0; i < 3; i++) {
		f = sent();
		CU_ASSERT_EQUAL(seq_of(&f), UINT32_MAX - 2 + i);
	}
	CU_ASSERT(dp_quiet());
	CU_ASSERT(dp_dropped(DROP_ESP_SEQ_EXHAUSTED, 5));
	dropped(&in, DROP_ESP_SEQ_EXHAUSTED);
	CU_ASSERT_EQUAL(sa_stats_sum(t.out).errors, 6);
	CU_ASSERT_EQUAL(sa_stats_sum(t.out).packets, 3);

	/* With ESN the lower half goes on at 0. */
	p.flags = SA_ESN;
	CU_ASSERT_PTR_NOT_NULL_FATAL(tunnel_sa(&t, &p, &why));
	for (unsigned i = 0; i < 5; i++) {
		send_one(&in);
		f = sent();
		CU_ASSERT_EQUAL(seq_of(&f), (uint32_t)(UINT32_MAX - 2 + i));
	}
	/* And ends as well. */
	p.first_seq = t.out->seq_max;
	CU_ASSERT_PTR_NOT_NULL_FATAL(tunnel_sa(&t, &p, &why));
	send_one(&in);
	f = sent();
	dropped(&in, DROP_ESP_SEQ_EXHAUSTED);
	dropped(&in, DROP_ESP_SEQ_EXHAUSTED);
	tunnel_stop(&t);
}

static void expired_sa_sends_nothing(void)
{
	struct frame in = udp4(20);

	open_tunnel(IP_V4, 0);
	t.out->expired = 1;
	dropped(&in, DROP_ESP_EXPIRED_OUT);
	tunnel_stop(&t);
}

/* What the tunnel's MTU should have prevented: cut outside where DF allows it, else counted. */
static void outer_packet_larger_than_the_port(void)
{
	struct frame in = udp4(1400), first, second;
	struct rte_ipv4_hdr *a = (struct rte_ipv4_hdr *)(first.b + L3);
	struct rte_ipv4_hdr *b = (struct rte_ipv4_hdr *)(second.b + L3);

	open_tunnel(IP_V4, 0);
	atomic_store(&t.vti->mtu, 1500);
	atomic_store(&dp.port[TUNNEL_WAN].iface->mtu, 1000);
	send_one(&in);
	first = sent();
	second = sent();
	CU_ASSERT(dp_none_dropped());
	/* 1428 + 20 + 8 + 2 + 2 padding + 16 = 1476, of which 1456 are cut into 976 and 480. */
	CU_ASSERT_EQUAL(first.len, L3 + 996);
	CU_ASSERT_EQUAL(second.len, L3 + 500);
	CU_ASSERT_EQUAL(a->packet_id, b->packet_id);
	CU_ASSERT_EQUAL(a->fragment_offset, htons(0x2000));
	CU_ASSERT_EQUAL(b->fragment_offset, htons(976 / 8));
	tunnel_stop(&t);

	open_tunnel(IP_V4, SA_SET_DF);
	atomic_store(&t.vti->mtu, 1500);
	dropped(&in, DROP_TOO_BIG);
	tunnel_stop(&t);

	open_tunnel(IP_V6, 0);
	atomic_store(&t.vti->mtu, 1500);
	dropped(&in, DROP_TOO_BIG);
	atomic_store(&dp.port[TUNNEL_WAN].iface->mtu, DP_MTU);
	tunnel_stop(&t);
}

/* Buffers that leave no room for the outer header, or for the trailer. */
static void buffer_without_room(void)
{
	struct frame in = udp4(20), f;
	struct rte_mbuf *m;

	open_tunnel(IP_V4, 0);
	m = dp_mbuf(&in);
	memmove(m->buf_addr, rte_pktmbuf_mtod(m, void *), in.len);
	m->data_off = 0;
	dp_send_mbuf(TUNNEL_LAN, 0, m);
	dp_run();
	CU_ASSERT(dp_dropped(DROP_ESP_NO_ROOM, 1));

	m = dp_mbuf(&in);
	memmove((char *)m->buf_addr + m->buf_len - in.len, rte_pktmbuf_mtod(m, void *), in.len);
	m->data_off = m->buf_len - in.len;
	dp_send_mbuf(TUNNEL_LAN, 0, m);
	/* Just enough for any length: 3 of padding, 2, and the ICV. */
	m = dp_mbuf(&in);
	memmove((char *)m->buf_addr + m->buf_len - in.len - 21, rte_pktmbuf_mtod(m, void *),
		in.len);
	m->data_off = m->buf_len - in.len - 21;
	dp_send_mbuf(TUNNEL_LAN, 0, m);
	dp_run();
	CU_ASSERT(dp_dropped(DROP_ESP_NO_ROOM, 1));
	f = sent();
	/* The refused ones' numbers are lost with them. */
	CU_ASSERT_EQUAL(seq_of(&f), 3);
	CU_ASSERT(dp_quiet());
	tunnel_stop(&t);
}

/* The route to the peer changes: the next packet already follows. */
static void peer_moves_to_another_port(void)
{
	struct frame in = udp4(20), f;

	open_tunnel(IP_V4, 0);
	send_one(&in);
	f = sent();
	dp_route(TUNNEL_PEER4 "/32", dp_station(2, "10.0.2.8", 8));
	send_one(&in);
	CU_ASSERT(dp_out_any(2, &f));
	CU_ASSERT_EQUAL(f.b[5], 8);
	CU_ASSERT_EQUAL(seq_of(&f), 2);
	CU_ASSERT(dp_quiet());
	tunnel_stop(&t);
}

static void peer_route_is(uint32_t nh_id, enum drop_reason reason)
{
	struct frame in = udp4(20);

	open_tunnel(IP_V4, 0);
	dp_route(TUNNEL_PEER4 "/32", nh_id);
	dropped(&in, reason);
	tunnel_stop(&t);
}

static void no_way_to_the_peer(void)
{
	peer_route_is(NH_ID_NO_ROUTE, DROP_NO_ROUTE);
	peer_route_is(NH_ID_BLACKHOLE, DROP_BLACKHOLE);
	peer_route_is(NH_ID_UNREACHABLE, DROP_UNREACHABLE);
	peer_route_is(NH_ID_PROHIBIT, DROP_PROHIBIT);
	peer_route_is(NH_ID_LOCAL, DROP_NO_ROUTE);
	peer_route_is(NH_ID_KERNEL, DROP_NO_ROUTE);
}

/* The encrypted packet waits for the peer's link-layer address. */
static void peer_is_resolved(void)
{
	struct iface *wan = dp.port[TUNNEL_WAN].iface;
	struct frame in = udp4(20), f;
	uint32_t glean = nexthop_get(NH_GLEAN, wan, NULL, NULL), direct;

	open_tunnel(IP_V4, 0);
	send_one(&in);
	f = sent();
	dp_route(TUNNEL_PEER4 "/32", glean);
	send_one(&in);
	/* The same packet but for its number. */
	memcpy(f.b + L3 + 4, "\x27\x13", 2);
	f.b[L3 + 20 + 7] = 2;
	frame_checksum(&f);
	direct = f.len - L3;
	CU_ASSERT(dp_quiet());
	{
		struct rte_mbuf *m = dp_host(0);

		CU_ASSERT_PTR_NOT_NULL_FATAL(m);
		CU_ASSERT_EQUAL(host_tag(m)->op, HOST_RESOLVE);
		CU_ASSERT_EQUAL(host_tag(m)->iface, wan->id);
		CU_ASSERT_EQUAL(host_tag(m)->target.v4, t.out->dst.v4);
		CU_ASSERT_EQUAL(m->data_len, direct);
		CU_ASSERT_EQUAL(memcmp(rte_pktmbuf_mtod(m, void *), f.b + L3, direct - 16), 0);
		rte_pktmbuf_free(m);
	}
	CU_ASSERT(dp_none_dropped());
	tunnel_stop(&t);
	nexthop_put(glean);
}

/* The tunnel's own far end routed into the tunnel: one round, counted. */
static void route_to_the_peer_through_the_tunnel(void)
{
	struct frame in = udp4(20);
	uint32_t nh;

	open_tunnel(IP_V4, 0);
	nh = nexthop_get(NH_VTI, t.vti, NULL, NULL);
	dp_route(TUNNEL_PEER4 "/32", nh);
	dropped(&in, DROP_VTI_LOOP);
	dp_unroute(TUNNEL_PEER4 "/32");
	tunnel_stop(&t);
	nexthop_put(nh);
}

DP_MAIN("esp_out", 1, DP_TEST(exact_bytes), DP_TEST(tos_is_copied), DP_TEST(df_as_told),
	DP_TEST(runs_are_numbered_in_order), DP_TEST(numbers_run_out),
	DP_TEST(expired_sa_sends_nothing), DP_TEST(outer_packet_larger_than_the_port),
	DP_TEST(buffer_without_room), DP_TEST(peer_moves_to_another_port),
	DP_TEST(no_way_to_the_peer), DP_TEST(peer_is_resolved),
	DP_TEST(route_to_the_peer_through_the_tunnel))
