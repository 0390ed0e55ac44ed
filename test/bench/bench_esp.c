/* SPDX-License-Identifier: BSD-3-Clause */
/* Cycles per packet of the ESP stages, without I/O and routing, of the crypto under them, and of
 * IPsec-MB called directly on the same buffers in the same run: see usage().
 *
 * In each round everything is measured in turn, so that a change of the core's clock meets all; the
 * best round and the median are shown, in TSC cycles. */
#include "alone.h"
#include "bench_esp_world.h"

#include "dataplane/esp.h"

#include <rte_cycles.h>
#include <rte_eal.h>

#include <err.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BURSTS         32 /* timed together, one round */
#define ROUNDS         20000
#define CASES_MAX      8
#define SIZE_MAX_BYTES 1900
#define PICK           64 /* bursts of each interface of IPsec-MB, of which the fastest is taken */

/* What is measured. The last two stand for one figure per interface of IPsec-MB. */
enum figure {
	OUT,
	IN,
	SEAL,
	OPEN,
	ALONE,
	ALONE_IN = ALONE + ALONE_APIS,
	FIGURES = ALONE_IN + ALONE_APIS,
};

static const char *const figure_names[] = {[OUT] = "out",
	[IN] = "in",
	[SEAL] = "seal",
	[OPEN] = "open",
	[ALONE] = "alone",
	[ALONE_IN] = "alone-in"};

/* Packets of one number of SAs. */
struct bench_case {
	unsigned sas, first;
	struct alone *alone;
	enum alone_api best[2]; /* for opening and sealing */
	uint64_t *samples[FIGURES];
};

static struct {
	double seconds;
	unsigned burst, size[CASES_MAX], sas[CASES_MAX], sizes, n_sas;
	const char *alg;
	bool json, apis;
} opt = {.seconds = 0.5, .burst = VEC_MAX};

static struct crypto_op op[VEC_MAX];
static uint8_t *esp[VEC_MAX];
static uint32_t text_len[VEC_MAX];
static bool first_line = true;

static void make_ops(const struct bench_case *c)
{
	for (unsigned i = 0; i < opt.burst; i++) {
		struct sa *sa = sa_out[(c->first + i) % c->sas];

		esp[i] = inner[i].l3 - 8 - sa->iv_len;
		text_len[i] = RTE_ALIGN_CEIL(inner[i].len + ESP_TRAILER_LEN, sa->align);
		op[i] = (struct crypto_op){.sa = sa, .esp = esp[i], .text_len = text_len[i]};
	}
}

static uint64_t run_crypto(void (*run)(struct crypto_ctx *ctx, struct crypto_op *ops, unsigned n))
{
	uint64_t start = rte_rdtsc_precise();

	run(w->crypto, op, opt.burst);
	return rte_rdtsc_precise() - start;
}

static uint64_t run_alone(struct bench_case *c, enum alone_api api, bool seal)
{
	struct alone_batch b = {
		.esp = esp, .n = opt.burst, .text_len = text_len, .first = c->first};
	uint64_t start = rte_rdtsc_precise();

	(seal ? alone_seal : alone_open)(c->alone, api, &b);
	return rte_rdtsc_precise() - start;
}

/* Which interface is the fastest for this algorithm and size? */
static void pick_api(struct bench_case *c)
{
	uint64_t best[2] = {UINT64_MAX, UINT64_MAX}, cycles;

	for (unsigned n = 0; n < PICK * ALONE_APIS; n++) {
		enum alone_api api = n % ALONE_APIS;

		for (int seal = 1; seal >= 0 && alone_has(c->alone, api); seal--) {
			cycles = run_alone(c, api, seal);
			if (cycles >= best[seal])
				continue;
			best[seal] = cycles;
			c->best[seal] = api;
		}
	}
}

static bool wanted(const struct bench_case *c, enum figure f)
{
	bool seal = f < ALONE_IN;
	enum alone_api api = f - (seal ? ALONE : ALONE_IN);

	if (f < ALONE)
		return true;
	return opt.apis ? alone_has(c->alone, api) : api == c->best[seal];
}

/* The next burst has the next SAs' packets. */
static void next_burst(struct bench_case *c)
{
	c->first = (c->first + opt.burst) % c->sas;
}

