/* SPDX-License-Identifier: BSD-3-Clause */
/* The measurement: in every round each scenario is checked, then run by one worker on each CPU, by
 * the two workers of one gateway and by the two that share nothing, one after another, so that
 * a change of the clock or a noisy neighbour meets all of them. */
#include "bench_workers.h"

#include "frame.h"

#include <rte_cycles.h>

#include <stdlib.h>

#define ROUNDS_MAX 4096
#define CHECKS     4 /* passes of each scenario that are looked at, in each round */

const struct scenario scenarios[SCENARIOS] = {
	{"encrypt, many tunnels", .many = true, .spread = true},
	{"encrypt, one tunnel", .spread = true},
	{"encrypt, one tunnel, one queue"},
	{"encrypt, many tunnels, parallel", .many = true, .spread = true, .parallel = true},
	{"encrypt, one tunnel, parallel", .spread = true, .parallel = true},
	{"decrypt, many tunnels", .decrypt = true, .many = true, .spread = true},
	{"decrypt, one tunnel", .decrypt = true},
};

static void measure(const struct scenario *s, double *f)
{
	double first = run_gateway(&gateways[FIRST], s);

	f[TWO] = run_gateway(&gateways[BOTH], s);
	f[INDEPENDENT] = run_independent(s);
	f[ONE] = 2 / (1 / first + 1 / run_gateway(&gateways[SECOND], s));
	f[TWO_BY_ONE] = f[ONE] / f[TWO];
	f[INDEPENDENT_BY_ONE] = f[ONE] / f[INDEPENDENT];
	f[TWO_BY_INDEPENDENT] = f[INDEPENDENT] / f[TWO];
	world_check_drops();
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void summarize(struct result *r, double (*sample)[SCENARIOS][FIGURES], double *line)
{
	double *column = calloc(r->rounds, sizeof(*column));

	must(column != NULL, "memory");
	qsort(line, r->rounds, sizeof(*line), by_value);
	r->line[0] = line[0];
	r->line[1] = line[r->rounds / 2];
	r->line[2] = line[r->rounds - 1];
	for (unsigned s = 0; s < SCENARIOS; s++) {
		for (unsigned f = 0; f < FIGURES; f++) {
			for (unsigned i = 0; i < r->rounds; i++)
				column[i] = sample[i][s][f];
			qsort(column, r->rounds, sizeof(*column), by_value);
			r->median[s][f] = column[r->rounds / 2];
			if (f < CYCLES)
				r->best[s][f] = column[0];
		}
	}
	free(column);
}

struct result rounds_run(double seconds)
{
	struct result r = {.rounds = 0};
	double(*sample)[SCENARIOS][FIGURES] = calloc(ROUNDS_MAX, sizeof(*sample));
	double *line = calloc(ROUNDS_MAX, sizeof(*line));
	uint64_t end = rte_rdtsc() + (uint64_t)(seconds * rte_get_tsc_hz());

	must(sample != NULL && line != NULL, "memory");
	do {
		line[r.rounds] = line_round_trip();
		for (unsigned i = 0; i < SCENARIOS; i++) {
			world_parallel(&gateways[BOTH], scenarios[i].parallel);
			for (unsigned k = 0; k < CHECKS; k++)
				r.checked += check_order(&gateways[BOTH], &scenarios[i], k);
			measure(&scenarios[i], sample[r.rounds][i]);
		}
		r.rounds++;
	} while (r.rounds < ROUNDS_MAX && rte_rdtsc() < end);
	summarize(&r, sample, line);
	free(sample);
	free(line);
	return r;
}
