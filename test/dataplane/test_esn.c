/* SPDX-License-Identifier: BSD-3-Clause */
/* Sequence numbers through the whole dataplane: windows of all sizes, the ends of 2^31 and 2^32, with
 * loss and reordering, and two workers that receive on one SA at the same time. */
#include "esp_fixture.h"

#define FAR4  "10.2.3.4"
#define HOST4 "10.1.2.3"

static const uint32_t windows[] = {32, 64, 128, 1024, 4096};

static struct tunnel t;
static struct frame inner;

/* Everything up to `top` has been received. */
static void open_sa(uint16_t flags, uint32_t window, uint64_t top)
{
	static const uint8_t key[20] = {1, 2, 3, 4};
	struct sa_params p = tunnel_params(SA_IN, IP_V4);
	const char *why = "";

	p.cipher = CIPHER_AES_GCM_16;
	p.enc_key = key;
	p.enc_key_len = sizeof(key);
	p.flags = flags;
	p.replay_window = window;
	p.first_seq = top + 1;
	CU_ASSERT_PTR_NOT_NULL_FATAL(tunnel_sa(&t, &p, &why));
}

static void start(void)
{
	tunnel_start(&t);
	inner = frame_udp(TUNNEL_WAN, FAR4, HOST4, 30);
}

/* A packet of this number, to one worker or the other: what was made of it? */
static enum drop_reason verdict(uint64_t seq)
{
	static uint64_t before[DROP_REASON_COUNT];
	struct frame f = tunnel_seal(&t, seq, &inner, 0), got;
	enum drop_reason found = DROP_REASON_COUNT;
	static unsigned queue;

	for (unsigned r = 0; r < DROP_REASON_COUNT; r++)
		before[r] = dp.worker[0]->stats.drops[r] + dp.worker[1]->stats.drops[r];
	dp_send_queue(TUNNEL_WAN, queue++ % 2, &f);
	dp_run();
	for (unsigned r = 0; r < DROP_REASON_COUNT; r++) {
		if (dp.worker[0]->stats.drops[r] + dp.worker[1]->stats.drops[r] != before[r])
			found = r;
	}
	dp_drops_forget();
	CU_ASSERT_EQUAL(dp_out_any(TUNNEL_LAN, &got), found == DROP_REASON_COUNT);
	return found;
}

#define PASSES(seq)        CU_ASSERT_EQUAL_FATAL(verdict(seq), DROP_REASON_COUNT)
#define DROPS(seq, reason) CU_ASSERT_EQUAL_FATAL(verdict(seq), reason)

/* Left edge, duplicates and what is late, each by its own counter. */
static void edges_of_windows(void)
{
	start();
	for (unsigned i = 0; i < RTE_DIM(windows); i++) {
		const uint32_t w = windows[i];
		uint64_t top = 3 * w + 5;

		open_sa(0, w, 0);
		PASSES(1);
		PASSES(top);
		DROPS(top, DROP_ESP_REPLAY);
		PASSES(top - w + 1);
		DROPS(top - w + 1, DROP_ESP_REPLAY);
		DROPS(top - w, DROP_ESP_LATE);
		DROPS(1, DROP_ESP_LATE);
		DROPS(0, DROP_ESP_SEQ_ZERO);
		PASSES(top - 1);
		PASSES(top + 1);
		DROPS(top - w + 1, DROP_ESP_LATE);
		DROPS(top - 1, DROP_ESP_REPLAY);
		CU_ASSERT_EQUAL(t.in->replay.top, top + 1);
		CU_ASSERT_EQUAL(sa_stats_sum(t.in).packets, 5);
		CU_ASSERT_EQUAL(sa_stats_sum(t.in).errors, 7);
	}
	tunnel_stop(&t);
}

/* Without ESN a number is what it says: half of the space further on is further on, and the last number
 * of all is taken as well as any. */
static void half_of_the_space_ahead(void)
{
	start();
	for (unsigned i = 0; i < RTE_DIM(windows); i++) {
		const uint32_t w = windows[i];

		open_sa(0, w, 0);
		PASSES(5);
		PASSES(5 + (1ull << 31) - 1);
		DROPS(5, DROP_ESP_LATE);
		PASSES(5 + (1ull << 31));
		DROPS(5 + (1ull << 31), DROP_ESP_REPLAY);
		DROPS(5 + (1ull << 31) - w, DROP_ESP_LATE);
		PASSES(UINT32_MAX);
		PASSES(UINT32_MAX - w + 1);
		DROPS(UINT32_MAX - w, DROP_ESP_LATE);
		/* There is no number 2^32: it can't come round. */
		DROPS(1, DROP_ESP_LATE);
		DROPS(UINT32_MAX, DROP_ESP_REPLAY);
	}
	tunnel_stop(&t);
}

/* RFC 4303 A2: the window and what is behind its top are all that the lower half can mean. So with a
 * window of W the furthest jump is 2^32 - W, and what is left of the window is taken for 2^32 more than it
 * is: its ICV says no, which also is why it is no ESP_LATE. */
