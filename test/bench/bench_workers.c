/* SPDX-License-Identifier: BSD-3-Clause */
/* What two workers carry, beside one and beside two that share nothing: see bench_workers --help. */
#include "bench_workers.h"

#include "frame.h"

#include <rte_cycles.h>

#include <getopt.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
	"Usage: bench_workers [option]...\n"
	"\n"
	"Packets per second of one worker, of two workers of one gateway, and of two gateways\n"
	"with one worker each that share nothing: no two workers can do better on these CPUs.\n"
	"Shown as TSC cycles of the clock on the wall for each packet, in tunnel mode with replay\n"
	"protection on.\n"
	"\n"
	"  encrypt, many tunnels            128 flows in each of two receive queues, as RSS "
	"spreads\n"
	"                                   them; each to another of 128 tunnels\n"
	"  encrypt, one tunnel              the same flows, all through one tunnel\n"
	"  encrypt, one tunnel, one queue   all flows are received by one worker\n"
	"  encrypt, ..., parallel           the VTIs are parallel: each worker sends what it "
	"received\n"
	"  decrypt, many tunnels            128 tunnels, in the queue that their SPI leads to\n"
	"  decrypt, one tunnel              its SPI leads to one queue: one worker receives all\n"
	"\n"
	"Every round also looks at all packets of some passes: the run ends with status 1 and no\n"
	"figures where one is lost, dropped (by the replay window, too) or overtakes one of its\n"
	"flow.\n"
	"\n"
	"  --size N      bytes of the inner IP packets [64]\n"
	"  --alg NAME    algorithm, e.g. aes-gcm-256 or \"aes-cbc-128 sha1\" [aes-gcm-128]\n"
	"  --cpus A,B    CPUs of the two workers [0,1]\n"
	"  --huge        memory from huge pages\n"
	"  --seconds N   how long to measure [5]\n"
	"  --json        print JSON\n";

struct options opt = {.alg = &algorithms[0], .size = 64, .cpu = {0, 1}, .seconds = 5};

enum option_key {
	OPT_SIZE = 1,
	OPT_ALG,
	OPT_CPUS,
	OPT_HUGE,
	OPT_SECONDS,
	OPT_JSON,
	OPT_HELP
};