static void measure_round(struct bench_case *c, unsigned round)
{
	uint64_t sum[FIGURES] = {0};

	for (unsigned b = 0; b < BURSTS; b++) {
		sum[OUT] += run_out(opt.burst, c->first, c->sas);
		sum[IN] += run_in(opt.burst, c->first, c->sas);
		next_burst(c);
	}
	for (unsigned b = 0; b < BURSTS; b++) {
		make_ops(c);
		sum[SEAL] += run_crypto(crypto_seal);
		sum[OPEN] += run_crypto(crypto_open);
		next_burst(c);
	}
	for (unsigned api = 0; api < ALONE_APIS; api++) {
		if (!wanted(c, ALONE + api) && !wanted(c, ALONE_IN + api))
			continue;
		for (unsigned b = 0; b < BURSTS; b++) {
			sum[ALONE + api] += run_alone(c, api, true);
			sum[ALONE_IN + api] += run_alone(c, api, false);
			next_burst(c);
		}
	}
	for (unsigned f = 0; f < FIGURES; f++)
		c->samples[f][round] = sum[f];
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static double per_packet(const uint64_t *sorted, unsigned n, double quantile)
{
	return (double)sorted[(unsigned)(quantile * (n - 1))] / (BURSTS * opt.burst);
}

static const char *size_name(unsigned len)
{
	static char name[8];

	snprintf(name, sizeof(name), "%u", len);
	return len == IMIX ? "imix" : name;
}

static void show(const struct algorithm *a, const struct bench_case *c, unsigned len,
	unsigned rounds, enum figure f)
{
	bool alone = f >= ALONE, seal = f == OUT || f == SEAL || (alone && f < ALONE_IN);
	const char *name = figure_names[!alone ? f : seal ? ALONE : ALONE_IN];
	const char *api = alone ? alone_api_names[f - (seal ? ALONE : ALONE_IN)] : "";
	enum figure yardstick = (seal ? ALONE : ALONE_IN) + c->best[seal];
	double best = per_packet(c->samples[f], rounds, 0);
	double median = per_packet(c->samples[f], rounds, 0.5);
	double ratio = best / per_packet(c->samples[yardstick], rounds, 0);

	if (opt.json)
		printf("%s\n{\"algorithm\": \"%s\", \"figure\": \"%s\", \"api\": \"%s\", "
		       "\"size\": \"%s\", \"sas\": %u, \"best\": %.2f, \"median\": %.2f, "
		       "\"ratio\": %.3f}",
			first_line ? "" : ",", a->name, name, api, size_name(len), c->sas, best,
			median, ratio);
	else
		printf("%s %-8s %7.1f (%7.1f)  x%.2f  size %4s  %5u SAs%s%s\n", a->name, name, best,
			median, ratio, size_name(len), c->sas, alone ? "  " : "", api);
	first_line = false;
}

static void open_case(struct bench_case *c, unsigned sas)
{
	*c = (struct bench_case){.sas = sas, .alone = alone_new(sa_out, sas, VEC_MAX)};
	for (unsigned f = 0; f < FIGURES; f++)
		c->samples[f] = calloc(ROUNDS, sizeof(uint64_t));
	make_ops(c);
	pick_api(c);
}

static void show_case(
	const struct algorithm *a, struct bench_case *c, unsigned len, unsigned rounds)
{
	for (unsigned f = 0; f < FIGURES; f++)
		qsort(c->samples[f], rounds, sizeof(uint64_t), compare);
	for (unsigned f = 0; f < FIGURES; f++) {
		if (wanted(c, f))
			show(a, c, len, rounds, f);
	}
}

static void close_case(struct bench_case *c)
{
	alone_free(c->alone);
	for (unsigned f = 0; f < FIGURES; f++)
		free(c->samples[f]);
}

/* All numbers of SAs in turn. */
static void measure(const struct algorithm *a, unsigned len)
{
	struct bench_case c[CASES_MAX];
	unsigned round = 0, most = 0;
	uint64_t end;

	for (unsigned i = 0; i < opt.n_sas; i++)
		most = RTE_MAX(most, opt.sas[i]);
	make_sas(a, most);
	make_packets(len);
	for (unsigned i = 0; i < opt.n_sas; i++)
		open_case(&c[i], opt.sas[i]);
	end = rte_rdtsc() + (uint64_t)(opt.seconds * opt.n_sas * rte_get_tsc_hz());
	for (; round == 0 || (round < ROUNDS && rte_rdtsc() < end); round++) {
		for (unsigned i = 0; i < opt.n_sas; i++)
			measure_round(&c[i], round);
	}
	for (unsigned i = 0; i < opt.n_sas; i++) {
		show_case(a, &c[i], len, round);
		close_case(&c[i]);
	}
	free_sas(most);
}

static void usage(void)
{
	printf("usage: bench_esp [options]\n"
	       "  --alg NAME      only this algorithm:");
	for (unsigned a = 0; a < RTE_DIM(algorithms); a++)
		printf("%s '%s'", a % 4 == 3 ? "\n                 " : "", algorithms[a].name);
	printf("\n"
	       "  --size N[,N]    inner packets of so many bytes, or imix (64,1420)\n"
	       "  --sas N[,N]     so many SAs, one packet of each in turn (1,128)\n"
	       "  --burst N       packets per burst, at most %u (%u)\n"
	       "  --seconds N     for each line of these (%.1f)\n"
	       "  --apis          IPsec-MB alone through each of its interfaces, not the fastest "
	       "only\n"
	       "  --json          machine-readable\n"
	       "\n"
	       "A line per figure: cycles per packet of the best round (and the median), and the "
	       "ratio\n"
	       "to IPsec-MB alone in the same direction.\n"
	       "  out, in          the ESP stages: esp_out() and esp_in()\n"
	       "  seal, open       the crypto under them: crypto_seal() and crypto_open()\n"
	       "  alone, alone-in  IPsec-MB alone, by its fastest interface\n"
	       "\n"
	       "64 tunnels with a packet each against one with 64: --burst 64 --sas 1,64\n"
	       "VIADUCT_CRYPTO_ARCH=sse|avx|avx2|avx512 holds IPsec-MB down to an architecture.\n",
		VEC_MAX, VEC_MAX, opt.seconds);
}

/* "1,128"; sizes: "64,imix" */
static unsigned parse_list(const char *s, unsigned *list, unsigned max)
{
	unsigned n = 0;
	char *end;

	do {
		bool imix = max == SIZE_MAX_BYTES && strncmp(s, "imix", 4) == 0;
		unsigned long value = strtoul(s, &end, 10);

		if (imix)
			end = (char *)s + 4;
		if (end == s || (value == 0 && !imix) || value > max || n == CASES_MAX)
			errx(2, "%s: at most %u numbers from 1 to %u", s, CASES_MAX, max);
		list[n++] = imix ? IMIX : value;
		s = end + 1;
	} while (*end == ',');
	if (*end != '\0')
		errx(2, "%s: not a number", end);
	return n;
}

static unsigned parse_one(const char *s, unsigned max)
{
	unsigned list[CASES_MAX];

	if (parse_list(s, list, max) != 1)
		errx(2, "%s: one number, please", s);
	return list[0];
}

static void parse_options(int argc, char **argv)
{
	static const struct option options[] = {{"alg", 1, NULL, 'a'}, {"size", 1, NULL, 'n'},
		{"sas", 1, NULL, 's'}, {"burst", 1, NULL, 'b'}, {"seconds", 1, NULL, 't'},
		{"apis", 0, NULL, 'A'}, {"json", 0, NULL, 'j'}, {"help", 0, NULL, 'h'}, {0}};
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'a':
			opt.alg = optarg;
			break;
		case 'n':
			opt.sizes = parse_list(optarg, opt.size, SIZE_MAX_BYTES);
			break;
		case 's':
			opt.n_sas = parse_list(optarg, opt.sas, SAS_MAX);
			break;
		case 'b':
			opt.burst = parse_one(optarg, VEC_MAX);
			break;
		case 't':
			opt.seconds = atof(optarg);
			break;
		case 'A':
			opt.apis = true;
			break;
		case 'j':
			opt.json = true;
			break;
		case 'h':
			usage();
			exit(0);
		default:
			exit(2);
		}
	}
}

