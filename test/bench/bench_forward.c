/* SPDX-License-Identifier: BSD-3-Clause */
/* What forwarding costs, plainly and into a tunnel, in TSC cycles a packet: whole turns of a worker
 * (receive from a ring, parse, look up, rewrite or encrypt, send to a ring) in bursts of 256. The packets' headers are in the cache, since
 * this program mends them between the turns; a device's would come by DMA into the same place.
 *
 *	bench_forward [samples]
 *
 * Prints the best and the median of the samples. Run it on a quiet machine, pinned to one core. */
#include "dp_sa.h"

#include <rte_cycles.h>

#include <stdio.h>
#include <stdlib.h>

#define BURST   VEC_MAX
#define BUFFERS 2048
#define ROUNDS  100 /* bursts of one sample: some milliseconds, so that some sample is undisturbed */
#define FLOWS   1024

struct load {
	const char *name, *src, *dst;
	unsigned payload;
};

static struct rte_mbuf *buffers[BUFFERS];
static struct frame frames[FLOWS];

static int by_value(const void *a, const void *b)
{
	return *(const double *)a < *(const double *)b ? -1 : 1;
}

/* Flows differ in the destination's lower bytes, so that the FIB is asked for different entries. */
static void make_frames(const struct load *l)
{
	for (unsigned i = 0; i < FLOWS; i++) {
		struct frame *f = &frames[i];

		*f = frame_udp(0, l->src, l->dst, l->payload);
		if (f->b[L3] >> 4 == 4) {
			f->b[L3 + 18] = i >> 8;
			f->b[L3 + 19] = i;
			frame_checksum(f);
		} else {
			f->b[L3 + 38] = i >> 8;
			f->b[L3 + 39] = i;
		}
	}
}

static void refill(struct rte_mbuf *m, const struct frame *f)
{
	rte_pktmbuf_reset(m);
	m->data_len = m->pkt_len = f->len;
	memcpy(rte_pktmbuf_mtod(m, void *), f->b, RTE_MIN(f->len, 64));
}

static double sample(void)
{
	uint64_t cycles = 0, packets = 0;

	for (unsigned round = 0; round < ROUNDS; round++) {
		struct rte_mbuf **m = &buffers[round * BURST % BUFFERS];
		uint64_t start;

		for (unsigned i = 0; i < BURST; i++)
			refill(m[i], &frames[(round * BURST + i) % FLOWS]);
		rte_ring_enqueue_bulk(dp.port[0].rx[0], (void **)m, BURST, NULL);
		start = rte_rdtsc_precise();
		worker_turn(dp.worker[0]);
		cycles += rte_rdtsc_precise() - start;
		packets += rte_ring_dequeue_burst(dp.port[1].tx[0], (void **)m, BURST, NULL);
	}
	return packets == (uint64_t)ROUNDS * BURST ? (double)cycles / packets : -1;
}

static void measure(const struct load *l, unsigned samples)
{
	double *cycles = calloc(samples, sizeof(*cycles));

	must(cycles != NULL, "memory");
	make_frames(l);
	for (unsigned i = 0; i < samples; i++)
		cycles[i] = sample();
	qsort(cycles, samples, sizeof(*cycles), by_value);
	printf("%-24s best %6.1f  median %6.1f cycles/packet\n", l->name, cycles[0],
		cycles[samples / 2]);
	free(cycles);
}

/* AES-GCM-128, to 10.3.0.0/16. */
static void tunnel(void)
{
	struct iface *vti = dp_vti("vti0");

	atomic_store(&vti->mtu, DP_MTU - 70);
	dp_sa(vti, &(struct dp_sa){SA_OUT, 0x1000, "10.0.1.1", "192.0.2.2"});
	dp_route("192.0.2.2/32", dp_station(1, "10.0.1.2", 2));
	dp_route("10.3.0.0/16", dp_through(vti));
}

int main(int argc, char **argv)
{
	static const struct load loads[] = {
		{"IPv4, 64 bytes", "10.0.0.9", "10.2.0.0", 64 - 28},
		{"IPv4, 1420 bytes", "10.0.0.9", "10.2.0.0", 1420 - 28},
		{"IPv6, 64 bytes", "2001:db8::9", "2001:db8:ffff::", 64 - 48},
		{"IPv4 in ESP, 64 bytes", "10.0.0.9", "10.3.0.0", 64 - 28},
		{"IPv4 in ESP, 1420 bytes", "10.0.0.9", "10.3.0.0", 1420 - 28},
	};
	unsigned samples = argc > 1 ? atoi(argv[1]) : 301;

	dp_init(argv[0]);
	dp_start(1);
	dp_route("10.2.0.0/16", dp_station(1, "10.0.1.2", 2));
	dp_route("2001:db8:ffff::/48", dp_station(1, "2001:db8:1::2", 2));
	tunnel();
	for (unsigned i = 0; i < BUFFERS; i++) {
		buffers[i] = rte_pktmbuf_alloc(dp.pool);
		must(buffers[i] != NULL, "packet pool is empty");
	}
	for (unsigned i = 0; i < RTE_DIM(loads); i++)
		measure(&loads[i], samples);
	return 0;
}
