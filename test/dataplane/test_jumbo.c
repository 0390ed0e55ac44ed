/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets in several buffers and packets larger than a buffer (2048 bytes here) are forwarded, encrypted
 * and decrypted as any other. */
#include "big.h"
#include "device_fixture.h"

#include "dataplane/buffer.h"
#include "dataplane/lookaside.h"

#include <netinet/in.h>

static struct big f, want;

static void set_mtu(uint16_t lan, uint16_t vti, uint16_t wan)
{
	atomic_store(&dp.port[TUNNEL_LAN].iface->mtu, lan);
	atomic_store(&dp.port[TUNNEL_WAN].iface->mtu, wan);
	atomic_store(&t.vti->mtu, vti);
	atomic_fetch_or(&t.vti->flags, IFACE_FRAGMENT_AFTER);
}

static void send_chain(unsigned port, const struct big *big, const uint16_t *cut, unsigned n)
{
	dp_send_mbuf(port, 0, big_chain(big, cut, n));
	dp_run();
}

/* Between any two bytes of the headers, at some places behind, and at several places at once. */
static void cut_anywhere(void)
{
	static const unsigned lens[] = {60, 1500, 2040, 9000};
	const uint16_t many[] = {1, 13, 14, 15, 33, 34, 50};

	tunnel_start(&t);
	set_mtu(9000, 9000, 9000);
	read_back(true);
	for (unsigned i = 0; i < RTE_DIM(lens); i++) {
		for (unsigned six = 0; six < 2; six++) {
			big_udp(&f, six ? HOST6 : HOST4, six ? FAR6 : FAR4, lens[i]);
			want = f;
			big_forwarded(&want, TUNNEL_LAN_STATION, 1);
			for (uint16_t cut = 1; cut < RTE_MIN(f.len, 100u); cut++) {
				send_chain(TUNNEL_LAN, &f, &cut, 1);
				CU_ASSERT_FATAL(big_out(TUNNEL_LAN, &want));
			}
			send_chain(TUNNEL_LAN, &f, many, RTE_DIM(many));
			CU_ASSERT(big_out(TUNNEL_LAN, &want));
		}
	}
	CU_ASSERT(dp_none_dropped());
	tunnel_stop(&t);
}

/* Any IP length up to the port's MTU, one more is answered or cut. */
static void forwarded_sizes(void)
{
	static const uint16_t mtus[] = {1500, 2048, 9000, 9216, 16000};

	tunnel_start(&t);
	read_back(true);
	for (unsigned i = 0; i < RTE_DIM(mtus); i++) {
		set_mtu(mtus[i], 1400, 1500);
		for (unsigned six = 0; six < 2; six++) {
			for (unsigned less = 0; less < 3; less++) {
				big_udp(&f, six ? HOST6 : HOST4, six ? FAR6 : FAR4, mtus[i] - less);
				want = f;
				big_forwarded(&want, TUNNEL_LAN_STATION, 1);
				send_chain(TUNNEL_LAN, &f, NULL, 0);
				CU_ASSERT(big_out(TUNNEL_LAN, &want));
			}
		}
	}
	CU_ASSERT(dp_none_dropped());
	tunnel_stop(&t);
}

/* IPv4 without DF leaves in pieces of exactly the MTU, whatever buffers those take. */
static void cut_by_a_jumbo_mtu(void)
{
	tunnel_start(&t);
	read_back(true);
	set_mtu(9000, 1400, 1500);
	big_udp(&f, HOST4, FAR4, 60000);
	send_chain(TUNNEL_LAN, &f, NULL, 0);
	for (unsigned at = 0; at < 60000 - 20; at += 8976) {
		unsigned n = RTE_MIN(8976u, 60000 - 20 - at);

		want = f;
		want.len = L3 + 20 + n;
		memcpy(want.b + L3 + 20, f.b + L3 + 20 + at, n);
		want.b[L3 + 2] = (20 + n) >> 8;
		want.b[L3 + 3] = (20 + n) & 0xff;
		want.b[L3 + 6] = at / 8 >> 8 | (at + n < 60000 - 20 ? 0x20 : 0);
		want.b[L3 + 7] = at / 8 & 0xff;
		big_forwarded(&want, TUNNEL_LAN_STATION, 1);
		CU_ASSERT(big_out(TUNNEL_LAN, &want));
	}
	CU_ASSERT(dp_none_dropped());
	tunnel_stop(&t);
}

