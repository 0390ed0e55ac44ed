/* SPDX-License-Identifier: BSD-3-Clause */
/* The measurement: every round takes each figure once, one after another, so that a change of the
 * core's clock or a noisy neighbour meets all of them. */
#include "bench_gateway.h"

#include "bench_gateway_rounds.h"
#include "frame.h"

#include <rte_cycles.h>
#include <rte_ethdev.h>

#include <stdlib.h>

#define TURNS_MIN  (8192u / TURN_MAX)
#define LINK_TURNS (256 / TURN_MAX)
/* One part in so many of the turns is run before and not counted, and at least all frames once. */
#define WARM_UP 4

/* Each returns the cycles of so many turns, and adds its packets. */
typedef uint64_t measure(unsigned turns, uint64_t *packets);

static unsigned turns, warm_up;

/* Near's turns with frames that end in the device. */
static uint64_t encrypt(unsigned n, uint64_t *packets)
{
	uint64_t before = world.near->stats.tx_packets, start;

	world_direct(true);
	start = rte_rdtsc_precise();
	for (unsigned i = 0; i < n; i++)
		worker_turn(world.near);
	start = rte_rdtsc_precise() - start;
	*packets += world.near->stats.tx_packets - before;
	return start;
}

/* Packets that near has encrypted, one behind the other. */
static struct {
	uint8_t *data;
	uint16_t *len;
	unsigned n;
} stash;

static unsigned stash_turns(void)
{
	return turns + RTE_ALIGN_CEIL(world.load.n / TURN_MAX, LINK_TURNS);
}

static void stash_make(void)
{
	stash.data = calloc((size_t)stash_turns() * TURN_MAX, FRAME_MAX);
	stash.len = calloc((size_t)stash_turns() * TURN_MAX, sizeof(*stash.len));
	must(stash.data != NULL && stash.len != NULL, "memory");
}

static void stash_fill(unsigned n)
{
	struct rte_mbuf *m[TURN_MAX];
	uint8_t *at = stash.data;

	world_direct(false);
	stash.n = n * TURN_MAX;
	for (unsigned i = 0; i < stash.n; i += TURN_MAX) {
		worker_turn(world.near);
		must(rte_ring_sc_dequeue_bulk(world.link, (void **)m, TURN_MAX, NULL) == TURN_MAX,
			"an encrypting turn was not full");
		for (unsigned k = 0; k < TURN_MAX; k++) {
			stash.len[i + k] = m[k]->data_len;
			memcpy(at, rte_pktmbuf_mtod(m[k], void *), m[k]->data_len);
			at += m[k]->data_len;
		}
		rte_pktmbuf_free_bulk(m, TURN_MAX);
	}
}

/* Packets i and following go to the link as the capture file's driver would receive them. */
static uint8_t *stash_send(unsigned i, unsigned n, uint8_t *data)
{
	for (unsigned end = i + n; i < end; data += stash.len[i++]) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(world.pool);

		must(m != NULL, "packet pool is empty");
		memcpy(rte_pktmbuf_append(m, stash.len[i]), data, stash.len[i]);
		must(rte_ring_sp_enqueue(world.link, m) == 0, "link is full");
	}
	return data;
}

/* Near encrypts all packets beforehand, so that the caches are far's alone, as in a gateway that
 * decrypts. Its first packets, one for each frame of the capture file, are not counted. */
static uint64_t decrypt(unsigned n, uint64_t *packets)
{
	uint64_t got = world.far->stats.tx_packets, cycles = 0, start;
	unsigned uncounted = stash_turns() - turns;
	uint8_t *data = stash.data;

	stash_fill(uncounted + n);
	for (unsigned i = 0; i < uncounted + n; i += LINK_TURNS) {
		data = stash_send(i * TURN_MAX, LINK_TURNS * TURN_MAX, data);
		start = rte_rdtsc_precise();
		for (unsigned k = 0; k < LINK_TURNS; k++)
			worker_turn(world.far);
		if (i >= uncounted)
			cycles += rte_rdtsc_precise() - start;
		must(rte_ring_empty(world.link), "the far gateway left packets on the link");
	}
	got = world.far->stats.tx_packets - got;
	must(got == stash.n, "packets were lost between the gateways");
	*packets += (uint64_t)n * TURN_MAX;
	return cycles;
}

/* As testpmd forwards: receive and send, nothing else. */
static uint64_t forward(uint16_t port, unsigned burst, unsigned n, uint64_t *packets)
{
	struct rte_mbuf *m[DEVICE_BURST];
	uint64_t start = rte_rdtsc_precise();

	for (unsigned i = 0; i < n * TURN_MAX / burst; i++) {
		unsigned got = rte_eth_rx_burst(port, 0, m, burst);

		must(rte_eth_tx_burst(port, 0, m, got) == got, "the device took not all frames");
		*packets += got;
	}
	return rte_rdtsc_precise() - start;
}

static uint64_t floor_inner32(unsigned n, uint64_t *packets)
{
	return forward(world.inner_port, DEVICE_BURST / 2, n, packets);
}