static void far_jumps_with_esn(void)
{
	static const uint64_t tops[] = {5000, (1ull << 31) - 1, 1ull << 31, (1ull << 32) - 1,
		1ull << 32, (1ull << 32) + 5, (7ull << 32) + (1u << 31), (7ull << 32) - 100};
	static const uint64_t jumps[] = {1, (1ull << 31) - 1, 1ull << 31, (1ull << 31) + 1};

	start();
	for (unsigned i = 0; i < RTE_DIM(windows); i++) {
		const uint32_t w = windows[i];

		for (unsigned k = 0; k < RTE_DIM(tops); k++) {
			for (unsigned j = 0; j < RTE_DIM(jumps); j++) {
				open_sa(SA_ESN, w, tops[k]);
				PASSES(tops[k] + jumps[j]);
				DROPS(tops[k] + jumps[j], DROP_ESP_REPLAY);
			}
			open_sa(SA_ESN, w, tops[k]);
			/* Too far by one: the window's left edge, which has been seen. */
			DROPS(tops[k] + (1ull << 32) - w + 1, DROP_ESP_REPLAY);
			CU_ASSERT_EQUAL(t.in->replay.top, tops[k]);
			PASSES(tops[k] + (1ull << 32) - w);
			DROPS(tops[k], DROP_ESP_ICV);
			DROPS(tops[k] + (1ull << 32) - 2 * w, DROP_ESP_ICV);
			PASSES(tops[k] + (1ull << 32) - w - 1);
		}
	}
	tunnel_stop(&t);
}

/* In the order of arrival: groups of 16 back to front, one in three lost. */
static uint64_t arriving(uint64_t first, unsigned n)
{
	return first + (n & ~15u) + 15 - (n & 15);
}

/* Both workers take packets of one SA while it goes over the lower half's end. What was lost comes late:
 * it passes as long as the window reaches it, once. */
static void over_the_end_with_loss_and_reorder(void)
{
	static const uint64_t ends[] = {1ull << 31, 1ull << 32, 9ull << 32};

	start();
	for (unsigned i = 0; i < RTE_DIM(windows); i++) {
		const uint32_t w = windows[i], n = RTE_MIN(w + 64, 1088u) & ~15u;

		for (unsigned k = 0; k < RTE_DIM(ends); k++) {
			const uint64_t first = ends[k] - n / 2;
			uint64_t late, top;

			open_sa(SA_ESN, w, first - 1);
			for (unsigned a = 0; a < n; a++) {
				if (arriving(first, a) % 3 != 0)
					PASSES(arriving(first, a));
			}
			top = t.in->replay.top;
			for (unsigned a = 0; a < n; a++) {
				late = arriving(first, a);
				if (late > top)
					continue;
				CU_ASSERT_EQUAL_FATAL(verdict(late),
					top - late >= w         ? DROP_ESP_ICV
						: late % 3 != 0 ? DROP_ESP_REPLAY
								: DROP_REASON_COUNT);
			}
		}
	}
	tunnel_stop(&t);
}

/* Somebody who knows the SPI, but no key, sends the first numbers behind the end. */
static void forgeries_at_the_end_move_nothing(void)
{
	const uint64_t end = 1ull << 32;
	struct frame f;

	start();
	open_sa(SA_ESN, 64, end - 10);
	for (uint64_t seq = end; seq < end + 1000; seq += 77) {
		f = tunnel_seal(&t, seq, &inner, 0);
		f.b[f.len - 1] ^= 1;
		tunnel_drops(&f, DROP_ESP_ICV);
		/* The right bits of the next 2^32, whose upper half nobody sees. */
		DROPS(seq + end, DROP_ESP_ICV);
	}
	CU_ASSERT_EQUAL(t.in->replay.top, end - 10);
	for (uint64_t seq = end - 9; seq < end + 10; seq++)
		PASSES(seq);
	tunnel_stop(&t);
}

/* Each packet comes twice, once to each worker, in the same turn: one of the two passes. */
static void twins_at_two_workers(void)
{
	enum {
		N = 400
	};
	uint8_t seen[N] = {0};
	unsigned wrong = 0;
	struct frame got;

	start();
	open_sa(SA_ESN, 1024, (1ull << 32) - N / 2);
	for (unsigned i = 0; i < N; i++) {
		struct frame in = inner, f;

		memcpy(in.b + L3 + 28, &i, sizeof(i));
		f = tunnel_seal(&t, (1ull << 32) - N / 2 + 1 + i, &in, 0);
		dp_send_queue(TUNNEL_WAN, 0, &f);
		dp_send_queue(TUNNEL_WAN, 1, &f);
	}
	dp_run();
	for (unsigned i = 0, at; i < N; i++) {
		CU_ASSERT_FATAL(dp_out_any(TUNNEL_LAN, &got));
		memcpy(&at, got.b + L3 + 28, sizeof(at));
		wrong += at >= N || seen[at]++ != 0;
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(dp_dropped(DROP_ESP_REPLAY, N));
	CU_ASSERT(dp.worker[0]->stats.drops[DROP_ESP_REPLAY] != 0 ||
		dp.worker[1]->stats.drops[DROP_ESP_REPLAY] != 0);
	tunnel_stop(&t);
}

DP_MAIN("esn", 2, DP_TEST(edges_of_windows), DP_TEST(half_of_the_space_ahead),
	DP_TEST(far_jumps_with_esn), DP_TEST(over_the_end_with_loss_and_reorder),
	DP_TEST(forgeries_at_the_end_move_nothing), DP_TEST(twins_at_two_workers))
