/* SPDX-License-Identifier: BSD-3-Clause */
/* An SA without replay protection (window 0; RFC 4303 3.4.3 leaves it to the receiver): every number is
 * taken, however often. What is not authentic is not. */
#include "esp_fixture.h"

static struct tunnel t;
static struct frame inner;

static void start(uint16_t flags)
{
	static const uint8_t key[20] = {1, 2, 3, 4};
	struct sa_params p = tunnel_params(SA_IN, IP_V4);
	const char *why = "";

	tunnel_start(&t);
	p.cipher = CIPHER_AES_GCM_16;
	p.enc_key = key;
	p.enc_key_len = sizeof(key);
	p.flags = flags;
	p.replay_window = 0;
	CU_ASSERT_PTR_NOT_NULL_FATAL(tunnel_sa(&t, &p, &why));
	inner = frame_udp(TUNNEL_WAN, "10.2.3.4", "10.1.2.3", 30);
}

static void passes(uint64_t seq)
{
	const struct frame f = tunnel_seal(&t, seq, &inner, 0);

	tunnel_passes(&f, &inner);
}

static void every_number_passes(void)
{
	static const uint64_t numbers[] = {5, 5, 100000, 1, 5, UINT32_MAX, UINT32_MAX, 0, 0, 2};

	start(0);
	for (unsigned i = 0; i < RTE_DIM(numbers); i++)
		passes(numbers[i]);
	CU_ASSERT_EQUAL(sa_stats_sum(t.in).packets, RTE_DIM(numbers));
	CU_ASSERT_EQUAL(sa_stats_sum(t.in).errors, 0);
	CU_ASSERT_EQUAL(t.in->replay.top, UINT32_MAX);
	tunnel_stop(&t);
}

static void forged_ones_do_not(void)
{
	struct frame f;

	start(0);
	passes(7);
	f = tunnel_seal(&t, 7, &inner, 0);
	f.b[f.len - 1] ^= 1;
	tunnel_drops(&f, DROP_ESP_ICV);
	f = tunnel_seal(&t, 1u << 31, &inner, 0);
	f.b[f.len - 1] ^= 1;
	tunnel_drops(&f, DROP_ESP_ICV);
	CU_ASSERT_EQUAL(t.in->replay.top, 7);
	passes(7);
	tunnel_stop(&t);
}

/* The upper half is still found by the highest number so far, so ESN goes together with it. */
static void with_esn(void)
{
	start(SA_ESN);
	passes((1ull << 31) - 1);
	passes((1ull << 32) - 10);
	passes((1ull << 32) + 3);
	passes((1ull << 32) - 10);
	passes((1ull << 32) + 3);
	CU_ASSERT_EQUAL(t.in->replay.top, (1ull << 32) + 3);
	tunnel_stop(&t);
}

DP_MAIN("no_replay", 1, DP_TEST(every_number_passes), DP_TEST(forged_ones_do_not),
	DP_TEST(with_esn))
