/* SPDX-License-Identifier: BSD-3-Clause */
/* ESP in fragments, on four workers whose queues the fragments reach in any way: it comes out of the tunnel
 * once, or is dropped by name. Fragments inside a tunnel pass as they are. */
#include "far_end.h"

#include <rte_cycles.h>

#include <netinet/in.h>
#include <stdlib.h>

#define HOST4 "10.1.0.9" /* behind port 0 */
#define HOST6 "2001:db8:a::9"
#define FAR4  "10.2.3.4" /* behind the tunnel */
#define FAR6  "2001:db8:b::4"

static struct tunnel t;
static uint32_t packet_id;

static void open_tunnel(uint8_t outer, uint16_t flags)
{
	tunnel_start(&t);
	CU_ASSERT_PTR_NOT_NULL_FATAL(tunnel_plain_sa(&t, SA_IN, outer, flags));
	CU_ASSERT_PTR_NOT_NULL_FATAL(tunnel_plain_sa(&t, SA_OUT, outer, flags));
}

/* An inner packet from behind the tunnel. */
static struct frame inner_of(bool six, unsigned payload)
{
	return frame_udp(TUNNEL_WAN, six ? FAR6 : FAR4, six ? HOST6 : HOST4, payload);
}

static struct frame fragment4(const struct frame *f, unsigned from, unsigned to, bool more)
{
	struct frame p = *f;

	memmove(p.b + L3 + 20, f->b + L3 + 20 + from, to - from);
	p.len = L3 + 20 + to - from;
	p.b[L3 + 2] = (20 + to - from) >> 8;
	p.b[L3 + 3] = (20 + to - from) & 0xff;
	p.b[L3 + 4] = packet_id >> 8;
	p.b[L3 + 5] = packet_id;
	p.b[L3 + 6] = from / 8 >> 8 | (more ? 0x20 : 0);
	p.b[L3 + 7] = from / 8;
	frame_checksum(&p);
	return p;
}

static struct frame fragment6(const struct frame *f, unsigned from, unsigned to, bool more)
{
	const uint8_t ext[8] = {f->b[L3 + 6], 0, from >> 8, (from & 0xf8) | more, 0,
		packet_id >> 16, packet_id >> 8, packet_id};
	struct frame p = *f;

	memcpy(p.b + L3 + 40, ext, 8);
	memcpy(p.b + L3 + 48, f->b + L3 + 40 + from, to - from);
	p.len = L3 + 48 + to - from;
	p.b[L3 + 4] = (8 + to - from) >> 8;
	p.b[L3 + 5] = (8 + to - from) & 0xff;
	p.b[L3 + 6] = IPPROTO_FRAGMENT;
	return p;
}

/* The payload's bytes [from, to) of f, which may be less. packet_id is the identification. */
static struct frame fragment(const struct frame *f, unsigned from, unsigned to)
{
	const bool six = f->b[L3] >> 4 == 6;
	const unsigned len = f->len - L3 - (six ? 40 : 20), end = RTE_MIN(to, len);

	return six ? fragment6(f, from, end, end < len) : fragment4(f, from, end, end < len);
}

static unsigned payload_of(const struct frame *f)
{
	return f->len - L3 - (f->b[L3] >> 4 == 6 ? 40 : 20);
}

static bool comes_out(const struct frame *inner)
{
	const struct frame want = frame_forwarded(inner, TUNNEL_LAN, TUNNEL_LAN_STATION);

	return dp_out(TUNNEL_LAN, &want);
}