static uint64_t floor_inner64(unsigned n, uint64_t *packets)
{
	return forward(world.inner_port, DEVICE_BURST, n, packets);
}

static uint64_t floor_esp32(unsigned n, uint64_t *packets)
{
	return forward(world.esp_port, DEVICE_BURST / 2, n, packets);
}

static uint64_t floor_esp64(unsigned n, uint64_t *packets)
{
	return forward(world.esp_port, DEVICE_BURST, n, packets);
}

/* What of the decrypting turn is the link's part: receive a turn's packets from the ring in the
 * worker's bursts, and send them to the device at once. */
static uint64_t floor_ring(unsigned n, uint64_t *packets)
{
	struct rte_mbuf *m[TURN_MAX];
	uint64_t cycles = 0, start;

	for (unsigned i = 0; i < n; i++) {
		for (unsigned k = 0; k < TURN_MAX; k += DEVICE_BURST) {
			unsigned got = rte_eth_rx_burst(world.esp_port, 0, m, DEVICE_BURST);

			must(rte_eth_tx_burst(world.link_port, 0, m, got) == got, "link is full");
		}
		start = rte_rdtsc_precise();
		for (unsigned k = 0; k < TURN_MAX; k += DEVICE_BURST)
			rte_eth_rx_burst(world.link_port, 0, m + k, DEVICE_BURST);
		*packets += rte_eth_tx_burst(world.esp_port, 0, m, TURN_MAX);
		cycles += rte_rdtsc_precise() - start;
	}
	return cycles;
}

static uint64_t seal(unsigned n, uint64_t *packets)
{
	*packets += (uint64_t)n * TURN_MAX;
	return alone_seal(n);
}

static uint64_t open(unsigned n, uint64_t *packets)
{
	*packets += (uint64_t)n * TURN_MAX;
	return alone_open(n);
}

static measure *const measures[FIGURES_MEASURED] = {
	[ENCRYPTING] = encrypt,
	[FLOOR_INNER32] = floor_inner32,
	[FLOOR_INNER64] = floor_inner64,
	[SEAL] = seal,
	[DECRYPTING_TURN] = decrypt,
	[FLOOR_RING] = floor_ring,
	[FLOOR_ESP32] = floor_esp32,
	[FLOOR_ESP64] = floor_esp64,
	[OPEN] = open,
};

/* From what was measured in one round, what follows. */
static void derive(double *f)
{
	double inner = RTE_MIN(f[FLOOR_INNER32], f[FLOOR_INNER64]);
	double esp = RTE_MIN(f[FLOOR_ESP32], f[FLOOR_ESP64]);

	f[ENCRYPTING_LIMIT] = inner + f[SEAL];
	f[ENCRYPTING_RATIO] = f[ENCRYPTING] / f[ENCRYPTING_LIMIT];
	f[DECRYPTING] = f[DECRYPTING_TURN] - f[FLOOR_RING] + esp;
	f[DECRYPTING_LIMIT] = esp + f[OPEN];
	f[DECRYPTING_RATIO] = f[DECRYPTING] / f[DECRYPTING_LIMIT];
	f[DECRYPTING_RATIO_INNER] = f[DECRYPTING] / (inner + f[OPEN]);
}

static void one_round(double *f)
{
	for (unsigned k = 0; k < FIGURES_MEASURED; k++) {
		uint64_t packets = 0, cycles;

		measures[k](warm_up, &packets);
		packets = 0;
		cycles = measures[k](turns, &packets);
		must(packets == (uint64_t)turns * TURN_MAX, "a turn was not full");
		f[k] = (double)cycles / packets;
	}
	world_check_drops();
	derive(f);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct result rounds_run(double seconds)
{
	struct result r = {.rounds = 0};
	uint64_t end = rte_rdtsc() + (uint64_t)(seconds * rte_get_tsc_hz());
	double(*sample)[FIGURES] = calloc(ROUNDS_MAX, sizeof(*sample));
	double *column = calloc(ROUNDS_MAX, sizeof(*column));

	must(sample != NULL && column != NULL, "memory");
	turns = RTE_ALIGN(RTE_MAX(TURNS_MIN, 2 * world.load.n / TURN_MAX), LINK_TURNS * WARM_UP);
	warm_up = RTE_MAX(turns / WARM_UP, stash_turns() - turns);
	stash_make();
	one_round(sample[0]); /* the caches and the branch predictor learn it */
	while (r.rounds < ROUNDS_MAX && (r.rounds == 0 || rte_rdtsc() < end))
		one_round(sample[r.rounds++]);
	for (unsigned k = 0; k < FIGURES; k++) {
		for (unsigned i = 0; i < r.rounds; i++)
			column[i] = sample[i][k];
		qsort(column, r.rounds, sizeof(*column), by_value);
		r.best[k] = column[0];
		r.median[k] = column[r.rounds / 2];
	}
	/* Of the best samples, not the best of what they make. */
	derive(r.best);
	free(sample);
	free(column);
	return r;
}
