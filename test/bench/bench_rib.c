/* SPDX-License-Identifier: BSD-3-Clause */
/* A full table through the routing table's front door: rib_add() and one rib_commit(), lookups in the
 * FIB that came of it, one route changed, and everything taken away again. */
#include "control/iface/ifaces.h"
#include "control/rcu.h"
#include "control/routing/fib_writer.h"
#include "control/routing/nexthops.h"
#include "control/routing/rib.h"

#include <rte_byteorder.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_malloc.h>
#include <rte_random.h>

#include <linux/rtnetlink.h>
#include <malloc.h>

#define BURST  64u
#define ADDRS  65536u
#define ROUNDS 32u

static struct iface *vti[64];
static uint32_t dst[ADDRS];

static double ms_since(uint64_t t0)
{
	return (rte_rdtsc() - t0) * 1e3 / rte_get_tsc_hz();
}

/* The n-th route: /24s spread over the unicast space, one in eight a /20. */
static struct rib_route route(unsigned n)
{
	uint8_t len = n % 8 == 0 ? 20 : 24;
	uint32_t ip = (n * 2654435761u % 0xdf000000u + 0x01000000u) & ~0u << (32 - len);
	struct iface *i = vti[n % RTE_DIM(vti)];

	return (struct rib_route){.prefix = addr_v4(rte_cpu_to_be_32(ip)),
		.prefix_len = len,
		.type = VIADUCT_ROUTE_UNICAST,
		.origin = VIADUCT_ORIGIN_KERNEL,
		.table = RT_TABLE_MAIN,
		.iface = i,
		.kernel_oif = i->kernel_ifindex};
}

static double lookup_cycles(void)
{
	uint64_t nh[BURST], best = UINT64_MAX;

	for (unsigned r = 0; r < ROUNDS; r++) {
		uint64_t t0 = rte_rdtsc_precise();

		for (unsigned i = 0; i < ADDRS; i += BURST)
			fib_lookup4_bulk(fib_by_vrf(0), &dst[i], nh, BURST);
		best = RTE_MIN(best, rte_rdtsc_precise() - t0);
	}
	return (double)best / ADDRS;
}

static size_t dpdk_memory(void)
{
	struct rte_malloc_socket_stats s;

	rte_malloc_get_socket_stats(0, &s);
	return s.heap_allocsz_bytes;
}

static void run(unsigned n)
{
	size_t before = mallinfo2().uordblks, dpdk = dpdk_memory(), bytes;
	double add_ms, commit_ms, one_ms;
	uint64_t t0;

	fib_create(0, n, 1000);
	dpdk = dpdk_memory() - dpdk;
	t0 = rte_rdtsc();
	for (unsigned i = 0; i < n; i++) {
		struct rib_route r = route(i);

		rib_add(&r, NULL);
	}
	add_ms = ms_since(t0);
	t0 = rte_rdtsc();
	rib_commit();
	commit_ms = ms_since(t0);
	bytes = mallinfo2().uordblks - before;
	for (unsigned i = 0; i < ADDRS; i++) {
		struct rib_route r = route(rte_rand_max(n));

		dst[i] = rte_be_to_cpu_32(r.prefix.v4) + rte_rand_max(256);
	}
	t0 = rte_rdtsc();
	for (unsigned i = 0; i < 100; i++) {
		struct rib_route r = route(i);

		r.iface = vti[(i + 1) % RTE_DIM(vti)];
		rib_add(&r, NULL);
		rib_commit();
	}
	one_ms = ms_since(t0) / 100;
	printf("%8u routes (%u prefixes): add %.0f ms, commit %.0f ms, refused %u, lookup %.1f "
	       "cycles, one change %.3f ms\n",
		n, rib_count(IP_V4), add_ms, commit_ms, rib_refused(), lookup_cycles(), one_ms);
	printf("%8u routes: %zu bytes of heap a route, %zu MB of DPDK memory (fib_memory(): %zu)\n",
		n, bytes / n, dpdk >> 20, fib_memory(n, 1000) >> 20);
	t0 = rte_rdtsc();
	for (unsigned i = 0; i < RTE_DIM(vti); i++)
		rib_forget_iface(vti[i]);
	printf("%8u routes: all %zu interfaces forgotten in %.0f ms\n", n, RTE_DIM(vti),
		ms_since(t0));
	rib_fini();
	fib_destroy(0);
	rcu_poll();
}

int main(int argc, char **argv)
{
	static const unsigned counts[] = {1000, 100000, 1000000};
	char *eal[] = {argv[0], "--no-huge", "--no-pci", "--no-shconf", "-m", "4096",
		"--no-telemetry", "-l", "0"};
	char name[16];

	(void)argc;
	if (rte_eal_init(RTE_DIM(eal), eal) < 0 || rcu_init(1) != 0 || nexthops_init() != 0)
		return 1;
	for (unsigned i = 0; i < RTE_DIM(vti); i++) {
		snprintf(name, sizeof(name), "vti%u", i);
		vti[i] = iface_new(IFACE_VTI, name, 1);
		vti[i]->kernel_ifindex = 100 + i;
		iface_publish(vti[i]);
	}
	for (unsigned i = 0; i < RTE_DIM(counts); i++)
		run(counts[i]);
	return 0;
}
