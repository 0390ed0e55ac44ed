/* SPDX-License-Identifier: BSD-3-Clause */
/* Cycles per packet of the ESP stages, without I/O and routing, beside IPsec-MB's one-shot AES-GCM
 * on the same buffers in the same run.
 *
 *	bench_esp [<seconds per line>] [<packets per burst>] [<algorithm>] [<inner size>]
 *
 * Each round encrypts a burst, decrypts it again and runs the crypto alone, so that a change of the
 * core's clock meets all three; the best round and the median are shown, in TSC cycles. */
#include "dataplane/crypto.h"
#include "dataplane/esp.h"
#include "dataplane/fib.h"
#include "dataplane/nexthop.h"
#include "dataplane/worker.h"

#include <intel-ipsec-mb.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ip.h>
#include <rte_malloc.h>

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#define SAS    128
#define BURSTS 32 /* timed together, one round */
#define ROUNDS 100000
#define NH_ID  100

struct algorithm {
	const char *name;
	uint8_t cipher, auth, key_len;
};

static const struct algorithm algorithms[] = {
	{"aes-gcm-128", CIPHER_AES_GCM_16, AUTH_NONE, 20},
	{"aes-gcm-256", CIPHER_AES_GCM_16, AUTH_NONE, 36},
	{"chacha20-poly1305", CIPHER_CHACHA20_POLY1305, AUTH_NONE, 36},
	{"aes-cbc-128 sha1", CIPHER_AES_CBC, AUTH_HMAC_SHA1_96, 16},
	{"aes-cbc-128 sha256", CIPHER_AES_CBC, AUTH_HMAC_SHA2_256_128, 16},
	{"aes-cbc-256 sha512", CIPHER_AES_CBC, AUTH_HMAC_SHA2_512_256, 32},
	{"null sha256", CIPHER_NULL, AUTH_HMAC_SHA2_256_128, 0},
};

static struct worker *w;
static struct rte_mempool *pool;
static struct iface *vti, *port;
static struct sa *sa_in[SAS], *sa_out[SAS];
static struct rte_mbuf *mbuf[VEC_MAX];
static struct pkt inner[VEC_MAX];
static unsigned burst = VEC_MAX;

static uint64_t samples[3][ROUNDS];

enum {
	SEALED,
	OPENED,
	ALONE
};

static struct iface *make_iface(enum iface_kind kind)
{
	struct iface *i =
		rte_zmalloc(NULL, sizeof(*i) + sizeof(struct iface_stats), RTE_CACHE_LINE_SIZE);

	i->kind = kind;
	i->flags = IFACE_UP | IFACE_CARRIER;
	i->mtu = 9000;
	return i;
}

static void make_world(void)
{
	static struct fib fib;
	static struct nexthop nh = {.type = NH_PORT, .l2_len = RTE_ETHER_HDR_LEN, .id = NH_ID};

	pool = rte_pktmbuf_pool_create("packets", 2 * VEC_MAX - 1, 0, MBUF_PRIV_SIZE,
		2048 + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY);
	w = worker_new(0, 1, pool, NULL);
	vti = make_iface(IFACE_VTI);
	port = make_iface(IFACE_PORT);
	nh.iface = port;
	nexthop_table[NH_ID] = &nh;
	fib_table[0] = &fib;
	rte_pktmbuf_alloc_bulk(pool, mbuf, VEC_MAX);
}

static struct sa *make_sa(const struct algorithm *a, enum sa_dir dir, unsigned n)
{
	uint8_t key[ENC_KEY_MAX], auth_key[AUTH_KEY_MAX];
	struct sa_params p = {
		.spi = 1000 + n,
		.dir = dir,
		.cipher = a->cipher,
		.auth = a->auth,
		.src = addr_v4(RTE_BE32(RTE_IPV4(192, 0, 2, 1))),
		.dst = addr_v4(RTE_BE32(RTE_IPV4(192, 0, 2, 2))),
		.replay_window = REPLAY_WINDOW_DEFAULT,
		.enc_key_len = a->key_len,
		.auth_key_len = auth_info(a->auth)->key,
		.enc_key = key,
		.auth_key = auth_key,
	};
	const char *why = "";
	struct sa *sa;

