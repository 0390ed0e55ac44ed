/* SPDX-License-Identifier: BSD-3-Clause */
/* Four workers as threads, one tunnel: each packet is encrypted, comes back, is decrypted and leaves, and
 * all in the order in which they came. Nothing here depends on who does how much, or when. */
#include "control/routing/fib_writer.h"
#include "dp_sa.h"

#include <pthread.h>
#include <unistd.h>

#define HOST4 "10.0.0.9" /* behind port 0 */
#define FAR4  "10.2.3.4" /* through the tunnel; when decrypted, behind port 2 */
#define US4   "10.0.1.1"
#define PEER4 "192.0.2.2" /* behind port 1 */
#define SPI   0x1000

#define PACKETS   30000
#define UNDER_WAY 2000 /* at most: less than any ring or the pool holds */
#define BURST     256
#define WAIT_MS   60000 /* without a packet: something is lost */

static _Atomic bool stop;

static void *run(void *worker)
{
	worker_run(worker, &stop, 50);
	return NULL;
}

static struct frame inner(unsigned n)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 40 + n % 7 * 150);

	memcpy(f.b + L3 + 28, &n, sizeof(n));
	return f;
}

/* Decrypted packets are routed by another table than those to be encrypted. */
static void open_tunnel(const struct dp_sa *conf, unsigned serving)
{
	struct iface *out = dp_vti("out0"), *in = dp_vti("in0");
	struct addr far = dp_addr("10.2.0.0");
	struct dp_sa c = *conf;

	while (out->id % dp.n_workers != serving)
		out = dp_vti("out");
	c.dir = SA_OUT;
	dp_sa(out, &c);
	c.dir = SA_IN;
	dp_sa(in, &c);
	in->vrf = 1;
	dp_route("192.0.2.2/32", dp_station(1, "10.0.1.2", 2));
	dp_route("10.2.0.0/16", dp_through(out));
	must(fib_create(1, 16, 16) == 0, "second FIB");
	must(fib_set(1, &far, 16, dp_station(2, "10.0.2.3", 3)) == 0 && fib_commit(1) == 0,
		"route");
}

/* What has come out of port 1 comes in there again, as from the peer. */
static unsigned turn_round(void)
{
	const struct rte_ether_addr to = mac_of_port(1);
	struct rte_mbuf *m[BURST];
	unsigned total = 0, n;

	for (unsigned q = 0; q < dp.n_workers; q++) {
		n = rte_ring_dequeue_burst(dp.port[1].tx[q], (void **)m, BURST, NULL);
		for (unsigned i = 0; i < n; i++)
			memcpy(rte_pktmbuf_mtod(m[i], void *), &to, sizeof(to));
		must(rte_ring_enqueue_bulk(dp.port[1].rx[0], (void **)m, n, NULL) == n, "ring");
		total += n;
	}
	return total;
}

/* The next frame out of port 2 is packet n. */
static bool arrived(unsigned n)
{
	struct frame got, f = inner(n), want;

	if (!dp_out_any(2, &got))
		return false;
	f.b[L3 + 8]--;
	frame_checksum(&f);
	want = frame_forwarded(&f, 2, 3);
	CU_ASSERT(frame_eq(&want, got.b, got.len));
	return true;
}

static void carry(void)
{
	unsigned sent = 0, back = 0, idle_ms = 0;

	while (back < PACKETS && idle_ms < WAIT_MS) {
		unsigned before = sent + back;

		for (; sent < PACKETS && sent - back < UNDER_WAY; sent++) {
			struct frame f = inner(sent);

			dp_send(0, &f);
		}
		before -= turn_round();
		while (back < sent && arrived(back))
			back++;
		if (sent + back != before) {
			idle_ms = 0;
			continue;
		}
		usleep(1000);
		idle_ms++;
	}
	CU_ASSERT_EQUAL(back, PACKETS);
}

static void there_and_back(const struct dp_sa *conf, unsigned serving)
{
	pthread_t thread[DP_WORKERS_MAX];
	uint64_t sealed = 0, opened = 0;

	open_tunnel(conf, serving);
	atomic_store(&stop, false);
	for (unsigned i = 0; i < dp.n_workers; i++)
		must(pthread_create(&thread[i], NULL, run, dp.worker[i]) == 0, "thread");
	carry();
	atomic_store(&stop, true);
	for (unsigned i = 0; i < dp.n_workers; i++)
		pthread_join(thread[i], NULL);
	fib_destroy(1);
	CU_ASSERT(dp_none_dropped());
	for (unsigned i = 0; i < dp.n_workers; i++) {
		sealed += dp.worker[i]->cycles.stage[CYCLES_ENCRYPT].packets;
		opened += dp.worker[i]->cycles.stage[CYCLES_DECRYPT].packets;
	}
	CU_ASSERT_EQUAL(sealed, PACKETS);
	CU_ASSERT_EQUAL(opened, PACKETS);
}

static void gcm(void)
{
	there_and_back(&(struct dp_sa){.spi = SPI, .src = US4, .dst = PEER4}, 0);
}

/* The worker that receives is not the one that numbers. */
static void gcm_served_by_another(void)
{
	there_and_back(&(struct dp_sa){.spi = SPI, .src = US4, .dst = PEER4}, 1);
}

static void cbc_hmac(void)
{
	there_and_back(&(struct dp_sa){.spi = SPI,
			       .src = US4,
			       .dst = PEER4,
			       .cipher = CIPHER_AES_CBC,
			       .auth = AUTH_HMAC_SHA2_256_128},
		0);
}

static void esn_in_udp(void)
{
	there_and_back(
		&(struct dp_sa){
			.spi = SPI, .src = US4, .dst = PEER4, .flags = SA_ESN | SA_UDP_ENCAP},
		2);
}

DP_MAIN("lend_threads", 4, DP_TEST(gcm), DP_TEST(gcm_served_by_another), DP_TEST(cbc_hmac),
	DP_TEST(esn_in_udp))