/* Three fragments in any order, each to another worker's queue. */
static void any_order_any_queue(void)
{
	static const uint8_t orders[][3] = {
		{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	static const uint16_t flags[] = {0, SA_UDP_ENCAP};

	for (unsigned k = 0; k < 4; k++) {
		uint64_t seq = 1;

		open_tunnel(k & 1 ? IP_V6 : IP_V4, flags[k >> 1]);
		for (unsigned i = 0; i < RTE_DIM(orders); i++) {
			for (unsigned shift = 0; shift < DP_WORKERS_MAX; shift++, packet_id++) {
				struct frame in = inner_of(i & 1, 900 + shift), esp, piece;

				esp = tunnel_seal(&t, seq++, &in, 0);
				for (unsigned n = 0; n < 3; n++) {
					unsigned at = orders[i][n] * 400;

					piece = fragment(&esp, at, at + (at == 800 ? 2000 : 400));
					dp_send_queue(
						TUNNEL_WAN, (n + shift) % DP_WORKERS_MAX, &piece);
				}
				dp_run();
				CU_ASSERT_FATAL(comes_out(&in));
			}
		}
		CU_ASSERT(dp_none_dropped());
		tunnel_stop(&t);
	}
}

/* A fragment header of a packet that is whole (RFC 6946) holds nothing up, also while fragments with its
 * identification wait. */
static void atomic_fragments(void)
{
	struct frame in, esp, piece;

	open_tunnel(IP_V6, 0);
	in = inner_of(false, 900);
	esp = tunnel_seal(&t, 1, &in, 0);
	piece = fragment(&esp, 0, 400);
	dp_send(TUNNEL_WAN, &piece);
	esp = tunnel_seal(&t, 2, &in, 0);
	piece = fragment6(&esp, 0, payload_of(&esp), false);
	dp_send(TUNNEL_WAN, &piece);
	dp_run();
	CU_ASSERT(comes_out(&in));
	CU_ASSERT(dp_none_dropped());
	tunnel_stop(&t);
}

/* One of the fragments overlaps another: nothing comes out, not even when the rest comes. */
static void overlapping(void)
{
	for (unsigned outer = IP_V4; outer <= IP_V6; outer += 2) {
		struct frame in, esp, piece;

		open_tunnel(outer, 0);
		in = inner_of(false, 900);
		esp = tunnel_seal(&t, 1, &in, 0);
		piece = fragment(&esp, 0, 400);
		dp_send_queue(TUNNEL_WAN, 0, &piece);
		dp_run();
		piece = fragment(&esp, 392, 800);
		dp_send_queue(TUNNEL_WAN, 1, &piece);
		dp_run();
		piece = fragment(&esp, 400, 2000);
		dp_send_queue(TUNNEL_WAN, 2, &piece);
		dp_run();
		CU_ASSERT(dp_quiet());
		CU_ASSERT(dp_dropped(DROP_FRAG_OVERLAP, 3));
		packet_id++;
		tunnel_stop(&t);
	}
}

/* What no fragment can be, each by its name. */
static void refused_at_once(void)
{
	for (unsigned outer = IP_V4; outer <= IP_V6; outer += 2) {
		struct frame in, esp, piece;

		open_tunnel(outer, 0);
		in = inner_of(false, 900);
		esp = tunnel_seal(&t, 1, &in, 0);
		piece = fragment(&esp, 0, 8);
		dp_send(TUNNEL_WAN, &piece);
		dp_run();
		CU_ASSERT(dp_dropped(DROP_FRAG_TINY, 1));
		piece = fragment(&esp, 0, 401);
		dp_send(TUNNEL_WAN, &piece);
		dp_run();
		CU_ASSERT(dp_dropped(DROP_FRAG_INVALID, 1));
		piece = fragment(&esp, 400, 2000); /* to the end, which is moved beyond 65535 */
		if (outer == IP_V4) {
			piece.b[L3 + 6] = 0x1f;
			piece.b[L3 + 7] = 0xff;
			frame_checksum(&piece);
		} else {
			piece.b[L3 + 42] = 0xff;
			piece.b[L3 + 43] = 0xf8;
		}
		dp_send(TUNNEL_WAN, &piece);
		dp_run();
		CU_ASSERT(dp_dropped(DROP_FRAG_INVALID, 1));
		tunnel_stop(&t);
	}
}

/* A flood of first fragments from one source, and of the peer's own address (forged): another source's
 * packet in fragments gets through all the while, and all buffers are accounted for. */
static void flood(void)
{
	static const char *const from[] = {"203.0.113.77", TUNNEL_PEER4};
	uint64_t seq = 1, dropped = 0;

	open_tunnel(IP_V4, 0);
	for (unsigned s = 0; s < RTE_DIM(from); s++) {
		const uint8_t text[500] = {1, 2, 3};
		struct frame f = frame_ip(
			TUNNEL_WAN, from[s], TUNNEL_LOCAL4, IPPROTO_ESP, text, sizeof(text));

		for (unsigned i = 0; i < 3000; i++, packet_id++) {
			struct frame piece = fragment(&f, 0, 400), in, esp;

			dp_send_queue(TUNNEL_WAN, i % DP_WORKERS_MAX, &piece);
			if (i % 100 != 99)
				continue;
			if (s == 1) /* else those pass by between its two fragments */
				dp_run();
			in = inner_of(i % 200 == 99, 900);
			esp = tunnel_seal(&t, seq++, &in, 0);
			packet_id++;
			piece = fragment(&esp, 0, 400);
			dp_send_queue(TUNNEL_WAN, 0, &piece);
			piece = fragment(&esp, 400, 2000);
			dp_send_queue(TUNNEL_WAN, 3, &piece);
			dp_run();
			CU_ASSERT_FATAL(comes_out(&in));
			/* An eighth of the buffers is the most that all sources together have. */
			CU_ASSERT(rte_mempool_in_use_count(dp.pool) <= dp.pool->size / 8);
		}
	}
	for (unsigned i = 0; i < dp.n_workers; i++)
		dropped += dp.worker[i]->stats.drops[DROP_FRAG_FULL];
	CU_ASSERT(dropped >= 2 * 3000 - 2 * 33);
	CU_ASSERT(dp_dropped(DROP_FRAG_FULL, dropped));
	tunnel_stop(&t);
}

/* Fragments inside: the same bytes come out at the other end, none is joined or cut. */
static void inner_fragments_are_untouched(void)
{
	for (unsigned six = 0; six < 2; six++) {
		struct frame f = frame_udp(0, six ? HOST6 : HOST4, six ? FAR6 : FAR4, 1200), got;
		uint64_t joined = 0;

		open_tunnel(IP_V4, 0);
		packet_id = 4711;
		for (unsigned at = 0; at < 1208; at += 400) { /* out */
			struct frame piece = fragment(&f, at, at + 400), want;

			want = frame_forwarded(&piece, TUNNEL_LAN, 0);
			dp_send(TUNNEL_LAN, &piece);
			dp_run();
			CU_ASSERT(far_end_got(&got));
			CU_ASSERT(got.len == want.len &&
				memcmp(got.b + L3, want.b + L3, got.len - L3) == 0);
		}
		f = inner_of(six, 1200);
		for (unsigned at = 0; at < 1208; at += 400) { /* in */
			struct frame piece = fragment(&f, at, at + 400);
			struct frame esp = tunnel_seal(&t, 1 + at, &piece, 0);

			tunnel_passes(&esp, &piece);
		}
		for (unsigned i = 0; i < dp.n_workers; i++)
			joined += dp.worker[i]->stats.fragments_joined +
				dp.worker[i]->stats.fragments_made;
		CU_ASSERT_EQUAL(joined, 0);
		CU_ASSERT(dp_none_dropped());
		tunnel_stop(&t);
	}
}

/* Cut into 2 to 5 pieces at random places, in random order to random queues, some lost, some twice, some cut
 * elsewhere the second time. What comes out is what went in, at most once. */
static void one_random_packet(struct drand48_data *rnd, uint64_t seq, unsigned *passed)
{
	struct frame in = inner_of(seq & 1, 300 + seq % 900), esp = tunnel_seal(&t, seq, &in, 0),
		     got;
	struct frame piece[16];
	const unsigned len = payload_of(&esp);
	unsigned n = 0, at = 0;
	long r;

	packet_id++;
	while (at < len && n < 8) {
		unsigned size;

		lrand48_r(rnd, &r);
		size = n == 7 ? 2000 : 48 + r % 500 / 8 * 8;
		if (r >> 16 & 15)
			piece[n++] = fragment(&esp, at, at + size);
		if ((r >> 20 & 31) == 0)
			piece[n++] = fragment(&esp, at, at + size);
		if ((r >> 25 & 31) == 0)
			piece[n++] = fragment(&esp, at / 2 / 8 * 8, at + size);
		at += size;
	}
	for (unsigned i = n; i > 1; i--) {
		struct frame swap = piece[i - 1];

		lrand48_r(rnd, &r);
		piece[i - 1] = piece[r % i];
		piece[r % i] = swap;
	}
	for (unsigned i = 0; i < n; i++) {
		lrand48_r(rnd, &r);
		dp_send_queue(TUNNEL_WAN, r % DP_WORKERS_MAX, &piece[i]);
		if (r >> 10 & 1)
			dp_run();
	}
	dp_run();
	if (dp_out_any(TUNNEL_LAN, &got)) {
		in = frame_forwarded(&in, TUNNEL_LAN, TUNNEL_LAN_STATION);
		CU_ASSERT_FATAL(frame_eq(&in, got.b, got.len));
		(*passed)++;
	}
	CU_ASSERT_FATAL(dp_quiet());
}

static void random_fragments(void)
{
	struct drand48_data rnd;
	unsigned passed = 0, waiting = 0;

	srand48_r(4711, &rnd);
	for (unsigned outer = IP_V4; outer <= IP_V6; outer += 2) {
		open_tunnel(outer, 0);
		for (uint64_t seq = 1; seq <= 3000; seq++)
			one_random_packet(&rnd, seq, &passed);
		waiting += rte_mempool_in_use_count(dp.pool);
		for (unsigned i = 0; i < dp.n_workers; i++) {
			dp.worker[i]->now += 31 * rte_get_tsc_hz();
			reassemble_expire(dp.worker[i]);
		}
		dp_run();
		CU_ASSERT_EQUAL(rte_mempool_in_use_count(dp.pool), 0);
		dp_drops_forget();
		tunnel_stop(&t);
	}
	CU_ASSERT(passed > 3000 && passed < 5900);
	CU_ASSERT(waiting > 0);
}

DP_MAIN("fragments", DP_WORKERS_MAX, DP_TEST(any_order_any_queue), DP_TEST(atomic_fragments),
	DP_TEST(overlapping), DP_TEST(refused_at_once), DP_TEST(flood),
	DP_TEST(inner_fragments_are_untouched), DP_TEST(random_fragments))