	memset(key, n, sizeof(key));
	memset(auth_key, n, sizeof(auth_key));
	sa = sa_create(&p, 1, &why);
	if (sa == NULL) {
		fprintf(stderr, "%s\n", why);
		exit(1);
	}
	sa->vti = vti;
	sa->worker[0].nh_id = NH_ID;
	sa->worker[0].nh_generation = 1;
	return sa;
}

static void make_packets(unsigned len)
{
	for (unsigned i = 0; i < VEC_MAX; i++) {
		struct rte_ipv4_hdr *ip;
		char *frame;

		rte_pktmbuf_reset(mbuf[i]);
		frame = rte_pktmbuf_append(mbuf[i], len + RTE_ETHER_HDR_LEN);
		if (frame == NULL)
			abort();
		ip = (struct rte_ipv4_hdr *)(frame + RTE_ETHER_HDR_LEN);
		memset(ip, 0, len);
		ip->version_ihl = RTE_IPV4_VHL_DEF;
		ip->total_length = rte_cpu_to_be_16(len);
		ip->time_to_live = 64;
		ip->next_proto_id = IPPROTO_UDP;
		ip->src_addr = RTE_BE32(RTE_IPV4(10, 1, 0, 1));
		ip->dst_addr = RTE_BE32(RTE_IPV4(10, 2, 0, 1));
		ip->hdr_checksum = rte_ipv4_cksum(ip);
		inner[i] = (struct pkt){.m = mbuf[i],
			.l3 = (uint8_t *)ip,
			.in = port,
			.len = len,
			.l4_off = sizeof(*ip),
			.family = IP_V4,
			.proto = IPPROTO_UDP};
	}
}

static uint64_t run_out(unsigned n_sa)
{
	uint64_t start;

	for (unsigned i = 0; i < burst; i++) {
		w->esp_out.p[i] = inner[i];
		w->esp_out.p[i].sa = sa_out[i % n_sa];
	}
	w->esp_out.n = burst;
	start = rte_rdtsc_precise();
	esp_out(w);
	return rte_rdtsc_precise() - start;
}

static uint64_t run_in(unsigned n_sa)
{
	uint64_t start, cycles;

	for (unsigned i = 0; i < w->tx_out.n; i++) {
		w->esp_in.p[i] = w->tx_out.p[i];
		w->esp_in.p[i].sa = sa_in[i % n_sa];
		w->esp_in.p[i].in = port;
	}
	w->esp_in.n = w->tx_out.n;
	w->tx_out.n = 0;
	start = rte_rdtsc_precise();
	esp_in(w);
	cycles = rte_rdtsc_precise() - start;
	if (w->fwd.n != burst) {
		fprintf(stderr, "only %u of %u packets came back\n", w->fwd.n, burst);
		exit(1);
	}
	w->fwd.n = 0;
	return cycles;
}