/* Without a free large buffer a packet is dropped by name; nothing else suffers. */
static void no_large_buffer(void)
{
	struct rte_mempool *large = large_buffers;

	tunnel_start(&t);
	read_back(true);
	set_mtu(9000, 1400, 1500);
	big_udp(&f, HOST4, FAR4, 9000);
	large_buffers = NULL;
	send_chain(TUNNEL_LAN, &f, NULL, 0);
	CU_ASSERT(dp_dropped(DROP_NO_MBUF, 1));
	big_udp(&f, HOST4, FAR4, 1500);
	want = f;
	big_forwarded(&want, TUNNEL_LAN_STATION, 1);
	send_chain(TUNNEL_LAN, &f, (const uint16_t[]){700}, 1);
	CU_ASSERT(big_out(TUNNEL_LAN, &want));
	CU_ASSERT(dp_none_dropped());
	large_buffers = large;
	tunnel_stop(&t);
}

/* More bytes than an IP packet can have. */
static void larger_than_a_packet(void)
{
	tunnel_start(&t);
	big_udp(&f, HOST4, FAR4, UINT16_MAX);
	f.len = RTE_ETHER_HDR_LEN + UINT16_MAX + 1;
	send_chain(TUNNEL_LAN, &f, NULL, 0);
	CU_ASSERT(dp_dropped(DROP_SEGMENTS, 1));
	tunnel_stop(&t);
}

/* Take what the WAN sent back in as the peer's, reversed if asked; the far end's own cuts with it. */
static unsigned turn_back(bool reversed)
{
	struct rte_mbuf *m[128];
	unsigned n = 0;

	while (n < RTE_DIM(m) && (m[n] = dp_out_mbuf(TUNNEL_WAN)) != NULL)
		big_turn(m[n++], TUNNEL_WAN);
	for (unsigned i = 0; i < n; i++)
		dp_send_mbuf(TUNNEL_WAN, 0, m[reversed ? n - 1 - i : i]);
	dp_run();
	return n;
}

