/* SPDX-License-Identifier: BSD-3-Clause */
/* Which table? Bulk lookups of random destinations in rte_fib, rte_fib with its vector lookup, and
 * rte_lpm, with 1, 1000 and 100000 random routes: TSC cycles a lookup, and the time to fill. */
#include <rte_byteorder.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_fib.h>
#include <rte_fib6.h>
#include <rte_lpm.h>
#include <rte_lpm6.h>
#include <rte_random.h>
#include <rte_vect.h>

#define ROUTES_MAX 100000u
#define ADDRS      65536u
#define BURST      64u
#define ROUNDS     32u

static struct {
	uint32_t v4;
	uint8_t v6[16];
	uint8_t len4, len6;
} routes[ROUTES_MAX];
static uint32_t dst4[ADDRS];
static uint8_t dst6[ADDRS][16];
static uint64_t sink;

/* Lengths roughly as in the Internet's tables: mostly /24 and /48. */
static void make_routes(void)
{
	static const uint8_t len4[] = {16, 20, 22, 22, 23, 24, 24, 24, 24, 24};
	static const uint8_t len6[] = {29, 32, 32, 36, 40, 44, 48, 48, 48, 48};

	for (unsigned i = 0; i < ROUTES_MAX; i++) {
		uint64_t r = rte_rand();

		routes[i].len4 = len4[r % 10];
		routes[i].v4 = (uint32_t)(r >> 32) & ~0u << (32 - routes[i].len4);
		routes[i].len6 = len6[r / 10 % 10];
		routes[i].v6[0] = 0x20;
		for (unsigned b = 1; b < routes[i].len6 / 8u; b++)
			routes[i].v6[b] = b == 1 ? r >> 40 & 0x0f : rte_rand();
	}
}

/* Destinations: inside the routes that are there. */
static void make_dst(unsigned n_routes)
{
	for (unsigned i = 0; i < ADDRS; i++) {
		unsigned k = rte_rand_max(n_routes);

		dst4[i] = routes[k].v4 | (rte_rand() & ((1u << (32 - routes[k].len4)) - 1));
		memcpy(dst6[i], routes[k].v6, 16);
		dst6[i][15] = rte_rand();
		dst6[i][8] = rte_rand();
	}
}

typedef void (*bulk4)(void *t, uint32_t *dst, unsigned n);
typedef void (*bulk6)(void *t, uint8_t dst[][16], unsigned n);

static void fib4(void *t, uint32_t *dst, unsigned n)
{
	uint64_t nh[BURST];

	rte_fib_lookup_bulk(t, dst, nh, n);
	sink += nh[0] + nh[n - 1];
}

static void lpm4(void *t, uint32_t *dst, unsigned n)
{
	uint32_t nh[BURST];

	rte_lpm_lookup_bulk(t, dst, nh, n);
	sink += nh[0] + nh[n - 1];
}

/* As a forwarder that wants vectors would: four at a time. */
static void lpm4x4(void *t, uint32_t *dst, unsigned n)
{
	uint32_t nh[BURST];

	for (unsigned i = 0; i < n; i += 4)
		rte_lpm_lookupx4(t, _mm_loadu_si128((const void *)&dst[i]), &nh[i], 0);
	sink += nh[0] + nh[n - 1];
}

static void fib6(void *t, uint8_t dst[][16], unsigned n)
{
	uint64_t nh[BURST];

	rte_fib6_lookup_bulk(t, (void *)dst, nh, n);
	sink += nh[0] + nh[n - 1];
}

static void lpm6(void *t, uint8_t dst[][16], unsigned n)
{
	int32_t nh[BURST];

	rte_lpm6_lookup_bulk_func(t, (void *)dst, nh, n);
	sink += nh[0] + nh[n - 1];
}

static double cycles4(bulk4 fn, void *t)
{
	uint64_t best = UINT64_MAX;

	for (unsigned r = 0; r < ROUNDS; r++) {
		uint64_t t0 = rte_rdtsc_precise();

		for (unsigned i = 0; i < ADDRS; i += BURST)
			fn(t, &dst4[i], BURST);
		best = RTE_MIN(best, rte_rdtsc_precise() - t0);
	}
	return (double)best / ADDRS;
}

static double cycles6(bulk6 fn, void *t)
{
	uint64_t best = UINT64_MAX;

	for (unsigned r = 0; r < ROUNDS; r++) {
		uint64_t t0 = rte_rdtsc_precise();

		for (unsigned i = 0; i < ADDRS; i += BURST)
			fn(t, &dst6[i], BURST);
		best = RTE_MIN(best, rte_rdtsc_precise() - t0);
	}
	return (double)best / ADDRS;
}

static double ms_since(uint64_t t0)
{
	return (rte_rdtsc() - t0) * 1e3 / rte_get_tsc_hz();
}