/* The crypto alone: encryption of as many bytes as ESP has, in the same buffers. */
static uint64_t run_gcm(IMB_MGR *mgr, const struct gcm_key_data *key, unsigned n_sa, unsigned len)
{
	static struct gcm_context_data ctx;
	static uint8_t nonce[VEC_MAX][16];
	unsigned text = RTE_ALIGN_CEIL(len + ESP_TRAILER_LEN, 4);
	uint64_t start = rte_rdtsc_precise(), cycles;

	for (unsigned i = 0; i < burst; i++) {
		uint8_t *p = inner[i].l3;

		IMB_AES128_GCM_ENC(
			mgr, &key[i % n_sa], &ctx, p, p, text, nonce[i], p - 16, 8, p + text, 16);
	}
	cycles = rte_rdtsc_precise() - start;
	/* And back, or the packets would be no packets. */
	for (unsigned i = 0; i < burst; i++) {
		uint8_t *p = inner[i].l3, tag[16];

		IMB_AES128_GCM_DEC(
			mgr, &key[i % n_sa], &ctx, p, p, text, nonce[i], p - 16, 8, tag, 16);
	}
	return cycles;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static double per_packet(const uint64_t *sorted, unsigned n, double quantile)
{
	return (double)sorted[(unsigned)(quantile * (n - 1))] / (BURSTS * burst);
}

static void show(const struct algorithm *a, unsigned n_sa, unsigned len, unsigned rounds)
{
	static const char *const names[] = {"out", "in", "gcm-128 alone"};
	double gcm = 0;

	for (unsigned k = 0; k < 3; k++)
		qsort(samples[k], rounds, sizeof(uint64_t), compare);
	gcm = per_packet(samples[ALONE], rounds, 0);
	printf("%-20s %5u %4u", a->name, len, n_sa);
	for (unsigned k = 0; k < 3; k++) {
		double best = per_packet(samples[k], rounds, 0);

		printf("  %s %6.1f (%6.1f) x%.2f", names[k], best,
			per_packet(samples[k], rounds, 0.5), best / gcm);
	}
	printf("\n");
}

static void measure(const struct algorithm *a, unsigned n_sa, unsigned len, double seconds)
{
	IMB_MGR *mgr = alloc_mb_mgr(0);
	struct gcm_key_data *key = aligned_alloc(64, n_sa * sizeof(*key));
	uint64_t end = rte_rdtsc() + (uint64_t)(seconds * rte_get_tsc_hz());
	uint8_t raw[16] = {1};
	unsigned round = 0;

	init_mb_mgr_auto(mgr, NULL);
	for (unsigned i = 0; i < n_sa; i++) {
		raw[1] = i;
		IMB_AES128_GCM_PRE(mgr, raw, &key[i]);
		sa_out[i] = make_sa(a, SA_OUT, i);
		sa_in[i] = make_sa(a, SA_IN, i);
	}
	make_packets(len);
	for (; round < ROUNDS && rte_rdtsc() < end; round++) {
		samples[SEALED][round] = samples[OPENED][round] = samples[ALONE][round] = 0;
		for (unsigned b = 0; b < BURSTS; b++) {
			samples[SEALED][round] += run_out(n_sa);
			samples[OPENED][round] += run_in(n_sa);
		}
		for (unsigned b = 0; b < BURSTS; b++)
			samples[ALONE][round] += run_gcm(mgr, key, n_sa, len);
	}
	show(a, n_sa, len, round);
	for (unsigned i = 0; i < n_sa; i++) {
		sa_destroy(sa_out[i]);
		sa_destroy(sa_in[i]);
	}
	free(key);
	free_mb_mgr(mgr);
}

int main(int argc, char **argv)
{
	char *eal[] = {argv[0], "--no-huge", "--no-pci", "--no-shconf", "-m", "512",
		"--no-telemetry", "-l", "0", "--log-level", "error"};
	double seconds = argc > 1 ? atof(argv[1]) : 0.5;
	const char *only = argc > 3 ? argv[3] : NULL;
	unsigned size = argc > 4 ? atoi(argv[4]) : 0;

	if (argc > 2)
		burst = RTE_MIN(atoi(argv[2]), VEC_MAX);
	if (rte_eal_init(RTE_DIM(eal), eal) < 0)
		return 1;
	make_world();
	printf("%s, TSC %.3f GHz, %u packets a burst; cycles per packet: best (median) ratio to "
	       "gcm-128 alone\n",
		crypto_ctx_arch(w->crypto), rte_get_tsc_hz() / 1e9, burst);
	for (unsigned a = 0; a < RTE_DIM(algorithms); a++) {
		if (only != NULL && strcmp(only, algorithms[a].name) != 0)
			continue;
		if (size != 0) {
			measure(&algorithms[a], 1, size, seconds);
			continue;
		}
		for (unsigned n_sa = 1; n_sa <= SAS; n_sa += SAS - 1) {
			measure(&algorithms[a], n_sa, 64, seconds);
			measure(&algorithms[a], n_sa, 1420, seconds);
		}
	}
	return 0;
}
