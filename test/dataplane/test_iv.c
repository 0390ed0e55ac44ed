/* SPDX-License-Identifier: BSD-3-Clause */
/* An IV of a counter mode never comes twice under a key (RFC 4106 3.1, 7634 2, 4543 3.1, 3686 3.1): it is the
 * 64-bit sequence number, which four workers take from one place; and those of AES-CBC are four workers'
 * random numbers. */
#include "esp_fixture.h"

#include "dataplane/esp.h"

#include <stdlib.h>

#define FAR4  "10.2.3.4"
#define HOST4 "10.1.2.3"
#define N     1000 /* packets to each worker */
#define ALL   (N * DP_WORKERS_MAX)

struct number {
	uint8_t iv[16];
	uint32_t seq; /* network order */
};

static struct tunnel t;
static struct number got[ALL];

static void open_sa(uint8_t cipher, uint16_t flags, uint64_t first_seq)
{
	static const uint8_t key[AUTH_KEY_MAX] = {1, 2, 3};
	const struct cipher_info *c = cipher_info(cipher);
	struct sa_params p = tunnel_params(SA_OUT, IP_V4);
	const char *why = "";

	p.cipher = cipher;
	p.auth = c->aead ? AUTH_NONE : AUTH_HMAC_SHA2_256_128;
	p.flags = flags;
	p.first_seq = first_seq;
	p.enc_key = p.auth_key = key;
	p.enc_key_len = c->key_min + c->salt;
	p.auth_key_len = auth_info(p.auth)->key;
	CU_ASSERT_PTR_NOT_NULL_FATAL(tunnel_sa(&t, &p, &why));
}

/* The same packet, again and again, to all workers at once. */
static void send_all(void)
{
	struct frame in = frame_udp(TUNNEL_LAN, HOST4, FAR4, 20), f;
	unsigned n = 0;

	for (unsigned i = 0; i < N; i++) {
		for (unsigned w = 0; w < dp.n_workers; w++)
			dp_send_queue(TUNNEL_LAN, w, &in);
		worker_turn(dp.worker[i % dp.n_workers]);
	}
	dp_run();
	while (n < ALL && dp_out_any(TUNNEL_WAN, &f)) {
		unsigned at = tunnel_esp_at(&f, t.out);

		memcpy(&got[n].seq, f.b + at + 4, 4);
		memcpy(got[n++].iv, f.b + at + 8, t.out->iv_len);
	}
	CU_ASSERT_EQUAL(n, ALL);
	CU_ASSERT(dp_none_dropped());
}

static int by_iv(const void *a, const void *b)
{
	return memcmp(((const struct number *)a)->iv, ((const struct number *)b)->iv, 16);
}

static unsigned repeated(void)
{
	unsigned n = 0;

	qsort(got, ALL, sizeof(*got), by_iv);
	for (unsigned i = 1; i < ALL; i++)
		n += memcmp(got[i - 1].iv, got[i].iv, 16) == 0;
	return n;
}

/* Sorted, they are all the numbers there were, in whole; and each stands beside its own lower half. */
static void are_numbers_from(uint64_t first)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < ALL; i++) {
		uint64_t be = rte_cpu_to_be_64(first + i);

		wrong += memcmp(got[i].iv, &be, sizeof(be)) != 0;
		wrong += got[i].seq != rte_cpu_to_be_32(first + i);
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

static void counter_modes(void)
{
	static const uint8_t ciphers[] = {
		CIPHER_AES_GCM_16, CIPHER_CHACHA20_POLY1305, CIPHER_AES_CTR, CIPHER_AES_GMAC};

	tunnel_start(&t);
	for (unsigned parallel = 0; parallel < 2; parallel++) {
		atomic_store(&t.vti->flags, IFACE_UP | (parallel ? IFACE_PARALLEL : 0));
		for (unsigned i = 0; i < RTE_DIM(ciphers); i++) {
			memset(got, 0, sizeof(got));
			open_sa(ciphers[i], 0, 1);
			send_all();
			CU_ASSERT_EQUAL(repeated(), 0);
			are_numbers_from(1);
			/* Over the lower half's end, where only the upper one tells them apart. */
			memset(got, 0, sizeof(got));
			open_sa(ciphers[i], SA_ESN, (5ull << 32) - ALL / 2);
			send_all();
			CU_ASSERT_EQUAL(repeated(), 0);
			are_numbers_from((5ull << 32) - ALL / 2);
		}
	}
	tunnel_stop(&t);
}

static void cbc(void)
{
	tunnel_start(&t);
	atomic_store(&t.vti->flags, IFACE_UP | IFACE_PARALLEL);
	open_sa(CIPHER_AES_CBC, 0, 1);
	send_all();
	for (unsigned w = 0; w < dp.n_workers; w++)
		CU_ASSERT_EQUAL(t.out->worker[w].packets, N);
	CU_ASSERT_EQUAL(repeated(), 0);
	tunnel_stop(&t);
}

DP_MAIN("iv", DP_WORKERS_MAX, DP_TEST(counter_modes), DP_TEST(cbc))