static void bench_fib4(unsigned n, bool vector)
{
	struct rte_fib_conf conf = {.type = RTE_FIB_DIR24_8,
		.max_routes = ROUTES_MAX,
		.dir24_8 = {.nh_sz = RTE_FIB_DIR24_8_4B, .num_tbl8 = 4096}};
	struct rte_fib *t = rte_fib_create("bench", SOCKET_ID_ANY, &conf);
	uint64_t t0 = rte_rdtsc();
	double ms;

	for (unsigned i = 0; i < n; i++)
		rte_fib_add(t, routes[i].v4, routes[i].len4, 1 + i % 1000);
	ms = ms_since(t0);
	if (vector && rte_fib_select_lookup(t, RTE_FIB_LOOKUP_DIR24_8_VECTOR_AVX512) != 0)
		printf("no vector lookup here\n");
	printf("v4 %6u routes  %-12s %6.1f cycles  fill %8.1f ms\n", n,
		vector ? "fib avx512" : "fib", cycles4(fib4, t), ms);
	rte_fib_free(t);
}

static void bench_lpm4(unsigned n)
{
	struct rte_lpm_config conf = {.max_rules = ROUTES_MAX, .number_tbl8s = 4096};
	struct rte_lpm *t = rte_lpm_create("bench", SOCKET_ID_ANY, &conf);
	uint64_t t0 = rte_rdtsc();
	double ms;

	for (unsigned i = 0; i < n; i++)
		rte_lpm_add(t, routes[i].v4, routes[i].len4, 1 + i % 1000);
	ms = ms_since(t0);
	printf("v4 %6u routes  %-12s %6.1f cycles  fill %8.1f ms\n", n, "lpm", cycles4(lpm4, t),
		ms);
	printf("v4 %6u routes  %-12s %6.1f cycles\n", n, "lpm x4", cycles4(lpm4x4, t));
	rte_lpm_free(t);
}

static void bench_fib6(unsigned n, bool vector)
{
	struct rte_fib6_conf conf = {.type = RTE_FIB6_TRIE,
		.max_routes = ROUTES_MAX,
		.trie = {.nh_sz = RTE_FIB6_TRIE_4B, .num_tbl8 = 300000}};
	struct rte_fib6 *t = rte_fib6_create("bench", SOCKET_ID_ANY, &conf);
	uint64_t t0 = rte_rdtsc();
	double ms;

	for (unsigned i = 0; i < n; i++)
		rte_fib6_add(t, (const void *)routes[i].v6, routes[i].len6, 1 + i % 1000);
	ms = ms_since(t0);
	if (vector && rte_fib6_select_lookup(t, RTE_FIB6_LOOKUP_TRIE_VECTOR_AVX512) != 0)
		printf("no vector lookup here\n");
	printf("v6 %6u routes  %-12s %6.1f cycles  fill %8.1f ms\n", n,
		vector ? "fib6 avx512" : "fib6", cycles6(fib6, t), ms);
	rte_fib6_free(t);
}

static void bench_lpm6(unsigned n)
{
	struct rte_lpm6_config conf = {.max_rules = ROUTES_MAX, .number_tbl8s = 300000};
	struct rte_lpm6 *t = rte_lpm6_create("bench", SOCKET_ID_ANY, &conf);
	uint64_t t0 = rte_rdtsc();
	double ms;

	for (unsigned i = 0; i < n; i++)
		rte_lpm6_add(t, (void *)routes[i].v6, routes[i].len6, 1 + i % 1000);
	ms = ms_since(t0);
	printf("v6 %6u routes  %-12s %6.1f cycles  fill %8.1f ms\n", n, "lpm6", cycles6(lpm6, t),
		ms);
	rte_lpm6_free(t);
}

int main(int argc, char **argv)
{
	static const unsigned counts[] = {1, 1000, ROUTES_MAX};
	char *eal[] = {argv[0], "--no-huge", "--no-pci", "--no-shconf", "-m", "2048",
		"--no-telemetry", "-l", "0"};

	(void)argc;
	if (rte_eal_init(RTE_DIM(eal), eal) < 0)
		return 1;
	rte_vect_set_max_simd_bitwidth(RTE_VECT_SIMD_512);
	make_routes();
	for (unsigned i = 0; i < RTE_DIM(counts); i++) {
		make_dst(counts[i]);
		rte_vect_set_max_simd_bitwidth(RTE_VECT_SIMD_256);
		bench_fib4(counts[i], false);
		bench_fib6(counts[i], false);
		rte_vect_set_max_simd_bitwidth(RTE_VECT_SIMD_512);
		bench_fib4(counts[i], true);
		bench_fib6(counts[i], true);
		bench_lpm4(counts[i]);
		bench_lpm6(counts[i]);
	}
	return sink == 0;
}