static void there_and_back(const struct kind *k, uint16_t path, bool six, unsigned len)
{
	unsigned frames;

	read_back(false);
	CU_ASSERT_PTR_NOT_NULL_FATAL(open_sa(k, SA_OUT, path));
	big_udp(&f, six ? HOST6 : HOST4, six ? FAR6 : FAR4, len);
	send_chain(TUNNEL_LAN, &f, NULL, 0);
	CU_ASSERT_EQUAL(sa_stats_sum(t.out).packets, 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(open_sa(k, SA_IN, path));
	read_back(true);
	frames = turn_back(len & 1);
	CU_ASSERT(frames > 0);
	want = f;
	big_forwarded(&want, TUNNEL_LAN_STATION, 2);
	CU_ASSERT(big_out(TUNNEL_LAN, &want));
	CU_ASSERT(dp_none_dropped());
}

/* Every algorithm on the given path: whole in jumbo frames, and in 1500-byte fragments. */
static void all_algorithms(uint16_t path)
{
	static const unsigned lens[] = {1500, 2000, 2001, 8942, 9000, 9001, 15900, 20000, 65000};

	for (unsigned a = 0; a < n_algs; a++) {
		struct kind k = {.alg = &algs[a], .outer = a % 2 ? IP_V6 : IP_V4};

		if (path != 0 && !device_has(&algs[a]))
			continue;
		for (unsigned i = 0; i < RTE_DIM(lens); i++) {
			set_mtu(UINT16_MAX, UINT16_MAX, 16000);
			there_and_back(&k, path, i % 2, lens[i]);
			set_mtu(UINT16_MAX, UINT16_MAX, 1500);
			there_and_back(&k, path, i % 2, lens[i]);
		}
	}
}

static void algorithms(void)
{
	tunnel_start(&t);
	all_algorithms(0);
	tunnel_stop(&t);
}

static void on_device(void)
{
	all_algorithms(SA_LOOKASIDE);
}

static void algorithms_on_devices(void)
{
	on_each_device(on_device);
}

/* NAT-T, both outer families. */
static void encapsulated(void)
{
	tunnel_start(&t);
	for (unsigned outer = IP_V4; outer <= IP_V6; outer += 2) {
		struct kind k = {.alg = &algs[0], .outer = outer, .flags = SA_UDP_ENCAP};

		for (unsigned len = 9000; len <= 65000; len += 8000) {
			set_mtu(UINT16_MAX, UINT16_MAX, 9000);
			there_and_back(&k, 0, len / 8000 % 2, len);
			set_mtu(UINT16_MAX, UINT16_MAX, 1500);
			there_and_back(&k, 0, len / 8000 % 2, len);
		}
	}
	tunnel_stop(&t);
}

/* ESP cut within its outer header, its own, the IV, the text and the ICV. */
static void esp_in_segments(void)
{
	struct kind k = {.alg = &algs[0], .outer = IP_V4, .window = 1024};
	struct rte_mbuf *m;

	tunnel_start(&t);
	set_mtu(9000, 9000, 16000);
	for (unsigned len = 100; len <= 9000; len += 8900) {
		static struct big esp;
		unsigned from_end;

		for (from_end = 1; from_end < 60; from_end++) {
			uint16_t cut[2] = {from_end};

			read_back(false);
			k.first_seq = 1;
			CU_ASSERT_PTR_NOT_NULL_FATAL(open_sa(&k, SA_OUT, 0));
			big_udp(&f, HOST4, FAR4, len);
			send_chain(TUNNEL_LAN, &f, cut, 1);
			m = dp_out_mbuf(TUNNEL_WAN);
			CU_ASSERT_PTR_NOT_NULL_FATAL(m);
			big_turn(m, TUNNEL_WAN);
			esp.len = m->pkt_len;
			memcpy(esp.b, rte_pktmbuf_mtod(m, void *), m->pkt_len);
			rte_pktmbuf_free(m);
			CU_ASSERT_PTR_NOT_NULL_FATAL(open_sa(&k, SA_IN, 0));
			read_back(true);
			cut[1] = esp.len - from_end;
			send_chain(TUNNEL_WAN, &esp, cut, 2);
			want = f;
			big_forwarded(&want, TUNNEL_LAN_STATION, 2);
			CU_ASSERT_FATAL(big_out(TUNNEL_LAN, &want));
		}
	}
	CU_ASSERT(dp_none_dropped());
	tunnel_stop(&t);
}

/* Larger than ESP in one IP packet can be: dropped by name. */
static void no_room_for_esp(void)
{
	struct kind k = {.alg = &algs[0], .outer = IP_V4};

	tunnel_start(&t);
	set_mtu(UINT16_MAX, UINT16_MAX, 1500);
	CU_ASSERT_PTR_NOT_NULL_FATAL(open_sa(&k, SA_OUT, 0));
	big_udp(&f, HOST4, FAR4, 65500);
	send_chain(TUNNEL_LAN, &f, NULL, 0);
	CU_ASSERT(dp_dropped(DROP_ESP_NO_ROOM, 1));
	tunnel_stop(&t);
}

/* To the kernel, and to a capture. */
static void punted_and_mirrored(void)
{
	static const char *const ours[] = {"10.0.0.1", "2001:db8:0::1"};

	tunnel_start(&t);
	set_mtu(9000, 9000, 9000);
	for (unsigned i = 0; i < 2; i++) {
		struct rte_mbuf *m;

		big_udp(&f, i == 0 ? HOST4 : HOST6, ours[i], 9000);
		send_chain(TUNNEL_LAN, &f, NULL, 0);
		m = dp_host(0);
		CU_ASSERT_PTR_NOT_NULL_FATAL(m);
		CU_ASSERT_EQUAL(m->nb_segs, 1);
		CU_ASSERT_EQUAL_FATAL(m->pkt_len, f.len);
		CU_ASSERT_EQUAL(memcmp(rte_pktmbuf_mtod(m, void *), f.b, f.len), 0);
		rte_pktmbuf_free(m);
	}
	CU_ASSERT(dp_none_dropped());
	tunnel_stop(&t);
}

DP_MAIN("jumbo", 1, DP_TEST(cut_anywhere), DP_TEST(forwarded_sizes), DP_TEST(cut_by_a_jumbo_mtu),
	DP_TEST(no_large_buffer), DP_TEST(larger_than_a_packet), DP_TEST(algorithms),
	DP_TEST(algorithms_on_devices), DP_TEST(encapsulated), DP_TEST(esp_in_segments),
	DP_TEST(no_room_for_esp), DP_TEST(punted_and_mirrored))