/* SECONDS BURST ALGORITHM SIZE, of one SA: short, and what the harness gives. */
static void parse_positional(int argc, char **argv)
{
	if (argc > 0)
		opt.seconds = atof(argv[0]);
	if (argc > 1)
		opt.burst = parse_one(argv[1], VEC_MAX);
	if (argc > 2)
		opt.alg = argv[2];
	if (argc > 3) {
		opt.sizes = parse_list(argv[3], opt.size, SIZE_MAX_BYTES);
		opt.n_sas = parse_list("1", opt.sas, SAS_MAX);
	}
}

static void check_algorithm(void)
{
	for (unsigned a = 0; a < RTE_DIM(algorithms); a++) {
		if (opt.alg == NULL || strcmp(opt.alg, algorithms[a].name) == 0)
			return;
	}
	errx(2, "%s: no such algorithm; see --help", opt.alg);
}

static void start(char *name)
{
	char lcores[32]; /* on the CPU that taskset chose */
	char *eal[] = {name, "--no-huge", "--no-pci", "--no-shconf", "-m", "512", "--no-telemetry",
		"--lcores", lcores, "--log-level", "error"};

	snprintf(lcores, sizeof(lcores), "0@%d", sched_getcpu());
	if (rte_eal_init(RTE_DIM(eal), eal) < 0)
		errx(1, "EAL does not start");
	make_world();
}

int main(int argc, char **argv)
{
	parse_options(argc, argv);
	parse_positional(argc - optind, argv + optind);
	if (opt.sizes == 0)
		opt.sizes = parse_list("64,1420", opt.size, SIZE_MAX_BYTES);
	if (opt.n_sas == 0)
		opt.n_sas = parse_list("1,128", opt.sas, SAS_MAX);
	check_algorithm();
	start(argv[0]);
	if (opt.json)
		printf("{\"arch\": \"%s\", \"tsc_hz\": %lu, \"burst\": %u, \"figures\": [",
			crypto_ctx_arch(w->crypto), rte_get_tsc_hz(), opt.burst);
	else
		printf("%s, TSC %.3f GHz, %u packets a burst; cycles per packet: best (median), "
		       "ratio to IPsec-MB alone\n",
			crypto_ctx_arch(w->crypto), rte_get_tsc_hz() / 1e9, opt.burst);
	for (unsigned a = 0; a < RTE_DIM(algorithms); a++) {
		if (opt.alg != NULL && strcmp(opt.alg, algorithms[a].name) != 0)
			continue;
		for (unsigned s = 0; s < opt.sizes; s++)
			measure(&algorithms[a], opt.size[s]);
	}
	if (opt.json)
		printf("\n]}\n");
	return 0;
}