static const struct option long_options[] = {
	{"size", required_argument, NULL, OPT_SIZE},
	{"alg", required_argument, NULL, OPT_ALG},
	{"cpus", required_argument, NULL, OPT_CPUS},
	{"huge", no_argument, NULL, OPT_HUGE},
	{"seconds", required_argument, NULL, OPT_SECONDS},
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

static void wrong(const char *what, const char *value, const char *expected)
{
	fprintf(stderr, "bench_workers: --%s: %s, but %s expected\n", what, value, expected);
	exit(2);
}

static const struct algorithm *algorithm(const char *name)
{
	for (unsigned i = 0; i < RTE_DIM(algorithms); i++) {
		if (strcmp(algorithms[i].name, name) == 0)
			return &algorithms[i];
	}
	fprintf(stderr, "bench_workers: --alg: %s, but one of these is expected:\n", name);
	for (unsigned i = 0; i < RTE_DIM(algorithms); i++)
		fprintf(stderr, "  %s\n", algorithms[i].name);
	exit(2);
}

static bool usable(unsigned cpu)
{
	cpu_set_t cpus;

	return sched_getaffinity(0, sizeof(cpus), &cpus) == 0 && cpu < CPU_SETSIZE &&
		CPU_ISSET(cpu, &cpus);
}

static void set_option(int key, const char *value)
{
	char rest;

	switch (key) {
	case OPT_SIZE:
		if (sscanf(value, "%u%c", &opt.size, &rest) != 1 || opt.size < 48 ||
			opt.size > 1500)
			wrong("size", value, "a number from 48 to 1500 is");
		break;
	case OPT_ALG:
		opt.alg = algorithm(value);
		break;
	case OPT_CPUS:
		if (sscanf(value, "%u,%u%c", &opt.cpu[0], &opt.cpu[1], &rest) != 2 ||
			opt.cpu[0] == opt.cpu[1] || !usable(opt.cpu[0]) || !usable(opt.cpu[1]))
			wrong("cpus", value, "two CPUs of this machine, A,B, are");
		break;
	case OPT_HUGE:
		opt.huge = true;
		break;
	case OPT_SECONDS:
		if (sscanf(value, "%lf%c", &opt.seconds, &rest) != 1 || opt.seconds < 0 ||
			opt.seconds > 60)
			wrong("seconds", value, "a number from 0 to 60 is");
		break;
	case OPT_JSON:
		opt.json = true;
		break;
	case OPT_HELP:
		fputs(usage, stdout);
		exit(0);
	default:
		fputs(usage, stderr);
		exit(2);
	}
}

static void print_text(const struct result *r)
{
	printf("%s, %u bytes, CPUs %u and %u, TSC %.3f GHz, %u rounds\n"
	       "%" PRIu64 " packets looked at: none lost or dropped, the order of all flows kept\n"
	       "a cache line to the other CPU and back: %.0f cycles (%.0f to %.0f)\n"
	       "cycles a packet by the clock on the wall (medians), and packets per second "
	       "compared\n"
	       "  %-32s %7s %7s %12s %8s %8s %8s\n",
		opt.alg->name, opt.size, opt.cpu[0], opt.cpu[1], rte_get_tsc_hz() / 1e9, r->rounds,
		r->checked, r->line[1], r->line[0], r->line[2], "", "one", "two", "independent",
		"two/one", "ind./one", "two/ind.");
	for (unsigned s = 0; s < SCENARIOS; s++) {
		const double *f = r->median[s];

		printf("  %-32s %7.1f %7.1f %12.1f %8.2f %8.2f %8.2f\n", scenarios[s].name, f[ONE],
			f[TWO], f[INDEPENDENT], f[TWO_BY_ONE], f[INDEPENDENT_BY_ONE],
			f[TWO_BY_INDEPENDENT]);
	}
}

static void print_scenario(const struct result *r, unsigned s)
{
	static const char *const names[CYCLES] = {
		[ONE] = "one", [TWO] = "two", [INDEPENDENT] = "independent"};
	const double *median = r->median[s];

	printf("{\"name\": \"%s\"", scenarios[s].name);
	for (unsigned f = 0; f < CYCLES; f++)
		printf(", \"%s\": {\"best\": %.3f, \"median\": %.3f}", names[f], r->best[s][f],
			median[f]);
	printf(", \"two_by_one\": %.4f, \"independent_by_one\": %.4f, \"two_by_independent\": "
	       "%.4f}",
		median[TWO_BY_ONE], median[INDEPENDENT_BY_ONE], median[TWO_BY_INDEPENDENT]);
}

static void print_json(const struct result *r)
{
	printf("{\"algorithm\": \"%s\", \"size\": %u, \"cpus\": [%u, %u], \"tsc_hz\": %" PRIu64
	       ", \"rounds\": %u, \"checked\": %" PRIu64
	       ", \"line_round_trip\": {\"best\": %.0f, \"median\": %.0f, \"worst\": %.0f}"
	       ", \"scenarios\": [",
		opt.alg->name, opt.size, opt.cpu[0], opt.cpu[1], rte_get_tsc_hz(), r->rounds,
		r->checked, r->line[0], r->line[1], r->line[2]);
	for (unsigned s = 0; s < SCENARIOS; s++) {
		printf("%s", s == 0 ? "" : ", ");
		print_scenario(r, s);
	}
	printf("]}\n");
}

int main(int argc, char **argv)
{
	struct result r;
	int key;

	while ((key = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		set_option(key, optarg);
	if (optind != argc)
		set_option(0, NULL);
	world_make(argv[0]);
	run_threads();
	r = rounds_run(opt.seconds);
	run_stop();
	if (opt.json)
		print_json(&r);
	else
		print_text(&r);
	return 0;
}
